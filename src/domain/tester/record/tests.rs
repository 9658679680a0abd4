//! Facts and what they add up to.

use super::*;
use crate::domain::tester::fact::{FailureKind, FlowFailure};
use crate::domain::tester::server_name::KnownServer;
use crate::domain::tester::shares::ShareVerdict;

const PLAN: TestPlan =
    TestPlan { hold: 2, has_new_flows: true, notable_gap: Duration::from_millis(500) };

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn flow(began: u64, server: &str) -> EndedFlow {
    EndedFlow {
        began: ms(began),
        latency: Some(ms(2)),
        server: Some(server.into()),
        moves: Vec::new(),
        failure: None,
    }
}

fn answered(slot: usize, server: &str) -> TestFact {
    TestFact::Answered { slot, took: ms(3), server: Some(server.into()) }
}

fn reset() -> FlowFailure {
    FlowFailure::new(FailureKind::Reset, "reset")
}

#[test]
fn a_held_connection_that_breaks_and_one_that_moves_are_told_apart() {
    let mut record = VipRecord::new(PLAN);
    for slot in [0, 1] {
        record.take(ms(0), TestFact::Opened { slot });
        assert_eq!(record.take(ms(1), answered(slot, "a")), []);
    }
    let moved = TestEvent::Moved { slot: Some(0), from: "a".into(), to: "b".into() };
    assert_eq!(record.take(ms(2), answered(0, "b")), [moved]);
    let broken = TestEvent::Broken { slot: 1, server: Some("a".into()), failure: reset() };
    assert_eq!(record.take(ms(3), TestFact::Broke { slot: 1, failure: reset() }), [broken]);

    let report = record.total_report(ms(4));
    assert_eq!((report.counts.broken, report.counts.moved, report.broken_slots), (1, 1, 1));
    assert_eq!((report.held_open, report.held_wanted), (1, 2));
    assert_eq!(report.held_tally, BTreeMap::from([("b".into(), 1)]));
    // A new connection of a broken one has moved nowhere.
    record.take(ms(5), TestFact::Opened { slot: 1 });
    assert_eq!(record.take(ms(6), answered(1, "b")), []);
    assert_eq!(record.total_report(ms(7)).broken_slots, 1);
}

#[test]
fn an_end_by_agreement_is_no_break_and_a_late_answer_ends_a_stall() {
    let mut record = VipRecord::new(PLAN);
    record.take(ms(0), TestFact::Opened { slot: 0 });
    record.take(ms(1), TestFact::Stalled { slot: 0 });
    assert_eq!(record.total_report(ms(1)).held_stalled, 1);
    record.take(ms(2), answered(0, "a"));
    assert_eq!(record.total_report(ms(2)).held_stalled, 0);
    assert_eq!(record.take(ms(3), TestFact::Renewed { slot: 0 }), []);
    let report = record.total_report(ms(4));
    assert_eq!((report.held_open, report.counts.broken, report.counts.held_renewed), (0, 0, 1));
}

#[test]
fn a_gap_is_an_event_when_it_ends_and_counts_while_it_lasts() {
    let mut record = VipRecord::new(PLAN);
    assert_eq!(record.take(ms(100), TestFact::Ended(flow(98, "a"))), []);
    let failed = EndedFlow { failure: Some(reset()), server: None, latency: None, ..flow(200, "") };
    assert_eq!(record.take(ms(300), TestFact::Ended(failed)), []);
    assert_eq!(record.total_report(ms(600)).longest_gap, ms(500));
    let gap = TestEvent::Gap { lasted: ms(700) };
    assert_eq!(record.take(ms(800), TestFact::Ended(flow(790, "a"))), [gap]);
    // Answers on held connections are no success of new flows.
    record.take(ms(1900), answered(0, "a"));
    let report = record.total_report(ms(2000));
    assert_eq!((report.gap, report.longest_gap), (ms(1200), ms(1200)));
    assert_eq!((report.counts.ok, report.counts.failed()), (2, 1));
}

#[test]
fn without_new_flows_answers_on_held_connections_are_the_successes() {
    let mut record = VipRecord::new(TestPlan { has_new_flows: false, ..PLAN });
    record.take(ms(400), answered(0, "a"));
    assert_eq!(record.total_report(ms(500)).longest_gap, ms(400));
}

#[test]
fn an_interval_begins_anew_and_the_total_does_not() {
    let mut record = VipRecord::new(PLAN);
    record.take(ms(10), TestFact::Ended(flow(8, "a")));
    assert_eq!(record.interval_report(ms(1000)).counts.ok, 1);
    record.take(ms(1010), TestFact::Ended(flow(1008, "a")));
    record.take(ms(1020), TestFact::Ended(flow(1018, "b")));
    assert_eq!(record.interval_report(ms(2000)).counts.ok, 2);
    assert_eq!(record.total_report(ms(2000)).counts.tally["a"], 2);
}

#[test]
fn shares_are_compared_from_when_they_are_expected() {
    let expects = |a: f64, b: f64| {
        let server = |name: &str| KnownServer { name: name.into(), address: None };
        TestFact::Expects(ExpectedShares::of_weights([(server("a"), a), (server("b"), b)]))
    };
    let mut record = VipRecord::new(PLAN);
    record.take(ms(0), expects(1.0, 1.0));
    for at in 1..=20 {
        record.take(ms(at), TestFact::Ended(flow(at, if at % 2 == 0 { "a" } else { "b" })));
    }
    assert_eq!(record.total_report(ms(20)).shares.verdict, ShareVerdict::AsExpected);
    // The same again changes nothing.
    record.take(ms(21), expects(1.0, 1.0));
    assert_eq!(record.total_report(ms(21)).shares.answers, 20);
    // b is drained; a flow that began before says nothing.
    record.take(ms(22), expects(1.0, 0.0));
    record.take(ms(23), TestFact::Ended(flow(21, "b")));
    for at in 24..=30 {
        record.take(ms(at), TestFact::Ended(flow(at, "a")));
    }
    assert_eq!(record.total_report(ms(30)).shares.verdict, ShareVerdict::AsExpected);
    record.take(ms(31), TestFact::Ended(flow(31, "b")));
    assert_eq!(record.total_report(ms(31)).shares.verdict, ShareVerdict::Wrong);
}

#[test]
fn a_new_flow_that_moves_in_mid_connection_is_seen() {
    let mut record = VipRecord::new(PLAN);
    let moving = EndedFlow { moves: vec!["b".into(), "c".into()], ..flow(0, "a") };
    let events = record.take(ms(1), TestFact::Ended(moving));
    let moved =
        |from: &str, to: &str| TestEvent::Moved { slot: None, from: from.into(), to: to.into() };
    assert_eq!(events, [moved("a", "b"), moved("b", "c")]);
    assert_eq!(record.total_report(ms(2)).counts.moved, 2);
}
