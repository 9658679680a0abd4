//! The daemon's clock, which ages count from: the clocks of two machines differ.

use std::time::Instant;

/// Nanoseconds that grow with time, as an answer showed them: a Unix time, or a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DaemonClock {
    now_ns: i64,
    received: Instant,
}

impl DaemonClock {
    /// `None` from a daemon that does not send it (0).
    pub(super) fn new(now_ns: i64, received: Instant) -> Option<Self> {
        (now_ns != 0).then_some(Self { now_ns, received })
    }

    pub(super) fn at(self, now: Instant) -> i64 {
        let since = now.saturating_duration_since(self.received).as_nanos();
        self.now_ns.saturating_add(i64::try_from(since).unwrap_or(i64::MAX))
    }
}
