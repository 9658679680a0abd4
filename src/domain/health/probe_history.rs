//! The last results of a backend's probes, small enough to be kept of ten thousand
//! backends: what a result said is kept of the last one only.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use super::probe_result::ResultCode;

/// The results that are kept of a backend.
pub const KEPT_RESULTS: usize = 10;

/// One probe that ended, in 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbeOutcome {
    /// Milliseconds since the epoch of Unix.
    ended_ms: u64,
    /// Microseconds, or the most that fit: 71 minutes.
    took_us: u32,
    pub code: ResultCode,
}

impl ProbeOutcome {
    /// `ended` is kept to the millisecond, `took` to the microsecond.
    #[must_use]
    pub fn new(code: ResultCode, took: Duration, ended: SystemTime) -> Self {
        let since = ended.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self {
            ended_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            took_us: u32::try_from(took.as_micros()).unwrap_or(u32::MAX),
            code,
        }
    }

    /// From opening the first socket to the result.
    #[must_use]
    pub fn took(&self) -> Duration {
        Duration::from_micros(self.took_us.into())
    }

    #[must_use]
    pub fn ended(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.ended_ms)
    }
}

/// The last [`KEPT_RESULTS`] results, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProbeHistory(VecDeque<ProbeOutcome>);

impl ProbeHistory {
    pub fn add(&mut self, outcome: ProbeOutcome) {
        if self.0.is_empty() {
            // All at once, so that a probe allocates nothing from then on.
            self.0.reserve_exact(KEPT_RESULTS);
        }
        if self.0.len() == KEPT_RESULTS {
            self.0.pop_front();
        }
        self.0.push_back(outcome);
    }

    /// Oldest first.
    #[must_use]
    pub fn outcomes(&self) -> Vec<ProbeOutcome> {
        self.0.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(ms: u64) -> ProbeOutcome {
        let ended = SystemTime::UNIX_EPOCH + Duration::from_millis(ms);
        ProbeOutcome::new(ResultCode::L7Ok, Duration::from_micros(ms), ended)
    }

    #[test]
    fn the_last_results_are_kept_and_the_memory_does_not_grow() {
        let mut history = ProbeHistory::default();
        assert_eq!(history.0.capacity(), 0, "a backend that is not probed costs nothing");
        for ms in 1..=1000 {
            history.add(outcome(ms));
            assert_eq!(history.0.capacity(), KEPT_RESULTS);
        }
        let kept: Vec<_> = history.outcomes().iter().map(|it| it.ended_ms).collect();
        assert_eq!(kept, (991..=1000).collect::<Vec<_>>());
        assert_eq!(size_of::<ProbeOutcome>(), 16);
    }

    #[test]
    fn an_outcome_is_what_it_was_made_of() {
        let outcome = outcome(1_772_366_400_123);
        assert_eq!(
            outcome.ended(),
            SystemTime::UNIX_EPOCH + Duration::from_millis(1_772_366_400_123)
        );
        assert_eq!(outcome.took(), Duration::from_micros(u32::MAX.into()), "it is bounded");
        let short = ProbeOutcome::new(
            ResultCode::L4Timeout,
            Duration::from_millis(7),
            SystemTime::UNIX_EPOCH,
        );
        assert_eq!((short.took(), short.code), (Duration::from_millis(7), ResultCode::L4Timeout));
    }
}
