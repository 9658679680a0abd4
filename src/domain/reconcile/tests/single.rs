//! Tests progress, the answers to clients that wait for it, and the report of what VPP
//! serves.

use std::net::IpAddr;
use std::time::Duration;

use super::fixtures::{self, name, vip};
use super::harness::{CallOutcome, Harness};
use crate::domain::balancing::weights::FlushSeq;
use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::dataplane::plan::Scope;
use crate::domain::reconcile::{ReconcilerStats, TimerId};

fn counts(harness: &Harness) -> (usize, usize) {
    let ReconcilerStats { programmed, serving, .. } = harness.state.stats();
    (programmed, serving)
}

#[test]
fn a_frontend_serves_once_it_was_read_back_with_buckets() {
    let mut harness = Harness::new();
    harness.replace(&[[Some(100), None, None], [Some(0), None, None]]);
    harness.fire(TimerId::StartupMinDelay);
    harness.connect();
    assert_eq!(counts(&harness), (0, 0));
    harness.answer(0, CallOutcome::Done, true);
    harness.answer(0, CallOutcome::Done, true);
    assert_eq!(counts(&harness), (2, 0), "written and not read back");
    harness.drain();
    assert_eq!(counts(&harness), (2, 1), "the second has no server with buckets");

    harness.change(1, [Some(0), None, None], FlushSeq::NONE);
    assert_eq!(counts(&harness), (1, 0));
    harness.drain();
    assert_eq!(counts(&harness), (2, 0));
    harness.change(1, [Some(7), None, None], FlushSeq::NONE);
    harness.answer(0, CallOutcome::Refused, true);
    assert_eq!(counts(&harness), (1, 0));
    harness.drain();
    assert_eq!(counts(&harness), (2, 1), "the pass after the refusal wrote it");
    harness.lose();
    assert_eq!(counts(&harness), (0, 0));
}

/// As after a restart of the daemon, whose first verdicts are what VPP holds.
#[test]
fn what_vpp_was_read_to_hold_serves_without_being_read_again() {
    let mut harness = Harness::steady(&[[Some(100), None, None]]);
    let writes = harness.writes.len();
    harness.change(1, [Some(100), None, None], FlushSeq::NONE);
    assert_eq!((counts(&harness), harness.writes.len()), ((1, 1), writes));
    // What was written since is read back first.
    harness.change(1, [Some(7), None, None], FlushSeq::NONE);
    harness.answer(0, CallOutcome::Done, true);
    harness.change(1, [Some(7), None, None], FlushSeq::NONE);
    assert_eq!(counts(&harness), (1, 0));
    harness.drain();
    assert_eq!(counts(&harness), (1, 1));
}

#[test]
fn a_sync_of_an_unknown_frontend_and_one_without_a_connection_are_answered() {
    let mut harness = Harness::steady(&[[Some(100), None, None]]);
    let ghost = harness.sync(Scope::One(name(9)), false);
    assert_eq!(harness.replies[&ghost], Err("there is no frontend \"f009\"".into()));
    harness.lose();
    let away = harness.sync(Scope::All, true);
    harness.answer(0, CallOutcome::Done, true);
    assert_eq!(harness.replies[&away], Err("VPP is not connected: gone".into()));
}

#[test]
fn a_client_that_waits_for_a_write_is_answered_with_the_reason() {
    let mut harness = Harness::steady(&[[Some(100), None, None]]);
    let within = Duration::from_secs(1);
    harness.change(1, [Some(50), None, None], FlushSeq::NONE);
    let written = harness.wait(1, within);
    assert_eq!(harness.answered(written), None);
    harness.answer(0, CallOutcome::Done, true);
    assert_eq!(harness.answered(written), Some("written"));
    harness.drain();

    harness.change(1, [Some(40), None, None], FlushSeq::NONE);
    let refused = harness.wait(1, within);
    harness.answer(0, CallOutcome::Refused, true);
    let why = "VPP refuses as-weight 192.0.2.1/32 tcp/80 10.0.0.1 weight 40, flush: no";
    let why = why.replace(", flush", "");
    assert_eq!(harness.answered(refused), Some(why.as_str()));
    harness.drain();

    harness.change(1, [Some(30), None, None], FlushSeq::NONE);
    let late = harness.wait(1, within);
    assert_eq!(harness.answered(late), None);
    harness.fire(TimerId::Await(late));
    assert_eq!(harness.answered(late), Some("VPP has not answered yet"));

    harness.lose();
    let away = harness.wait(1, within);
    assert_eq!(harness.answered(away), Some("VPP is not connected"));
}

#[test]
fn a_change_that_vpp_holds_already_is_reported_all_the_same() {
    let mut harness = Harness::steady(&[[Some(100), None, None]]);
    harness.progress.clear();
    // Somebody else has set it, and a pass has seen that: nothing is due.
    harness.change(1, [Some(100), None, None], FlushSeq::NONE);
    let [report] = &harness.progress[..] else { panic!("{:?}", harness.progress) };
    assert!(report.programmed, "{report:?}");
}

