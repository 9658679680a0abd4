//! The sockets that gRPC is served on: listening, TLS, who is at the other end.

mod accept;
pub(super) mod listener;
pub(super) mod peer;
pub(super) mod tls;
pub(super) mod unix_socket;
