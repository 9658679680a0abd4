//! What every client of daemons needs: an address, a connection, TLS.

pub mod server;
pub mod tls;
