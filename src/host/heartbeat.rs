//! One question to each of several parts, and who has not answered yet: what a
//! watchdog is fed by.

use std::collections::BTreeSet;

/// The present round. The next begins when everybody has answered this one, so
/// that one silent part silences all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeartbeatRound {
    number: u64,
    silent: BTreeSet<usize>,
}

impl HeartbeatRound {
    /// Begins a round of `of` parts and gives its number; `None` while the last
    /// one is not complete.
    pub fn begin(&mut self, of: usize) -> Option<u64> {
        if !self.silent.is_empty() {
            return None;
        }
        self.number += 1;
        self.silent = (0..of).collect();
        Some(self.number)
    }

    /// Part `who` has answered in round `number`. True if that completes it.
    pub fn answered(&mut self, number: u64, who: usize) -> bool {
        number == self.number && self.silent.remove(&who) && self.silent.is_empty()
    }

    /// Who has not answered.
    pub fn silent(&self) -> impl Iterator<Item = usize> {
        self.silent.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_complete_once_everybody_has_answered_it() {
        let mut round = HeartbeatRound::default();
        assert_eq!(round.begin(3), Some(1));
        assert!(!round.answered(1, 2));
        assert!(!round.answered(1, 0));
        assert_eq!(round.begin(3), None, "one is silent");
        assert_eq!(round.silent().collect::<Vec<_>>(), [1]);
        assert!(round.answered(1, 1));
        assert!(!round.answered(1, 1), "complete only once");
        assert_eq!(round.begin(3), Some(2));
        for who in 0..3 {
            assert!(!round.answered(1, who), "an answer to an earlier round is none to this");
        }
        assert_eq!(round.silent().count(), 3);
    }
}
