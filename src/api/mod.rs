//! What the daemon offers to the outside: gRPC and HTTP. Requests are validated
//! here and become messages to the actors, whose answers become responses.
//! Nothing is decided here.

mod actors;
pub(crate) mod answers;
mod grpc;
pub mod http;
mod rights;
pub(crate) mod transport;
pub mod views;

pub use actors::Actors;
pub use grpc::service::MaglevService;
pub use rights::bearer::{NewToken, NoRandomNumbers};
pub use rights::denied::DeniedCalls;
pub use rights::in_force::{RightsFileError, RightsInForce};
pub use transport::listen_addr::{
    ListenAddr, ListenAddrError, ListenerList, ListenerListError, ListenerSpec,
};
pub use transport::listener::{ListenError, ListenerConfig, Serving, serve};
pub use transport::peer::ClientPeer;
pub use transport::tls::{TlsError, TlsFault, TlsFile, TlsFiles, TlsService};
pub use transport::unix_socket::{UnixAccess, UnixAccessError, UnixGroup, UnixMode};
