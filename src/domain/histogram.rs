//! How long things took, as counts between fixed bounds.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the buckets. A flip on one machine takes some hundred
/// microseconds; a second means that VPP or the machine is in trouble.
pub const BOUNDS: [Duration; 12] = [
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

/// The counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// By the first of [`BOUNDS`] that was not exceeded.
    counts: [u64; BOUNDS.len()],
    /// Longer than all of them.
    beyond: u64,
    sum: Duration,
}

impl Histogram {
    /// One more took this long.
    pub fn record(&mut self, took: Duration) {
        match place(took) {
            Some(place) => self.counts[place] += 1,
            None => self.beyond += 1,
        }
        self.sum = self.sum.saturating_add(took);
    }

    /// Adds all that another counted.
    pub fn merge(&mut self, other: &Self) {
        for (mine, more) in self.counts.iter_mut().zip(other.counts) {
            *mine += more;
        }
        self.beyond += other.beyond;
        self.sum = self.sum.saturating_add(other.sum);
    }

    /// For each of [`BOUNDS`], how many took that long at most.
    pub fn cumulative(&self) -> impl Iterator<Item = (Duration, u64)> {
        let mut so_far = 0;
        BOUNDS.into_iter().zip(self.counts).map(move |(bound, count)| {
            so_far += count;
            (bound, so_far)
        })
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum::<u64>() + self.beyond
    }

    /// How long all of them took together.
    #[must_use]
    pub fn sum(&self) -> Duration {
        self.sum
    }
}

/// The first of [`BOUNDS`] that this did not exceed.
fn place(took: Duration) -> Option<usize> {
    BOUNDS.iter().position(|bound| took <= *bound)
}

/// A histogram that several threads count into.
#[derive(Debug, Default)]
pub struct CommonHistogram {
    counts: [AtomicU64; BOUNDS.len()],
    beyond: AtomicU64,
    sum_us: AtomicU64,
}

impl CommonHistogram {
    /// One more took this long.
    pub fn record(&self, took: Duration) {
        let count = place(took).map_or(&self.beyond, |place| &self.counts[place]);
        count.fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.sum_us.fetch_add(micros, Ordering::Relaxed);
    }

    /// What was counted so far.
    pub fn counted(&self) -> Histogram {
        Histogram {
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
    fn a_bound_belongs_to_its_bucket_and_what_is_longer_than_all_is_counted() {
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
    fn what_two_counted_adds_up() {
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
