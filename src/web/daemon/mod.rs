//! The daemons, each mirrored by an actor of its own.
//!
//! ```text
//! client::mirror::feed ─▶ MirrorUpdate ─▶ DaemonMirror { DaemonView, TabBatch }
//!                                            ├─▶ at most ten batches a second ─▶ TabBroker
//!                                            └─▶ its part of the state, encoded once for all
//! ```

mod backend_row;
mod connect;
mod messages;
mod mirror;
mod reads;
mod view;

pub(super) use messages::{GetDaemonState, GetDaemonSummary, SetFingerprint, ShutDownMirror};
pub(super) use mirror::DaemonMirror;
