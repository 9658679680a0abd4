//! Percentiles of latencies in bounded memory: buckets whose width is a sixteenth of
//! the power of two below them, so that a percentile is right to about 6 %.

use std::time::Duration;

/// Buckets of one power of two, as a power of two.
const FINE: u32 = 4;

/// Latencies, of one VIP and one time span.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latencies {
    /// By [`bucket`], as long as the largest needs.
    counts: Vec<u64>,
    count: u64,
    max: Duration,
}

impl Latencies {
    pub fn record(&mut self, took: Duration) {
        let bucket = bucket(took);
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += 1;
        self.count += 1;
        self.max = self.max.max(took);
    }

    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// `None` without any.
    #[must_use]
    pub fn max(&self) -> Option<Duration> {
        (self.count > 0).then_some(self.max)
    }

    /// What so many of a hundred latencies do not exceed; `None` without any.
    #[must_use]
    pub fn percentile(&self, percent: u64) -> Option<Duration> {
        let rank = (self.count * percent).div_ceil(100).max(1);
        let mut so_far = 0;
        let at = self.counts.iter().position(|count| {
            so_far += count;
            so_far >= rank
        })?;
        Some(upper_bound(at).min(self.max))
    }
}

/// The bucket of a latency, by its microseconds.
fn bucket(took: Duration) -> usize {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let power = micros.checked_ilog2().unwrap_or(0);
    let index = match power.checked_sub(FINE) {
        None => micros,
        Some(shift) => (u64::from(shift) << FINE) + (micros >> shift),
    };
    usize::try_from(index).unwrap_or(usize::MAX)
}

/// The largest latency of a bucket.
fn upper_bound(bucket: usize) -> Duration {
    let bucket = bucket as u64;
    let shift = (bucket >> FINE).saturating_sub(1);
    let fine = bucket - (shift << FINE);
    let last = u128::from(fine + 1) << shift;
    Duration::from_micros(u64::try_from(last - 1).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn percentiles_of_a_hundred_milliseconds() {
        let mut latencies = Latencies::default();
        assert_eq!((latencies.percentile(50), latencies.max()), (None, None));
        for ms in 1..=100 {
            latencies.record(Duration::from_millis(ms));
        }
        for (percent, ms) in [(0, 1), (1, 1), (50, 50), (90, 90), (99, 99), (100, 100)] {
            let found = latencies.percentile(percent).unwrap().as_secs_f64() * 1000.0;
            let (low, high) = (f64::from(ms), f64::from(ms) * 1.07);
            assert!((low..=high).contains(&found), "p{percent}: {found}");
        }
        assert_eq!(latencies.max(), Some(Duration::from_millis(100)));
    }

    proptest! {
        #[test]
        fn a_bucket_holds_its_latency_and_is_narrow(micros in 0_u64..u64::MAX) {
            let at = bucket(Duration::from_micros(micros));
            let last = upper_bound(at).as_micros();
            prop_assert!(u128::from(micros) <= last);
            prop_assert!(last - u128::from(micros) <= u128::from(micros) / 16 + 1);
            let before = at.checked_sub(1).map_or(0, |at| upper_bound(at).as_micros());
            prop_assert!(at == 0 || before < u128::from(micros));
        }
    }
}
