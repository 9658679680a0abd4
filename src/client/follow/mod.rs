//! Following the events of a daemon over every loss of it: the one
//! implementation behind `watch events`, the shell's connection status and the
//! mirror.
//!
//! [`Follow`] decides and is pure; [`StreamFollower`] executes its effects.

mod step;
mod stream;

#[cfg(test)]
mod tests;

pub use step::{Follow, FollowEffect, FollowInput, FollowItem, FollowPolicy, StreamPosition};
pub use stream::{StreamFollower, WATCH_EVENTS};
