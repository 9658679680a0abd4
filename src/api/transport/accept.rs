//! How clients get from a listening socket to the service.
//!
//! Every connection goes through its handshake on its own, so that a client
//! that says nothing stands in nobody's way. When descriptors run out the loop
//! waits and goes on; when all places are taken, who comes next is turned away.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustix::net::{RecvFlags, recv};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{self, CertificateError, ServerConfig};
use tracing::{debug, warn};

use crate::api::transport::peer::{AcceptedConnection, ByteStream, ClientPeer};

/// How long a client may take to say its first word, and to prove who it is.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a client that was refused may take to read why.
const FAREWELL: Duration = Duration::from_secs(1);
/// How long to wait when the system has no descriptor or memory to give.
const PAUSE: Duration = Duration::from_millis(100);
/// What goes on and on is said again after this.
const SAY_AGAIN: Duration = Duration::from_secs(60);

/// A socket that clients connect to.
pub(super) enum ListeningSocket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// A socket that a client has connected to.
enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// What is behind the listeners: one for all of them.
#[derive(Clone)]
pub(super) struct ConnectionAcceptor {
    /// What TCP clients are shown; without it they speak in the clear.
    pub(super) tls: Option<watch::Receiver<Arc<ServerConfig>>>,
    /// Connections that there may be at once.
    pub(super) places: Arc<Semaphore>,
    /// Where those go that are let in.
    pub(super) inside: mpsc::Sender<AcceptedConnection>,
}

/// Lets clients in, for as long as it is not aborted.
pub(super) async fn admit(listener: ListeningSocket, door: ConnectionAcceptor) {
    let (mut starved, mut full) = (RateLimitedLog::default(), RateLimitedLog::default());
    let mut handshakes = JoinSet::new();
    loop {
        let accepted = listener.accept().await;
        while handshakes.try_join_next().is_some() {}
        match (accepted, Arc::clone(&door.places).try_acquire_owned()) {
            (Ok((socket, peer)), Ok(place)) => {
                handshakes.spawn(door.clone().welcome(socket, peer, place));
            }
            (Ok((_, peer)), Err(_)) => {
                if full.is_due() {
                    warn!(%peer, "grpc-connections-exhausted: new ones are turned away");
                }
            }
            (Err(error), _) if concerns_one_client(&error) => debug!(%error, "grpc-accept-failed"),
            (Err(error), _) => {
                if starved.is_due() {
                    warn!(%error, "grpc-accept-failed: tried again until it works");
                }
                sleep(PAUSE).await;
            }
        }
    }
}

/// Whether a failed accept says something of the client alone (accept(2):
/// errors that were pending on its socket come out here).
fn concerns_one_client(error: &io::Error) -> bool {
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
    /// Hands a client on once it has shown what it must.
    async fn welcome(self, socket: Socket, peer: ClientPeer, place: OwnedSemaphorePermit) {
        match timeout(HANDSHAKE, self.shake_hands(socket)).await {
            Ok(Ok(carrier)) => {
                let connection = AcceptedConnection { carrier, peer, _place: place };
                // Without a receiver the daemon is stopping.
                let _ = self.inside.send(connection).await;
            }
            Ok(Err(Refused { error, socket })) => {
                let why = why(&error);
                if error.kind() == io::ErrorKind::UnexpectedEof {
                    // Port scans and the probes of load balancers end like this.
                    debug!(%peer, why, "grpc-handshake-broken-off");
                } else {
                    warn!(%peer, why, "grpc-handshake-failed");
                }
                if let Some(socket) = socket {
                    // Who does not read it in time goes without the reason.
                    let _ = timeout(FAREWELL, part(socket)).await;
                }
            }
            Err(_) => {
                let seconds = HANDSHAKE.as_secs();
                let why = format!("it was not done within {seconds} s");
                warn!(%peer, why, "grpc-handshake-failed");
            }
        }
    }

    async fn shake_hands(&self, socket: Socket) -> Result<Box<dyn ByteStream>, Refused> {
        match (socket, &self.tls) {
            (Socket::Unix(stream), _) => {
                let look = || Ok(recv(&stream, &mut [0], RecvFlags::PEEK)?);
                stream.async_io(Interest::READABLE, look).await?;
                Ok(Box::new(stream))
            }
            (Socket::Tcp(stream), None) => {
                stream.set_nodelay(true)?;
                // That it is readable is only tokio's guess at first.
                stream.peek(&mut [0]).await?;
                Ok(Box::new(stream))
            }
            (Socket::Tcp(stream), Some(tls)) => {
                stream.set_nodelay(true)?;
                let acceptor = TlsAcceptor::from(Arc::clone(&tls.borrow()));
                match acceptor.accept(stream).into_fallible().await {
                    Ok(stream) => Ok(Box::new(stream)),
                    Err((error, socket)) => Err(Refused { error, socket: Some(socket) }),
                }
            }
        }
    }
}

