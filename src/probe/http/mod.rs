//! `http` and `https`: one HTTP/1.1 request over a connection of its own
//! (RFC 9112), answered with a status that passes and, if asked for, a body
//! that matches. A redirect is an answer like any other.

mod body;
mod head;
pub(super) mod http2_spec;
pub(super) mod over_http2;
mod response;
pub(super) mod spec;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

use super::dial::{Target, close};
use super::error::PrepareError;
use super::exchange::{ExchangeAnswer, exchange, read_answer};
use super::fault::{Layer, ProbeFault};
use super::resources::ThreadResources;
use super::slots::{Slots, SpareSlot};
use super::tls::{self, PreparedTls};
use crate::domain::config::{self, HttpExchange};
use crate::domain::health::probe_result::{ProbeResult, ResultCode};
pub(crate) use body::Framing;
use body::UnreadMessage;
pub(crate) use head::Head;
use response::{HttpAnswer, HttpResponse, HttpVerdict, judge_body};
pub(super) use spec::push_authority;
use spec::{Expected, HttpExchangeSpec};

/// What is left out of a `Host` header.
const HTTP_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;

/// A longer body is matched on another thread: to match 64 KiB may take
/// milliseconds, for which the other probes of this one would wait.
const MATCHED_HERE: usize = 4096;

/// An HTTP exchange with one backend, prepared.
#[derive(Debug)]
pub(super) struct HttpProbe {
    target: Target,
    tls: Option<Box<PreparedTls>>,
    spec: Rc<HttpExchangeSpec>,
    slots: Slots,
}

impl HttpProbe {
    pub(super) fn prepare(
        target: Target,
        tls: Option<&config::TlsSettings>,
        exchange: &HttpExchange,
        resources: &ThreadResources,
    ) -> Result<Self, PrepareError> {
        let host = exchange.host.as_deref();
        let tls =
            tls.map(|settings| PreparedTls::prepare(settings, host, target.peer.ip(), resources));
        let tls = tls.transpose()?.map(Box::new);
        let spec = resources.http_specs().get(exchange, HttpExchangeSpec::prepare)?;
        Ok(Self { target, tls, spec, slots: resources.slots().clone() })
    }

    pub(super) fn tls(&self) -> Option<&PreparedTls> {
        self.tls.as_deref()
    }

    /// Makes one probe. What is still to come of an answer then is read until
    /// `deadline`.
    pub(super) async fn attempt(
        &self,
        layer: &mut Layer,
        deadline: Instant,
    ) -> Result<ProbeResult, ProbeFault> {
        let mut stream = self.target.connect().await?;
        if let Some(tls) = &self.tls {
            // Boxed: its state is the largest by far, and plain HTTP the most
            // frequent kind.
            return Box::pin(self.exchange_over(tls, stream, layer, deadline)).await;
        }
        *layer = Layer::Exchange;
        let HttpAnswer { verdict, unread } = self.exchange_on(&mut stream, HTTP_PORT).await?;
        match self.spare(unread) {
            Some((slot, unread)) => {
                tokio::spawn(async move {
                    let _slot = slot;
                    unread.read(&mut stream, deadline).await;
                });
            }
            None => close(&stream),
        }
        judge_verdict(&self.spec.expected, verdict).await
    }

    async fn exchange_over(
        &self,
        tls: &PreparedTls,
        stream: TcpStream,
        layer: &mut Layer,
        deadline: Instant,
    ) -> Result<ProbeResult, ProbeFault> {
        let mut stream = tls.handshake(stream, layer).await?;
        *layer = Layer::Exchange;
        let HttpAnswer { verdict, unread } = self.exchange_on(&mut stream, HTTPS_PORT).await?;
        match self.spare(unread) {
            Some((slot, unread)) => {
                tokio::spawn(async move {
                    let _slot = slot;
                    unread.read(&mut stream, deadline).await;
                    tls::send_close_notify(&mut stream).await;
                });
            }
            None => tls::send_close_notify(&mut stream).await,
        }
        judge_verdict(&self.spec.expected, verdict).await
    }

    async fn exchange_on<S>(
        &self,
        stream: &mut S,
        usual_port: u16,
    ) -> Result<HttpAnswer, ProbeFault>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let peer = self.target.peer;
        let request = match self.spec.request(peer, usual_port) {
            Some(request) => request,
            // Boxed: few requests have a part in files.
            None => Box::pin(self.spec.request_with_files(peer, usual_port)).await?,
        };
        Ok(exchange(stream, &request, &mut HttpResponse::new(&self.spec.expected)).await?)
    }

    /// What is still to come, with a slot for its connection: without a free one
    /// the connection is closed at once, since other probes wait for it.
    fn spare(&self, unread: Option<UnreadMessage>) -> Option<(SpareSlot, UnreadMessage)> {
        let unread = unread?;
        Some((self.slots.try_take()?, unread))
    }
}

/// Matches the body, if it is to be matched.
async fn judge_verdict(
    expected: &Expected,
    verdict: HttpVerdict,
) -> Result<ProbeResult, ProbeFault> {
    let (status, body) = match verdict {
        HttpVerdict::Known(result) => return Ok(result),
        HttpVerdict::Match { status, body } => (status, body),
    };
    let size = body.len();
    let Some(pattern) = &expected.body else {
        return Ok(judge_body(status, size, true));
    };
    if size <= MATCHED_HERE {
        return Ok(judge_body(status, size, pattern.is_match(&body)));
    }
    let pattern = pattern.clone();
    let matched = spawn_blocking(move || pattern.is_match(&body)).await;
    Ok(match matched {
        Ok(is_match) => judge_body(status, size, is_match),
        // No thread takes on work any more.
        Err(_) => ProbeResult::new(ResultCode::SocketError, "the daemon is stopping"),
    })
}

impl UnreadMessage {
    /// Reads to the end of the message, or until `deadline`.
    async fn read<S: AsyncRead + Unpin>(mut self, stream: &mut S, deadline: Instant) {
        // However it ends, its connection is closed next.
        let _ = timeout_at(deadline, read_answer(stream, &mut self)).await;
    }
}

impl ExchangeAnswer for UnreadMessage {
    type Outcome = ();

    fn take(&mut self, bytes: &[u8]) -> Option<()> {
        Self::take(self, bytes).then_some(())
    }

    fn end(&mut self) {}
}
