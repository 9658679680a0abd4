//! `http` and `https`: one HTTP/1.1 request over a connection of its own
//! (RFC 9112), answered with a status that passes and, if asked for, a body
//! that matches. A redirect is an answer like any other.

mod body;
mod response;
pub(super) mod spec;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use tokio::net::TcpStream;

use super::dial::{Target, close};
use super::error::PrepareError;
use super::exchange::exchange;
use super::fault::{Layer, ProbeFault};
use super::resources::ThreadResources;
use super::tls::{self, PreparedTls};
use crate::domain::config::{self, HttpExchange};
use crate::domain::health::probe_result::ProbeResult;
use response::HttpResponse;
use spec::HttpExchangeSpec;

/// What is left out of a `Host` header.
const HTTP_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;

/// An HTTP exchange with one backend, prepared.
#[derive(Debug)]
pub(super) struct HttpProbe {
    target: Target,
    tls: Option<Box<PreparedTls>>,
    spec: Rc<HttpExchangeSpec>,
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
        Ok(Self { target, tls, spec })
    }

    pub(super) async fn attempt(&self, layer: &mut Layer) -> Result<ProbeResult, ProbeFault> {
        let mut stream = self.target.connect().await?;
        if let Some(tls) = &self.tls {
            // Boxed: its state is the largest by far, and plain HTTP the most
            // frequent kind.
            return Box::pin(self.exchange_over(tls, stream, layer)).await;
        }
        *layer = Layer::Exchange;
        let request = self.spec.request(self.target.peer, HTTP_PORT);
        let mut response = HttpResponse::new(&self.spec.expected);
        let result = exchange(&mut stream, &request, &mut response).await?;
        close(&stream);
        Ok(result)
    }

    async fn exchange_over(
        &self,
        tls: &PreparedTls,
        stream: TcpStream,
        layer: &mut Layer,
    ) -> Result<ProbeResult, ProbeFault> {
        let mut stream = tls.handshake(stream, layer).await?;
        *layer = Layer::Exchange;
        let request = self.spec.request(self.target.peer, HTTPS_PORT);
        let mut response = HttpResponse::new(&self.spec.expected);
        let result = exchange(&mut stream, &request, &mut response).await?;
        tls::send_close_notify(&mut stream).await;
        Ok(result)
    }
}
