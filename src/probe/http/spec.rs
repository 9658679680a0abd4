//! The request of an HTTP check and the answer that passes, for every backend of
//! the check.

use std::fmt::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use crate::domain::config::{HeaderValue, HttpExchange, RequestHeader, ResponseHeader};
use crate::domain::http;
use crate::domain::status_codes::StatusCodes;
use crate::pattern::Pattern;
use crate::probe::error::PrepareError;
use crate::probe::fault::ProbeFault;
use crate::probe::from_files::FromFiles;

/// Bytes of an address in a `Host` header, at most.
const ADDRESS: usize = 48;

/// The fields of every request that gives no others. Without `Accept` some servers and
/// firewalls answer 406 or a page of their own; without `Accept-Encoding` they may
/// compress the body (RFC 9110, section 12.5.3).
pub(super) const DEFAULTS: [(&str, &str); 4] = [
    ("User-Agent", concat!("maglevd/", env!("CARGO_PKG_VERSION"))),
    ("Accept", "*/*"),
    ("Accept-Encoding", "identity"),
    ("Connection", "close"),
];

/// Methods whose requests say that they have no body (RFC 9110, section 8.6).
const WITH_BODY: [&str; 3] = ["POST", "PUT", "PATCH"];

#[derive(Debug)]
pub(crate) struct HttpExchangeSpec {
    /// The request up to the host.
    start: Box<str>,
    /// `None`: the backend's address.
    host: Option<String>,
    rest: RequestRest,
    pub(super) expected: Expected,
}

/// The request behind the host.
enum RequestRest {
    Fixed(Box<[u8]>),
    /// Some headers' values are in files.
    WithFiles(Box<RestWithFiles>),
}

struct RestWithFiles {
    headers: Vec<RequestHeader>,
    method: String,
    content: Option<String>,
    made: FromFiles<Rc<[u8]>>,
}

/// The answer that passes.
#[derive(Debug)]
pub(super) struct Expected {
    pub(super) codes: StatusCodes,
    /// Answers end with their head, whatever it announces.
    pub(super) is_head: bool,
    pub(super) header: Option<Box<ExpectedHeader>>,
    /// Bodies are bytes: they need not be UTF-8.
    pub(super) body: Option<Pattern>,
}

#[derive(Debug)]
pub(super) struct ExpectedHeader {
    pub(super) name: String,
    pub(super) pattern: Pattern,
}

impl HttpExchangeSpec {
    pub(crate) fn prepare(exchange: &HttpExchange) -> Result<Self, PrepareError> {
        let HttpExchange { method, path, host, headers, content, .. } = exchange.clone();
        if !http::is_method(&method) {
            return Err(PrepareError::Method { method });
        }
        if !http::is_path(&path) {
            return Err(PrepareError::Path { path });
        }
        if let Some(host) = host.as_ref().filter(|host| !http::is_host(host)) {
            return Err(PrepareError::Host { host: host.clone() });
        }
        let unusable = headers.iter().find(|header| !is_usable(header));
        if let Some(RequestHeader { name, .. }) = unusable {
            return Err(PrepareError::Header { name: name.clone() });
        }
        let expected = Expected::prepare(exchange)?;
        let start = format!("{method} {path} HTTP/1.1\r\nHost: ").into();
        let rest = RequestRest::new(method, headers, content);
        Ok(Self { start, host, rest, expected })
    }

    /// The request's bytes, unless a part of them is in files. They are put together for
    /// each probe: that takes a tenth of a microsecond, and to keep them a cold line of
    /// memory or three.
    pub(super) fn request(&self, peer: SocketAddr, usual_port: u16) -> Option<Vec<u8>> {
        match &self.rest {
            RequestRest::Fixed(rest) => Some(self.whole(rest, peer, usual_port)),
            RequestRest::WithFiles(_) => None,
        }
    }

    /// The request's bytes, with what the files hold now.
    pub(super) async fn request_with_files(
        &self,
        peer: SocketAddr,
        usual_port: u16,
    ) -> Result<Vec<u8>, ProbeFault> {
        match &self.rest {
            RequestRest::Fixed(rest) => Ok(self.whole(rest, peer, usual_port)),
            RequestRest::WithFiles(it) => Ok(self.whole(&it.get().await?, peer, usual_port)),
        }
    }

    fn whole(&self, rest: &[u8], peer: SocketAddr, usual_port: u16) -> Vec<u8> {
        let host = self.host.as_ref().map_or(ADDRESS, String::len);
        let mut request = String::with_capacity(self.start.len() + host + rest.len());
        request.push_str(&self.start);
        match &self.host {
            Some(host) => request.push_str(host),
            None => push_authority(&mut request, peer, usual_port),
        }
        let mut request = request.into_bytes();
        request.extend_from_slice(rest);
        request
    }
}

