//! `grpc`: the standard health service, `grpc.health.v1.Health/Check`
//! (<https://github.com/grpc/grpc/blob/master/doc/health-checking.md>).

use std::net::SocketAddr;

use http::{HeaderMap, Request, Uri};
use prost::Message;

use super::dial::Target;
use super::error::PrepareError;
use super::fault::{Layer, ProbeFault};
use super::http::push_authority;
use super::http2::{self, Http2Answer};
use super::resources::ThreadResources;
use super::tls::PreparedTls;
use crate::domain::config::{GrpcExchange, TlsSettings};
use crate::domain::health::probe_result::{ProbeResult, ResultCode};
use crate::domain::http::is_host;

/// Bytes before a message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// Characters of a server's message that a result repeats.
const MOST_SHOWN: usize = 64;

/// The codes of gRPC, from 0 on.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

#[derive(Clone, PartialEq, Message)]
struct HealthQuestion {
    #[prost(string, tag = "1")]
    service: String,
}

#[derive(Clone, PartialEq, Message)]
struct HealthAnswer {
    #[prost(int32, tag = "1")]
    status: i32,
}

/// A question to one backend, prepared.
#[derive(Debug)]
pub(super) struct GrpcProbe {
    target: Target,
    tls: Option<PreparedTls>,
    /// The service in quotes, for results; `the server` without one.
    subject: String,
    uri: Uri,
    question: Vec<u8>,
}

impl GrpcProbe {
    pub(super) fn prepare(
        target: Target,
        tls: Option<&TlsSettings>,
        exchange: &GrpcExchange,
        resources: &ThreadResources,
    ) -> Result<Self, PrepareError> {
        let GrpcExchange { service, host } = exchange;
        let (scheme, usual_port) = if tls.is_some() { ("https", 443) } else { ("http", 80) };
        let peer: SocketAddr = target.peer;
        let authority = host.clone().unwrap_or_else(|| {
            let mut authority = String::new();
            push_authority(&mut authority, peer, usual_port);
            authority
        });
        if !is_host(&authority) {
            return Err(PrepareError::Host { host: authority });
        }
        let uri = Uri::builder().scheme(scheme).authority(&*authority);
        let uri = uri.path_and_query("/grpc.health.v1.Health/Check").build();
        let uri = uri.map_err(|_| PrepareError::Host { host: authority })?;
        let tls = tls.map(|tls| PreparedTls::prepare(tls, host.as_deref(), peer.ip(), resources));
        let message = HealthQuestion { service: service.clone() }.encode_to_vec();
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes();
        let question = [&[0], &length[..], &message].concat();
        let subject = match service.as_str() {
            "" => "the server".to_owned(),
            service => format!("{service:?}"),
        };
        Ok(Self { target, tls: tls.transpose()?, subject, uri, question })
    }

    pub(super) fn tls(&self) -> Option<&PreparedTls> {
        self.tls.as_ref()
    }

    /// Makes one probe.
    pub(super) async fn attempt(&self, layer: &mut Layer) -> Result<ProbeResult, ProbeFault> {
        let stream = self.target.connect().await?;
        let request = Request::builder()
            .method("POST")
            .uri(self.uri.clone())
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("user-agent", concat!("maglevd/", env!("CARGO_PKG_VERSION")));
        let request = request.body(()).map_err(ProbeFault::Request)?;
        let question = Some(self.question.clone());
        let wants = |_, _: &HeaderMap| true;
        let answer = match &self.tls {
            Some(tls) => {
                let stream = tls.handshake(stream, layer).await?;
                *layer = Layer::Exchange;
                http2::exchange(stream, request, question, wants).await?
            }
            None => {
                *layer = Layer::Exchange;
                // Several small frames in a row: see `PreparedTls::handshake`.
                stream.set_nodelay(true)?;
                http2::exchange(stream, request, question, wants).await?
            }
        };
        Ok(self.judge(&answer))
    }

    fn judge(&self, answer: &Http2Answer) -> ProbeResult {
        let Http2Answer { status, headers, body, trailers } = answer;
        let text = |map: &HeaderMap, name: &str| {
            let value = map.get(name)?.as_bytes();
            Some(String::from_utf8_lossy(value).into_owned())
        };
        let is_grpc = text(headers, "content-type")
            .is_some_and(|content| content.starts_with("application/grpc"));
        if *status != 200 {
            let detail = format!("status {status} in place of a gRPC answer");
            return ProbeResult::new(ResultCode::L7Status, detail);
        }
        if !is_grpc {
            return ProbeResult::new(ResultCode::L7Response, "not gRPC: no such content type");
        }
        let ends = trailers.as_ref().unwrap_or(headers);
        let code = text(ends, "grpc-status").and_then(|code| code.parse::<usize>().ok());
        let subject = &self.subject;
        match code {
            Some(0) => self.judge_message(body),
            Some(5) => {
                let detail = format!("NOT_FOUND: the health service does not know {subject}");
                ProbeResult::new(ResultCode::L7Content, detail)
            }
            Some(12) => ProbeResult::new(
                ResultCode::L7Response,
                "UNIMPLEMENTED: there is no health service (grpc.health.v1.Health)",
            ),
            Some(code) => {
                let name = CODES.get(code).copied().unwrap_or("an unknown code");
                let message = text(ends, "grpc-message").unwrap_or_default();
                let shown = message.chars().filter(|c| !c.is_control()).take(MOST_SHOWN);
                let shown: String = shown.collect();
                let colon = if shown.is_empty() { "" } else { ": " };
                let detail = format!("grpc-status {code} {name}{colon}{shown}");
                ProbeResult::new(ResultCode::L7Status, detail)
            }
            None => ProbeResult::new(ResultCode::L7Response, "the answer has no grpc-status"),
        }
    }

    fn judge_message(&self, body: &[u8]) -> ProbeResult {
        let message = match body.split_at_checked(PREFIX) {
            Some((&[0, a, b, c, d], rest)) => {
                let length = u32::from_be_bytes([a, b, c, d]);
                usize::try_from(length).ok().and_then(|length| rest.get(..length))
            }
            _ => None,
        };
        let answer = message.and_then(|message| HealthAnswer::decode(message).ok());
        let subject = &self.subject;
        match answer.map(|answer| answer.status) {
            Some(1) => ProbeResult::new(ResultCode::L7Ok, "SERVING"),
            Some(2) => {
                let detail = format!("NOT_SERVING: {subject} is not served");
                ProbeResult::new(ResultCode::L7Status, detail)
            }
            Some(3) => {
                let detail = format!("SERVICE_UNKNOWN: the health service does not know {subject}");
                ProbeResult::new(ResultCode::L7Content, detail)
            }
            Some(_) => {
                let detail = format!("UNKNOWN: the state of {subject} is not known");
                ProbeResult::new(ResultCode::L7Status, detail)
            }
            None => {
                ProbeResult::new(ResultCode::L7Response, "the answer is no HealthCheckResponse")
            }
        }
    }
}
