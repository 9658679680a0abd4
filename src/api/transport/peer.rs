//! A client's connection, and what is known of the client by it.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::certificate_name::ClientCertificate;
use crate::domain::rights::Role;

/// Who the client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientPeer {
    Tcp(SocketAddr),
    /// A process of this machine, by `SO_PEERCRED`.
    Unix {
        uid: u32,
        /// `None` if it is in another process namespace.
        pid: Option<i32>,
    },
    Unknown,
}

/// A listener, as clients come through it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entrance {
    /// As the operator wrote it, with the port that was bound.
    pub(crate) address: String,
    /// The role of those whom nothing in the rights file names.
    pub(crate) role: Role,
}

/// A client by all that is known of its connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IdentifiedClient {
    pub(crate) peer: ClientPeer,
    /// Of a client on a Unix socket: its group, and its other ones as far as the kernel
    /// names them.
    pub(crate) groups: Arc<[u32]>,
    pub(crate) certificate: Option<Arc<ClientCertificate>>,
    pub(crate) entrance: Arc<Entrance>,
    /// Whether others on the way can read what it sends.
    pub(crate) is_readable: bool,
}

impl fmt::Display for ClientPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix { uid, pid: Some(pid) } => write!(f, "uid {uid} pid {pid}"),
            Self::Unix { uid, pid: None } => write!(f, "uid {uid}"),
            Self::Unknown => f.write_str("a client that the kernel does not name"),
        }
    }
}

/// A socket, with or without TLS.
pub(super) trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// A connection after its handshake.
pub(crate) struct AcceptedConnection {
    pub(super) stream: Box<dyn ByteStream>,
    pub(crate) client: IdentifiedClient,
}

impl AsyncRead for AcceptedConnection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for AcceptedConnection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
