//! Histograms of durations, with fixed bounds.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper bounds of the buckets, rising.
pub type Bounds = [Duration; 12];

/// The bounds of what is fast. A flip on one machine takes some hundred
/// microseconds; a second means that VPP or the machine is overloaded.
pub const BOUNDS: Bounds = [
    Duration::from_micros(250),
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_micros(2500),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(5),
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    bounds: &'static Bounds,
    /// Indexed by the first of the bounds that is not exceeded.
    counts: [u64; BOUNDS.len()],
    /// Durations above all bounds.
    beyond: u64,
    sum: Duration,
}

impl Default for Histogram {
    fn default() -> Self {
        Self::with_bounds(&BOUNDS)
    }
}

impl Histogram {
    #[must_use]
    pub fn with_bounds(bounds: &'static Bounds) -> Self {
        Self { bounds, counts: [0; BOUNDS.len()], beyond: 0, sum: Duration::ZERO }
    }

    pub fn record(&mut self, took: Duration) {
        match bucket(self.bounds, took) {
            Some(index) => self.counts[index] += 1,
            None => self.beyond += 1,
        }
        self.sum = self.sum.saturating_add(took);
    }

    /// Adds the counts of another histogram, which has the same bounds.
    pub fn merge(&mut self, other: &Self) {
        for (mine, more) in self.counts.iter_mut().zip(other.counts) {
            *mine += more;
        }
        self.beyond += other.beyond;
        self.sum = self.sum.saturating_add(other.sum);
    }

    /// For each bound, the number of durations up to it.
    pub fn cumulative(&self) -> impl Iterator<Item = (Duration, u64)> {
        let mut so_far = 0;
        self.bounds.iter().copied().zip(self.counts).map(move |(bound, count)| {
            so_far += count;
            (bound, so_far)
        })
    }

    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum::<u64>() + self.beyond
    }

    #[must_use]
    pub fn sum(&self) -> Duration {
        self.sum
    }
}

/// The index of the first bound that is not exceeded.
fn bucket(bounds: &Bounds, took: Duration) -> Option<usize> {
    bounds.iter().position(|bound| took <= *bound)
}

/// A histogram that several threads record into.
#[derive(Debug, Default)]
pub struct AtomicHistogram {
    counts: [AtomicU64; BOUNDS.len()],
    beyond: AtomicU64,
    sum_us: AtomicU64,
}

impl AtomicHistogram {
    pub fn record(&self, took: Duration) {
        let count = bucket(&BOUNDS, took).map_or(&self.beyond, |index| &self.counts[index]);
        count.fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.sum_us.fetch_add(micros, Ordering::Relaxed);
    }

    pub fn snapshot(&self) -> Histogram {
        Histogram {
            bounds: &BOUNDS,
            counts: self.counts.each_ref().map(|count| count.load(Ordering::Relaxed)),
            beyond: self.beyond.load(Ordering::Relaxed),
            sum: Duration::from_micros(self.sum_us.load(Ordering::Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_bucket_and_longer_durations_are_counted() {
        let mut histogram = Histogram::default();
        for took in [0, 250, 251, 1000, 6_000_000] {
            histogram.record(Duration::from_micros(took));
        }
        let counts: Vec<_> = histogram.cumulative().map(|(_, count)| count).collect();
        assert_eq!(counts, [2, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4]);
        assert_eq!(histogram.count(), 5);
        assert_eq!(histogram.sum(), Duration::from_micros(6_001_501));
    }

    #[test]
    fn merging_adds_counts_and_sums() {
        let [mut one, mut other] = [Histogram::default(), Histogram::default()];
        one.record(Duration::from_millis(1));
        other.record(Duration::from_secs(9));
        one.merge(&other);
        assert_eq!((one.count(), one.sum()), (2, Duration::from_millis(9001)));
    }

    #[test]
    fn bounds_rise() {
        assert!(BOUNDS.is_sorted_by(|a, b| a < b));
    }
}
