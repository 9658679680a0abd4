//! `http` and `https`: one HTTP/1.1 request over a connection of its own
//! (RFC 9112), answered with a status that passes and, if asked for, a body
//! that matches. A redirect is an answer like any other.

mod body;
mod response;
#[cfg(test)]
mod tests;

use std::fmt::Write;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::rc::Rc;

use regex::bytes::Regex;
use tokio::net::TcpStream;

use super::dial::{Target, close};
use super::exchange::exchange;
use super::fault::{Layer, ProbeFault};
use super::tls::{self, PreparedTls};
use super::{PrepareError, ThreadResources};
use crate::domain::config::{self, HttpExchange};
use crate::domain::health::probe_result::ProbeResult;
use response::HttpResponse;

/// What is left out of a `Host` header.
const HTTP_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;

/// Bytes of a request, its path not counted, that a name of usual length takes.
const REQUEST: usize = 160;

/// An HTTP exchange with one backend, prepared.
#[derive(Debug)]
pub(super) struct Http {
    target: Target,
    tls: Option<Box<PreparedTls>>,
    question: Rc<HttpExchangeSpec>,
}

/// The request and the answer that passes, for every backend of a check.
#[derive(Debug)]
pub(super) struct HttpExchangeSpec {
    path: String,
    /// `None`: the backend's address.
    host: Option<String>,
    expected: Expected,
}

/// The answer that passes.
#[derive(Debug)]
struct Expected {
    codes: RangeInclusive<u16>,
    /// Bodies are bytes: they need not be UTF-8.
    body: Option<Regex>,
}

impl Http {
    pub(super) fn prepare(
        target: Target,
        tls: Option<&config::TlsSettings>,
        exchange: &HttpExchange,
        shared: &ThreadResources,
    ) -> Result<Self, PrepareError> {
        let host = exchange.host.as_deref();
        let tls =
            tls.map(|settings| PreparedTls::prepare(settings, host, target.peer.ip(), shared));
        let tls = tls.transpose()?.map(Box::new);
        let question = shared.http_questions().get(exchange, HttpExchangeSpec::prepare)?;
        Ok(Self { target, tls, question })
    }

    pub(super) async fn attempt(&self, layer: &mut Layer) -> Result<ProbeResult, ProbeFault> {
        let mut stream = self.target.connect().await?;
        if let Some(tls) = &self.tls {
            // Boxed: its state is the largest by far, and plain HTTP the most
            // frequent kind.
            return Box::pin(self.exchange_over(tls, stream, layer)).await;
        }
        *layer = Layer::Exchange;
        let request = self.question.request(&self.target, HTTP_PORT);
        let mut response = HttpResponse::new(&self.question.expected);
        let finding = exchange(&mut stream, &request, &mut response).await?;
        close(&stream);
        Ok(finding)
    }

    async fn exchange_over(
        &self,
        tls: &PreparedTls,
        stream: TcpStream,
        layer: &mut Layer,
    ) -> Result<ProbeResult, ProbeFault> {
        let mut stream = tls.handshake(stream, layer).await?;
        *layer = Layer::Exchange;
        let request = self.question.request(&self.target, HTTPS_PORT);
        let mut response = HttpResponse::new(&self.question.expected);
        let finding = exchange(&mut stream, &request, &mut response).await?;
        tls::end(&mut stream).await;
        Ok(finding)
    }
}

impl HttpExchangeSpec {
    fn prepare(exchange: &HttpExchange) -> Result<Self, PrepareError> {
        let HttpExchange { path, host, codes, body } = exchange.clone();
        if !path.starts_with('/') || !is_visible(&path) {
            return Err(PrepareError::Path { path });
        }
        if let Some(host) = host.as_ref().filter(|host| host.is_empty() || !is_visible(host)) {
            return Err(PrepareError::Host { host: host.clone() });
        }
        let body = body.as_deref().map(Regex::new).transpose().map_err(Box::new)?;
        Ok(Self { path, host, expected: Expected { codes, body } })
    }

    /// The request's bytes. They are put together for each probe: that takes a
    /// tenth of a microsecond, and to keep them a cold line of memory or three.
    fn request(&self, target: &Target, usual_port: u16) -> Vec<u8> {
        let mut request = String::with_capacity(REQUEST + self.path.len());
        request.extend(["GET ", &self.path, " HTTP/1.1\r\nHost: "]);
        match &self.host {
            Some(host) => request.push_str(host),
            None => push_authority(&mut request, target, usual_port),
        }
        let version = env!("CARGO_PKG_VERSION");
        request.extend(["\r\nUser-Agent: maglevd/", version, "\r\nConnection: close\r\n\r\n"]);
        request.into_bytes()
    }
}

/// Nothing that could end a line or a word of the request.
fn is_visible(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The backend's address as a `Host` header (RFC 3986, section 3.2).
fn push_authority(to: &mut String, target: &Target, usual_port: u16) {
    // Writing to a string cannot fail.
    let _ = match (target.peer.ip(), target.peer.port()) {
        (IpAddr::V4(address), port) if port == usual_port => write!(to, "{address}"),
        (IpAddr::V6(address), port) if port == usual_port => write!(to, "[{address}]"),
        _ => write!(to, "{}", target.peer),
    };
}
