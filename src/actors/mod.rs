//! The actors and the messages between them. The messages of an actor stand in
//! its own file or folder.
//!
//! ```text
//!              Reload · AdministerBackend · SetWeight · Get…
//!                            │
//!   Transitioned ┌───────────▼┐ Administer · CheckChanged · Stop ┌────────────┐
//!      ┌────────▶│ Controller │─────────────────────────────────▶│ Prober × N │──▶ backends
//!      │         └─────┬──────┘                                  └─────┬──────┘
//!      └───────────────│───────────────────────────────────────────────┘
//!     DesiredChanged · │ DesiredReplaced      (Controller: SetNames ▶ Resolver: Resolved ▶ Controller)
//!                ┌─────▼──────┐ Observe · Apply  ┌───────────────┐
//!      Sync ────▶│ Reconciler │─────────────────▶│ VppConnection │──▶ VPP
//!                └─────┬──────┘◀─────────────────└──────┬────────┘
//!                      │        Connected · Lost        │
//!                      ▼                                ▼
//!                [ EventBatcher, shared by all of this thread ]
//!                      │ Publish
//!               ┌──────▼──────┐
//!               │ Broadcaster │──▶ subscriptions
//!               └─────────────┘
//! ```
//!
//! The Watchdog pings each of them in rounds and notifies the service manager.

pub mod broadcaster;
mod closed_mailbox;
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

pub use closed_mailbox::gone;
pub use outbox::Outbox;
