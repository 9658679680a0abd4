//! The sockets that gRPC and HTTP are served on: listening, accepting, TLS, and the
//! client's identity.

pub(crate) mod accept;
pub(crate) mod activity;
pub(crate) mod arrival;
pub(crate) mod certificate_name;
pub(crate) mod connections;
pub(crate) mod encoding;
mod handshake_failure;
pub(crate) mod http_limits;
pub(crate) mod listen_addr;
pub(super) mod listener;
pub(crate) mod peer;
pub(crate) mod phase;
pub(crate) mod sockets;
pub(crate) mod tcp_socket;
pub(crate) mod tls;
mod unix_authority;
pub(crate) mod unix_socket;
