//! `https` with `http2: true`: the same exchange over HTTP/2.

use std::rc::Rc;

use http::HeaderMap;
use http::header::HeaderValue;

use super::body::coding_of;
use super::http2_spec::Http2ExchangeSpec;
use super::judge_verdict;
use super::response::{HttpVerdict, compressed, known_status, status_text};
use super::spec::Expected;
use crate::domain::config::{self, HttpExchange};
use crate::domain::health::probe_result::{ProbeResult, ResultCode};
use crate::domain::http::has_no_body;
use crate::probe::dial::Target;
use crate::probe::error::PrepareError;
use crate::probe::fault::{Layer, ProbeFault};
use crate::probe::http2::{self, Http2Answer};
use crate::probe::resources::ThreadResources;
use crate::probe::tls::PreparedTls;

/// An exchange with one backend, prepared.
#[derive(Debug)]
pub(in crate::probe) struct Http2Probe {
    target: Target,
    tls: PreparedTls,
    spec: Rc<Http2ExchangeSpec>,
}

impl Http2Probe {
    pub(in crate::probe) fn prepare(
        target: Target,
        tls: &config::TlsSettings,
        exchange: &HttpExchange,
        resources: &ThreadResources,
    ) -> Result<Self, PrepareError> {
        let host = exchange.host.as_deref();
        let tls = PreparedTls::prepare(tls, host, target.peer.ip(), resources)?;
        let spec = resources.http2_specs().get(exchange, Http2ExchangeSpec::prepare)?;
        Ok(Self { target, tls, spec })
    }

    pub(in crate::probe) fn tls(&self) -> &PreparedTls {
        &self.tls
    }

    /// Makes one probe.
    pub(in crate::probe) async fn attempt(
        &self,
        layer: &mut Layer,
    ) -> Result<ProbeResult, ProbeFault> {
        let stream = self.target.connect().await?;
        let stream = self.tls.handshake(stream, layer).await?;
        *layer = Layer::Exchange;
        let request = self.spec.request(self.target.peer).await?;
        let content = self.spec.content.clone().map(String::into_bytes);
        let expected = &self.spec.expected;
        let wants = |status, headers: &HeaderMap| {
            expected.body.is_some() && known(expected, status, headers).is_none()
        };
        let answer = http2::exchange(stream, request, content, wants).await?;
        let Http2Answer { status, headers, body, .. } = answer;
        let verdict = match known(expected, status, &headers) {
            Some(result) => HttpVerdict::Known(result),
            None if expected.body.is_none() => {
                HttpVerdict::Known(ProbeResult::new(ResultCode::L7Ok, known_status(status)))
            }
            None => HttpVerdict::Match { status, body },
        };
        judge_verdict(expected, verdict).await
    }
}

/// What fails without the body.
fn known(expected: &Expected, status: u16, headers: &HeaderMap) -> Option<ProbeResult> {
    if !expected.codes.contains(status) {
        return Some(ProbeResult::new(ResultCode::L7Status, status_text(status, b"")));
    }
    let header = expected.header.as_ref().and_then(|it| {
        let values = headers.get_all(it.name.as_str()).iter();
        it.fault(values.map(HeaderValue::as_bytes))
    });
    if let Some(why) = header {
        let detail = format!("status {status}, but {why}");
        return Some(ProbeResult::new(ResultCode::L7Content, detail));
    }
    let codings = headers.get_all("content-encoding").iter().map(HeaderValue::as_bytes);
    let coding = coding_of(codings).filter(|_| expected.body.is_some() && !has_no_body(status));
    coding.map(|coding| compressed(status, coding))
}
