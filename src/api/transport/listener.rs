//! Serves gRPC on all sockets that the operator names, and stops serving.

use std::io;
use std::sync::Arc;

use thiserror::Error;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tonic::service::Routes;
use tonic_health::pb::health_server::{Health, HealthServer};
use tracing::warn;

use crate::api::answers::pool::AnswerPool;
use crate::api::grpc::connection;
use crate::api::grpc::gate::Gate;
use crate::api::grpc::health;
use crate::api::grpc::interceptor::WatchEventsInterceptor;
use crate::api::grpc::requests::GrpcServer;
use crate::api::grpc::service::MaglevService;
use crate::api::rights::denied::DeniedCalls;
use crate::api::rights::in_force::RightsInForce;
use crate::api::transport::accept::{ConnectionAcceptor, accept_all};
use crate::api::transport::activity::ConnectionActivity;
use crate::api::transport::arrival::ListeningSocket;
use crate::api::transport::connections::ConnectionLimits;
use crate::api::transport::listen_addr::{ListenAddr, ListenerSpec};
use crate::api::transport::peer::{AcceptedConnection, Entrance};
use crate::api::transport::phase::DaemonPhase;
use crate::api::transport::sockets::OpenSockets;
use crate::api::transport::tls::{Certificates, TlsError, TlsFiles};
use crate::api::transport::unix_socket::{UnixAccess, UnixSocketFile};
use crate::domain::rights::Role;
use crate::pb;

/// Connections at a time, however many descriptors there are.
const MAX_CONNECTIONS: usize = 16_384;
/// Sixteenths of the descriptors that connections may take.
const DESCRIPTORS: u64 = 3;

#[derive(Clone, Debug)]
pub struct ListenerConfig {
    pub listeners: Vec<ListenerSpec>,
    /// Whether gRPC server reflection is served.
    pub reflection: bool,
    /// `None`: TCP connections are not encrypted.
    pub tls: Option<TlsFiles>,
    pub unix: UnixAccess,
    pub rights: RightsInForce,
    /// Where calls that are denied are counted.
    pub denied: DeniedCalls,
}

#[derive(Debug, Error)]
pub enum ListenError {
    #[error("cannot listen on {address}: {source}{}", hint(.source))]
    Bind { address: ListenAddr, source: io::Error },
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The reflection service does not take the descriptors of this build.
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

/// The running server.
pub struct Serving {
    /// As they were bound: a port 0 is replaced by the real one.
    pub addresses: Vec<ListenAddr>,
    files: Vec<UnixSocketFile>,
    certificates: Option<Certificates>,
    tasks: JoinSet<()>,
    phase: watch::Sender<DaemonPhase>,
}

impl Serving {
    /// A server without sockets.
    #[must_use]
    pub fn none() -> Self {
        let (phase, _) = watch::channel(DaemonPhase::Stopped);
        let (addresses, files) = Default::default();
        Self { addresses, files, certificates: None, tasks: JoinSet::new(), phase }
    }

    /// `None` without TLS.
    #[must_use]
    pub fn certificates(&self) -> Option<&Certificates> {
        self.certificates.as_ref()
    }

    /// Turns health to `NOT_SERVING`, so that clients go elsewhere.
    pub fn leave(&self) {
        self.phase.send_replace(DaemonPhase::Leaving);
    }

    /// Closes the listeners and waits for the requests under way. Event streams
    /// must have been ended before.
    pub async fn stop(mut self) {
        self.phase.send_replace(DaemonPhase::Stopped);
        while self.tasks.join_next().await.is_some() {}
        self.files.iter().for_each(UnixSocketFile::remove);
    }
}

/// Serves on every address, or on none.
///
/// # Errors
/// A TLS file that cannot be used, or the first address that cannot be opened.
pub async fn serve(
    mut service: MaglevService,
    config: &ListenerConfig,
) -> Result<Serving, ListenError> {
    let certificates = config.tls.as_ref().map(Certificates::load).transpose()?;
    service.certificates = certificates.clone();
    let is_tcp = |address: &ListenAddr| matches!(address, ListenAddr::Tcp(_));
    service.rights = config.rights.clone();
    if certificates.is_some() && !config.listeners.iter().any(|it| is_tcp(&it.address)) {
        warn!("grpc-tls-unused: --grpc-addr names no TCP address");
    }
    let mut sockets = OpenSockets::default();
    for listener in &config.listeners {
        let opened = sockets.open(listener, config.unix).await;
        let address = || listener.address.clone();
        opened.map_err(|source| ListenError::Bind { address: address(), source })?;
    }
    warn_of_open_listeners(config, &sockets);
    let (phase, phase_changes) = watch::channel(DaemonPhase::Serving);
    let (reporter, health) = tonic_health::server::health_reporter();
    health::set_not_serving(&reporter).await;
    let reporting =
        health::report(reporter, service.actors.watchdog.clone(), phase_changes.clone());
    let answers = AnswerPool::default();
    let entrances = sockets.listeners.iter().map(|it| Arc::clone(&it.entrance)).collect();
    let broadcaster = service.actors.broadcaster.clone();
    let gate = Gate::new(config.rights.clone(), entrances, config.denied.clone(), broadcaster);
    let routes = routes(service, &answers, health, config.reflection)?;
    let server = GrpcServer::new(routes, gate, answers);
    let tls = certificates.as_ref().map(Certificates::subscribe);
    let phase_of_connections = phase_changes.clone();
    let acceptor = ConnectionAcceptor {
        service: "grpc",
        is_grpc: true,
        tls,
        limits: ConnectionLimits::of_descriptors(DESCRIPTORS, MAX_CONNECTIONS),
        idle_limit: None,
        serve: move |stream: AcceptedConnection, activity: Arc<ConnectionActivity>| {
            connection::serve(server.clone(), stream, activity, phase_of_connections.clone())
        },
    };
    let mut tasks = JoinSet::new();
    let OpenSockets { addresses, files, listeners } = sockets;
    tasks.spawn(accept_all(listeners, acceptor, phase_changes));
    tasks.spawn(reporting);
    Ok(Serving { addresses, files, certificates, tasks, phase })
}

/// The services, the same on every socket.
fn routes(
    service: MaglevService,
    answers: &AnswerPool,
    health: HealthServer<impl Health>,
    reflection: bool,
) -> Result<Routes, ListenError> {
    let mut routes = Routes::builder();
    routes.add_service(WatchEventsInterceptor::new(service, answers)).add_service(health);
    if reflection {
        let descriptors = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(pb::DESCRIPTORS)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        // Older clients know v1alpha only.
        routes.add_service(descriptors().build_v1()?).add_service(descriptors().build_v1alpha()?);
    }
    Ok(routes.routes())
}

/// Warns of each TCP listener where whoever reaches it may change everything.
fn warn_of_open_listeners(config: &ListenerConfig, sockets: &OpenSockets) {
    let shows_certificate = config.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
    for listener in &sockets.listeners {
        let is_tcp = matches!(listener.socket, ListeningSocket::Tcp(_));
        let Entrance { address, role } = &*listener.entrance;
        if is_tcp && *role == Role::Operator && !shows_certificate {
            warn!(%address, "grpc-open: whoever reaches this address may change everything; \
                add ,role=viewer to it in --grpc-addr, and have operators use a Unix socket, \
                or require certificates with --grpc-tls-client-ca");
        }
    }
}
