//! The sockets that the page is served on.

use std::io;
use std::sync::Arc;

use thiserror::Error;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::connection::{self, ConnectionContext, IDLE_LIMIT};
use super::options::WebOptions;
use super::routes::{metrics_routes, routes};
use super::server::WebServer;
use crate::api::answers::pool::AnswerPool;
use crate::api::transport::accept::{ConnectionAcceptor, accept_all};
use crate::api::transport::activity::ConnectionActivity;
use crate::api::transport::arrival::{Listener, ListeningSocket};
use crate::api::transport::connections::ConnectionLimits;
use crate::api::transport::peer::{AcceptedConnection, Entrance};
use crate::api::transport::phase::DaemonPhase;
use crate::api::transport::sockets::OpenSockets;
use crate::api::transport::tcp_socket;
use crate::api::transport::tls::Certificates;
use crate::api::transport::unix_socket::UnixSocketFile;
use crate::api::{ListenAddr, ListenerSpec, TlsError};
use crate::domain::rights::Role;

/// Connections at a time, however many descriptors there are.
const MAX_CONNECTIONS: usize = 2048;
/// Sixteenths of the descriptors that connections may take.
const DESCRIPTORS: u64 = 12;

#[derive(Debug, Error)]
pub(super) enum WebListenError {
    #[error("cannot listen on {address}: {source}{}", hint(.source))]
    Bind { address: ListenAddr, source: io::Error },
    #[error("cannot serve metrics on {address}: {source}; give another --metrics-listen")]
    Metrics { address: String, source: io::Error },
    #[error(transparent)]
    Tls(#[from] TlsError),
}

fn hint(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::AddrInUse => {
            "; another program has it: stop that one, or give another --listen"
        }
        io::ErrorKind::AddrNotAvailable => "; this machine has no such address",
        _ => "",
    }
}

/// The running server.
pub(super) struct Listening {
    /// As they were bound: a port 0 is replaced by the real one.
    pub(super) addresses: Vec<ListenAddr>,
    pub(super) metrics: Option<String>,
    pub(super) certificates: Option<Certificates>,
    files: Vec<UnixSocketFile>,
    tasks: JoinSet<()>,
    phase: watch::Sender<DaemonPhase>,
}

impl Listening {
    /// Closes the listeners and waits for the requests under way. The streams of tabs
    /// must have been ended before.
    pub(super) async fn stop(mut self) {
        self.phase.send_replace(DaemonPhase::Stopped);
        while self.tasks.join_next().await.is_some() {}
        self.files.iter().for_each(UnixSocketFile::remove);
    }
}

/// Serves on every address, or on none.
///
/// # Errors
/// A TLS file that cannot be used, or the first address that cannot be opened.
pub(super) async fn listen(
    options: &WebOptions,
    server: WebServer,
) -> Result<Listening, WebListenError> {
    let files = options.listen_tls()?;
    let certificates = files.as_ref().map(Certificates::load).transpose()?;
    let mut sockets = OpenSockets::default();
    for address in &options.listen {
        // Roles of daemons are not those of the page's users.
        let spec = ListenerSpec { address: address.clone(), role: Some(Role::Nobody) };
        let opened = sockets.open(&spec, options.listen_unix()).await;
        opened.map_err(|source| WebListenError::Bind { address: address.clone(), source })?;
    }
    let (phase, changes) = watch::channel(DaemonPhase::Serving);
    let context = ConnectionContext {
        routes: routes(server.clone()),
        server: server.clone(),
        answers: AnswerPool::default(),
        is_encrypted: certificates.is_some(),
        has_base: true,
        phase: changes.clone(),
    };
    let acceptor = ConnectionAcceptor {
        service: "web",
        is_grpc: false,
        tls: certificates.as_ref().map(Certificates::subscribe),
        limits: ConnectionLimits::of_descriptors(DESCRIPTORS, MAX_CONNECTIONS),
        idle_limit: Some(IDLE_LIMIT),
        serve: move |stream: AcceptedConnection, activity: Arc<ConnectionActivity>| {
            connection::serve(context.clone(), stream, activity)
        },
    };
    let mut tasks = JoinSet::new();
    let OpenSockets { addresses, listeners, files } = sockets;
    tasks.spawn(accept_all(listeners, acceptor, changes));
    let metrics = match options.metrics_listen.as_str() {
        "" => None,
        address => Some(listen_metrics(address, server, &phase, &mut tasks).await?),
    };
    Ok(Listening { addresses, metrics, certificates, files, tasks, phase })
}

/// Serves metrics on an address of their own, which has neither TLS nor a login.
async fn listen_metrics(
    address: &str,
    server: WebServer,
    phase: &watch::Sender<DaemonPhase>,
    tasks: &mut JoinSet<()>,
) -> Result<String, WebListenError> {
    let failed = |source| WebListenError::Metrics { address: address.to_owned(), source };
    let listener = tcp_socket::listen(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?.to_string();
    let context = ConnectionContext {
        routes: metrics_routes(server.clone()),
        server,
        answers: AnswerPool::default(),
        is_encrypted: false,
        has_base: false,
        phase: phase.subscribe(),
    };
    let acceptor = ConnectionAcceptor {
        service: "metrics",
        is_grpc: false,
        tls: None,
        limits: ConnectionLimits::of_descriptors(1, MAX_CONNECTIONS),
        idle_limit: Some(IDLE_LIMIT),
        serve: move |stream: AcceptedConnection, activity: Arc<ConnectionActivity>| {
            connection::serve(context.clone(), stream, activity)
        },
    };
    let entrance = Arc::new(Entrance { address: bound.clone(), role: Role::Nobody });
    let listeners = vec![Listener { socket: ListeningSocket::Tcp(listener), entrance }];
    tasks.spawn(accept_all(listeners, acceptor, phase.subscribe()));
    Ok(bound)
}
