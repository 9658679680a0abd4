//! `healthchecks.<name>.params`: the request, and the answer that passes.

use std::ops::RangeInclusive;

use super::super::values::{optional, or_default, word};
use crate::config::fault::Problem;
use crate::config::raw::{RawKind, RawParams, RawTransport};
use crate::config::report::{ConfigPath, FaultReport};
use crate::config::warnings::WarningKind;
use crate::domain::config::{DnsExchange, HttpExchange, TlsSettings};
use crate::domain::{dns, http};
use crate::pattern::Pattern;

const TCP: &[&str] = &["ssl", "server-name", "insecure-skip-verify"];
const HTTP: &[&str] =
    &["path", "host", "response-code", "response-regexp", "server-name", "insecure-skip-verify"];
const DNS: &[&str] = &["query", "record", "transport", "expect-rcode", "expect-answer"];

const PATH: &str = "/";
const RESPONSE_CODES: RangeInclusive<u16> = 200..=200;
const RECORD: &str = "A";
const RCODE: &str = "NOERROR";

/// Refuses the keys that the type of check does not have.
pub(super) fn refuse_foreign_keys(
    kind: RawKind,
    params: &RawParams,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) {
    let (kind, known) = match kind {
        RawKind::Icmp => ("icmp", &[] as &[_]),
        RawKind::Tcp => ("tcp", TCP),
        RawKind::Http => ("http", HTTP),
        RawKind::Https => ("https", HTTP),
        RawKind::Dns => ("dns", DNS),
    };
    // Destructured, so that a new key of the schema cannot be forgotten.
    let RawParams {
        path,
        host,
        response_code,
        response_regexp,
        ssl,
        server_name,
        insecure_skip_verify,
        query,
        record,
        transport,
        expect_rcode,
        expect_answer,
    } = params;
    for (key, given) in [
        ("path", path.is_some()),
        ("host", host.is_some()),
        ("response-code", response_code.is_some()),
        ("response-regexp", response_regexp.is_some()),
        ("ssl", ssl.is_some()),
        ("server-name", server_name.is_some()),
        ("insecure-skip-verify", insecure_skip_verify.is_some()),
        ("query", query.is_some()),
        ("record", record.is_some()),
        ("transport", transport.is_some()),
        ("expect-rcode", expect_rcode.is_some()),
        ("expect-answer", expect_answer.is_some()),
    ] {
        if given && !known.contains(&key) {
            report.fault(&at.key(key), Problem::KeyNotOfType { kind, known });
        }
    }
}

/// The settings of TLS if the check is `wanted` to use it. Otherwise its keys are
/// checked as well, and bring the warning that they do nothing, with a `remedy`.
pub(super) fn tls(
    params: &RawParams,
    wanted: bool,
    remedy: &'static str,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<Option<TlsSettings>> {
    let name_at = at.key("server-name");
    let server_name = optional(params.server_name.as_deref(), |given| {
        let name = http::server_name(given).map(str::to_owned);
        let problem = || Problem::BadServerName { given: given.to_owned() };
        name.or_else(|| report.refuse(&name_at, problem()))
    });
    let skip_verify = params.insecure_skip_verify.unwrap_or(false);
    if wanted {
        refuse_host_of_no_certificate(params, &at.key("host"), report);
        return Some(Some(TlsSettings { server_name: server_name?, verify: !skip_verify }));
    }
    if params.server_name.is_some() {
        report.warn(&name_at, WarningKind::NeedsTls { remedy });
    }
    if skip_verify {
        report.warn(&at.key("insecure-skip-verify"), WarningKind::NeedsTls { remedy });
    }
    server_name.map(|_| None)
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

pub(super) fn http(
    params: &RawParams,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<HttpExchange> {
    let path = or_default(params.path.as_deref(), PATH.to_owned(), |given| {
        path(given, &at.key("path"), report)
    });
    let host = optional(params.host.as_deref(), |given| host(given, &at.key("host"), report));
    let codes = or_default(params.response_code.as_deref(), RESPONSE_CODES, |given| {
        http::response_codes(given).or_else(|| {
            let problem = Problem::BadCodes { given: given.to_owned() };
            report.refuse(&at.key("response-code"), problem)
        })
    });
    let body_at = at.key("response-regexp");
    let body = params.response_regexp.as_deref();
    let pattern = optional(body, |given| regexp(given, &body_at, report));
    let (codes, pattern) = (codes?, pattern?);
    let never_has_one = codes.clone().all(http::has_no_body);
    if never_has_one && pattern.is_some_and(|pattern| !pattern.is_match(b"")) {
        return report.refuse(&body_at, Problem::BodyOfNone { codes });
    }
    Some(HttpExchange { path: path?, host: host?, codes, body: body.map(str::to_owned) })
}

pub(super) fn dns(
    params: &RawParams,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<DnsExchange> {
    let query_at = at.key("query");
    let query = report
        .require(&query_at, params.query.as_deref(), "the name to ask for, such as example.org")
        .and_then(|given| query(given, &query_at, report));
    let record = or_default(params.record.as_deref(), RECORD.to_owned(), |given| {
        record(given, &at.key("record"), report)
    });
    let rcode = or_default(params.expect_rcode.as_deref(), RCODE.to_owned(), |given| {
        word(given, &dns::RCODES, &at.key("expect-rcode"), report)
    });
    let answer_at = at.key("expect-answer");
    let answer = optional(params.expect_answer.as_deref(), |given| {
        regexp(given, &answer_at, report).map(|_| given.to_owned())
    });
    let (rcode, answer) = (rcode?, answer?);
    if answer.is_some() && rcode != RCODE {
        return report.refuse(&answer_at, Problem::AnswerOfFailure { rcode });
    }
    let tcp = params.transport == Some(RawTransport::Tcp);
    Some(DnsExchange { query: query?, record: record?, tcp, rcode, answer })
}

fn path(given: &str, at: &ConfigPath<'_>, report: &mut FaultReport) -> Option<String> {
    if http::is_path(given) {
        return Some(given.to_owned());
    }
    report.refuse(at, Problem::BadPath { given: given.to_owned() })
}

fn host(given: &str, at: &ConfigPath<'_>, report: &mut FaultReport) -> Option<String> {
    if http::is_host(given) {
        return Some(given.to_owned());
    }
    report.refuse(at, Problem::BadHost { given: given.to_owned() })
}

fn query(given: &str, at: &ConfigPath<'_>, report: &mut FaultReport) -> Option<String> {
    if dns::labels(given).is_some() {
        return Some(given.to_owned());
    }
    report.refuse(at, Problem::BadQuery { given: given.to_owned() })
}

fn record(given: &str, at: &ConfigPath<'_>, report: &mut FaultReport) -> Option<String> {
    match dns::record_type(given) {
        Some(_) => Some(given.to_ascii_uppercase()),
        None => report.refuse(at, Problem::BadRecord { given: given.to_owned() }),
    }
}

fn regexp(given: &str, at: &ConfigPath<'_>, report: &mut FaultReport) -> Option<Pattern> {
    match Pattern::new(given) {
        Ok(pattern) => Some(pattern),
        Err(error) => report.refuse(at, Problem::BadRegexp(error)),
    }
}
