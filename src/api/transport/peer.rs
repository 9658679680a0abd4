//! A client's connection, and the client's identity.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tonic::Request;

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

/// A client by all that is known of it: "alice 192.0.2.1:4711".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IdentifiedClient {
    pub(crate) peer: ClientPeer,
    /// The name in its certificate.
    pub(crate) certificate: Option<Arc<str>>,
}

impl IdentifiedClient {
    pub(crate) fn of<T>(request: &Request<T>) -> Self {
        let unknown = Self { peer: ClientPeer::Unknown, certificate: None };
        request.extensions().get().cloned().unwrap_or(unknown)
    }
}

impl fmt::Display for IdentifiedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.certificate {
            write!(f, "{name} ")?;
        }
        self.peer.fmt(f)
    }
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
