//! Accepts connections, shakes hands with each and has it served.
//!
//! Each connection is a task, so that a silent client does not delay others. It
//! has a deadline up to the end of its first request. When all places are taken,
//! one that is of the least use makes room. When descriptors run out all the
//! same, the loop waits and tries again.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tracing::{debug, warn};

use crate::api::transport::activity::{ConnectionActivity, FIRST_REQUEST, Standing};
use crate::api::transport::arrival::{Arrival, Listener, Socket};
use crate::api::transport::certificate_name::ClientCertificate;
use crate::api::transport::connections::{Admission, ConnectionLimits, ConnectionTable};
use crate::api::transport::handshake_failure::why;
use crate::api::transport::peer::{AcceptedConnection, ByteStream, ClientPeer, IdentifiedClient};
use crate::api::transport::phase::{DaemonPhase, stopped};
use crate::api::transport::unix_authority::WithoutAuthority;
use crate::host::logging::RateLimitedLog;

/// How long a refused client may take to read the TLS alert.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// Wait after an accept that failed for want of descriptors or memory.
const PAUSE: Duration = Duration::from_millis(100);

/// How connections are accepted and what they are handed to.
pub(crate) struct ConnectionAcceptor<S> {
    /// What log records begin with: `grpc`, `metrics` or `web`.
    pub(crate) service: &'static str,
    /// Whether requests on Unix sockets are gRPC's, whose authority means nothing.
    pub(crate) is_grpc: bool,
    /// The present certificates; `None`: TCP connections are not encrypted.
    pub(crate) tls: Option<watch::Receiver<Arc<ServerConfig>>>,
    pub(crate) limits: ConnectionLimits,
    /// How long a connection may be without a request; `None`: for ever.
    pub(crate) idle_limit: Option<Duration>,
    /// Serves a connection to its end; from [`DaemonPhase::Stopped`] on it takes no
    /// further request.
    pub(crate) serve: S,
}

/// How a connection ended.
enum ConnectionEnd {
    Closed,
    /// A port scan or a health check of a load balancer.
    BrokenOff(String),
    Failed(String),
}

/// Accepts and serves connections until [`DaemonPhase::Stopped`], and then the
/// requests under way.
pub(crate) async fn accept_all<S, F>(
    listeners: Vec<Listener>,
    acceptor: ConnectionAcceptor<S>,
    mut phase: watch::Receiver<DaemonPhase>,
) where
    S: Fn(AcceptedConnection, Arc<ConnectionActivity>) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let acceptor = Arc::new(acceptor);
    let (arrived, mut arrivals) = mpsc::channel(1);
    let mut listening = JoinSet::new();
    for listener in listeners {
        listening.spawn(listen(listener, acceptor.service, arrived.clone()));
    }
    let service = acceptor.service;
    let mut connections = Connections {
        table: ConnectionTable::new(acceptor.limits),
        tasks: JoinSet::new(),
        service,
        failures: RateLimitedLog::of_events(move |withheld| {
            warn!(withheld, "{service}-handshake-failed: more of them, unlogged");
        }),
    };
    let full_log = RateLimitedLog::of_condition(move |withheld| {
        warn!(withheld, "{service}-connections-exhausted: more arrivals, unlogged");
    });
    loop {
        tokio::select! {
            Some(arrival) = arrivals.recv() => {
                let peer = arrival.peer;
                let admission = connections.table.admit(peer);
                if admission != Admission::Free && let Some(withheld) = full_log.is_due() {
                    warn!(%peer, withheld, "{service}-connections-exhausted: idle ones make room, \
                        or new ones are turned away");
                }
                match admission {
                    Admission::Refused => continue,
                    Admission::InPlaceOf(number) => connections.replace(number).await,
                    Admission::Free => {}
                }
                let activity = Arc::new(ConnectionActivity::new());
                let number = connections.table.add(peer, Arc::clone(&activity));
                let life = Arc::clone(&acceptor).live(arrival, activity, phase.clone());
                connections.tasks.spawn(async move { (number, peer, life.await) });
            }
            Some(Ok(ended)) = connections.tasks.join_next() => connections.ended(ended),
            () = stopped(&mut phase) => break,
        }
    }
    // Closes the listeners.
    listening.shutdown().await;
    while connections.tasks.join_next().await.is_some() {}
}

/// The open connections and their tasks.
struct Connections {
    table: ConnectionTable,
    tasks: JoinSet<(u64, ClientPeer, ConnectionEnd)>,
    service: &'static str,
    failures: RateLimitedLog,
}

impl Connections {
    fn ended(&mut self, (number, peer, end): (u64, ClientPeer, ConnectionEnd)) {
        let service = self.service;
        self.table.remove(number);
        match end {
            ConnectionEnd::Closed => {}
            ConnectionEnd::BrokenOff(why) => debug!(%peer, why, "{service}-handshake-broken-off"),
            ConnectionEnd::Failed(why) => {
                if let Some(withheld) = self.failures.is_due() {
                    warn!(%peer, why, withheld, "{service}-handshake-failed");
                }
            }
        }
    }

