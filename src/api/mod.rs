//! The gRPC service: requests are validated here and become messages to the
//! actors, whose answers become responses. Nothing is decided here.

mod grpc;
pub mod http;
mod transport;
pub mod views;

pub use grpc::service::MaglevService;
pub use transport::listener::{
    ListenAddr, ListenAddrError, ListenError, ListenerConfig, Serving, serve,
};
pub use transport::peer::ClientPeer;
pub use transport::tls::{TlsError, TlsFault, TlsFile, TlsFiles};
pub use transport::unix_socket::{UnixAccess, UnixAccessError, UnixGroup, UnixMode};

use actix::Addr;

use crate::actors::broadcaster::Broadcaster;
use crate::actors::controller::Controller;
use crate::actors::reconciler::Reconciler;
use crate::actors::vpp_connection::VppConnection;
use crate::actors::watchdog::Watchdog;

/// The actors that answer requests.
#[derive(Clone)]
pub struct Actors {
    /// Backends, frontends and the configuration.
    pub checker: Addr<Controller>,
    /// What VPP is told.
    pub reconciler: Addr<Reconciler>,
    /// What VPP says.
    pub vpp: Addr<VppConnection>,
    /// What happens.
    pub broadcaster: Addr<Broadcaster>,
    /// How far the daemon is.
    pub overseer: Addr<Watchdog>,
}
