//! The daemons, each mirrored by an actor of its own.
//!
//! ```text
//! client::mirror::feed ─▶ MirrorUpdate ─▶ DaemonMirror { DaemonView, PendingBatch }
//!                                            ├─▶ at most ten batches a second ─▶ TabBroker
//!                                            └─▶ its part of the state, encoded once for all
//! ```

mod backend_view;
mod connect;
mod mirror;
mod reads;
mod view;

pub(super) use mirror::{
    DaemonMirror, DaemonSummary, GetDaemonState, GetDaemonSummary, SetFingerprint, ShutDownMirror,
};
