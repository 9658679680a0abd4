//! What is noted of writes and readings, for explanations.

use super::fixtures::{name, server, vip};
use super::harness::{CallOutcome, Harness};
use crate::domain::balancing::weights::FlushSeq;
use crate::domain::reconcile::{DataplaneTrace, LinkTrace, TimerId};

fn trace(harness: &Harness, frontend: u8) -> DataplaneTrace {
    harness.state.trace(&name(frontend), vip(frontend))
}

/// The last write of a server: action, weight, weight before, whether it mended drift.
fn last_write(
    harness: &Harness,
    number: u8,
) -> Option<(&'static str, Option<u8>, Option<u8>, bool)> {
    let traced = trace(harness, 1).frontend;
    let write = traced.servers.get(&server(number))?;
    Some((write.action, write.weight, write.before, write.is_drift))
}

#[test]
fn each_server_has_its_last_write_and_drift_is_told() {
    let mut harness = Harness::new();
    assert_eq!(trace(&harness, 1).link, LinkTrace::Never);
    harness.replace(&[[Some(100), Some(50), None]]);
    harness.connect();
    assert!(!trace(&harness, 1).may_write && !trace(&harness, 1).is_read);
    harness.fire(TimerId::StartupMinDelay);
    harness.drain();
    assert_eq!(last_write(&harness, 1), Some(("as-add", Some(100), None, false)));
    assert_eq!(last_write(&harness, 3), None, "it is no server");
    let traced = trace(&harness, 1);
    assert!(traced.may_write && traced.is_read && traced.programmed && traced.serving);
    let frontend = traced.frontend;
    assert_eq!(frontend.vip.map(|write| write.action), Some("vip-add"));
    assert!(frontend.programmed_at.is_some() && frontend.read_at.is_some());

    harness.change(1, [Some(7), Some(50), None], FlushSeq::NONE);
    assert_eq!(trace(&harness, 1).frontend.programmed_at, None);
    harness.drain();
    assert_eq!(last_write(&harness, 1), Some(("as-weight", Some(7), Some(100), false)));
    assert_eq!(last_write(&harness, 2), Some(("as-add", Some(50), None, false)), "untouched");

    harness.vpp.vips.get_mut(&vip(1)).unwrap().servers.get_mut(&server(2)).unwrap().weight = 9;
    harness.fire(TimerId::Drift);
    harness.drain();
    assert_eq!(last_write(&harness, 2), Some(("as-weight", Some(50), Some(9), true)));

    // What is no longer configured is forgotten.
    harness.replace(&[[Some(7), None, None]]);
    harness.drain();
    assert_eq!(last_write(&harness, 2), None);
}

#[test]
fn a_refusal_and_the_end_of_the_connection_have_their_moments() {
    let mut harness = Harness::steady(&[[Some(100), None, None]]);
    assert!(matches!(trace(&harness, 1).link, LinkTrace::Connected(_)));
    harness.change(1, [Some(50), None, None], FlushSeq::NONE);
    harness.answer(0, CallOutcome::Refused, true);
    let refused = trace(&harness, 1);
    assert!(refused.refusal.is_some_and(|what| what.starts_with("as-weight")));
    assert!(refused.frontend.refused_at.is_some() && !refused.programmed);
    harness.drain();
    let written = trace(&harness, 1);
    assert_eq!((written.refusal, written.frontend.refused_at), (None, None));
    harness.lose();
    let lost = trace(&harness, 1);
    assert!(matches!(lost.link, LinkTrace::Lost { .. }) && !lost.is_read && !lost.programmed);
    assert_eq!(lost.frontend.programmed_at, None);
}
