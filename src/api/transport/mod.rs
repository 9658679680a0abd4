//! The sockets that gRPC is served on: listening, accepting, TLS, and the
//! client's identity.

pub(super) mod accept;
pub(super) mod activity;
pub(super) mod arrival;
mod certificate_name;
pub(super) mod connections;
mod handshake_failure;
pub(super) mod listen_addr;
pub(super) mod listener;
pub(super) mod peer;
pub(super) mod phase;
pub(super) mod tcp_socket;
pub(super) mod tls;
mod unix_authority;
pub(super) mod unix_socket;
