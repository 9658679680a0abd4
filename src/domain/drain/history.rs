//! The counts of one drain, in bounded space however long it takes.

use std::time::Duration;

/// Samples that are kept at most, an even number.
const SAMPLES: usize = 64;

/// One count of all flows of a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowSample {
    /// Since the drain began.
    pub at: Duration,
    /// By VPP's count: some may have ended.
    pub flows: u64,
    /// Packets that were sent to the server since the drain began; `None`: not known.
    pub packets: Option<u64>,
}

/// The first count, the last one, and others between them, evenly spread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlowHistory {
    samples: Vec<FlowSample>,
    /// One in so many samples is kept, as a power of two.
    thinned: u32,
    /// Samples since the last one that is kept for good.
    since_kept: u32,
}

impl FlowHistory {
    /// Adds a sample, which is later than all others. The last one is always there; of
    /// those before it, the more are left out the longer the history is.
    pub fn add(&mut self, sample: FlowSample) {
        let is_provisional = self.since_kept > 0;
        if is_provisional {
            self.samples.pop();
        }
        self.samples.push(sample);
        self.since_kept = (self.since_kept + 1) % (1 << self.thinned);
        if self.samples.len() == SAMPLES && self.since_kept == 0 {
            let mut place = 0;
            self.samples.retain(|_| {
                place += 1;
                place % 2 == 1 || place == SAMPLES
            });
            self.thinned = (self.thinned + 1).min(30);
            // The last one is kept in place of the one that is due next.
            self.since_kept = 1 << (self.thinned - 1);
        }
    }

    /// The oldest first.
    #[must_use]
    pub fn samples(&self) -> &[FlowSample] {
        &self.samples
    }

    #[must_use]
    pub fn first(&self) -> Option<&FlowSample> {
        self.samples.first()
    }

    #[must_use]
    pub fn last(&self) -> Option<&FlowSample> {
        self.samples.last()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_bounded_and_spreads_over_the_whole_drain(count in 1_u64..3000) {
            let mut history = FlowHistory::default();
            for number in 0..count {
                let at = Duration::from_secs(number);
                history.add(FlowSample { at, flows: number, packets: None });
                prop_assert_eq!(history.last().unwrap().flows, number);
                prop_assert_eq!(history.first().unwrap().flows, 0);
            }
            let samples = history.samples();
            prop_assert!(samples.len() <= SAMPLES);
            prop_assert!(samples.len() as u64 >= count.min(SAMPLES as u64 / 2 - 1));
            prop_assert!(samples.is_sorted_by(|a, b| a.at < b.at));
            let gaps = samples.windows(2).map(|two| (two[1].at - two[0].at).as_secs());
            prop_assert!(gaps.max().unwrap_or(1) <= 4 * count / SAMPLES as u64 + 1);
        }
    }
}
