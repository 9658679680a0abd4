//! Moments and spans as the API has them: nanoseconds, moments since 1970.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Unix time in nanoseconds; 0 for a time that does not fit.
pub(super) fn unix_ns(at: SystemTime) -> i64 {
    at.duration_since(UNIX_EPOCH).map_or(0, ns)
}

/// The daemon's clock, which clients count ages from.
pub(super) fn now_ns() -> i64 {
    unix_ns(SystemTime::now())
}

/// Nanoseconds, or the most that fit.
pub(super) fn ns(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}
