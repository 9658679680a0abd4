//! What is counted of a VIP, over an interval or the whole test.

use std::collections::BTreeMap;
use std::time::Duration;

use super::fact::{EndedFlow, FailureKind, TestFact};
use super::latency::Latencies;

/// Names that a tally tells apart: a server that answers something new each time
/// must not fill the memory.
const MAX_NAMES: usize = 1000;

/// The name under which further ones are counted.
pub const OTHER_NAMES: &str = "(others)";

/// Flows by why they failed.
pub type Failures = BTreeMap<FailureKind, u64>;

/// Counts of one VIP. `docs/maglevt.md` says what each is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VipCounts {
    pub attempts: u64,
    pub ok: u64,
    pub failed: Failures,
    pub skipped: u64,
    pub latencies: Latencies,
    pub tally: BTreeMap<String, u64>,
    pub held_opened: u64,
    pub held_failed: Failures,
    pub held_renewed: u64,
    pub held_answers: u64,
    pub held_longest_stall: Duration,
    pub broken: u64,
    pub broken_by: Failures,
    pub moved: u64,
}

impl VipCounts {
    /// Counts a fact; whether it is a move is not in it, but in what was before.
    pub fn count(&mut self, fact: &TestFact, is_moved: bool) {
        self.moved += u64::from(is_moved);
        match fact {
            TestFact::Ended(flow) => self.count_flow(flow),
            TestFact::Skipped { count } => self.skipped += count,
            TestFact::Opened { .. } => self.held_opened += 1,
            TestFact::NotOpened { failure } => {
                *self.held_failed.entry(failure.kind).or_default() += 1;
            }
            TestFact::Answered { took, .. } => {
                self.held_answers += 1;
                self.held_longest_stall = self.held_longest_stall.max(*took);
            }
            TestFact::Renewed { .. } => self.held_renewed += 1,
            TestFact::Broke { failure, .. } => {
                self.broken += 1;
                *self.broken_by.entry(failure.kind).or_default() += 1;
            }
            TestFact::Stalled { .. } | TestFact::Expects(_) | TestFact::FullSize(_) => {}
        }
    }

    fn count_flow(&mut self, flow: &EndedFlow) {
        self.attempts += 1;
        self.moved += flow.moves.len() as u64;
        if let Some(latency) = flow.latency {
            self.latencies.record(latency);
        }
        if let Some(server) = &flow.server {
            tally(&mut self.tally, server);
        }
        match &flow.failure {
            None => self.ok += 1,
            Some(failure) => *self.failed.entry(failure.kind).or_default() += 1,
        }
    }

    /// New flows that failed, whatever the kind.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failed.values().sum()
    }
}

/// Adds an answer to a tally.
pub(super) fn tally(tally: &mut BTreeMap<String, u64>, server: &str) {
    let is_full = tally.len() >= MAX_NAMES && !tally.contains_key(server);
    let name = if is_full { OTHER_NAMES } else { server };
    match tally.get_mut(name) {
        Some(count) => *count += 1,
        None => {
            tally.insert(name.to_owned(), 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_tells_a_bounded_number_of_names_apart() {
        let mut counts = BTreeMap::new();
        for number in 0..2 * MAX_NAMES {
            tally(&mut counts, &format!("server {number}"));
        }
        tally(&mut counts, "server 0");
        assert_eq!(counts.len(), MAX_NAMES + 1);
        assert_eq!((counts[OTHER_NAMES], counts["server 0"]), (MAX_NAMES as u64, 2));
    }
}
