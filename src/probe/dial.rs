//! A TCP connection to a backend: one socket, no resolver, no pool.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;

use tokio::net::{TcpSocket, TcpStream};

use super::fault::Fault;

/// Where a probe goes and where it comes from.
///
/// Connections are closed in order (FIN), not reset. A reset would spare the
/// kernel a minute's TIME_WAIT entry, but servers log it as an error of their
/// client, one line a probe. TIME_WAIT costs little here: it holds the whole
/// four-tuple, so a port is soon used again towards another backend.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub(super) peer: SocketAddr,
    pub(super) source: Option<IpAddr>,
}

impl Target {
    pub(super) fn new(address: IpAddr, port: NonZeroU16, source: Option<IpAddr>) -> Self {
        Self { peer: SocketAddr::new(address, port.get()), source }
    }

    /// Connects.
    pub(super) async fn connect(&self) -> Result<TcpStream, Fault> {
        let socket = match self.peer {
            SocketAddr::V4(_) => TcpSocket::new_v4(),
            SocketAddr::V6(_) => TcpSocket::new_v6(),
        }
        .map_err(Fault::Open)?;
        if let Some(source) = self.source {
            socket.bind(SocketAddr::new(source, 0)).map_err(|error| Fault::Bind(source, error))?;
        }
        Ok(socket.connect(self.peer).await?)
    }
}
