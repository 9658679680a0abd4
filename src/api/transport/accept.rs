//! Accepts connections and hands them to the server after their handshake.
//!
//! Each handshake is a task, so that a silent client does not delay others.
//! When descriptors run out, the loop waits and tries again; while all slots
//! are taken, new connections are closed.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustix::net::{RecvFlags, recv};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{self, CertificateError, ServerConfig};
use tracing::{debug, warn};

use crate::api::transport::peer::{AcceptedConnection, ByteStream, ClientPeer};
use crate::host::logging::RateLimitedLog;

/// How long a client may take for its TLS handshake, or for its first byte.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a refused client may take to read the TLS alert.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// Wait after an accept that failed for want of descriptors or memory.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) enum ListeningSocket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// A connection before its handshake.
enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// What the listeners share; clones share it too.
#[derive(Clone)]
pub(super) struct ConnectionAcceptor {
    /// The present certificates; `None`: TCP connections are not encrypted.
    pub(super) tls: Option<watch::Receiver<Arc<ServerConfig>>>,
    /// One permit for each connection that may be open.
    pub(super) slots: Arc<Semaphore>,
    pub(super) accepted: mpsc::Sender<AcceptedConnection>,
    pub(super) handshake_log: Arc<RateLimitedLog>,
}

/// Accepts connections until it is dropped.
pub(super) async fn accept_all(listener: ListeningSocket, acceptor: ConnectionAcceptor) {
    let accept_log = RateLimitedLog::of_condition();
    let full_log = RateLimitedLog::of_condition();
    let mut handshakes = JoinSet::new();
    loop {
        let accepted = listener.accept().await;
        while handshakes.try_join_next().is_some() {}
        match (accepted, Arc::clone(&acceptor.slots).try_acquire_owned()) {
            (Ok((socket, peer)), Ok(slot)) => {
                handshakes.spawn(acceptor.clone().accept(socket, peer, slot));
            }
            (Ok((_, peer)), Err(_)) => {
                if let Some(withheld) = full_log.is_due() {
                    warn!(%peer, withheld, "grpc-connections-exhausted: new ones are turned away");
                }
            }
            (Err(error), _) if is_of_one_client(&error) => debug!(%error, "grpc-accept-failed"),
            (Err(error), _) => {
                if let Some(withheld) = accept_log.is_due() {
                    warn!(%error, withheld, "grpc-accept-failed: tried again until it works");
                }
                sleep(PAUSE).await;
            }
        }
    }
}

/// Whether a failed accept concerns one client only: accept(2) returns errors
/// that were pending on the new socket.
fn is_of_one_client(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionAborted
            | Kind::ConnectionReset
            | Kind::Interrupted
            | Kind::HostUnreachable
            | Kind::NetworkUnreachable
            | Kind::NetworkDown
            | Kind::TimedOut
            | Kind::PermissionDenied
    )
}

impl ListeningSocket {
    async fn accept(&self) -> io::Result<(Socket, ClientPeer)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                Ok((Socket::Tcp(stream), ClientPeer::Tcp(address)))
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                let peer = stream.peer_cred().map_or(ClientPeer::Unknown, |credentials| {
                    ClientPeer::Unix { uid: credentials.uid(), pid: credentials.pid() }
                });
                Ok((Socket::Unix(stream), peer))
            }
        }
    }
}

impl ConnectionAcceptor {
    /// Hands a connection to the server after its handshake.
    async fn accept(self, socket: Socket, peer: ClientPeer, slot: OwnedSemaphorePermit) {
        match timeout(HANDSHAKE, self.handshake(socket)).await {
            Ok(Ok(stream)) => {
                let connection = AcceptedConnection { stream, peer, _slot: slot };
                // Without a receiver the daemon is stopping.
                let _ = self.accepted.send(connection).await;
            }
            Ok(Err(HandshakeError { error, socket })) => {
                let why = why(&error);
                if error.kind() == io::ErrorKind::UnexpectedEof {
                    // Port scans and health checks of load balancers end like this.
                    debug!(%peer, why, "grpc-handshake-broken-off");
                } else {
                    self.log_failure(&peer, &why);
                }
                if let Some(socket) = socket {
                    // A client that does not read in time misses the reason.
                    let _ = timeout(CLOSE_TIMEOUT, close_gracefully(socket)).await;
                }
            }
            Err(_) => {
                let seconds = HANDSHAKE.as_secs();
                self.log_failure(&peer, &format!("it was not done within {seconds} s"));
            }
        }
    }

    fn log_failure(&self, peer: &ClientPeer, why: &str) {
        if let Some(withheld) = self.handshake_log.is_due() {
            warn!(%peer, why, withheld, "grpc-handshake-failed");
        }
    }

