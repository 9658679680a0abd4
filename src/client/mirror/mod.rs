//! The state of a daemon, mirrored: a snapshot at the beginning, every event
//! as it happens, and requests for what the events do not carry.
//!
//! ```text
//! follow ─▶ FollowItem ─┬─▶ Refresh ─▶ MirrorQuery ─▶ requests ─┐
//!                       └───────────────────────────────────────┴─▶ MirrorUpdate ─▶ Mirror
//! ```
//!
//! [`Mirror`] and [`Refresh`] are pure; [`feed()`] executes.

mod clock;
mod feed;
mod refresh;
mod state;

pub use feed::feed;
pub use refresh::{GATHER, MirrorQuery, REFRESH_INTERVAL, Refresh, RefreshPolicy};
pub use state::{
    DaemonStatus, Mirror, MirrorSnapshot, MirrorUpdate, MirroredState, RECENT_CHANGES,
    RecentChange, RecentChangeKind, VppStatus,
};
