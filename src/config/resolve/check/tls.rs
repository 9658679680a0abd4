//! The parameters of TLS, for every type of check that can use it.

use std::time::Duration;

use super::super::values::{absolute_path, optional};
use crate::config::check_fault::CheckProblem;
use crate::config::fault::Problem;
use crate::config::raw::{RawMinTls, RawParams};
use crate::config::report::{ConfigPath, FaultReport};
use crate::config::warnings::WarningKind;
use crate::domain::config::{ClientCredentials, MinTlsVersion, TlsClient, TlsSettings};
use crate::domain::{duration, http};

/// The settings of TLS if the check is `wanted` to use it. Otherwise its keys are
/// checked as well, and bring the warning that they do nothing, with a `remedy`.
pub(super) fn tls(
    params: &RawParams,
    wanted: bool,
    remedy: &'static str,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<Option<TlsSettings>> {
    let server_name = optional(params.server_name.as_deref(), |given| {
        let name = http::server_name(given).map(str::to_owned);
        let problem = || Problem::BadServerName { given: given.to_owned() };
        name.or_else(|| report.refuse(&at.key("server-name"), problem()))
    });
    let client = client(params, at, report);
    let warning_at = at.key("certificate-warning");
    let certificate_warning = optional(params.certificate_warning.as_deref(), |given| {
        span(given).or_else(|| {
            report.refuse(&warning_at, CheckProblem::BadWarning { given: given.to_owned() })
        })
    });
    let verify = !params.insecure_skip_verify.unwrap_or(false);
    if wanted {
        refuse_host_of_no_certificate(params, &at.key("host"), report);
        let (server_name, client) = (server_name?, client?);
        let certificate_warning = certificate_warning?;
        return Some(Some(TlsSettings { server_name, verify, client, certificate_warning }));
    }
    for (key, given) in [
        ("server-name", params.server_name.is_some()),
        ("insecure-skip-verify", !verify),
        ("client-certificate", params.client_certificate.is_some()),
        ("client-key", params.client_key.is_some()),
        ("ca-file", params.ca_file.is_some()),
        ("min-tls", params.min_tls.is_some()),
        ("alpn", params.alpn.is_some()),
        ("certificate-warning", params.certificate_warning.is_some()),
    ] {
        if given {
            report.warn(&at.key(key), WarningKind::NeedsTls { remedy });
        }
    }
    (server_name.is_some() && client.is_some() && certificate_warning.is_some()).then_some(None)
}

/// The same for a client that speaks HTTP/2, which is offered alone (RFC 9113, section 3.2).
pub(super) fn over_http2(mut tls: TlsSettings) -> TlsSettings {
    tls.client.alpn = vec!["h2".into()];
    tls
}

/// `14d`, or a duration above 0; `None` if it is something else.
fn span(given: &str) -> Option<Duration> {
    const DAY: Duration = Duration::from_secs(86_400);
    let days = given.strip_suffix('d').filter(|it| it.bytes().all(|it| it.is_ascii_digit()));
    let days = days.and_then(|digits| digits.parse::<u32>().ok());
    let days = days.filter(|days| *days <= 36_500);
    let span = days.map(|days| DAY * days).or_else(|| duration::parse(given).ok());
    span.filter(|span| !span.is_zero())
}

fn client(params: &RawParams, at: &ConfigPath<'_>, report: &mut FaultReport) -> Option<TlsClient> {
    let file = |key, given: &Option<String>, report: &mut FaultReport| {
        optional(given.as_deref(), |given| absolute_path(given, &at.key(key), report))
    };
    let certificate = file("client-certificate", &params.client_certificate, report);
    let key = file("client-key", &params.client_key, report);
    let ca_file = file("ca-file", &params.ca_file, report);
    let credentials = match (certificate?, key?) {
        (None, None) => None,
        (Some(certificate), Some(key)) => Some(ClientCredentials { certificate, key }),
        (Some(_), None) => {
            return report.refuse(
                &at.key("client-certificate"),
                CheckProblem::CredentialsInPart { missing: "client-key" },
            );
        }
        (None, Some(_)) => {
            return report.refuse(
                &at.key("client-key"),
                CheckProblem::CredentialsInPart { missing: "client-certificate" },
            );
        }
    };
    let ca_file = ca_file?;
    if ca_file.is_some() && params.insecure_skip_verify == Some(true) {
        return report.refuse(&at.key("ca-file"), CheckProblem::TrustOfNothing);
    }
    let min_version = match params.min_tls {
        None | Some(RawMinTls::V1_2) => MinTlsVersion::V1_2,
        Some(RawMinTls::V1_3) => MinTlsVersion::V1_3,
    };
    let alpn_at = at.key("alpn");
    let alpn = params.alpn.iter().flatten().enumerate().map(|(place, given)| {
        // RFC 7301, section 3.1.
        if (1..=255).contains(&given.len()) && given.bytes().all(|it| it.is_ascii_graphic()) {
            return Some(given.clone());
        }
        let problem = CheckProblem::BadProtocol { given: given.clone() };
        report.refuse(&alpn_at.index(place), problem)
    });
    let alpn = alpn.collect::<Vec<_>>().into_iter().collect::<Option<Vec<_>>>()?;
    Some(TlsClient { credentials, ca_file, min_version, alpn })
}

/// Without `server-name`, TLS asks for the name in `host`.
fn refuse_host_of_no_certificate(
    params: &RawParams,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) {
    let named = params.host.as_deref().filter(|_| params.server_name.is_none());
    // What is no host at all is a fault already.
    if let Some(host) = named.filter(|host| http::is_host(host))
        && http::server_name(http::without_port(host)).is_none()
    {
        report.fault(at, Problem::HostWithoutServerName { given: host.to_owned() });
    }
}
