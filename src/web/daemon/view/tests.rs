//! What tabs are told of a daemon.

use std::time::Duration;

use serde_json::Value;

use super::*;
use crate::client::error::{ClientError, ConnectionLoss};

fn now() -> ViewTime {
    ViewTime { at: Instant::now(), unix_ns: 1_000_000_000_000 }
}

fn backend(name: &str, state: &str) -> pb::BackendInfo {
    pb::BackendInfo { name: name.into(), state: state.into(), ..Default::default() }
}

fn frontend(name: &str, state: &str) -> pb::FrontendInfo {
    pb::FrontendInfo { name: name.into(), state: state.into(), ..Default::default() }
}

fn snapshot(frontends: &[pb::FrontendInfo], backends: &[pb::BackendInfo]) -> MirrorUpdate {
    MirrorUpdate::Snapshot(MirrorSnapshot {
        frontends: frontends.to_vec(),
        backends: Some(backends.to_vec()),
        vpp: VppStatus::Unknown,
        received: Instant::now(),
    })
}

fn event(seq: u64, name: &str, from: &str, to: &str) -> pb::Event {
    let transition =
        pb::TransitionRecord { from: from.into(), to: to.into(), ..Default::default() };
    let event = pb::BackendEvent { backend_name: name.into(), transition: Some(transition) };
    pb::Event { event: Some(Event::Backend(event)), seq, boot_id: 7 }
}

/// One that is up, with frontend `web` and backends `a` and `b`, of which tabs know.
fn view() -> DaemonView {
    let mut view = DaemonView::new("lb1", "a:1", now());
    let backends = [backend("a", "up"), backend("b", "up")];
    view.apply(snapshot(&[frontend("web", "up")], &backends), now());
    let batch = batch(&mut view);
    assert_eq!(batch["backends"].as_array().unwrap().len(), 2);
    view
}

fn batch(view: &mut DaemonView) -> Value {
    serde_json::from_slice(&view.batch_json()).unwrap()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn what_did_not_change_is_not_told_again() {
    let mut view = view();
    let backends = [backend("a", "up"), backend("b", "up")];
    view.apply(snapshot(&[frontend("web", "up")], &backends), now());
    assert!(view.pending.is_empty());
    view.apply(snapshot(&[frontend("web", "down")], &backends[..1]), now());
    let batch = batch(&mut view);
    assert_eq!(keys(&batch), ["as_of", "backends_gone", "daemon", "frontends"]);
    assert_eq!(batch["backends_gone"], serde_json::json!(["b"]));
    assert_eq!(batch["frontends"][0]["state"], "down");
}

#[test]
fn events_change_backends_at_once_and_stand_in_the_timeline_once() {
    let mut view = view();
    // The present state, with which a stream begins, is no news.
    view.apply(MirrorUpdate::Event(event(0, "a", "up", "up")), now());
    view.apply(MirrorUpdate::Event(event(4, "b", "up", "up")), now());
    assert!(view.pending.entries.is_empty());
    view.apply(MirrorUpdate::Event(event(5, "a", "up", "down")), now());
    view.apply(MirrorUpdate::Event(event(5, "a", "up", "down")), now());
    view.apply(MirrorUpdate::Event(event(6, "a", "down", "up")), now());
    view.apply(MirrorUpdate::Event(event(7, "b", "up", "removed")), now());
    let batch = batch(&mut view);
    assert_eq!(batch["timeline"].as_array().unwrap().len(), 3);
    assert_eq!(batch["boot_id"], "0000000000000007");
    assert_eq!(batch["backends"].as_array().unwrap().len(), 1, "the newest state wins");
    assert_eq!(
        (&batch["backends"][0]["state"], &batch["backends_gone"][0]),
        (&"up".into(), &"b".into())
    );
    let state: Value = serde_json::from_slice(&view.state_json()).unwrap();
    assert_eq!(state["timeline"], batch["timeline"]);
    assert_eq!(state["backends"].as_array().unwrap().len(), 1);
}

#[test]
fn a_daemon_that_is_lost_keeps_what_was_known_and_its_age() {
    let mut view = view();
    let server = "a:1".parse().unwrap();
    let error =
        ClientError::Unreachable { attempted: "WatchEvents", server, why: ConnectionLoss::Broken };
    let later = ViewTime { unix_ns: 2_000_000_000_000, ..now() };
    view.apply(MirrorUpdate::Lost(error), later);
    let batch = batch(&mut view);
    assert_eq!(keys(&batch), ["as_of", "connection", "daemon"]);
    assert_eq!(batch["as_of"], "1970-01-01T00:16:40.000000000Z");
    assert_eq!(batch["connection"]["state"], "down");
    let state: Value = serde_json::from_slice(&view.state_json()).unwrap();
    assert_eq!(state["backends"].as_array().unwrap().len(), 2);
}

#[test]
fn an_explanation_is_for_the_state_that_it_was_asked_for() {
    let mut view = view();
    view.apply(MirrorUpdate::Event(event(5, "a", "up", "down")), now());
    let asked = view.unexplained("").unwrap().clone();
    assert_eq!(asked.name, "a");
    assert!(view.unexplained("a").is_none(), "b is well");
    let explanation = pb::Explanation {
        kind: "check_fails".into(),
        cause: "its check fails".into(),
        ..Default::default()
    };
    view.apply(MirrorUpdate::Event(event(6, "a", "down", "paused")), now());
    view.explain(&asked, &explanation);
    assert_eq!(view.backends["a"].kind, None, "it is another state by now");
    let asked = view.unexplained("").unwrap().clone();
    view.explain(&asked, &explanation);
    assert_eq!(view.backends["a"].reason.as_deref(), Some("its check fails"));
    view.apply(MirrorUpdate::Backend(Box::new(backend("b", "up"))), now());
    assert!(view.unexplained("").is_none());
}

#[test]
fn the_daemon_s_clock_is_compared_to_ours_and_jitter_is_none() {
    let mut view = view();
    let vpp = |ahead_ms: i64, received| {
        let now_unix_ns = now().unix_ns + ahead_ms * 1_000_000;
        let info = pb::VppInfo { now_unix_ns, ..Default::default() };
        MirrorUpdate::Vpp(VppStatus::Connected(info), received)
    };
    let time = now();
    view.apply(vpp(5000, time.at), time);
    assert_eq!(batch(&mut view)["clock_ahead_ms"], 5000);
    view.apply(vpp(5020, time.at), time);
    assert!(view.pending.is_empty());
    // What was received a second ago.
    if let Some(before) = time.at.checked_sub(Duration::from_secs(1)) {
        view.apply(vpp(5000, before), time);
        assert_eq!(batch(&mut view)["clock_ahead_ms"], 6000);
    }
}