#[test]
fn what_vpp_serves_is_reported_at_the_first_observation_of_each_connection() {
    let mut harness = Harness::steady(&[[Some(100), Some(0), Some(7)], [Some(0), None, None]]);
    harness.served.clear();
    harness.change(2, [Some(5), None, None], FlushSeq::NONE);
    harness.fire(TimerId::Drift);
    harness.drain();
    assert_eq!(harness.served.len(), 0, "it was read before over this connection");
    harness.lose();
    harness.connect();
    // The report comes before the first write, which it may prevent.
    harness.replace(&[[Some(0), Some(0), Some(7)]]);
    let served =
        |numbers: &[u8]| numbers.iter().map(|number| IpAddr::from([10, 0, 0, *number])).collect();
    harness.answer(0, CallOutcome::Done, true);
    assert_eq!(harness.served, [served(&[1, 3])]);
}

/// A frontend that VPP has refused so often that the next drift pass skips it.
fn backing_off() -> Harness {
    let mut harness = Harness::steady(&[[Some(100), None, None]]);
    for _ in 0..2 {
        harness.vpp.vips.remove(&vip(1));
        harness.writes.clear();
        harness.fire(TimerId::Drift);
        harness.answer(0, CallOutcome::Done, true);
        assert!(!harness.writes.is_empty(), "it is tried");
        harness.answer(0, CallOutcome::Refused, true);
        harness.drain();
    }
    harness.writes.clear();
    harness
}

#[test]
fn what_was_refused_is_tried_at_once_after_a_change_a_reload_a_reconnection_and_by_a_sync() {
    let mut harness = backing_off();
    harness.fire(TimerId::Drift);
    harness.drain();
    assert_eq!(harness.writes, [], "a drift pass skips it");
    let causes: [fn(&mut Harness); 4] = [
        |harness| harness.change(1, [Some(7), None, None], FlushSeq::NONE),
        |harness| harness.replace(&[[Some(100), None, None]]),
        |harness| {
            harness.lose();
            harness.connect();
        },
        |harness| {
            harness.sync(Scope::All, false);
        },
    ];
    for (number, cause) in causes.iter().enumerate() {
        let mut harness = backing_off();
        cause(&mut harness);
        harness.drain();
        assert!(!harness.writes.is_empty(), "cause {number}");
    }
}

#[test]
fn a_vpp_without_a_collector_of_its_own_is_made_to_run_it_when_something_has_waited() {
    for (dialect, runs) in [(LbDialect::Membership, [0, 0, 1, 1]), (LbDialect::Weights, [0; 4])] {
        let mut harness = Harness::steady_on(dialect, &[[Some(100), Some(100), None]]);
        harness.change(1, [Some(100), Some(0), None], FlushSeq::NONE);
        harness.drain();
        let ran = [1, 5, 10, 120].map(|seconds| {
            harness.pass_seconds(seconds);
            harness.fire(TimerId::Drift);
            harness.drain();
            harness.collections
        });
        assert_eq!(ran, runs, "{dialect}");
    }
}

#[test]
fn a_flush_of_a_server_that_was_collected_meanwhile_is_no_refusal() {
    let mut harness = Harness::steady_on(LbDialect::Membership, &[[Some(100), Some(100), None]]);
    // Drained, then disabled, when VPP has let go of its row.
    let mut drained = (*fixtures::frontend(1, [Some(100), Some(0), None], FlushSeq::NONE)).clone();
    let undrained = drained.clone();
    drained.servers.values_mut().for_each(|server| server.flush = None);
    harness.change_to(1, drained);
    harness.drain();
    let mut disabled = undrained;
    disabled.servers.values_mut().for_each(|server| server.flush = Some(FlushSeq::NONE.next()));
    harness.writes.clear();
    harness.change_to(1, disabled);
    harness.answer(0, CallOutcome::Refused, true);
    harness.drain();
    let flushes: Vec<_> = harness.writes.iter().map(|(_, step)| step.action()).collect();
    assert_eq!(flushes, ["as-del"]);
    assert_eq!(harness.state.refusal(name(1).as_str()), None);
}

#[test]
fn a_removal_is_the_last_write_of_a_server_that_a_vpp_without_weights_has_no_longer() {
    for (dialect, action, weight) in
        [(LbDialect::Membership, "as-del", None), (LbDialect::Weights, "as-weight", Some(0))]
    {
        let mut harness = Harness::steady_on(dialect, &[[Some(100), Some(100), None]]);
        harness.change(1, [Some(100), Some(0), None], FlushSeq::NONE);
        harness.drain();
        let trace = harness.state.trace(&name(1), vip(1)).frontend;
        let last = trace.servers.values().max_by_key(|write| write.at).unwrap();
        let before = weight.map(|_| 100);
        assert_eq!((last.action, last.weight, last.before), (action, weight, before));

        let members = [Some(100), None, None];
        harness.replace(&[members]);
        harness.drain();
        assert_eq!(harness.state.trace(&name(1), vip(1)).frontend.servers.len(), 1);
    }
}
