//! The actors, and who tells whom what. Each message stands in the file of the
//! actor that receives it.
//!
//! ```text
//!              Reload · Administer · SetWeight · Get…
//!                            │
//!   Transitioned ┌───────────▼┐ Administer · CheckChanged · Stop ┌────────────┐
//!      ┌────────▶│  Controller   │─────────────────────────────────▶│ Prober × N │──▶ backends
//!      │         └─────┬──────┘                                  └─────┬──────┘
//!      └───────────────│───────────────────────────────────────────────┘
//!     DesiredChanged · │ DesiredReplaced      (Controller: SetNames ▶ Resolver: Resolved ▶ Controller)
//!                ┌─────▼──────┐ Observe · Apply  ┌───────────────┐
//!      Sync ────▶│ Reconciler │─────────────────▶│ VppConnection │──▶ VPP
//!                └─────┬──────┘◀─────────────────└──────┬────────┘
//!                      │        Connected · Lost        │
//!                      ▼ PublishEvent                       ▼ PublishEvent
//!                ┌────────┐ Publish  ┌─────────────┐
//!                │ EventBatcher │─────────▶│ Broadcaster │──▶ subscriptions
//!                └────────┘          └─────────────┘
//! ```
//!
//! The Watchdog stands beside them: it asks each in turn for a sign of life, and
//! tells the service manager.

pub mod broadcaster;
pub mod controller;
pub mod event_batcher;
mod outbox;
pub mod prober;
pub mod reconciler;
pub mod resolver;
#[cfg(test)]
mod simulation;
pub mod vpp_connection;
pub mod watchdog;

pub use outbox::Outbox;

/// An actor that others rely on has ended: a bug, and fatal. The daemon's panic
/// hook says so and ends the process.
///
/// # Panics
/// Always.
pub fn gone(who: &str) -> ! {
    panic!("mailbox-closed: {who} has ended while others rely on it")
}
