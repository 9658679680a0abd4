//! How often readers are woken.
//!
//! To hand out an event wakes every reader, and each has something to write.
//! With many readers and many events the thread would do nothing else, and would
//! take a core from the threads that write weights. So events of a short
//! interval go out together, and the interval grows with the number of readers.
//! An event after a quiet interval goes out at once.

use std::time::Duration;

use tokio::time::Instant;

/// An upper bound of the time that it takes to wake a reader.
const WAKE_COST: Duration = Duration::from_micros(20);
/// Handing out takes at most 1/4 of the thread's time.
const SHARE: u32 = 4;
/// An event waits for others no longer than this.
const MAX_WAIT: Duration = Duration::from_millis(250);
/// The resolution of timers: a shorter wait is none.
const MIN_WAIT: Duration = Duration::from_millis(1);
/// With this many events a batch is full.
const FULL: usize = 1024;

/// The wait since the last batch, by the number of readers.
#[derive(Default)]
pub(super) struct BatchInterval {
    last: Option<Instant>,
}

impl BatchInterval {
    pub(super) fn handed_out(&mut self, now: Instant) {
        self.last = Some(now);
    }

    /// How much longer `events` that wait have to wait; `None`: hand them out.
    pub(super) fn wait(&self, now: Instant, events: usize, readers: usize) -> Option<Duration> {
        let readers = u32::try_from(readers).unwrap_or(u32::MAX);
        let interval = (WAKE_COST * SHARE).saturating_mul(readers).min(MAX_WAIT);
        let since = now.duration_since(self.last?);
        let wait = interval.saturating_sub(since);
        (interval >= MIN_WAIT && events < FULL && !wait.is_zero()).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_many_readers_and_many_events_have_to_wait() {
        let start = Instant::now();
        let later = |us| start + Duration::from_micros(us);
        let mut interval = BatchInterval::default();
        assert_eq!(interval.wait(start, 1, 10_000), None, "the first goes out at once");
        interval.handed_out(start);
        for (us, events, readers, wait_us) in [
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
            let wait = interval.wait(later(us), events, readers);
            assert_eq!(wait, wait_us.map(Duration::from_micros), "{us} {events} {readers}");
        }
    }

    #[test]
    fn the_documentation_has_these_numbers() {
        let text = include_str!("../../../docs/api.md");
        let (each, most) = ((WAKE_COST * SHARE).as_micros(), MAX_WAIT.as_millis());
        let numbers = format!("({each} µs a reader, at most {most} ms)");
        assert!(text.contains(&numbers), "docs/api.md lacks {numbers}");
    }
}
