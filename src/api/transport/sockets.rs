//! The sockets of one service, TCP's and Unix'.

use std::io;

use crate::api::transport::accept::ListeningSocket;
use crate::api::transport::listen_addr::ListenAddr;
use crate::api::transport::tcp_socket;
use crate::api::transport::unix_socket::{self, UnixAccess, UnixSocketFile};

#[derive(Default)]
pub(crate) struct OpenSockets {
    /// As they were bound: a port 0 is replaced by the real one.
    pub(crate) addresses: Vec<ListenAddr>,
    pub(crate) listeners: Vec<ListeningSocket>,
    pub(crate) files: Vec<UnixSocketFile>,
}

impl OpenSockets {
    /// # Errors
    /// The address cannot be opened.
    pub(crate) async fn open(
        &mut self,
        address: &ListenAddr,
        access: UnixAccess,
    ) -> io::Result<()> {
        match address {
            ListenAddr::Tcp(host) => {
                let listener = tcp_socket::listen(host).await?;
                self.addresses.push(ListenAddr::Tcp(listener.local_addr()?.to_string()));
                self.listeners.push(ListeningSocket::Tcp(listener));
            }
            ListenAddr::Unix(path) => {
                let (listener, file) = unix_socket::bind(path, access).await?;
                self.addresses.push(address.clone());
                self.listeners.push(ListeningSocket::Unix(listener));
                self.files.push(file);
            }
        }
        Ok(())
    }
}
