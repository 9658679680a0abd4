//! The mirror as updates change it.

use std::time::Duration;

use super::*;

fn backend_event(from: &str, to: &str, at_unix_ns: i64) -> MirrorUpdate {
    let (from, to, why) = (from.to_owned(), to.to_owned(), "L4TOUT".to_owned());
    let transition = Some(pb::TransitionRecord { from, to, at_unix_ns, why });
    let event = pb::BackendEvent { backend_name: "b".into(), transition };
    MirrorUpdate::Event(pb::Event { event: Some(Event::Backend(event)), seq: 1, boot_id: 1 })
}

fn snapshot(frontends: &[&str], backends: Option<&[&str]>) -> MirrorUpdate {
    let frontend = |name: &&str| pb::FrontendInfo { name: (*name).into(), ..Default::default() };
    let backend = |name: &&str| pb::BackendInfo {
        name: (*name).into(),
        address: "192.0.2.1".into(),
        state: "up".into(),
        ..Default::default()
    };
    MirrorUpdate::Snapshot(MirrorSnapshot {
        frontends: frontends.iter().map(frontend).collect(),
        backends: backends.map(|names| names.iter().map(backend).collect()),
        vpp: VppStatus::Unknown,
        received: Instant::now(),
    })
}

#[test]
fn an_event_changes_the_state_and_keeps_the_address() {
    let mut mirror = Mirror::default();
    mirror.apply(snapshot(&[], Some(&["b"])));
    mirror.apply(backend_event("up", "down", 7));
    let (address, state, why) = ("192.0.2.1".into(), "down".into(), "L4TOUT".into());
    let expected = MirroredState { address, state, since_ns: 7, why, doubt: None, drain: None };
    assert_eq!(mirror.backend_states["b"], expected);
    mirror.apply(backend_event("down", "removed", 8));
    assert!(mirror.backend_states.is_empty());
    assert_eq!(mirror.recent.iter().map(|change| change.at_ns).collect::<Vec<_>>(), [8, 7]);
}

#[test]
fn ages_count_from_the_daemons_clock_where_it_sends_it() {
    let start = Instant::now();
    let mut mirror = Mirror::default();
    mirror.apply(snapshot(&[], Some(&["b"])));
    assert_eq!(mirror.now_ns(start, 5), 5, "an older daemon");
    assert_eq!(mirror.connected_for_ns(start), 0);
    let info = pb::VppInfo { now_unix_ns: 1_000, connected_for_ns: 70, ..Default::default() };
    mirror.apply(MirrorUpdate::Vpp(VppStatus::Connected(info), start));
    let later = start + Duration::from_nanos(20);
    assert_eq!((mirror.now_ns(later, 5), mirror.connected_for_ns(later)), (1_020, 90));
    // Without VPP the backends show it.
    let backend = pb::BackendInfo { now_unix_ns: 2_000, ..Default::default() };
    mirror.apply(MirrorUpdate::Snapshot(MirrorSnapshot {
        frontends: vec![],
        backends: Some(vec![backend]),
        vpp: VppStatus::Unknown,
        received: start,
    }));
    assert_eq!((mirror.now_ns(later, 5), mirror.connected_for_ns(later)), (2_020, 0));
}

#[test]
fn an_event_of_a_snapshot_is_no_recent_change() {
    let mut mirror = Mirror::default();
    mirror.apply(backend_event("up", "up", 7));
    assert!(mirror.backend_states.contains_key("b") && mirror.recent.is_empty());
}

#[test]
fn a_hold_is_one_change_however_often_snapshots_repeat_it() {
    let mut mirror = Mirror::default();
    let hold = |kind: &str, at_unix_ns| {
        let hold = pb::HoldEvent {
            probes: "ipv4".into(),
            kind: kind.into(),
            at_unix_ns,
            ..Default::default()
        };
        MirrorUpdate::Event(pb::Event { event: Some(Event::Hold(hold)), seq: 1, boot_id: 1 })
    };
    mirror.apply(hold("began", 7));
    mirror.apply(hold("began", 7));
    assert_eq!((mirror.held["ipv4"], mirror.recent.len()), (7, 1));
    mirror.apply(hold("ended", 9));
    assert!(mirror.held.is_empty() && mirror.recent.len() == 2);
    mirror.apply(hold("began", 11));
    let missed = Some(Event::Missed(pb::MissedEvent { count: 1 }));
    mirror.apply(MirrorUpdate::Event(pb::Event { event: missed, ..Default::default() }));
    assert!(mirror.held.is_empty(), "the snapshot that follows has it, if it lasts");
}

#[test]
fn a_doubt_ends_with_a_transition_and_not_with_the_repetition_of_a_state() {
    let mut mirror = Mirror::default();
    let doubt = Some(pb::DoubtInfo { held: true, ..Default::default() });
    let backend = pb::BackendInfo { name: "b".into(), doubt, ..Default::default() };
    mirror.apply(MirrorUpdate::Backend(backend.into()));
    mirror.apply(backend_event("up", "up", 7));
    assert!(mirror.backend_states["b"].doubt.is_some());
    mirror.apply(backend_event("up", "down", 8));
    assert_eq!(mirror.backend_states["b"].doubt, None);
}

#[test]
fn a_snapshot_replaces_what_it_contains() {
    let mut mirror = Mirror::default();
    mirror.apply(snapshot(&["f", "gone"], Some(&["b", "gone"])));
    mirror.apply(snapshot(&["f"], None));
    assert_eq!(mirror.frontends.keys().collect::<Vec<_>>(), ["f"]);
    assert_eq!(mirror.backend_states.len(), 2);
    mirror.apply(snapshot(&["f"], Some(&["b"])));
    assert_eq!(mirror.backend_states.keys().collect::<Vec<_>>(), ["b"]);
}

#[test]
fn a_requested_frontend_that_does_not_exist_is_removed() {
    let mut mirror = Mirror::default();
    mirror.apply(snapshot(&["a", "b"], None));
    mirror.apply(MirrorUpdate::Frontends { names: vec!["a".into()], frontends: vec![] });
    assert_eq!(mirror.frontends.keys().collect::<Vec<_>>(), ["b"]);
}

#[test]
fn recent_changes_are_bounded_and_the_latest_stay() {
    let mut mirror = Mirror::default();
    for at in 1..=RECENT_CHANGES as i64 + 5 {
        mirror.apply(backend_event("up", "down", at));
    }
    assert_eq!(mirror.recent.len(), RECENT_CHANGES);
    assert_eq!(mirror.recent[0].at_ns, RECENT_CHANGES as i64 + 5);
}
