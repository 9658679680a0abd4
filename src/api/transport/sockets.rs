//! The sockets of one service, TCP's and Unix'.

use std::io;
use std::sync::Arc;

use crate::api::transport::arrival::{Listener, ListeningSocket};
use crate::api::transport::listen_addr::{ListenAddr, ListenerSpec};
use crate::api::transport::peer::Entrance;
use crate::api::transport::tcp_socket;
use crate::api::transport::unix_socket::{self, UnixAccess, UnixSocketFile};

#[derive(Default)]
pub(crate) struct OpenSockets {
    /// As they were bound: a port 0 is replaced by the real one.
    pub(crate) addresses: Vec<ListenAddr>,
    pub(crate) listeners: Vec<Listener>,
    pub(crate) files: Vec<UnixSocketFile>,
}

impl OpenSockets {
    /// # Errors
    /// The address cannot be opened.
    pub(crate) async fn open(&mut self, spec: &ListenerSpec, access: UnixAccess) -> io::Result<()> {
        let (socket, address) = match &spec.address {
            ListenAddr::Tcp(host) => {
                let listener = tcp_socket::listen(host).await?;
                let address = ListenAddr::Tcp(listener.local_addr()?.to_string());
                (ListeningSocket::Tcp(listener), address)
            }
            ListenAddr::Unix(path) => {
                let (listener, file) = unix_socket::bind(path, access).await?;
                self.files.push(file);
                (ListeningSocket::Unix(listener), spec.address.clone())
            }
        };
        let entrance = Entrance { address: address.to_string(), role: spec.default_role() };
        self.addresses.push(address);
        self.listeners.push(Listener { socket, entrance: Arc::new(entrance) });
        Ok(())
    }
}
