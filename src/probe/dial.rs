//! A TCP connection to a backend: one socket, no resolver, no pool.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;
use std::os::fd::AsRawFd;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rustix::net::sockopt::set_tcp_quickack;
use socket2::SockRef;
use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::{TcpSocket, TcpStream};

use super::fault::ProbeFault;
use super::namespace::Namespace;
use super::open::open_in;
use super::proxy;
use crate::domain::config::ProxyVersion;

/// Where a probe goes and where it comes from.
///
/// Connections that carried something are closed in order (FIN), not reset. A
/// reset would spare the kernel a minute's TIME_WAIT entry, but servers log it
/// as an error of their client, one line a probe. TIME_WAIT costs little here:
/// it holds the whole four-tuple, so the port is free at once towards every
/// other backend. Where no server would notice, they are reset: see
/// [`close`] and [`abort`].
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) peer: SocketAddr,
    pub(super) source: Option<IpAddr>,
    pub(super) namespace: Option<Namespace>,
    /// What connections begin with.
    pub(super) proxy: Option<ProxyVersion>,
}

impl Target {
    pub(super) fn new(address: IpAddr, port: NonZeroU16, source: Option<IpAddr>) -> Self {
        Self { peer: SocketAddr::new(address, port.get()), source, namespace: None, proxy: None }
    }

    /// The same from another network namespace.
    pub(super) fn within(self, namespace: Option<&Namespace>) -> Self {
        Self { namespace: namespace.cloned(), ..self }
    }

    /// The same with this at the begin of connections.
    pub(super) fn introduced(self, proxy: Option<ProxyVersion>) -> Self {
        Self { proxy, ..self }
    }

    pub(super) async fn connect(&self) -> Result<TcpStream, ProbeFault> {
        let stream = self.socket().await?.connect(self.peer).await?;
        match self.proxy {
            None => Ok(stream),
            // Boxed: few connections begin so.
            Some(version) => Ok(Box::pin(introduce(stream, version, self.peer)).await?),
        }
    }

    /// A socket that sends from the source address.
    async fn socket(&self) -> Result<TcpSocket, ProbeFault> {
        let open = match self.peer {
            SocketAddr::V4(_) => TcpSocket::new_v4,
            SocketAddr::V6(_) => TcpSocket::new_v6,
        };
        let socket = open_in(self.namespace.as_ref(), open).await?.map_err(ProbeFault::Open)?;
        // The packet that follows the handshake at once, a request or the end,
        // carries its last acknowledgement too, which spares a packet here and at
        // the backend. If the kernel refuses, it sends that packet as well.
        let _ = set_tcp_quickack(&socket, false);
        if let Some(source) = self.source {
            // Before Linux 4.2 there is no such option, and no harm at small
            // scale.
            let _ = choose_port_on_connect(&socket);
            socket
                .bind(SocketAddr::new(source, 0))
                .map_err(|error| ProbeFault::Bind(source, error))?;
        }
        Ok(socket)
    }
}

/// Begins a connection with whom it is for.
async fn introduce(
    mut stream: TcpStream,
    version: ProxyVersion,
    peer: SocketAddr,
) -> io::Result<TcpStream> {
    let header = proxy::header(version, stream.local_addr()?, peer);
    stream.write_all(&header).await?;
    Ok(stream)
}

/// Sets a connection to end by a reset if the backend has closed it already, as
/// it does after an answer to `Connection: close`: no server is left that could
/// log it, and it spares both kernels the closing handshake.
pub(super) fn close(stream: &TcpStream) {
    let mut ready = pin!(stream.ready(Interest::READABLE));
    let mut context = Context::from_waker(Waker::noop());
    // As far as the runtime knows: this is no system call.
    if let Poll::Ready(Ok(ready)) = ready.as_mut().poll(&mut context)
        && ready.is_read_closed()
    {
        abort(stream);
    }
}

/// Sets a connection to end by a reset. If it was only opened, the backend's
/// kernel has not seen the last acknowledgement then: it drops the connection,
/// and its server has nothing to accept, to wait for or to log.
pub(super) fn abort(stream: &TcpStream) {
    // If the kernel refuses, the connection is closed in order.
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

/// Leaves the choice of the local port to connect(2), which knows the whole
/// four-tuple (`IP_BIND_ADDRESS_NO_PORT`, ip(7); for IPv6 too). Otherwise
/// bind(2) takes one of the source address's 28 000 ports for each connection,
/// TIME_WAIT included: 500 probes a second use them up, for every other program
/// on the machine as well.
#[expect(unsafe_code, reason = "neither std nor socket2 nor rustix knows this option")]
fn choose_port_on_connect(socket: &TcpSocket) -> io::Result<()> {
    static ON: libc::c_int = 1;
    const ON_LENGTH: libc::socklen_t = 4;
    // SAFETY: the descriptor is open as long as `socket` is borrowed, and the
    // value is of the length given, which the call only reads.
    let status = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_IP,
            libc::IP_BIND_ADDRESS_NO_PORT,
            (&raw const ON).cast(),
            ON_LENGTH,
        )
    };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_source_address_does_not_take_a_port_before_the_connection_does() {
        for address in ["127.0.0.9", "::1"] {
            let source: IpAddr = address.parse().unwrap();
            let target = Target::new(source, NonZeroU16::MIN, Some(source));
            let local = target.socket().await.unwrap().local_addr().unwrap();
            assert_eq!(local, SocketAddr::new(source, 0));
        }
    }
}
