//! How often readers are woken.
//!
//! To hand out an event wakes every reader, and each has something to write.
//! With many readers and many events that would be all that the thread does, so
//! that what happens within a moment then goes out together. The moment grows
//! with the number of readers; after a quiet one an event goes out at once.

use std::time::Duration;

use tokio::time::Instant;

/// What it costs to wake a reader, generously.
const COST: Duration = Duration::from_micros(20);
/// The longest that an event waits for others.
const LONGEST: Duration = Duration::from_millis(20);
/// Timers know no less: a shorter wait is none.
const SHORTEST: Duration = Duration::from_millis(1);
/// So many events wait for no more.
const MOST: usize = 256;

/// When the last was handed out.
#[derive(Default)]
pub(super) struct Pace {
    last: Option<Instant>,
}

impl Pace {
    pub(super) fn handed_out(&mut self, now: Instant) {
        self.last = Some(now);
    }

    /// How long `waiting` events are to wait yet; `None`: not any longer.
    pub(super) fn wait(&self, now: Instant, waiting: usize, readers: usize) -> Option<Duration> {
        let readers = u32::try_from(readers).unwrap_or(u32::MAX);
        let moment = COST.saturating_mul(readers).min(LONGEST);
        let since = now.duration_since(self.last?);
        let wait = moment.saturating_sub(since);
        (moment >= SHORTEST && waiting < MOST && !wait.is_zero()).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_many_readers_and_many_events_have_to_wait() {
        let start = Instant::now();
        let later = |us| start + Duration::from_micros(us);
        let mut pace = Pace::default();
        assert_eq!(pace.wait(start, 1, 10_000), None, "the first goes out at once");
        pace.handed_out(start);
        for (us, waiting, readers, wait_us) in [
            (0, 1, 49, None),
            (0, 1, 50, Some(1_000)),
            (400, 1, 50, Some(600)),
            (1_000, 1, 50, None),
            (0, 1, 1_000, Some(20_000)),
            (0, 1, 10_000, Some(20_000)),
            (0, 255, 10_000, Some(20_000)),
            (0, 256, 10_000, None),
            (20_000, 1, 10_000, None),
        ] {
            let wait = pace.wait(later(us), waiting, readers);
            assert_eq!(wait, wait_us.map(Duration::from_micros), "{us} {waiting} {readers}");
        }
    }
}
