//! The sockets that the service is offered on.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, getrlimit};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic_health::pb::health_server::{Health, HealthServer};
use tracing::{error, warn};

use crate::api::MaglevService;
use crate::api::grpc::health;
use crate::api::grpc::interceptor::WatchEventsInterceptor;
use crate::api::transport::accept::{ConnectionAcceptor, ListeningSocket, admit};
use crate::api::transport::peer::AcceptedConnection;
use crate::api::transport::tls::{Certificates, TlsError, TlsFiles};
use crate::api::transport::unix_socket::{self, UnixAccess, UnixSocketFile};
use crate::pb;

/// The most connections at once, however many descriptors there are.
const MAX_CONNECTIONS: usize = 16_384;
/// The most requests at once on one connection.
const MAX_REQUESTS: u32 = 16_384;
/// A silent connection is asked for a sign of life after this, and closed
/// after as long again.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Where to listen: `host:port`, `:port` for all addresses, `unix:/path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddr {
    /// A TCP address, resolved when it is bound.
    Tcp(String),
    /// A Unix socket.
    Unix(PathBuf),
}

/// A word that is no address to listen on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("\"{0}\" is no address to listen on: write host:port, :port or unix:/path")]
pub struct ListenAddrError(String);

impl FromStr for ListenAddr {
    type Err = ListenAddrError;

    fn from_str(text: &str) -> Result<Self, ListenAddrError> {
        let wrong = || ListenAddrError(text.into());
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.starts_with('/') { Ok(Self::Unix(path.into())) } else { Err(wrong()) };
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        port.parse::<u16>().map_err(|_| wrong())?;
        let bare_ipv6 = host.contains(':') && !host.starts_with('[');
        match host {
            "" => Ok(Self::Tcp(format!("[::]:{port}"))),
            _ if bare_ipv6 => Err(wrong()),
            _ => Ok(Self::Tcp(text.into())),
        }
    }
}

impl fmt::Display for ListenAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => f.write_str(address),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// How the service is offered.
#[derive(Clone, Debug)]
pub struct ListenerConfig {
    /// Where.
    pub addresses: Vec<ListenAddr>,
    /// Whether clients can ask for the descriptors.
    pub reflection: bool,
    /// Certificates for TCP clients; `None`: they speak in the clear.
    pub tls: Option<TlsFiles>,
    /// Who may connect to Unix sockets.
    pub unix: UnixAccess,
}

/// A socket could not be opened, or the service could not be offered on it.
#[derive(Debug, Error)]
pub enum ListenError {
    /// The socket could not be opened.
    #[error("cannot listen on {address}: {source}{}", hint(.source))]
    Bind {
        /// The address.
        address: ListenAddr,
        /// Why.
        source: io::Error,
    },
    /// There can be no TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The reflection service refused its own descriptors.
    #[error("cannot offer reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

fn hint(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::AddrInUse => {
            "; another program has it: stop that one, or give another --grpc-addr"
        }
        io::ErrorKind::AddrNotAvailable => "; this machine has no such address",
        _ => "",
    }
}

/// The service on its sockets.
pub struct Serving {
    /// Where it really listens: ports that were 0 are known now.
    pub addresses: Vec<ListenAddr>,
    files: Vec<UnixSocketFile>,
    certificates: Option<Certificates>,
    tasks: JoinSet<()>,
    phase: watch::Sender<DaemonPhase>,
}

/// Where the daemon is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::api) enum DaemonPhase {
    /// Clients are served.
    Serving,
    /// The same, and they are told to go elsewhere.
    Leaving,
    /// No more are let in.
    Stopped,
}

impl Serving {
    /// The service on no socket at all.
    #[must_use]
    pub fn none() -> Self {
        let (phase, _) = watch::channel(DaemonPhase::Stopped);
        let (addresses, files) = Default::default();
        Self { addresses, files, certificates: None, tasks: JoinSet::new(), phase }
    }

    /// What is shown to TCP clients; `None`: they speak in the clear.
    #[must_use]
    pub fn certificates(&self) -> Option<&Certificates> {
        self.certificates.as_ref()
    }

    /// Tells those who ask for health that the daemon is leaving.
    pub fn leave(&self) {
        self.phase.send_replace(DaemonPhase::Leaving);
    }

    /// Takes no more requests, and waits for those under way. Event streams
    /// must have been ended before.
    pub async fn stop(mut self) {
        self.phase.send_replace(DaemonPhase::Stopped);
        while self.tasks.join_next().await.is_some() {}
        self.files.iter().for_each(UnixSocketFile::remove);
    }
}