    /// Closes a connection, and waits until its descriptor is free.
    async fn replace(&mut self, number: u64) {
        self.table.close(number);
        while self.table.contains(number) {
            match self.tasks.join_next().await {
                Some(Ok(ended)) => self.ended(ended),
                Some(Err(_)) | None => return,
            }
        }
    }
}

/// Accepts connections of one socket until it is dropped.
async fn listen(listener: Listener, service: &'static str, arrived: mpsc::Sender<Arrival>) {
    let log = RateLimitedLog::of_condition(move |withheld| {
        warn!(withheld, "{service}-accept-failed: more of them, unlogged");
    });
    loop {
        match listener.accept().await {
            // Without a receiver the daemon is stopping.
            Ok(arrival) => {
                if arrived.send(arrival).await.is_err() {
                    return;
                }
            }
            Err(error) if is_of_one_client(&error) => debug!(%error, "{service}-accept-failed"),
            Err(error) => {
                if let Some(withheld) = log.is_due() {
                    warn!(%error, withheld, "{service}-accept-failed: tried again until it works");
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

impl<S, F> ConnectionAcceptor<S>
where
    S: Fn(AcceptedConnection, Arc<ConnectionActivity>) -> F,
    F: Future<Output = ()>,
{
    /// A connection from its acceptance to its end.
    async fn live(
        self: Arc<Self>,
        Arrival { socket, peer, groups, entrance }: Arrival,
        activity: Arc<ConnectionActivity>,
        mut phase: watch::Receiver<DaemonPhase>,
    ) -> ConnectionEnd {
        let is_served = AtomicBool::new(false);
        let serving = async {
            match self.handshake(socket).await {
                Ok((stream, certificate)) => {
                    is_served.store(true, Ordering::Relaxed);
                    let is_plain = self.tls.is_none();
                    let client = IdentifiedClient {
                        is_readable: is_plain && is_of_a_network(peer),
                        peer,
                        groups: groups.into(),
                        certificate,
                        entrance,
                    };
                    let connection = AcceptedConnection { stream, client };
                    (self.serve)(connection, Arc::clone(&activity)).await;
                    ConnectionEnd::Closed
                }
                Err(failed) => failed.end().await,
            }
        };
        let stopped_before_use = async {
            stopped(&mut phase).await;
            if activity.standing() != Standing::Stranger {
                std::future::pending::<()>().await;
            }
        };
        let limit = self.idle_limit.unwrap_or(Duration::MAX);
        tokio::select! {
            end = serving => end,
            () = activity.closed() => ConnectionEnd::Closed,
            () = activity.idle_for(limit), if self.idle_limit.is_some() => ConnectionEnd::Closed,
            () = stopped_before_use => ConnectionEnd::Closed,
            () = activity.first_request_is_late() => {
                let seconds = FIRST_REQUEST.as_secs();
                if is_served.load(Ordering::Relaxed) {
                    ConnectionEnd::BrokenOff(format!("there was no request within {seconds} s"))
                } else {
                    ConnectionEnd::Failed(format!("it was not done within {seconds} s"))
                }
            }
        }
    }

    /// The stream, and the client's certificate.
    async fn handshake(
        &self,
        socket: Socket,
    ) -> Result<(Box<dyn ByteStream>, Option<Arc<ClientCertificate>>), HandshakeError> {
        match (socket, &self.tls) {
            (Socket::Unix(stream), _) if self.is_grpc => {
                Ok((Box::new(WithoutAuthority::new(stream)), None))
            }
            (Socket::Unix(stream), _) => Ok((Box::new(stream), None)),
            (Socket::Tcp(stream), None) => {
                stream.set_nodelay(true)?;
                Ok((Box::new(stream), None))
            }
            (Socket::Tcp(stream), Some(tls)) => {
                stream.set_nodelay(true)?;
                let acceptor = TlsAcceptor::from(Arc::clone(&tls.borrow()));
                match acceptor.accept(stream).into_fallible().await {
                    Ok(stream) => {
                        let chain = stream.get_ref().1.peer_certificates();
                        let own = chain.and_then(|chain| chain.first());
                        let certificate = own.map(|own| Arc::new(ClientCertificate::of(own)));
                        Ok((Box::new(stream), certificate))
                    }
                    Err((error, socket)) => Err(HandshakeError { error, socket: Some(socket) }),
                }
            }
        }
    }
}

/// Whether a client's bytes come from another machine.
fn is_of_a_network(peer: ClientPeer) -> bool {
    matches!(peer, ClientPeer::Tcp(address) if !address.ip().to_canonical().is_loopback())
}

struct HandshakeError {
    error: io::Error,
    /// Still open where an alert was sent to the client.
    socket: Option<TcpStream>,
}

impl HandshakeError {
    /// Lets the client read why, and closes the connection.
    async fn end(self) -> ConnectionEnd {
        let Self { error, socket } = self;
        if let Some(socket) = socket {
            // A client that does not read in time misses the reason.
            let _ = timeout(CLOSE_TIMEOUT, close_gracefully(socket)).await;
        }
        match error.kind() {
            io::ErrorKind::UnexpectedEof => ConnectionEnd::BrokenOff(why(&error)),
            _ => ConnectionEnd::Failed(why(&error)),
        }
    }
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

#[cfg(test)]
mod tests;
