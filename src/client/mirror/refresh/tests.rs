//! What is requested after which event, and when.

use super::*;

/// One that was connected at `start` and received everything then.
fn fresh(start: Instant) -> Refresh {
    let mut refresh = Refresh::default();
    refresh.connected(start);
    assert_eq!(refresh.take(start), Some(MirrorQuery::Everything { backends: true }));
    let members = vec![pb::PoolBackendInfo { name: "nginx0".into(), ..Default::default() }];
    let pools = vec![pb::PoolInfo { name: "p".into(), backends: members }];
    let web = pb::FrontendInfo { name: "web".into(), pools, ..Default::default() };
    refresh.received(None, &[web], start);
    refresh
}

/// What is requested because of an event.
fn query(event: Event) -> Option<MirrorQuery> {
    let start = Instant::now();
    let mut refresh = fresh(start);
    refresh.event(&pb::Event { event: Some(event), ..Default::default() }, start);
    assert_eq!(refresh.take(start + GATHER - Duration::from_millis(1)), None);
    refresh.take(start + GATHER)
}

fn parts(frontends: &[&str], backends: &[&str], vpp: bool) -> Option<MirrorQuery> {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Some(MirrorQuery::Parts { frontends: owned(frontends), backends: owned(backends), vpp })
}

fn backend(name: &str, from: &str, to: &str) -> Event {
    let transition =
        pb::TransitionRecord { from: from.into(), to: to.into(), ..Default::default() };
    let backend_name = name.into();
    Event::Backend(pb::BackendEvent { backend_name, transition: Some(transition) })
}

#[test]
fn a_backend_concerns_the_frontends_that_use_it() {
    assert_eq!(query(backend("nginx0", "up", "down")), parts(&["web"], &[], false));
    assert_eq!(query(backend("other", "up", "down")), parts(&[], &[], false));
}

#[test]
fn the_snapshot_of_a_stream_concerns_nothing() {
    assert_eq!(query(backend("nginx0", "up", "up")), None);
}

#[test]
fn a_new_backend_is_requested() {
    assert_eq!(query(backend("new", "removed", "unknown")), parts(&[], &["new"], false));
}

#[test]
fn a_connection_a_weight_and_a_reload_concern_what_they_change() {
    let dataplane = |frontend: &str| {
        let frontend_name = frontend.to_owned();
        query(Event::Dataplane(pb::DataplaneEvent { frontend_name, ..Default::default() }))
    };
    assert_eq!(dataplane(""), parts(&[], &[], true));
    assert_eq!(dataplane("web"), parts(&["web"], &[], false));
    let change = |kind: &str, frontend: &str| {
        let (kind, frontend_name) = (kind.to_owned(), frontend.to_owned());
        query(Event::Change(pb::ChangeEvent { kind, frontend_name, ..Default::default() }))
    };
    assert_eq!(change("weight", "web"), parts(&["web"], &[], false));
    let everything = Some(MirrorQuery::Everything { backends: true });
    assert_eq!(change("config", ""), everything);
    assert_eq!(change("admin", ""), None);
    assert_eq!(query(Event::Missed(pb::MissedEvent { count: 1 })), everything);
    assert_eq!(query(Event::Hold(pb::HoldEvent::default())), everything);
}

#[test]
fn everything_but_the_backends_is_requested_at_intervals() {
    let start = Instant::now();
    let mut refresh = fresh(start);
    assert_eq!(refresh.due(), Some(start + REFRESH_INTERVAL));
    assert_eq!(
        refresh.take(start + REFRESH_INTERVAL),
        Some(MirrorQuery::Everything { backends: false })
    );
    assert_eq!(refresh.due(), Some(start + 2 * REFRESH_INTERVAL));
}

#[test]
fn backends_are_requested_as_well_while_some_are_held() {
    let start = Instant::now();
    let mut refresh = fresh(start);
    let mut hold = |kind: &str, at: Instant| {
        let (kind, probes) = (kind.into(), "ipv4".into());
        let hold = pb::HoldEvent { kind, probes, ..Default::default() };
        let event = pb::Event { event: Some(Event::Hold(hold)), ..Default::default() };
        refresh.event(&event, at);
        let query = refresh.take(at + GATHER);
        let later = refresh.take(at + GATHER + REFRESH_INTERVAL);
        (query, later)
    };
    let everything = |backends| Some(MirrorQuery::Everything { backends });
    assert_eq!(hold("began", start), (everything(true), everything(true)));
    let end = start + 2 * REFRESH_INTERVAL;
    assert_eq!(hold("ended", end), (everything(true), everything(false)));
}

#[test]
fn backends_are_requested_often_while_they_are_drained() {
    let start = Instant::now();
    let mut refresh = fresh(start);
    let mut drain = |kind: &str, at: Instant| {
        let (kind, backend_name) = (kind.into(), "nginx0".into());
        let drain = pb::DrainEvent { kind, backend_name, ..Default::default() };
        refresh.event(&pb::Event { event: Some(Event::Drain(drain)), ..Default::default() }, at);
        let query = refresh.take(at + GATHER);
        (query, refresh.take(at + WATCH_INTERVAL), refresh.due().unwrap())
    };
    let asked = || parts(&[], &["nginx0"], false);
    assert_eq!(drain("draining", start), (asked(), asked(), start + 2 * WATCH_INTERVAL));
    let end = start + WATCH_INTERVAL;
    assert_eq!(drain("drained", end), (asked(), None, start + REFRESH_INTERVAL));
}