/// Offers the service on every address, or on none.
///
/// # Errors
/// A file of TLS that cannot be used, or the first address that cannot be
/// opened.
pub async fn serve(
    mut service: MaglevService,
    offer: &ListenerConfig,
) -> Result<Serving, ListenError> {
    let certificates = offer.tls.as_ref().map(Certificates::load).transpose()?;
    service.certificates = certificates.clone();
    let is_tcp = |address: &ListenAddr| matches!(address, ListenAddr::Tcp(_));
    if certificates.is_some() && !offer.addresses.iter().any(is_tcp) {
        warn!("grpc-tls-unused: --grpc-addr names no TCP address");
    }
    let mut bound = OpenSockets::default();
    for address in &offer.addresses {
        let opened = bound.open(address, offer.unix).await;
        opened.map_err(|source| ListenError::Bind { address: address.clone(), source })?;
    }
    let (phase, stopped) = watch::channel(DaemonPhase::Serving);
    let (reporter, health) = tonic_health::server::health_reporter();
    health::begin(&reporter).await;
    let reporting = health::report(reporter, service.actors.overseer.clone(), stopped.clone());
    let routes = routes(service, health, offer.reflection)?;
    let (inside, connections) = mpsc::channel(1);
    let places = Arc::new(Semaphore::new(places()));
    let shown = certificates.as_ref().map(Certificates::shown);
    let door = ConnectionAcceptor { tls: shown, places, inside };
    let mut tasks = JoinSet::new();
    for listener in bound.listeners {
        let (admitting, mut stopped) = (admit(listener, door.clone()), stopped.clone());
        tasks.spawn(async move {
            // The listener is closed with its loop.
            tokio::select! {
                () = admitting => {}
                _ = stopped.wait_for(|phase| *phase >= DaemonPhase::Stopped) => {}
            }
        });
    }
    tasks.spawn(run(routes, connections, stopped));
    tasks.spawn(reporting);
    let OpenSockets { addresses, files, .. } = bound;
    Ok(Serving { addresses, files, certificates, tasks, phase })
}

/// Serves everybody who was let in, until it is told to stop and the requests
/// under way are done.
async fn run(
    routes: Routes,
    connections: mpsc::Receiver<AcceptedConnection>,
    mut stopped: watch::Receiver<DaemonPhase>,
) {
    let incoming = ReceiverStream::new(connections).map(Ok::<_, Infallible>);
    let until = async move {
        // An error says that the sender is gone: then it is time, too.
        let _ = stopped.wait_for(|phase| *phase >= DaemonPhase::Stopped).await;
    };
    let served = Server::builder()
        // More than there are subscriptions, so that who asks for one too many
        // is told so, and does not just wait.
        .max_concurrent_streams(MAX_REQUESTS)
        // Clients that are gone without a word are noticed.
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE))
        .add_routes(routes)
        .serve_with_incoming_shutdown(incoming, until)
        .await;
    if let Err(error) = served {
        error!(%error, "grpc-server-failed");
    }
}

/// Connections that there may be at once: a quarter of the descriptors, since
/// probes take up to three quarters.
fn places() -> usize {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(limit / 4).map_or(MAX_CONNECTIONS, |places| places.clamp(16, MAX_CONNECTIONS))
}

/// Everything that is offered, on every socket alike.
fn routes(
    service: MaglevService,
    health: HealthServer<impl Health>,
    reflection: bool,
) -> Result<Routes, ListenError> {
    let mut routes = Routes::builder();
    routes.add_service(WatchEventsInterceptor::new(service)).add_service(health);
    if reflection {
        let descriptors = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(pb::DESCRIPTORS)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        // Older clients know the alpha alone.
        routes.add_service(descriptors().build_v1()?).add_service(descriptors().build_v1alpha()?);
    }
    Ok(routes.routes())
}

/// The sockets that are open so far.
#[derive(Default)]
struct OpenSockets {
    addresses: Vec<ListenAddr>,
    listeners: Vec<ListeningSocket>,
    files: Vec<UnixSocketFile>,
}

impl OpenSockets {
    async fn open(&mut self, address: &ListenAddr, access: UnixAccess) -> io::Result<()> {
        match address {
            ListenAddr::Tcp(host) => {
                let listener = TcpListener::bind(host).await?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_to_listen_on() {
        let parse = |text: &str| text.parse::<ListenAddr>().map(|address| address.to_string());
        for (text, expected) in [
            ("127.0.0.1:9090", "127.0.0.1:9090"),
            (":9090", "[::]:9090"),
            ("[::1]:0", "[::1]:0"),
            ("localhost:1", "localhost:1"),
            ("unix:/run/maglevd.sock", "unix:/run/maglevd.sock"),
        ] {
            assert_eq!(parse(text).unwrap(), expected);
        }
        for wrong in ["", "9090", "host:", "host:65536", "::1:80", "unix:relative"] {
            assert_eq!(parse(wrong), Err(ListenAddrError(wrong.into())));
        }
    }
}
