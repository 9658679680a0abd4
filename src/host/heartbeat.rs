//! The rounds of a watchdog: one ping to each of several actors, and which of them
//! have not answered.

use std::collections::BTreeSet;

/// The present round. The next one begins when all have answered, so that one
/// silent actor stops all rounds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeartbeatRound {
    number: u64,
    /// By index.
    unanswered: BTreeSet<usize>,
}

impl HeartbeatRound {
    /// Begins a round of `count` pings and returns its number; `None` while the
    /// last round is not complete.
    pub fn begin(&mut self, count: usize) -> Option<u64> {
        if !self.unanswered.is_empty() {
            return None;
        }
        self.number += 1;
        self.unanswered = (0..count).collect();
        Some(self.number)
    }

    /// Ping `index` of round `number` was answered. True if that completes the
    /// present round.
    pub fn answered(&mut self, number: u64, index: usize) -> bool {
        number == self.number && self.unanswered.remove(&index) && self.unanswered.is_empty()
    }

    /// The indices of the pings that were not answered.
    pub fn unanswered(&self) -> impl Iterator<Item = usize> {
        self.unanswered.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_complete_once_all_have_answered_it() {
        let mut round = HeartbeatRound::default();
        assert_eq!(round.begin(3), Some(1));
        assert!(!round.answered(1, 2));
        assert!(!round.answered(1, 0));
        assert_eq!(round.begin(3), None, "one has not answered");
        assert_eq!(round.unanswered().collect::<Vec<_>>(), [1]);
        assert!(round.answered(1, 1));
        assert!(!round.answered(1, 1), "complete only once");
        assert_eq!(round.begin(3), Some(2));
        for index in 0..3 {
            assert!(!round.answered(1, index), "an answer of an earlier round does not count");
        }
        assert_eq!(round.unanswered().count(), 3);
    }
}
