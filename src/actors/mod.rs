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
//!                      ▼ Publish                        ▼ Publish
//!                ┌──────────────────────────────────────────────┐
//!                │ Broadcaster                                  │──▶ subscriptions
//!                └──────────────────────────────────────────────┘
//! ```

pub mod broadcaster;
pub mod checker;

pub mod log_stream;
mod outbox;
pub mod prober;
pub mod reconciler;
pub mod resolver;
#[cfg(test)]
mod simulation;
pub mod vpp_connection;

pub use outbox::Outbox;
