//! Listening sockets, and the connections that come through them.

use std::io;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use crate::api::transport::peer::{ClientPeer, Entrance};
use crate::host::peer_groups::peer_groups;

pub(crate) enum ListeningSocket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// A listening socket, and the way in that it is.
pub(crate) struct Listener {
    pub(crate) socket: ListeningSocket,
    pub(crate) entrance: Arc<Entrance>,
}

/// A connection that was accepted.
pub(super) struct Arrival {
    pub(super) socket: Socket,
    pub(super) peer: ClientPeer,
    /// Of a client on a Unix socket: its group, and its supplementary ones.
    pub(super) groups: Vec<u32>,
    pub(super) entrance: Arc<Entrance>,
}

/// A connection before its handshake.
pub(super) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Listener {
    pub(super) async fn accept(&self) -> io::Result<Arrival> {
        let entrance = Arc::clone(&self.entrance);
        match &self.socket {
            ListeningSocket::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                let (socket, peer) = (Socket::Tcp(stream), ClientPeer::Tcp(address));
                Ok(Arrival { socket, peer, groups: Vec::new(), entrance })
            }
            ListeningSocket::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                let (peer, groups) = match stream.peer_cred() {
                    Ok(own) => {
                        let peer = ClientPeer::Unix { uid: own.uid(), pid: own.pid() };
                        (peer, [&[own.gid()], &*peer_groups(&stream)].concat())
                    }
                    Err(_) => (ClientPeer::Unknown, Vec::new()),
                };
                Ok(Arrival { socket: Socket::Unix(stream), peer, groups, entrance })
            }
        }
    }
}
