//! How often readers are woken.
//!
//! To hand out an event wakes every reader, and each has something to write.
//! With many readers and many events that would be all that the thread does, and
//! what it takes of the cores is missing where weights are written. So what
//! happens within a moment goes out together, and the moment grows with the
//! number of readers; after a quiet one an event goes out at once.

use std::time::Duration;

use tokio::time::Instant;

/// What it costs to wake a reader, generously.
const COST: Duration = Duration::from_micros(20);
/// Handing out takes one part in so many of the time, at most.
const PARTS: u32 = 4;
/// The longest that an event waits for others.
const LONGEST: Duration = Duration::from_millis(250);
/// Timers know no less: a shorter wait is none.
const SHORTEST: Duration = Duration::from_millis(1);
/// So many events wait for no more.
const MOST: usize = 1024;

/// When the last was handed out.
#[derive(Default)]
pub(super) struct BatchInterval {
    last: Option<Instant>,
}

impl BatchInterval {
    pub(super) fn handed_out(&mut self, now: Instant) {
        self.last = Some(now);
    }

    /// How long `waiting` events are to wait yet; `None`: not any longer.
    pub(super) fn wait(&self, now: Instant, waiting: usize, readers: usize) -> Option<Duration> {
        let readers = u32::try_from(readers).unwrap_or(u32::MAX);
        let moment = (COST * PARTS).saturating_mul(readers).min(LONGEST);
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
        let mut pace = BatchInterval::default();
        assert_eq!(pace.wait(start, 1, 10_000), None, "the first goes out at once");
        pace.handed_out(start);
        for (us, waiting, readers, wait_us) in [
            (0, 1, 12, None),
            (0, 1, 13, Some(1_040)),
            (400, 1, 13, Some(640)),
            (1_040, 1, 13, None),
            (0, 1, 1_000, Some(80_000)),
            (0, 1, 10_000, Some(250_000)),
            (0, 1023, 10_000, Some(250_000)),
            (0, 1024, 10_000, None),
            (250_000, 1, 10_000, None),
        ] {
            let wait = pace.wait(later(us), waiting, readers);
            assert_eq!(wait, wait_us.map(Duration::from_micros), "{us} {waiting} {readers}");
        }
    }
}
