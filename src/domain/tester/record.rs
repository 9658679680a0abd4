//! One VIP's record: facts in, counts and events out.

use std::collections::BTreeMap;
use std::time::Duration;

use super::counts::{VipCounts, tally};
use super::fact::{EndedFlow, TestEvent, TestFact};
use super::full_size::FullSizeFinding;
use super::gap::SuccessGap;
use super::shares::{ExpectedShares, ShareFinding, judge};

/// How a VIP is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TestPlan {
    /// Connections to hold.
    pub hold: usize,
    /// Whether there are new flows; otherwise answers on held connections are the
    /// successes that gaps lie between.
    pub has_new_flows: bool,
    /// Gaps from this length on are events.
    pub notable_gap: Duration,
}

/// One of the connections that are held.
#[derive(Clone, Debug, Default)]
struct HeldSlot {
    is_open: bool,
    is_stalled: bool,
    /// Who answered it last.
    server: Option<String>,
    has_broken: bool,
}

/// All that is known of one VIP.
#[derive(Clone, Debug)]
pub struct VipRecord {
    plan: TestPlan,
    total: VipCounts,
    interval: VipCounts,
    slots: Vec<HeldSlot>,
    gap: SuccessGap,
    expected: Option<ExpectedShares>,
    /// Since when these shares are expected, and who answered flows that began then.
    expected_since: Duration,
    compared: BTreeMap<String, u64>,
    full_size: Option<FullSizeFinding>,
}

/// A VIP's counts with its state at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct VipReport {
    pub counts: VipCounts,
    pub held_wanted: usize,
    pub held_open: usize,
    pub held_stalled: usize,
    pub held_tally: BTreeMap<String, u64>,
    pub broken_slots: usize,
    pub gap: Duration,
    pub longest_gap: Duration,
    pub shares: ShareFinding,
    pub expected: Option<ExpectedShares>,
    pub full_size: Option<FullSizeFinding>,
}

impl VipRecord {
    #[must_use]
    pub fn new(plan: TestPlan) -> Self {
        Self {
            plan,
            total: VipCounts::default(),
            interval: VipCounts::default(),
            slots: vec![HeldSlot::default(); plan.hold],
            gap: SuccessGap::default(),
            expected: None,
            expected_since: Duration::ZERO,
            compared: BTreeMap::new(),
            full_size: None,
        }
    }

    /// Takes what happened `at` this moment.
    pub fn take(&mut self, at: Duration, fact: TestFact) -> Vec<TestEvent> {
        let mut events = self.follow(at, &fact);
        let is_held = |event: &&TestEvent| matches!(event, TestEvent::Moved { slot: Some(_), .. });
        let is_moved = events.iter().any(|event| is_held(&event));
        for counts in [&mut self.total, &mut self.interval] {
            counts.count(&fact, is_moved);
        }
        match fact {
            TestFact::Expects(expected) if self.expected.as_ref() != Some(&expected) => {
                self.expected = Some(expected);
                self.expected_since = at;
                self.compared.clear();
            }
            TestFact::FullSize(finding) => {
                let is_new = self.full_size.as_ref().is_none_or(|known| known.says != finding.says);
                if is_new {
                    events.push(TestEvent::FullSize { says: finding.says.clone() });
                }
                self.full_size = Some(finding);
            }
            _ => {}
        }
        events
    }

    /// Updates slots and gap, and returns the events of that.
    fn follow(&mut self, at: Duration, fact: &TestFact) -> Vec<TestEvent> {
        let mut events = Vec::new();
        match fact {
            TestFact::Ended(flow) => {
                if flow.failure.is_none() && self.plan.has_new_flows {
                    events.extend(self.success(at));
                }
                if let Some(server) = &flow.server {
                    if flow.began >= self.expected_since {
                        tally(&mut self.compared, server);
                    }
                    events.extend(moves(flow, server));
                }
            }
            TestFact::Answered { slot, server, .. } => {
                if !self.plan.has_new_flows {
                    events.extend(self.success(at));
                }
                events.extend(self.answered(*slot, server.as_ref()));
            }
            TestFact::Opened { slot } => {
                if let Some(held) = self.slots.get_mut(*slot) {
                    *held = HeldSlot {
                        is_open: true,
                        has_broken: held.has_broken,
                        ..HeldSlot::default()
                    };
                }
            }
            TestFact::Stalled { slot } => {
                if let Some(held) = self.slots.get_mut(*slot) {
                    held.is_stalled = true;
                }
            }
            TestFact::Renewed { slot } => {
                if let Some(held) = self.slots.get_mut(*slot) {
                    (held.is_open, held.is_stalled) = (false, false);
                }
            }
            TestFact::Broke { slot, failure } => {
                if let Some(held) = self.slots.get_mut(*slot) {
                    let server = held.server.take();
                    *held = HeldSlot { has_broken: true, ..HeldSlot::default() };
                    let failure = failure.clone();
                    events.push(TestEvent::Broken { slot: *slot, server, failure });
                }
            }
            TestFact::Skipped { .. }
            | TestFact::NotOpened { .. }
            | TestFact::Expects(_)
            | TestFact::FullSize(_) => {}
        }
        events
    }

    fn success(&mut self, at: Duration) -> Option<TestEvent> {
        let lasted = self.gap.success(at);
        (lasted >= self.plan.notable_gap).then_some(TestEvent::Gap { lasted })
    }

    fn answered(&mut self, slot: usize, server: Option<&String>) -> Option<TestEvent> {
        let held = self.slots.get_mut(slot)?;
        held.is_stalled = false;
        let server = server?;
        let before = held.server.replace(server.clone())?;
        let to = server.clone();
        (before != to).then_some(TestEvent::Moved { slot: Some(slot), from: before, to })
    }

    /// What happened since the last report of an interval.
    pub fn interval_report(&mut self, now: Duration) -> VipReport {
        let counts = std::mem::take(&mut self.interval);
        self.report(counts, now)
    }

    /// What happened since the start.
    #[must_use]
    pub fn total_report(&self, now: Duration) -> VipReport {
        self.report(self.total.clone(), now)
    }

    fn report(&self, counts: VipCounts, now: Duration) -> VipReport {
        let open = || self.slots.iter().filter(|slot| slot.is_open);
        let mut held_tally = BTreeMap::new();
        for server in open().filter_map(|slot| slot.server.as_ref()) {
            tally(&mut held_tally, server);
        }
        VipReport {
            counts,
            held_wanted: self.plan.hold,
            held_open: open().count(),
            held_stalled: open().filter(|slot| slot.is_stalled).count(),
            held_tally,
            broken_slots: self.slots.iter().filter(|slot| slot.has_broken).count(),
            gap: self.gap.present(now),
            longest_gap: self.gap.longest(now),
            shares: judge(self.expected.as_ref(), &self.compared),
            expected: self.expected.clone(),
            full_size: self.full_size.clone(),
        }
    }
}

/// The moves of a new flow, which `first` answered first.
fn moves(flow: &EndedFlow, first: &str) -> Vec<TestEvent> {
    let servers = std::iter::once(first).chain(flow.moves.iter().map(String::as_str));
    let moved = servers.zip(&flow.moves).map(|(from, to)| TestEvent::Moved {
        slot: None,
        from: from.to_owned(),
        to: to.clone(),
    });
    moved.collect()
}

#[cfg(test)]
#[path = "record/tests.rs"]
mod tests;
