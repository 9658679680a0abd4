//! The present time by both clocks.

use std::time::{Instant, SystemTime};

/// Monotonic for durations, wall for dates.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    pub monotonic: Instant,
    pub wall: SystemTime,
}
