//! `tcp`: a connection is accepted, and with `ssl: true` a TLS handshake done.

use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_native_tls::TlsStream;

use super::dial::{Target, abort};
use super::fault::{Layer, ProbeFault};
use super::tls::{self, PreparedTls};
use super::{PrepareError, ThreadResources};
use crate::domain::config;
use crate::domain::health::probe_result::{ProbeResult, ResultCode};

/// How long a backend may take to end TLS in order, once it has passed.
const FAREWELL: Duration = Duration::from_millis(100);

/// A connection, prepared.
#[derive(Debug)]
pub(super) struct TcpProbe {
    target: Target,
    tls: Option<Box<PreparedTls>>,
}

impl TcpProbe {
    pub(super) fn prepare(
        target: Target,
        tls: Option<&config::TlsSettings>,
        shared: &ThreadResources,
    ) -> Result<Self, PrepareError> {
        let tls =
            tls.map(|settings| PreparedTls::prepare(settings, None, target.peer.ip(), shared));
        Ok(Self { target, tls: tls.transpose()?.map(Box::new) })
    }

    pub(super) async fn attempt(&self, layer: &mut Layer) -> Result<ProbeResult, ProbeFault> {
        let stream = self.target.connect().await?;
        match &self.tls {
            None => {
                abort(&stream);
                Ok(ProbeResult::new(ResultCode::L4Ok, ""))
            }
            // Boxed: to connect alone holds a small part of its state.
            Some(tls) => Box::pin(shake_hands(tls, stream, layer)).await,
        }
    }
}

async fn shake_hands(
    tls: &PreparedTls,
    stream: TcpStream,
    layer: &mut Layer,
) -> Result<ProbeResult, ProbeFault> {
    let stream = tls.handshake(stream, layer).await?;
    *layer = Layer::Farewell;
    // The backend has passed, however it says farewell.
    let _ = timeout(FAREWELL, part(stream)).await;
    Ok(ProbeResult::new(ResultCode::L6Ok, ""))
}

/// Ends TLS and reads until the server has ended it too. A TLS 1.3 server
/// sends session tickets after the handshake, and a socket that is closed
/// before they come answers them with a reset.
async fn part(mut stream: TlsStream<TcpStream>) {
    tls::end(&mut stream).await;
    let mut ignored = [0; 256];
    while let Ok(1..) = stream.read(&mut ignored).await {}
}
