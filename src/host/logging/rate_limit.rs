//! Keeps what happens again and again from filling the log.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::Instant;

/// A few records are logged at once, and then none until a minute has passed.
const INTERVAL: Duration = Duration::from_secs(60);

/// The records of one kind, which several tasks may log. How many were withheld is
/// reported with the next record, or where none follows, by a record of its own when
/// the minute is over. Clones share the limit.
#[derive(Clone, Debug)]
pub struct RateLimitedLog(Arc<RateLimitState>);

struct RateLimitState {
    /// Records that an interval has room for.
    burst: u64,
    created: Instant,
    /// When the present interval began, in milliseconds after that.
    interval_ms: AtomicU64,
    /// Records of the present interval.
    count: AtomicU64,
    /// Records that were not logged, and of which no record says so.
    withheld: AtomicU64,
    /// Logs how many were withheld.
    report: Box<dyn Fn(u64) + Send + Sync>,
}

impl fmt::Debug for RateLimitState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimitState").field("withheld", &self.withheld).finish_non_exhaustive()
    }
}

impl RateLimitedLog {
    /// One record a minute, of a condition that lasts. `report` logs how many were
    /// withheld of which no other record says so.
    #[must_use]
    pub fn of_condition(report: impl Fn(u64) + Send + Sync + 'static) -> Self {
        Self::new(1, report)
    }

    /// Ten records a minute, of things that happen one by one; `report` as in
    /// [`of_condition`](Self::of_condition).
    #[must_use]
    pub fn of_events(report: impl Fn(u64) + Send + Sync + 'static) -> Self {
        Self::new(10, report)
    }

    /// A hundred records a minute, of calls that were denied; `report` as in
    /// [`of_condition`](Self::of_condition).
    #[must_use]
    pub fn of_denials(report: impl Fn(u64) + Send + Sync + 'static) -> Self {
        Self::new(100, report)
    }

    fn new(burst: u64, report: impl Fn(u64) + Send + Sync + 'static) -> Self {
        let (interval_ms, count, withheld) = Default::default();
        let (created, report) = (Instant::now(), Box::new(report));
        Self(Arc::new(RateLimitState { burst, created, interval_ms, count, withheld, report }))
    }

    /// Whether to log now, and how many were not logged since the last time. Must be
    /// called on a tokio runtime.
    pub fn is_due(&self) -> Option<u64> {
        let state = &self.0;
        let now = u64::try_from(state.created.elapsed().as_millis()).unwrap_or(u64::MAX);
        let begun = state.interval_ms.load(Relaxed);
        let is_over = u128::from(now.saturating_sub(begun)) >= INTERVAL.as_millis();
        if is_over && state.interval_ms.compare_exchange(begun, now, Relaxed, Relaxed).is_ok() {
            state.count.store(0, Relaxed);
        }
        if state.count.fetch_add(1, Relaxed) < state.burst {
            return Some(state.withheld.swap(0, Relaxed));
        }
        if state.withheld.fetch_add(1, Relaxed) == 0 {
            let left = INTERVAL.saturating_sub(Duration::from_millis(now.saturating_sub(begun)));
            tokio::spawn(report_after(left, Arc::downgrade(state)));
        }
        None
    }
}

/// Reports what is still withheld then; nothing once the log is dropped.
async fn report_after(left: Duration, state: Weak<RateLimitState>) {
    tokio::time::sleep(left).await;
    let Some(state) = state.upgrade() else { return };
    match state.withheld.swap(0, Relaxed) {
        0 => {}
        withheld => (state.report)(withheld),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_lasting_condition_is_logged_once_a_minute_with_a_count() {
        let reported = Arc::new(AtomicU64::new(0));
        let sum = Arc::clone(&reported);
        let log = RateLimitedLog::of_condition(move |withheld| {
            sum.fetch_add(withheld, Relaxed);
        });
        let (mut records, mut told) = (0, 0);
        for _ in 0..1800 {
            if let Some(withheld) = log.is_due() {
                records += 1;
                told += withheld;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        tokio::time::sleep(INTERVAL).await;
        assert_eq!((records, told + reported.load(Relaxed)), (3, 1797));
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_cut_after_its_first_records_and_its_count_is_reported_within_a_minute() {
        let reports = Arc::new(Mutex::new(Vec::new()));
        let reported = Arc::clone(&reports);
        let log =
            RateLimitedLog::of_events(move |withheld| reported.lock().unwrap().push(withheld));
        let logged = (0..20_000).filter(|_| log.is_due().is_some()).count();
        assert_eq!(logged, 10);
        tokio::time::sleep(INTERVAL - Duration::from_secs(1)).await;
        assert!(reports.lock().unwrap().is_empty());
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(*reports.lock().unwrap(), [19_990]);
        assert_eq!(log.is_due(), Some(0));
        // Nothing was withheld, so nothing is reported.
        tokio::time::sleep(2 * INTERVAL).await;
        assert_eq!(*reports.lock().unwrap(), [19_990]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_record_has_the_count_if_it_comes_first() {
        let log = RateLimitedLog::of_condition(|withheld| panic!("{withheld} are reported twice"));
        assert_eq!((log.is_due(), log.is_due()), (Some(0), None));
        // The clock stands still for those who wait meanwhile.
        tokio::time::advance(INTERVAL).await;
        assert_eq!(log.is_due(), Some(1));
        tokio::time::sleep(2 * INTERVAL).await;
    }
}
