//! Listens on TCP addresses.
//!
//! `:port` means every address of the machine. One socket listens for both
//! families, whatever `net.ipv6.bindv6only` says; on a machine without IPv6 it
//! listens for IPv4 alone.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use rustix::io::Errno;
use socket2::{Domain, Socket, Type};
use tokio::net::TcpListener;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// # Errors
/// The name does not resolve, or the system refuses the address.
pub(crate) async fn listen(address: &str) -> io::Result<TcpListener> {
    let Some(port) = address.strip_prefix(':') else { return TcpListener::bind(address).await };
    let port = port.parse().map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    open_every_address(port, open)
}

fn open_every_address<T>(port: u16, open: impl Fn(SocketAddr) -> io::Result<T>) -> io::Result<T> {
    match open((Ipv6Addr::UNSPECIFIED, port).into()) {
        Err(error) if is_for_want_of_ipv6(&error) => open((Ipv4Addr::UNSPECIFIED, port).into()),
        opened => opened,
    }
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // As tokio's own bind does: a restarted daemon has its port at once.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket.into())
}

/// The kernel was built or started without IPv6, or has it turned off.
fn is_for_want_of_ipv6(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    matches!(errno, Some(Errno::AFNOSUPPORT | Errno::PROTONOSUPPORT | Errno::ADDRNOTAVAIL))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_address_is_listened_on_by_one_socket_for_both_families() {
        let listener = listen(":0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        let taken = listen(&format!(":{port}")).await.unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn only_a_lack_of_ipv6_leads_to_ipv4_alone() {
        for (errno, lacks) in [
            (Errno::AFNOSUPPORT, true),
            (Errno::ADDRNOTAVAIL, true),
            (Errno::ADDRINUSE, false),
            (Errno::ACCESS, false),
            (Errno::MFILE, false),
        ] {
            // A machine on which IPv6 fails with this error.
            let open = |to: SocketAddr| if to.is_ipv6() { Err(errno.into()) } else { Ok(to) };
            let opened = open_every_address(7, open).ok();
            let ipv4 = (Ipv4Addr::UNSPECIFIED, 7).into();
            assert_eq!(opened, lacks.then_some(ipv4), "{errno:?}");
        }
    }
}
