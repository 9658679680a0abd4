//! `healthchecks.<name>.params`: the request, and the answer that passes.

use super::super::values::{optional, or_default, word};
use crate::config::check_fault::CheckProblem;
use crate::config::fault::Problem;
use crate::config::raw::{RawKind, RawParams, RawProxyProtocol, RawTransport};
use crate::config::report::{ConfigPath, FaultReport};
use crate::domain::config::{DnsExchange, ProxyVersion};
use crate::domain::dns;
use crate::pattern::Pattern;

const TCP: &[&str] = &[
    "steps",
    "ssl",
    "proxy-protocol",
    "server-name",
    "insecure-skip-verify",
    "client-certificate",
    "client-key",
    "ca-file",
    "min-tls",
    "alpn",
    "certificate-warning",
];
const HTTP: &[&str] = &[
    "method",
    "path",
    "host",
    "headers",
    "body",
    "response-code",
    "response-header",
    "response-regexp",
    "http2",
    "proxy-protocol",
    "server-name",
    "insecure-skip-verify",
    "client-certificate",
    "client-key",
    "ca-file",
    "min-tls",
    "alpn",
    "certificate-warning",
];
const GRPC: &[&str] = &[
    "service",
    "host",
    "ssl",
    "proxy-protocol",
    "server-name",
    "insecure-skip-verify",
    "client-certificate",
    "client-key",
    "ca-file",
    "min-tls",
    "certificate-warning",
];
const UDP: &[&str] = &["steps"];
const DNS: &[&str] = &["query", "record", "transport", "expect-rcode", "expect-answer"];

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
        RawKind::Udp => ("udp", UDP),
        RawKind::Http => ("http", HTTP),
        RawKind::Https => ("https", HTTP),
        RawKind::Dns => ("dns", DNS),
        RawKind::Grpc => ("grpc", GRPC),
    };
    // Destructured, so that a new key of the schema cannot be forgotten.
    let RawParams {
        method,
        path,
        host,
        headers,
        body,
        response_code,
        response_header,
        response_regexp,
        http2,
        service,
        proxy_protocol,
        steps,
        ssl,
        server_name,
        insecure_skip_verify,
        client_certificate,
        client_key,
        ca_file,
        min_tls,
        alpn,
        certificate_warning,
        query,
        record,
        transport,
        expect_rcode,
        expect_answer,
    } = params;
    for (key, given) in [
        ("method", method.is_some()),
        ("path", path.is_some()),
        ("host", host.is_some()),
        ("headers", headers.is_some()),
        ("body", body.is_some()),
        ("response-code", response_code.is_some()),
        ("response-header", response_header.is_some()),
        ("response-regexp", response_regexp.is_some()),
        ("http2", http2.is_some()),
        ("service", service.is_some()),
        ("proxy-protocol", proxy_protocol.is_some()),
        ("steps", steps.is_some()),
        ("ssl", ssl.is_some()),
        ("server-name", server_name.is_some()),
        ("insecure-skip-verify", insecure_skip_verify.is_some()),
        ("client-certificate", client_certificate.is_some()),
        ("client-key", client_key.is_some()),
        ("ca-file", ca_file.is_some()),
        ("min-tls", min_tls.is_some()),
        ("alpn", alpn.is_some()),
        ("certificate-warning", certificate_warning.is_some()),
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

/// What connections begin with. A check that sends nothing over its own needs none.
pub(super) fn proxy(
    kind: RawKind,
    params: &RawParams,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<Option<ProxyVersion>> {
    let Some(given) = params.proxy_protocol else { return Some(None) };
    if kind == RawKind::Tcp && params.ssl != Some(true) && params.steps.is_none() {
        let remedy = "set ssl: true, give steps, or remove it";
        let problem = CheckProblem::ProxyOfNothing { kind: "tcp", remedy };
        return report.refuse(&at.key("proxy-protocol"), problem);
    }
    Some(Some(match given {
        RawProxyProtocol::V1 => ProxyVersion::V1,
        RawProxyProtocol::V2 => ProxyVersion::V2,
    }))
}

pub(super) fn regexp(
    given: &str,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<Pattern> {
    match Pattern::new(given) {
        Ok(pattern) => Some(pattern),
        Err(error) => report.refuse(at, Problem::BadRegexp(error)),
    }
}
