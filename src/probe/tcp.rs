//! `tcp`: a connection is accepted, and with `ssl: true` a TLS handshake done.

use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_native_tls::TlsStream;

use super::dial::{Target, break_off};
use super::fault::{Fault, Layer};
use super::tls::{self, Tls};
use super::{PrepareError, Shared};
use crate::domain::config;
use crate::domain::probe::{Code, Finding};

/// How long a backend may take to end TLS in order, once it has passed.
const FAREWELL: Duration = Duration::from_millis(100);

/// A connection, prepared.
#[derive(Debug)]
pub(super) struct Connection {
    target: Target,
    tls: Option<Box<Tls>>,
}

impl Connection {
    pub(super) fn prepare(
        target: Target,
        tls: Option<&config::Tls>,
        shared: &Shared,
    ) -> Result<Self, PrepareError> {
        let tls = tls.map(|settings| Tls::prepare(settings, None, target.peer.ip(), shared));
        Ok(Self { target, tls: tls.transpose()?.map(Box::new) })
    }

    pub(super) async fn attempt(&self, layer: &mut Layer) -> Result<Finding, Fault> {
        let stream = self.target.connect().await?;
        match &self.tls {
            None => {
                break_off(&stream);
                Ok(Finding::new(Code::L4Ok, ""))
            }
            // Boxed: to connect alone holds a small part of its state.
            Some(tls) => Box::pin(shake_hands(tls, stream, layer)).await,
        }
    }
}

async fn shake_hands(tls: &Tls, stream: TcpStream, layer: &mut Layer) -> Result<Finding, Fault> {
    let stream = tls.handshake(stream, layer).await?;
    *layer = Layer::Farewell;
    // The backend has passed, however it says farewell.
    let _ = timeout(FAREWELL, part(stream)).await;
    Ok(Finding::new(Code::L6Ok, ""))
}

/// Ends TLS and reads until the server has ended it too. A TLS 1.3 server
/// sends session tickets after the handshake, and a socket that is closed
/// before they come answers them with a reset.
async fn part(mut stream: TlsStream<TcpStream>) {
    tls::end(&mut stream).await;
    let mut ignored = [0; 256];
    while let Ok(1..) = stream.read(&mut ignored).await {}
}
