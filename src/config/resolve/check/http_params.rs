//! The parameters of `http` and `https`: the request, and the answer that passes.

use super::super::values::{absolute_path, optional, or_default};
use super::params::regexp;
use crate::config::check_fault::CheckProblem;
use crate::config::fault::Problem;
use crate::config::raw::{RawKind, RawParams, RawResponseHeader};
use crate::config::raw_forms::{RawHeaderValue, RawHeaders};
use crate::config::report::{ConfigPath, FaultReport};
use crate::config::warnings::WarningKind;
use crate::domain::config::{
    GrpcExchange, HeaderValue, HttpExchange, RequestHeader, ResponseHeader,
};
use crate::domain::http;
use crate::domain::status_codes::StatusCodes;

const PATH: &str = "/";

/// Headers that hold what nobody else should know.
const SECRET: [&str; 3] = ["authorization", "proxy-authorization", "cookie"];

pub(super) fn http(
    kind: RawKind,
    params: &RawParams,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<HttpExchange> {
    let method = or_default(params.method.as_deref(), http::GET.to_owned(), |given| {
        method(given, &at.key("method"), report)
    });
    let path = or_default(params.path.as_deref(), PATH.to_owned(), |given| {
        path(given, &at.key("path"), report)
    });
    let host = optional(params.host.as_deref(), |given| host(given, &at.key("host"), report));
    let headers = or_default(params.headers.as_ref(), Vec::new(), |given| {
        headers(given, &at.key("headers"), report)
    });
    let codes = or_default(params.response_code.as_ref(), StatusCodes::from(200..=200), |given| {
        StatusCodes::parse(&given.0).or_else(|| {
            let problem = Problem::BadCodes { given: given.0.clone() };
            report.refuse(&at.key("response-code"), problem)
        })
    });
    let header = optional(params.response_header.as_ref(), |given| {
        response_header(given, &at.key("response-header"), report)
    });
    let body_at = at.key("response-regexp");
    let body = params.response_regexp.as_deref();
    let pattern = optional(body, |given| regexp(given, &body_at, report));
    let (method, codes, pattern) = (method?, codes?, pattern?);
    if pattern.is_some_and(|pattern| !pattern.is_match(b"")) {
        if method == http::HEAD {
            return report.refuse(&body_at, CheckProblem::BodyOfHead);
        }
        if codes.all(http::has_no_body) {
            return report.refuse(&body_at, Problem::BodyOfNone { codes });
        }
    }
    let http2 = params.http2.unwrap_or(false);
    refuse_http2(kind, params, at, report)?;
    let (content, body) = (params.body.clone(), body.map(str::to_owned));
    let (path, host, headers, header) = (path?, host?, headers?, header?);
    Some(HttpExchange { method, path, host, headers, content, codes, header, body, http2 })
}

/// What HTTP/2 does not go with.
fn refuse_http2(
    kind: RawKind,
    params: &RawParams,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<()> {
    if params.http2 != Some(true) {
        return Some(());
    }
    if kind == RawKind::Http {
        return report.refuse(&at.key("http2"), CheckProblem::Http2WithoutTls);
    }
    if params.alpn.is_some() {
        return report.refuse(&at.key("alpn"), CheckProblem::AlpnOfHttp2);
    }
    let names = params.headers.iter().flat_map(|headers| &headers.0).map(|(name, _)| name);
    let mut of_connections = names.filter(|name| http::is_of_connection(name));
    match of_connections.next() {
        Some(name) => {
            report.refuse(&at.key("headers").key(name), CheckProblem::ConnectionHeaderOfHttp2)
        }
        None => Some(()),
    }
}

/// The question of `grpc`.
pub(super) fn grpc(
    params: &RawParams,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<GrpcExchange> {
    let host = optional(params.host.as_deref(), |given| host(given, &at.key("host"), report));
    let service = params.service.clone().unwrap_or_default();
    Some(GrpcExchange { service, host: host? })
}

fn method(given: &str, at: &ConfigPath<'_>, report: &mut FaultReport) -> Option<String> {
    if http::is_method(given) {
        return Some(given.to_owned());
    }
    report.refuse(at, CheckProblem::BadMethod { given: given.to_owned() })
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

fn headers(
    given: &RawHeaders,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<Vec<RequestHeader>> {
    let headers: Vec<_> =
        given.0.iter().map(|(name, value)| header(name, value, &at.key(name), report)).collect();
    headers.into_iter().collect()
}

fn header(
    name: &str,
    value: &RawHeaderValue,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<RequestHeader> {
    if !http::is_header_name(name) {
        return report.refuse(at, CheckProblem::BadHeaderName);
    }
    if http::is_reserved(name) {
        let remedy = match name {
            _ if name.eq_ignore_ascii_case("host") => "give host in place of it",
            _ => "remove it",
        };
        return report.refuse(at, CheckProblem::ReservedHeader { remedy });
    }
    let value = match value {
        // A value is not repeated: it may be a secret.
        RawHeaderValue::Text(text) if !http::is_header_value(text.as_bytes()) => {
            return report.refuse(at, CheckProblem::BadHeaderValue);
        }
        RawHeaderValue::Text(text) => {
            if SECRET.iter().any(|secret| name.eq_ignore_ascii_case(secret)) {
                report.warn(at, WarningKind::SecretShown);
            }
            HeaderValue::Text(text.clone())
        }
        RawHeaderValue::File(path) => {
            HeaderValue::File(absolute_path(path, &at.key("file"), report)?)
        }
    };
    Some(RequestHeader { name: name.to_owned(), value })
}

fn response_header(
    given: &RawResponseHeader,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<ResponseHeader> {
    let name_at = at.key("name");
    let name = report.require(&name_at, given.name.as_deref(), "the name of the header").and_then(
        |name| match http::is_header_name(name) {
            true => Some(name.to_owned()),
            false => report.refuse(&name_at, CheckProblem::BadHeaderName),
        },
    );
    let regexp_at = at.key("regexp");
    let pattern = report
        .require(&regexp_at, given.regexp.as_deref(), "what a value of it has to match")
        .and_then(|given| regexp(given, &regexp_at, report).map(|_| given.to_owned()));
    Some(ResponseHeader { name: name?, pattern: pattern? })
}
