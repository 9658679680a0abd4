//! A client of VPP: a task owns the socket and the session, handles are cheap
//! clones. It decides nothing: it reads, and it writes the steps that it is
//! given.
//!
//! The messages for that are those of the [`dialect`] that VPP speaks, which is
//! chosen by its message table at connect.

mod batches;
mod budget;
mod calls;
mod connect;
mod connection;
mod dialect;
mod driver;
mod error;
mod goodbye;
mod handle;
mod options;
mod packets;
mod routes;
mod server_info;
mod stale_client_workaround;
#[cfg(test)]
mod tests;

pub use super::session::{EndReason, SessionStats, Traffic};
pub use connect::ConnectError;
pub use error::{Applied, CallError, Retval, StepError};
pub use goodbye::GoodbyeHandle;
pub use handle::VppClient;
pub use options::ClientOptions;
pub use server_info::VppVersion;
