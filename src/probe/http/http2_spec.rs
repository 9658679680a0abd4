//! The request of a check over HTTP/2 and the answer that passes, for every backend of the
//! check.

use std::net::SocketAddr;
use std::rc::Rc;

use http::header::{HeaderName, HeaderValue};
use http::{Method, Request, Uri};

use super::spec::{DEFAULTS, Expected, push_authority};
use crate::domain::config::{self, HttpExchange, RequestHeader};
use crate::domain::http::{is_header_value, is_of_connection};
use crate::probe::error::PrepareError;
use crate::probe::fault::ProbeFault;
use crate::probe::from_files::FromFiles;

/// What is left out of an authority.
const USUAL_PORT: u16 = 443;

#[derive(Debug)]
pub(crate) struct Http2ExchangeSpec {
    method: Method,
    path: String,
    host: Option<String>,
    headers: Vec<RequestHeader>,
    /// What the files of headers hold.
    files: Option<FromFiles<Rc<[HeaderValue]>>>,
    pub(super) content: Option<String>,
    pub(super) expected: Expected,
}

impl Http2ExchangeSpec {
    pub(crate) fn prepare(exchange: &HttpExchange) -> Result<Self, PrepareError> {
        let expected = Expected::prepare(exchange)?;
        let HttpExchange { method, path, host, headers, content, .. } = exchange.clone();
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|_| PrepareError::Method { method: method.clone() })?;
        let unusable = headers.iter().find(|header| {
            is_of_connection(&header.name) || HeaderName::try_from(&header.name).is_err()
        });
        if let Some(RequestHeader { name, .. }) = unusable {
            return Err(PrepareError::Header { name: name.clone() });
        }
        let files = headers.iter().filter_map(|header| match &header.value {
            config::HeaderValue::Text(_) => None,
            config::HeaderValue::File(path) => Some(path.clone()),
        });
        let files: Vec<_> = files.collect();
        let files = (!files.is_empty()).then(|| FromFiles::new(files));
        Ok(Self { method, path, host, headers, files, content, expected })
    }

    pub(super) async fn request(&self, peer: SocketAddr) -> Result<Request<()>, ProbeFault> {
        let values = match &self.files {
            None => Rc::<[HeaderValue]>::from([]),
            Some(files) => files.get(secret_values).await?,
        };
        let mut values = values.iter().cloned();
        let authority = self.host.clone().unwrap_or_else(|| {
            let mut authority = String::new();
            push_authority(&mut authority, peer, USUAL_PORT);
            authority
        });
        let uri = Uri::builder().scheme("https").authority(authority).path_and_query(&*self.path);
        let mut request = Request::builder().method(self.method.clone());
        request = request.uri(uri.build().map_err(ProbeFault::Request)?);
        let is_given =
            |name: &str| self.headers.iter().any(|it| it.name.eq_ignore_ascii_case(name));
        for (name, value) in DEFAULTS {
            if !is_of_connection(name) && !is_given(name) {
                request = request.header(name, value);
            }
        }
        for header in &self.headers {
            request = match &header.value {
                config::HeaderValue::Text(text) => request.header(&header.name, text.as_bytes()),
                config::HeaderValue::File(_) => match values.next() {
                    Some(value) => request.header(&header.name, value),
                    None => request,
                },
            };
        }
        if let Some(content) = &self.content {
            request = request.header("content-length", content.len());
        }
        request.body(()).map_err(ProbeFault::Request)
    }
}

fn secret_values(contents: &[Vec<u8>]) -> Result<Rc<[HeaderValue]>, (usize, String)> {
    let values = contents.iter().enumerate().map(|(place, bytes)| {
        let bytes = bytes.trim_ascii_end();
        let value = HeaderValue::from_bytes(bytes).ok().filter(|_| is_header_value(bytes));
        let unusable = || (place, "holds no value of a header: write one line into it".into());
        let mut value = value.ok_or_else(unusable)?;
        value.set_sensitive(true);
        Ok(value)
    });
    values.collect()
}
