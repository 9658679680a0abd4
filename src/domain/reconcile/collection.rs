//! When a VPP that has no collector of its own is made to run it.
//!
//! A VPP without weights keeps the rows of removed servers and VIPs, with their tables,
//! until a command of its CLI runs the collector. VPP takes a removed server ten seconds
//! after its removal, and looks at the servers of a VIP once a minute at most; a run that
//! comes too early makes them wait for that minute.

use std::time::{Duration, Instant};

/// For how long something must have waited.
const RIPE: Duration = Duration::from_secs(10);
/// The shortest time between two runs.
const INTERVAL: Duration = Duration::from_secs(60);

/// What is known of the collector over one connection.
#[derive(Debug, Default)]
pub(super) struct Collection {
    /// Since when something has been known to wait.
    waiting_since: Option<Instant>,
    last: Option<Instant>,
}

impl Collection {
    /// Whether the collector is due, which then counts as run.
    pub(super) fn is_due(&mut self, is_uncollected: bool, now: Instant) -> bool {
        if !is_uncollected {
            self.waiting_since = None;
            return false;
        }
        let since = *self.waiting_since.get_or_insert(now);
        let has_passed = |from: Instant, wait| now.saturating_duration_since(from) >= wait;
        let is_due =
            has_passed(since, RIPE) && self.last.is_none_or(|last| has_passed(last, INTERVAL));
        if is_due {
            self.last = Some(now);
            self.waiting_since = None;
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_runs_when_something_has_waited_and_once_a_minute_at_most() {
        let mut collection = Collection::default();
        let begun = Instant::now();
        let mut at =
            |seconds, waits| collection.is_due(waits, begun + Duration::from_secs(seconds));
        let runs: Vec<u64> = (0..20).map(|n| n * 10).filter(|&second| at(second, true)).collect();
        assert_eq!(runs, [10, 70, 130, 190]);
        assert!(!at(260, false) && !at(270, true), "it has only just begun to wait");
        assert!(at(280, true));
    }
}
