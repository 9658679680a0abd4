//! The request of an HTTP check and the answer that passes, for every backend of
//! the check.

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

use crate::domain::config::HttpExchange;
use crate::domain::http;
use crate::pattern::Pattern;
use crate::probe::error::PrepareError;

/// Bytes of a request, its path not counted, that a name of usual length takes.
const REQUEST: usize = 208;

/// The fields that are the same in every request. Without `Accept` some servers
/// and firewalls answer 406 or a page of their own; without `Accept-Encoding` they
/// may compress the body (RFC 9110, section 12.5.3).
const FIELDS: &str = "\r\nAccept: */*\r\nAccept-Encoding: identity\r\nConnection: close";

#[derive(Debug)]
pub(crate) struct HttpExchangeSpec {
    path: String,
    /// `None`: the backend's address.
    host: Option<String>,
    pub(super) expected: Expected,
}

/// The answer that passes.
#[derive(Debug)]
pub(super) struct Expected {
    pub(super) codes: RangeInclusive<u16>,
    /// Bodies are bytes: they need not be UTF-8.
    pub(super) body: Option<Pattern>,
}

impl HttpExchangeSpec {
    pub(crate) fn prepare(exchange: &HttpExchange) -> Result<Self, PrepareError> {
        let HttpExchange { path, host, codes, body } = exchange.clone();
        if !http::is_path(&path) {
            return Err(PrepareError::Path { path });
        }
        if let Some(host) = host.as_ref().filter(|host| !http::is_host(host)) {
            return Err(PrepareError::Host { host: host.clone() });
        }
        let body = body.as_deref().map(Pattern::new).transpose().map_err(PrepareError::Regexp)?;
        Ok(Self { path, host, expected: Expected { codes, body } })
    }

    /// The request's bytes. They are put together for each probe: that takes a
    /// tenth of a microsecond, and to keep them a cold line of memory or three.
    pub(super) fn request(&self, peer: SocketAddr, usual_port: u16) -> Vec<u8> {
        let mut request = String::with_capacity(REQUEST + self.path.len());
        request.extend(["GET ", &self.path, " HTTP/1.1\r\nHost: "]);
        match &self.host {
            Some(host) => request.push_str(host),
            None => push_authority(&mut request, peer, usual_port),
        }
        let version = env!("CARGO_PKG_VERSION");
        request.extend(["\r\nUser-Agent: maglevd/", version, FIELDS, "\r\n\r\n"]);
        request.into_bytes()
    }
}

/// The backend's address as a `Host` header (RFC 3986, section 3.2).
fn push_authority(to: &mut String, peer: SocketAddr, usual_port: u16) {
    // Writing to a string cannot fail.
    let _ = match (peer.ip(), peer.port()) {
        (IpAddr::V4(address), port) if port == usual_port => write!(to, "{address}"),
        (IpAddr::V6(address), port) if port == usual_port => write!(to, "[{address}]"),
        _ => write!(to, "{peer}"),
    };
}
