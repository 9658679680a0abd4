//! What the daemon offers to the outside: gRPC and HTTP. Requests are validated
//! here and become messages to the actors, whose answers become responses.
//! Nothing is decided here.

mod actors;
pub(crate) mod answers;
mod grpc;
pub mod http;
pub(crate) mod transport;
pub mod views;

pub use actors::Actors;
pub use grpc::service::MaglevService;
pub use transport::listen_addr::{ListenAddr, ListenAddrError};
pub use transport::listener::{ListenError, ListenerConfig, Serving, serve};
pub use transport::peer::ClientPeer;
pub use transport::tls::{TlsError, TlsFault, TlsFile, TlsFiles, TlsService};
pub use transport::unix_socket::{UnixAccess, UnixAccessError, UnixGroup, UnixMode};
