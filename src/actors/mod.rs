//! The actors, and the messages between them.
//!
//! A message stands with its receiver, and what a subscription brings with its
//! publisher (`Transitioned`, `ProgressChanged`, `Connected`, `Lost`).
//!
//! ```text
//!      API: Reload · AdministerBackend · SetWeight · Get…
//!                           │
//! ┌──────────┐ SetNames ┌───▼────────┐ Administer · CheckChanged · … ┌────────────┐
//! │ Resolver │◀─────────│ Controller │──────────────────────────────▶│ Prober × N │──▶ backends
//! │          │─────────▶│            │◀──────────────────────────────│            │
//! └──────────┘ Resolved └───┬────▲───┘          Transitioned         └────────────┘
//!          DesiredReplaced  │    │ ProgressChanged
//!          DesiredChanged   │    │
//!                       ┌───▼────┴───┐ Observe · Apply · ReadServers ┌───────────────┐
//!  API: Sync · ────────▶│ Reconciler │──────────────────────────────▶│ VppConnection │──▶ VPP
//!  AwaitProgress        │            │◀──────────────────────────────│               │
//!                       └────────────┘       Connected · Lost        └───────────────┘
//!
//!  Controller, Reconciler and VppConnection publish events:
//!                       ┌──────────────┐ Publish ┌─────────────┐
//!                       │ EventBatcher │────────▶│ Broadcaster │──▶ subscribers
//!                       └──────────────┘         └─────────────┘
//! ```
//!
//! The Controller sends the OverrideKeeper StoreOverrides, and executes a command when that
//! is answered.
//!
//! The Doctor asks the Controller, the Reconciler (which sends it PassEnded) and the
//! VppConnection (ReadFib, ReapClients), and answers the API: Examine, GetVipWarning.
//!
//! The Controller sends the Announcer AnnounceFactsChanged and the Doctor sends it VipsRouted;
//! the Announcer sends a RouteKeeper for each routing daemon WantRoutes, and gets
//! RoutesReported. It answers the API: GetAnnouncements, GetAnnouncement, AwaitSettled.
//!
//! The EventBatcher is not an actor, but a value that the actors of the deciding thread
//! share. The Watchdog is not in the picture: it sends a query or a `Ping` to each actor
//! in rounds, waits for the answers, and notifies the service manager.

pub mod announcer;
pub mod audit;
pub mod broadcaster;
mod clock;
mod closed_mailbox;
pub mod controller;
pub mod doctor;
pub mod event_batcher;
mod outbox;
pub mod override_keeper;
pub mod ping;
pub mod prober;
pub mod reconciler;
pub mod resolver;
#[cfg(test)]
mod simulation;
pub mod vpp_connection;
pub mod watchdog;

pub use closed_mailbox::mailbox_closed;
pub use outbox::Outbox;
