//! Opens a connection to a VIP: a socket of its own, so a source port of its own.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use socket2::SockRef;
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::time::timeout;
use tokio_native_tls::TlsStream;

use super::asks::Asks;
use super::failure::{of_io, of_tls};
use super::path_size;
use crate::domain::tester::fact::{FailureKind, FlowFailure};
use crate::tester::targets::target::TargetKind;

/// A connection of one kind.
pub(super) enum FlowTransport {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Udp(UdpSocket),
}

/// Opens a connection. `largest` limits the packets of both directions, in bytes
/// with the IP header.
///
/// # Errors
/// Why there is none; `within` bounds each of connecting and TLS's handshake.
pub(super) async fn open(
    asks: &Asks,
    within: Duration,
    largest: Option<u32>,
) -> Result<FlowTransport, FlowFailure> {
    if asks.kind == TargetKind::Udp {
        return udp(asks.address)
            .await
            .map(FlowTransport::Udp)
            .map_err(|error| of_io(&error, false));
    }
    let socket = tcp_socket(asks.address, largest)
        .map_err(|error| FlowFailure::new(FailureKind::Local, format!("no socket: {error}")))?;
    let connected = timeout(within, socket.connect(asks.address)).await;
    let stream = match connected {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(of_io(&error, false)),
        Err(_) => {
            let why = format!("no connection within {} ms", within.as_millis());
            return Err(FlowFailure::new(FailureKind::ConnectTimeout, why));
        }
    };
    // Requests are written whole; Nagle's algorithm could only hold them back.
    let _ = stream.set_nodelay(true);
    if !asks.kind.is_tls() {
        return Ok(FlowTransport::Tcp(stream));
    }
    match timeout(within, asks.connector.connect(&asks.tls_name, stream)).await {
        Ok(Ok(stream)) => Ok(FlowTransport::Tls(Box::new(stream))),
        Ok(Err(error)) => Err(of_tls(&error)),
        Err(_) => {
            let why = format!("no TLS handshake within {} ms", within.as_millis());
            Err(FlowFailure::new(FailureKind::Timeout, why))
        }
    }
}

fn tcp_socket(peer: SocketAddr, largest: Option<u32>) -> io::Result<TcpSocket> {
    let socket = if peer.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Some(largest) = largest {
        let mss = largest.saturating_sub(path_size::tcp_headers(peer));
        SockRef::from(&socket).set_tcp_mss(mss)?;
    }
    Ok(socket)
}

async fn udp(peer: SocketAddr) -> io::Result<UdpSocket> {
    let any = match peer {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(peer).await?;
    Ok(socket)
}
