//! What the probes of one backend found and how long they took, counted.

use std::time::Duration;

use super::probe::Code;

/// The upper bounds of a [`Histogram`]'s buckets; what is beyond the last has
/// a bucket of its own.
pub const BOUNDS: [Duration; 9] = [
    Duration::from_millis(1),
    Duration::from_millis(5),
    Duration::from_millis(20),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_millis(2500),
    Duration::from_secs(10),
    Duration::from_secs(60),
];

/// Durations, counted by [`BOUNDS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Not cumulative; the last is what is beyond every bound.
    pub buckets: [u64; BOUNDS.len() + 1],
    /// Of all of them.
    pub sum: Duration,
}

impl Histogram {
    /// Counts one.
    pub fn add(&mut self, duration: Duration) {
        let place = BOUNDS.iter().position(|bound| duration <= *bound).unwrap_or(BOUNDS.len());
        self.buckets[place] += 1;
        self.sum = self.sum.saturating_add(duration);
    }

    /// Adds all that another counted.
    pub fn merge(&mut self, other: &Self) {
        for (mine, more) in self.buckets.iter_mut().zip(other.buckets) {
            *mine += more;
        }
        self.sum = self.sum.saturating_add(other.sum);
    }
}

/// The probes of one backend, counted since it has its check's type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// By what they found. A backend meets few of the codes.
    pub outcomes: Vec<(Code, u64)>,
    /// From the first socket to the finding.
    pub took: Histogram,
    /// From the time when a probe was due to its start.
    pub late: Histogram,
}

impl Tally {
    /// Counts a probe.
    pub fn add(&mut self, code: Code, took: Duration, late: Duration) {
        match self.outcomes.iter_mut().find(|(known, _)| *known == code) {
            Some((_, count)) => *count += 1,
            None => self.outcomes.push((code, 1)),
        }
        self.took.add(took);
        self.late.add(late);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_are_counted_by_code_and_by_time() {
        let mut tally = Tally::default();
        let ms = Duration::from_millis;
        tally.add(Code::L7Ok, ms(1), ms(0));
        tally.add(Code::L7Status, ms(2), ms(6));
        tally.add(Code::L7Ok, ms(90_000), ms(0));
        assert_eq!(tally.outcomes, [(Code::L7Ok, 2), (Code::L7Status, 1)]);
        assert_eq!(tally.took.buckets, [1, 1, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(tally.took.sum, ms(90_003));
        let mut late = tally.late;
        late.merge(&tally.late);
        assert_eq!(late.buckets[..3], [4, 0, 2]);
    }
}