/// A handshake that came to nothing.
struct Refused {
    error: io::Error,
    /// Open still, if the client is to be told.
    socket: Option<TcpStream>,
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self { error, socket: None }
    }
}

/// Closes a connection so that the client reads why. To close it with bytes of
/// the client's unread would reset it, and what was sent last would be lost.
async fn part(mut socket: TcpStream) -> io::Result<()> {
    socket.shutdown().await?;
    let mut rest = [0; 1024];
    while socket.read(&mut rest).await? > 0 {}
    Ok(())
}

/// Why a handshake failed, in words of the operator's.
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

/// Keeps what goes on and on from filling the log.
#[derive(Default)]
struct RateLimitedLog(Option<Instant>);

impl RateLimitedLog {
    /// Whether it is to be said now.
    fn is_due(&mut self) -> bool {
        let now = Instant::now();
        let due = self.0.is_none_or(|said| now.duration_since(said) >= SAY_AGAIN);
        if due {
            self.0 = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_goes_on_is_said_once_a_minute() {
        let mut seldom = RateLimitedLog::default();
        let mut said = 0;
        for _ in 0..1800 {
            said += u32::from(seldom.is_due());
            tokio::time::advance(PAUSE).await;
        }
        assert_eq!(said, 3);
    }

    #[test]
    fn running_out_is_told_from_a_client_that_went_away() {
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
            assert_eq!(concerns_one_client(&errno.into()), of_one_client, "{errno:?}");
        }
    }

    /// A listener whose door has so many places; what it lets in comes out.
    async fn open(places: usize) -> (std::net::SocketAddr, mpsc::Receiver<AcceptedConnection>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (inside, connections) = mpsc::channel(8);
        let door =
            ConnectionAcceptor { tls: None, places: Arc::new(Semaphore::new(places)), inside };
        tokio::spawn(admit(ListeningSocket::Tcp(listener), door));
        (address, connections)
    }

    async fn connect(address: std::net::SocketAddr) -> TcpStream {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"P").await.unwrap();
        client
    }

    /// Whether the other end is gone.
    async fn is_closed(client: &mut TcpStream) -> bool {
        // With bytes of ours unread it is reset.
        !matches!(client.read(&mut [0]).await, Ok(1..))
    }

    #[tokio::test]
    async fn who_finds_no_place_is_turned_away_and_one_that_goes_makes_room() {
        let (address, mut inside) = open(2).await;
        let first = connect(address).await;
        let admitted = inside.recv().await.unwrap();
        assert_eq!(admitted.peer, ClientPeer::Tcp(first.local_addr().unwrap()));
        let _second = connect(address).await;
        let _kept = inside.recv().await.unwrap();
        assert!(is_closed(&mut connect(address).await).await);
        drop(admitted);
        let third = connect(address).await;
        let admitted = inside.recv().await.unwrap();
        assert_eq!(admitted.peer, ClientPeer::Tcp(third.local_addr().unwrap()));
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_is_let_go() {
        let (address, _inside) = open(1).await;
        let begun = Instant::now();
        let mut silent = TcpStream::connect(address).await.unwrap();
        assert!(is_closed(&mut silent).await);
        assert!(begun.elapsed() >= HANDSHAKE);
    }
}
