//! Keeps what happens again and again from filling the log.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

/// A few records are logged at once, and then none until a minute has passed.
const INTERVAL: Duration = Duration::from_secs(60);

/// The records of one kind, which several tasks may log.
#[derive(Debug)]
pub struct RateLimitedLog {
    /// Records that an interval has room for.
    burst: u64,
    created: Instant,
    /// When the present interval began, in milliseconds after that.
    interval_ms: AtomicU64,
    /// Records of the present interval.
    count: AtomicU64,
    /// Records that were not logged, and of which no record says so.
    withheld: AtomicU64,
}

impl RateLimitedLog {
    /// One record a minute, of a condition that lasts.
    #[must_use]
    pub fn of_condition() -> Self {
        Self::new(1)
    }

    /// Ten records a minute, of things that happen one by one.
    #[must_use]
    pub fn of_events() -> Self {
        Self::new(10)
    }

    fn new(burst: u64) -> Self {
        let (interval_ms, count, withheld) = Default::default();
        Self { burst, created: Instant::now(), interval_ms, count, withheld }
    }

    /// Whether to log now, and how many were not logged since the last time.
    pub fn is_due(&self) -> Option<u64> {
        let now = u64::try_from(self.created.elapsed().as_millis()).unwrap_or(u64::MAX);
        let begun = self.interval_ms.load(Relaxed);
        let is_over = u128::from(now.saturating_sub(begun)) >= INTERVAL.as_millis();
        if is_over && self.interval_ms.compare_exchange(begun, now, Relaxed, Relaxed).is_ok() {
            self.count.store(0, Relaxed);
        }
        if self.count.fetch_add(1, Relaxed) < self.burst {
            return Some(self.withheld.swap(0, Relaxed));
        }
        self.withheld.fetch_add(1, Relaxed);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_lasting_condition_is_logged_once_a_minute_with_a_count() {
        let log = RateLimitedLog::of_condition();
        let mut logged = Vec::new();
        for _ in 0..1800 {
            logged.extend(log.is_due());
            tokio::time::advance(Duration::from_millis(100)).await;
        }
        assert_eq!(logged, [0, 599, 599]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_cut_after_its_first_records_and_counted() {
        let log = RateLimitedLog::of_events();
        let logged = (0..20_000).filter(|_| log.is_due().is_some()).count();
        assert_eq!(logged, 10);
        tokio::time::advance(INTERVAL).await;
        assert_eq!((log.is_due(), log.is_due()), (Some(19_990), Some(0)));
    }
}