    async fn handshake(&self, socket: Socket) -> Result<Box<dyn ByteStream>, HandshakeError> {
        match (socket, &self.tls) {
            (Socket::Unix(stream), _) => {
                let peek = || Ok(recv(&stream, &mut [0], RecvFlags::PEEK)?);
                stream.async_io(Interest::READABLE, peek).await?;
                Ok(Box::new(stream))
            }
            (Socket::Tcp(stream), None) => {
                stream.set_nodelay(true)?;
                // A peek waits for the first byte. Readiness does not: tokio
                // takes a new socket for readable.
                stream.peek(&mut [0]).await?;
                Ok(Box::new(stream))
            }
            (Socket::Tcp(stream), Some(tls)) => {
                stream.set_nodelay(true)?;
                let acceptor = TlsAcceptor::from(Arc::clone(&tls.borrow()));
                match acceptor.accept(stream).into_fallible().await {
                    Ok(stream) => Ok(Box::new(stream)),
                    Err((error, socket)) => Err(HandshakeError { error, socket: Some(socket) }),
                }
            }
        }
    }
}

struct HandshakeError {
    error: io::Error,
    /// Still open where an alert was sent to the client.
    socket: Option<TcpStream>,
}

impl From<io::Error> for HandshakeError {
    fn from(error: io::Error) -> Self {
        Self { error, socket: None }
    }
}

/// Closes a connection so that the client can read the alert. A close with
/// unread bytes of the client would reset the connection and drop the alert.
async fn close_gracefully(mut socket: TcpStream) -> io::Result<()> {
    socket.shutdown().await?;
    let mut rest = [0; 1024];
    while socket.read(&mut rest).await? > 0 {}
    Ok(())
}

/// Why a handshake failed, for operators.
fn why(error: &io::Error) -> String {
    use rustls::Error as Tls;
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Tls>());
    match tls {
        Some(Tls::NoCertificatesPresented) => {
            "the client showed no certificate, and --grpc-tls-client-ca asks for one".into()
        }
        Some(Tls::InvalidCertificate(fault)) => {
            let fault = match fault {
                CertificateError::UnknownIssuer => {
                    "is of no authority in --grpc-tls-client-ca".into()
                }
                fault => format!("cannot be used: {fault}"),
            };
            format!("the client's certificate {fault}")
        }
        Some(Tls::InvalidMessage(_)) => "the client does not speak TLS".into(),
        Some(Tls::AlertReceived(alert)) => format!("the client refused: {alert:?}"),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[test]
    fn a_lack_of_descriptors_is_told_from_a_client_that_went_away() {
        use rustix::io::Errno;
        for (errno, of_one_client) in [
            (Errno::MFILE, false),
            (Errno::NFILE, false),
            (Errno::NOBUFS, false),
            (Errno::NOMEM, false),
            (Errno::CONNABORTED, true),
            (Errno::HOSTUNREACH, true),
            (Errno::PERM, true),
        ] {
            assert_eq!(is_of_one_client(&errno.into()), of_one_client, "{errno:?}");
        }
    }

    /// A listener with this many slots, and the connections that it accepts.
    async fn open(slots: usize) -> (std::net::SocketAddr, mpsc::Receiver<AcceptedConnection>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (accepted, connections) = mpsc::channel(8);
        let slots = Arc::new(Semaphore::new(slots));
        let handshake_log = Arc::new(RateLimitedLog::of_events());
        let acceptor = ConnectionAcceptor { tls: None, slots, accepted, handshake_log };
        tokio::spawn(accept_all(ListeningSocket::Tcp(listener), acceptor));
        (address, connections)
    }

    async fn connect(address: std::net::SocketAddr) -> TcpStream {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"P").await.unwrap();
        client
    }

    async fn is_closed(client: &mut TcpStream) -> bool {
        // It is reset where the other end has not read the byte that was sent.
        !matches!(client.read(&mut [0]).await, Ok(1..))
    }

    #[tokio::test]
    async fn a_connection_without_a_slot_is_closed_and_one_that_ends_frees_its_slot() {
        let (address, mut connections) = open(2).await;
        let first = connect(address).await;
        let accepted = connections.recv().await.unwrap();
        assert_eq!(accepted.peer, ClientPeer::Tcp(first.local_addr().unwrap()));
        let _second = connect(address).await;
        let _kept = connections.recv().await.unwrap();
        assert!(is_closed(&mut connect(address).await).await);
        drop(accepted);
        let third = connect(address).await;
        let accepted = connections.recv().await.unwrap();
        assert_eq!(accepted.peer, ClientPeer::Tcp(third.local_addr().unwrap()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_connection_is_closed_after_the_handshake_timeout() {
        let (address, _connections) = open(1).await;
        let begun = Instant::now();
        let mut silent = TcpStream::connect(address).await.unwrap();
        assert!(is_closed(&mut silent).await);
        assert!(begun.elapsed() >= HANDSHAKE);
    }
}