impl Expected {
    pub(super) fn prepare(exchange: &HttpExchange) -> Result<Self, PrepareError> {
        let is_head = exchange.is_head();
        let HttpExchange { codes, header, body, .. } = exchange;
        let header = header.clone().map(ExpectedHeader::prepare).transpose()?.map(Box::new);
        let body = body.as_deref().map(Pattern::new).transpose().map_err(PrepareError::Regexp)?;
        Ok(Self { codes: codes.clone(), is_head, header, body })
    }
}

impl ExpectedHeader {
    fn prepare(header: ResponseHeader) -> Result<Self, PrepareError> {
        let pattern = Pattern::new(&header.pattern).map_err(PrepareError::ResponseHeader)?;
        Ok(Self { name: header.name, pattern })
    }
}

fn is_usable(header: &RequestHeader) -> bool {
    let is_value = match &header.value {
        HeaderValue::Text(text) => http::is_header_value(text.as_bytes()),
        HeaderValue::File(_) => true,
    };
    is_value && http::is_header_name(&header.name) && !http::is_reserved(&header.name)
}

impl RequestRest {
    fn new(method: String, headers: Vec<RequestHeader>, content: Option<String>) -> Self {
        let files = headers.iter().filter_map(|header| match &header.value {
            HeaderValue::Text(_) => None,
            HeaderValue::File(path) => Some(path.clone()),
        });
        let files: Vec<_> = files.collect();
        if files.is_empty() {
            return Self::Fixed(rest(&method, &headers, &[], content.as_deref()).into());
        }
        let made = FromFiles::new(files);
        Self::WithFiles(Box::new(RestWithFiles { headers, method, content, made }))
    }
}

/// Without what the files hold, and without values, which may be secrets as well.
impl fmt::Debug for RequestRest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(rest) => write!(f, "{} bytes", rest.len()),
            Self::WithFiles(it) => it.made.fmt(f),
        }
    }
}

impl RestWithFiles {
    async fn get(&self) -> Result<Rc<[u8]>, ProbeFault> {
        let make = |contents: &[Vec<u8>]| {
            let values: Vec<_> = contents.iter().map(|bytes| bytes.trim_ascii_end()).collect();
            if let Some(at) = values.iter().position(|value| !http::is_header_value(value)) {
                return Err((at, "holds no value of a header: write one line into it".into()));
            }
            Ok(rest(&self.method, &self.headers, &values, self.content.as_deref()).into())
        };
        self.made.get(make).await
    }
}

/// The request behind the host: its headers, those of `files` with these values in turn,
/// and its body.
fn rest(
    method: &str,
    headers: &[RequestHeader],
    mut files: &[&[u8]],
    content: Option<&str>,
) -> Vec<u8> {
    let mut rest = Vec::new();
    let mut push = |name: &str, value: &[u8]| {
        rest.extend_from_slice(b"\r\n");
        rest.extend_from_slice(name.as_bytes());
        rest.extend_from_slice(b": ");
        rest.extend_from_slice(value);
    };
    for (name, value) in DEFAULTS {
        if !headers.iter().any(|header| header.name.eq_ignore_ascii_case(name)) {
            push(name, value.as_bytes());
        }
    }
    for header in headers {
        match &header.value {
            HeaderValue::Text(text) => push(&header.name, text.as_bytes()),
            HeaderValue::File(_) => {
                if let Some((value, others)) = files.split_first() {
                    push(&header.name, value);
                    files = others;
                }
            }
        }
    }
    let length = content.map_or(0, str::len);
    if content.is_some() || WITH_BODY.contains(&method) {
        push("Content-Length", length.to_string().as_bytes());
    }
    rest.extend_from_slice(b"\r\n\r\n");
    rest.extend_from_slice(content.unwrap_or_default().as_bytes());
    rest
}

/// The backend's address as a `Host` header (RFC 3986, section 3.2).
pub(in crate::probe) fn push_authority(to: &mut String, peer: SocketAddr, usual_port: u16) {
    // Writing to a string cannot fail.
    let _ = match (peer.ip(), peer.port()) {
        (IpAddr::V4(address), port) if port == usual_port => write!(to, "{address}"),
        (IpAddr::V6(address), port) if port == usual_port => write!(to, "[{address}]"),
        _ => write!(to, "{peer}"),
    };
}
