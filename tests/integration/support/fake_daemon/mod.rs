//! A daemon with fixed data for the tests of maglevc: every call answers the
//! same, as maglevd would in the middle of some trouble.

mod announcements;
pub(crate) mod background;
pub(crate) mod data;
mod diagnosis;
pub(crate) mod events;
mod explanation;
mod overrides;
mod prediction;
mod service;
mod vpp;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{broadcast, oneshot};
use tokio_stream::Stream;
use tokio_stream::wrappers::{TcpListenerStream, UnixListenerStream};
use tonic::transport::Server;
use tonic::transport::server::Connected;
use vpp_maglev::pb::event;
use vpp_maglev::pb::maglev_server::MaglevServer;

use service::FakeService;

/// What the daemon is like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Behaviour {
    /// It has nothing configured, and VPP holds nothing.
    pub(crate) empty: bool,
    /// It refuses the configuration file, VPP refuses steps.
    pub(crate) contrary: bool,
    /// Its streams end after so many events; else they stay open.
    pub(crate) leaving: Option<usize>,
    /// It is of an older version, and does not know the newest calls.
    pub(crate) old: bool,
    /// It says that it would do what is asked for, and then refuses it.
    pub(crate) fickle: bool,
    /// The number of its life.
    pub(crate) boot_id: u64,
}

impl Behaviour {
    /// All is well.
    pub(crate) const USUAL: Self = Self {
        empty: false,
        contrary: false,
        leaving: None,
        old: false,
        fickle: false,
        boot_id: events::BOOT_ID,
    };
}

/// A running daemon; it ends when this is dropped.
pub(crate) struct FakeDaemon {
    /// What to give to `--server`.
    pub(crate) address: String,
    /// What is sent here happens.
    pub(crate) happen: broadcast::Sender<event::Event>,
    _stop: oneshot::Sender<()>,
}

/// Starts a daemon on a free port of loopback.
pub(crate) async fn on_tcp(behaviour: Behaviour) -> FakeDaemon {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    serve(behaviour, address, TcpListenerStream::new(listener))
}

/// Starts a daemon on a Unix socket in `directory`, in place of an earlier one.
pub(crate) async fn on_unix(behaviour: Behaviour, directory: &Path) -> FakeDaemon {
    let path: PathBuf = directory.join("maglevd.sock");
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).unwrap();
    serve(behaviour, format!("unix:{}", path.display()), UnixListenerStream::new(listener))
}

fn serve<C>(
    behaviour: Behaviour,
    address: String,
    connections: impl Stream<Item = std::io::Result<C>> + Send + 'static,
) -> FakeDaemon
where
    C: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
{
    let (stop, stopped) = oneshot::channel::<()>();
    let (happen, _) = broadcast::channel(64);
    let service = MaglevServer::new(FakeService { behaviour, happen: happen.clone() });
    tokio::spawn(async move {
        let serving = Server::builder().add_service(service).serve_with_incoming(connections);
        tokio::select! { result = serving => result.unwrap(), _ = stopped => {} }
    });
    FakeDaemon { address, happen, _stop: stop }
}