/// The frontend `web`, whose backend starts slowly, or fails and is not believed.
fn web(slow_start: bool, doubt: bool) -> pb::FrontendInfo {
    let member = pb::PoolBackendInfo {
        name: "nginx0".into(),
        slow_start: slow_start.then(pb::SlowStartInfo::default),
        doubt: doubt.then(pb::DoubtInfo::default),
        ..Default::default()
    };
    let pools = vec![pb::PoolInfo { name: "p".into(), backends: vec![member] }];
    pb::FrontendInfo { name: "web".into(), pools, ..Default::default() }
}

#[test]
fn a_frontend_is_requested_often_while_a_backend_of_it_starts_slowly() {
    let start = Instant::now();
    let mut refresh = fresh(start);
    let names = ["web".to_owned()];
    refresh.received(Some(&names), &[web(true, false)], start);
    let next = start + WATCH_INTERVAL;
    assert_eq!((refresh.due(), refresh.take(next)), (Some(next), parts(&["web"], &[], false)));
    refresh.received(Some(&names), &[web(true, false)], next);
    assert_eq!(refresh.due(), Some(next + WATCH_INTERVAL));
    refresh.received(Some(&names), &[web(false, false)], next);
    assert_eq!(refresh.due(), Some(start + REFRESH_INTERVAL));
}

#[test]
fn a_frontend_is_requested_again_until_vpp_was_read_back() {
    let start = Instant::now();
    let mut refresh = fresh(start);
    let names = ["web".to_owned()];
    let written = |serving| {
        let (state, programmed) = ("up".into(), true);
        pb::FrontendInfo { state, programmed, serving, ..web(false, false) }
    };
    refresh.received(Some(&names), &[written(false)], start);
    let next = start + WATCH_INTERVAL;
    assert_eq!((refresh.due(), refresh.take(next)), (Some(next), parts(&["web"], &[], false)));
    refresh.received(Some(&names), &[written(true)], next);
    assert_eq!(refresh.due(), Some(start + REFRESH_INTERVAL));
}

#[test]
fn backends_are_requested_as_well_once_one_is_doubted_and_until_none_is() {
    let start = Instant::now();
    let mut refresh = fresh(start);
    let everything = |backends| Some(MirrorQuery::Everything { backends });
    let mut at = start + REFRESH_INTERVAL;
    assert_eq!(refresh.take(at), everything(false));
    refresh.received(None, &[web(false, true)], at);
    assert_eq!(refresh.take(at + GATHER), everything(true), "no event told of it");
    refresh.received(None, &[web(false, true)], at + GATHER);
    assert_eq!(refresh.take(at + 2 * GATHER), None, "it is known");
    for (doubt, backends) in [(true, true), (false, true), (false, false)] {
        at = refresh.due().unwrap();
        assert_eq!(refresh.take(at), everything(backends), "{doubt}");
        refresh.received(None, &[web(false, doubt)], at);
    }
}

#[test]
fn a_close_mirror_requests_what_changed_and_rests_for_each_object() {
    let start = Instant::now();
    let rest = Duration::from_secs(1);
    let policy = RefreshPolicy {
        interval: 10 * REFRESH_INTERVAL,
        backends_interval: Some(20 * REFRESH_INTERVAL),
        after_transitions: true,
        rest,
        audit: false,
    };
    let mut refresh = Refresh::new(policy);
    refresh.connected(start);
    assert_eq!(refresh.take(start), Some(MirrorQuery::Everything { backends: true }));
    let event = |name: &str| {
        let event = Some(backend(name, "up", "down"));
        pb::Event { event, ..Default::default() }
    };
    refresh.event(&event("a"), start);
    refresh.event(&event("b"), start);
    assert_eq!(refresh.take(start + GATHER), parts(&[], &["a", "b"], false));
    let then = start + GATHER;
    refresh.event(&event("a"), then);
    assert_eq!(refresh.due(), Some(then + 2 * rest));
    assert_eq!(refresh.take(then + GATHER), None, "it rests");
    assert_eq!(refresh.take(then + 2 * rest), parts(&[], &["a"], false));

    let then = then + 4 * rest;
    for number in 0..=MANY_BACKENDS {
        refresh.event(&event(&number.to_string()), then);
    }
    let everything = |backends| Some(MirrorQuery::Everything { backends });
    assert_eq!(refresh.take(then + GATHER), everything(true));
    let then = then + GATHER;
    assert_eq!(refresh.take(then + 10 * REFRESH_INTERVAL), everything(false));
    assert_eq!(refresh.take(then + 20 * REFRESH_INTERVAL), everything(true));
}

#[test]
fn nothing_is_requested_of_a_lost_daemon() {
    let start = Instant::now();
    let mut refresh = fresh(start);
    let missed = Some(Event::Missed(pb::MissedEvent { count: 1 }));
    refresh.event(&pb::Event { event: missed, ..Default::default() }, start);
    refresh.lost();
    assert_eq!((refresh.due(), refresh.take(start + REFRESH_INTERVAL)), (None, None));
}
