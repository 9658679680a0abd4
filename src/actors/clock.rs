//! The present time, which is that of tests whose time stands still.

use std::time::{Instant, SystemTime};

use crate::domain::moment::Moment;

pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

pub(super) fn moment() -> Moment {
    Moment { monotonic: now(), wall: SystemTime::now() }
}
