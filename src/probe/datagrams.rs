//! Datagrams to and from a backend. That nobody takes them is told by ICMP.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::dial::Target;
use super::fault::ProbeFault;
use super::open::open_in;

/// The part of a datagram that is looked at. More than a DNS answer without EDNS has.
const MAX_DATAGRAM: usize = 4096;

/// A fresh socket has a fresh port, so that answers to others are not taken for ours.
pub(super) async fn open(target: &Target) -> Result<UdpSocket, ProbeFault> {
    let unspecified = match target.peer {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let local = SocketAddr::new(target.source.unwrap_or(unspecified), 0);
    let open = move || {
        let socket = std::net::UdpSocket::bind(local)?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    };
    let opened = open_in(target.namespace.as_ref(), open).await?;
    let opened = opened.and_then(UdpSocket::from_std);
    let socket = opened.map_err(|error| match target.source {
        // Opening and binding are one call: an error that binding cannot cause
        // is the socket's.
        Some(source)
            if matches!(
                error.kind(),
                io::ErrorKind::AddrNotAvailable | io::ErrorKind::AddrInUse
            ) =>
        {
            ProbeFault::Bind(source, error)
        }
        _ => ProbeFault::Open(error),
    })?;
    socket.connect(target.peer).await?;
    Ok(socket)
}

/// Receives datagrams until `take` makes something of one. Fails with what ICMP reports.
pub(super) async fn receive<T>(
    socket: &UdpSocket,
    mut take: impl FnMut(&[u8]) -> Option<T>,
) -> Result<T, ProbeFault> {
    loop {
        // An ICMP error makes the socket ready for errors only.
        let ready = socket.ready(Interest::READABLE | Interest::ERROR).await?;
        if ready.is_error() {
            if let Some(error) = socket.take_error()? {
                return Err(error.into());
            }
            // It was taken already: wait for the next.
            let taken = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
            let _ = socket.try_io(Interest::ERROR, taken);
        }
        if let Some(taken) = take_one(socket, &mut take)? {
            return Ok(taken);
        }
    }
}

/// Takes one datagram. The buffer is on the stack of the call, so that no
/// waiting probe holds one.
fn take_one<T>(
    socket: &UdpSocket,
    take: &mut impl FnMut(&[u8]) -> Option<T>,
) -> io::Result<Option<T>> {
    let mut buffer = [0; MAX_DATAGRAM];
    match socket.try_recv(&mut buffer) {
        Ok(size) => Ok(take(&buffer[..size])),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}
