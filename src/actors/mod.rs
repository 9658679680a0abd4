//! The actors, and who tells whom what. Each message stands in the file of the
//! actor that receives it.
//!
//! ```text
//!              Reload · Administer · SetWeight · Get…
//!                            │
//!   Transitioned ┌───────────▼┐ Administer · CheckChanged · Stop ┌────────────┐
//!      ┌────────▶│  Checker   │─────────────────────────────────▶│ Prober × N │──▶ backends
//!      │         └─────┬──────┘                                  └─────┬──────┘
//!      └───────────────│───────────────────────────────────────────────┘
//!     DesiredChanged · │ DesiredReplaced      (Checker: LookUp ▶ Resolver: Resolved ▶ Checker)
//!                ┌─────▼──────┐ Observe · Apply  ┌───────────────┐
//!      Sync ────▶│ Reconciler │─────────────────▶│ VppConnection │──▶ VPP
//!                └─────┬──────┘◀─────────────────└──────┬────────┘
//!                      │        Connected · Lost        │
//!                      ▼ Happened                       ▼ Happened
//!                ┌────────┐ Publish  ┌─────────────┐
//!                │ Herald │─────────▶│ Broadcaster │──▶ subscriptions
//!                └────────┘          └─────────────┘
//! ```
//!
//! The Overseer stands beside them: it asks each in turn for a sign of life, and
//! tells the service manager.

pub mod broadcaster;
pub mod checker;
pub mod herald;
pub mod log_stream;
mod outbox;
pub mod overseer;
pub mod prober;
pub mod reconciler;
pub mod resolver;
#[cfg(test)]
mod simulation;
pub mod vpp_connection;

pub use outbox::Outbox;

/// An actor that others rely on has ended: a bug, and fatal. The daemon's panic
/// hook says so and ends the process.
///
/// # Panics
/// Always.
pub fn gone(who: &str) -> ! {
    panic!("mailbox-closed: {who} has ended while others rely on it")
}
