//! What every client of daemons needs. It names the generated types only and
//! nothing of the command line, so that other clients can be built on it.
//!
//! ```text
//! address, tls, token ─▶ connection ─┬─▶ requests ─────────────┐
//!                                    └─▶ follow (WatchEvents) ─┴─▶ mirror: the state of a daemon
//! ```

pub mod address;
pub mod connection;
pub mod deadlines;
pub mod default_server;
pub mod error;
pub mod follow;
pub mod mirror;
pub mod requests;
pub mod tls;
pub mod token;
