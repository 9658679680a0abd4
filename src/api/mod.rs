//! The gRPC service: requests are validated here and become messages to the
//! actors, whose answers become responses. Nothing is decided here.

mod accept;
mod border;
mod convert;
mod health;
mod lb;
mod listener;
pub mod metrics;
mod names;
mod peer;
mod service;
mod status;
mod table;
mod tls;
mod unix_socket;
mod watch;

pub use listener::{ListenAddr, ListenAddrError, ListenError, Listening, Offer, serve};
pub use peer::Peer;
pub use service::Service;
pub use tls::{TlsError, TlsFault, TlsFile, TlsFiles};
pub use unix_socket::{UnixAccess, UnixAccessError, UnixGroup, UnixMode};

use actix::Addr;

use crate::actors::broadcaster::Broadcaster;
use crate::actors::checker::Checker;
use crate::actors::overseer::Overseer;
use crate::actors::reconciler::Reconciler;
use crate::actors::vpp_connection::VppConnection;

/// The actors that answer requests.
#[derive(Clone)]
pub struct Actors {
    /// Backends, frontends and the configuration.
    pub checker: Addr<Checker>,
    /// What VPP is told.
    pub reconciler: Addr<Reconciler>,
    /// What VPP says.
    pub vpp: Addr<VppConnection>,
    /// What happens.
    pub broadcaster: Addr<Broadcaster>,
    /// How far the daemon is.
    pub overseer: Addr<Overseer>,
}
