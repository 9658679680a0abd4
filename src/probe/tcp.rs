//! `tcp`: a connection is accepted, and with `ssl: true` a TLS handshake done.

use std::io;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_native_tls::TlsStream;

use super::dial::{Target, abort};
use super::error::PrepareError;
use super::fault::{Layer, ProbeFault, is_alert};
use super::resources::ThreadResources;
use super::tls::{self, PreparedTls};
use crate::domain::config;
use crate::domain::health::probe_result::{ProbeResult, ResultCode};

/// How long a backend may take to close TLS in order, once it has passed.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct TcpProbe {
    target: Target,
    tls: Option<Box<PreparedTls>>,
}

impl TcpProbe {
    pub(super) fn prepare(
        target: Target,
        tls: Option<&config::TlsSettings>,
        resources: &ThreadResources,
    ) -> Result<Self, PrepareError> {
        let tls =
            tls.map(|settings| PreparedTls::prepare(settings, None, target.peer.ip(), resources));
        Ok(Self { target, tls: tls.transpose()?.map(Box::new) })
    }

    pub(super) fn tls(&self) -> Option<&PreparedTls> {
        self.tls.as_deref()
    }

    pub(super) async fn attempt(&self, layer: &mut Layer) -> Result<ProbeResult, ProbeFault> {
        let stream = self.target.connect().await?;
        match &self.tls {
            None => {
                abort(&stream);
                Ok(ProbeResult::new(ResultCode::L4Ok, ""))
            }
            // Boxed: to connect alone holds a small part of its state.
            Some(tls) => Box::pin(attempt_tls(tls, stream, layer)).await,
        }
    }
}

async fn attempt_tls(
    tls: &PreparedTls,
    stream: TcpStream,
    layer: &mut Layer,
) -> Result<ProbeResult, ProbeFault> {
    let stream = tls.handshake(stream, layer).await?;
    *layer = Layer::Close;
    // The backend has passed, however slowly it closes.
    timeout(CLOSE_TIMEOUT, close_gracefully(stream)).await.unwrap_or(Ok(()))?;
    Ok(ProbeResult::new(ResultCode::L6Ok, ""))
}

/// Ends TLS and reads until the server has ended it too. A TLS 1.3 server
/// sends session tickets after the handshake, and a socket that is closed
/// before they come answers them with a reset. It also refuses a client only
/// then, by an alert, where a TLS 1.2 server fails the handshake: for want of a
/// certificate, say.
async fn close_gracefully(mut stream: TlsStream<TcpStream>) -> io::Result<()> {
    tls::send_close_notify(&mut stream).await;
    let mut ignored = [0; 256];
    loop {
        match stream.read(&mut ignored).await {
            Ok(1..) => {}
            Err(error) if is_alert(&error) => return Err(error),
            Ok(0) | Err(_) => return Ok(()),
        }
    }
}
