//! `http` and `https`: one HTTP/1.1 request over a connection of its own
//! (RFC 9112), answered with a status that passes and, if asked for, a body
//! that matches. A redirect is an answer like any other.

mod body;
mod response;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::ops::RangeInclusive;

use regex::bytes::Regex;
use tokio::net::TcpStream;

use super::dial::{Target, let_go};
use super::exchange::exchange;
use super::fault::{Fault, Layer};
use super::tls::{self, Tls};
use super::{PrepareError, Shared};
use crate::domain::config::{self, HttpExchange};
use crate::domain::probe::Finding;
use response::Response;

/// An HTTP exchange, prepared.
#[derive(Debug)]
pub(super) struct Http {
    target: Target,
    tls: Option<Tls>,
    request: Vec<u8>,
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
        tls: Option<&config::Tls>,
        exchange: &HttpExchange,
        shared: &Shared,
    ) -> Result<Self, PrepareError> {
        let tls = tls
            .map(|settings| {
                Tls::prepare(settings, exchange.host.as_deref(), target.peer.ip(), shared)
            })
            .transpose()?;
        let body = exchange.body.as_deref().map(Regex::new).transpose().map_err(Box::new)?;
        Ok(Self {
            request: request(&target, tls.is_some(), exchange)?,
            target,
            tls,
            expected: Expected { codes: exchange.codes.clone(), body },
        })
    }

    pub(super) async fn attempt(&self, layer: &mut Layer) -> Result<Finding, Fault> {
        let mut stream = self.target.connect().await?;
        if let Some(tls) = &self.tls {
            // Boxed: its state is the largest by far, and plain HTTP the most
            // frequent kind.
            return Box::pin(self.exchange_over(tls, stream, layer)).await;
        }
        *layer = Layer::Exchange;
        let mut response = Response::new(&self.expected);
        let finding = exchange(&mut stream, &self.request, &mut response).await?;
        let_go(&stream);
        Ok(finding)
    }

    async fn exchange_over(
        &self,
        tls: &Tls,
        stream: TcpStream,
        layer: &mut Layer,
    ) -> Result<Finding, Fault> {
        let mut stream = tls.handshake(stream, layer).await?;
        *layer = Layer::Exchange;
        let mut response = Response::new(&self.expected);
        let finding = exchange(&mut stream, &self.request, &mut response).await?;
        tls::end(&mut stream).await;
        Ok(finding)
    }
}

/// The request's bytes.
fn request(target: &Target, tls: bool, exchange: &HttpExchange) -> Result<Vec<u8>, PrepareError> {
    let path = &exchange.path;
    if !path.starts_with('/') || !is_visible(path) {
        return Err(PrepareError::Path { path: path.clone() });
    }
    let host = match &exchange.host {
        Some(host) if host.is_empty() || !is_visible(host) => {
            return Err(PrepareError::Host { host: host.clone() });
        }
        Some(host) => host.clone(),
        None => authority(target, if tls { 443 } else { 80 }),
    };
    let version = env!("CARGO_PKG_VERSION");
    Ok(format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: maglevd/{version}\r\n\
         Connection: close\r\n\r\n"
    )
    .into_bytes())
}

/// Nothing that could end a line or a word of the request.
fn is_visible(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The backend's address as a `Host` header (RFC 3986, section 3.2).
fn authority(target: &Target, default_port: u16) -> String {
    match (target.peer.ip(), target.peer.port()) {
        (IpAddr::V4(address), port) if port == default_port => address.to_string(),
        (IpAddr::V6(address), port) if port == default_port => format!("[{address}]"),
        _ => target.peer.to_string(),
    }
}
