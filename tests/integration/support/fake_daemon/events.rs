//! The events of the fake daemon.

use super::announcements::withdrawn;
use super::data::{ago, text, transition};
use vpp_maglev::pb::event::Event as Kind;
use vpp_maglev::pb::*;

/// The daemon's life, unless it is another.
pub(crate) const BOOT_ID: u64 = 0xfeed;

/// One event of every kind that is wanted, in this order.
pub(crate) fn events(wanted: &WatchRequest, boot_id: u64) -> Vec<Event> {
    let attr = |key: &str, value: &str| LogAttr { key: text(key), value: text(value) };
    let kinds = [
        (
            wanted.backend,
            Kind::Backend(BackendEvent {
                backend_name: text("nginx0"),
                transition: Some(transition("up", "down", 1, "connection refused")),
            }),
        ),
        (
            wanted.frontend,
            Kind::Frontend(FrontendEvent {
                frontend_name: text("web"),
                transition: Some(transition("up", "down", 1, "")),
            }),
        ),
        (
            wanted.frontend,
            Kind::FailOpen(FailOpenEvent {
                frontend_name: text("web"),
                transition: Some(transition("closed", "open", 1, "nginx0 down")),
                pool_name: text("fallback"),
                threshold_percent: 40,
                up_weight: 100,
                total_weight: 300,
            }),
        ),
        (
            wanted.dataplane,
            Kind::Dataplane(DataplaneEvent {
                frontend_name: text("web"),
                kind: text("as_weight_updated"),
                detail: text("198.51.100.10 weight 0"),
                at_unix_ns: ago(1) + 7,
            }),
        ),
        (
            wanted.log,
            Kind::Log(LogEvent {
                at_unix_ns: ago(1),
                level: if wanted.log_level.is_empty() {
                    text("info")
                } else {
                    wanted.log_level.clone()
                },
                msg: text("backend-transition"),
                attrs: vec![attr("backend", "nginx0"), attr("to", "down")],
            }),
        ),
        (
            wanted.hold,
            Kind::Hold(HoldEvent {
                probes: text("ipv4"),
                kind: text("ended"),
                outcome: text("passed"),
                lasted_ns: 1_250_000_000,
                at_unix_ns: ago(1),
                ..HoldEvent::default()
            }),
        ),
        (wanted.drain, drained("overdue", Some(42))),
        (wanted.audit, audited()),
        (wanted.announcement, Kind::Announcement(withdrawn())),
        (None, Kind::Missed(MissedEvent { count: 3 })),
    ];
    let wanted = kinds.into_iter().filter(|(wanted, _)| wanted.unwrap_or(true));
    (40..).zip(wanted).map(|(seq, (_, kind))| Event { seq, boot_id, event: Some(kind) }).collect()
}

/// What happened lately: all kinds but what is lost, and changes.
pub(crate) fn history(boot_id: u64) -> Vec<Event> {
    let change = |kind: &str, from: &str, to: &str| ChangeEvent {
        kind: text(kind),
        backend_name: text("nginx0"),
        from: text(from),
        to: text(to),
        overridden: true,
        who: text("uid 1000 pid 4711"),
        at_unix_ns: ago(90),
        ..ChangeEvent::default()
    };
    let weight = ChangeEvent {
        frontend_name: text("web"),
        pool_name: text("primary"),
        ..change("weight", "100", "50")
    };
    let config = ChangeEvent { kind: text("config"), who: text("file"), ..change("", "", "") };
    let changes = [
        Kind::Change(config),
        Kind::Change(weight),
        Kind::Change(change("admin", "enabled", "paused")),
    ];
    let kinds = events(&WatchRequest { log: Some(false), ..WatchRequest::default() }, boot_id);
    let kinds = kinds.into_iter().filter_map(|event| event.event);
    let happened = kinds.filter(|kind| !matches!(kind, Kind::Missed(_)));
    let all = changes.into_iter().chain(happened).chain([dataplane("disconnected")]);
    (31..).zip(all).map(|(seq, kind)| Event { seq, boot_id, event: Some(kind) }).collect()
}

/// A transition of a backend, as it happens.
pub(crate) fn changed(name: &str, from: &str, to: &str, why: &str) -> Kind {
    let transition = Some(transition(from, to, 0, why));
    Kind::Backend(BackendEvent { backend_name: text(name), transition })
}

/// Verdicts wait for evidence, or do so no longer, so many seconds ago.
pub(crate) fn held(kind: &str, seconds: i64) -> Kind {
    let outcome = if kind == "ended" { "passed" } else { "" };
    Kind::Hold(HoldEvent {
        probes: text("ipv4"),
        kind: text(kind),
        outcome: text(outcome),
        lasted_ns: 3_000_000_000,
        limit_ns: 5_000_000_000,
        at_unix_ns: ago(seconds),
    })
}

/// A drain of a backend comes to this.
pub(crate) fn drained(kind: &str, flows: Option<u64>) -> Kind {
    Kind::Drain(DrainEvent {
        backend_name: text("bind0"),
        kind: text(kind),
        flows,
        since_unix_ns: ago(7_200),
        who: text("uid 0 pid 4712"),
        why: text("the timeout of 2h is over"),
        at_unix_ns: ago(1),
    })
}

/// Somebody was not allowed to change something.
fn audited() -> Kind {
    let event = AuditEvent {
        who: text("bob 192.0.2.1:4711"),
        identity: text("bob"),
        listener: text("192.0.2.9:9090"),
        peer: text("192.0.2.1:4711"),
        role: text("viewer"),
        method: text("PauseBackend"),
        what: text("pause backend nginx0 for 2h"),
        why: text("kernel upgrade"),
        outcome: text("denied"),
        detail: text("PauseBackend takes the role operator"),
        backend_name: text("nginx0"),
        began_unix_ns: ago(1),
        at_unix_ns: ago(1),
        ..AuditEvent::default()
    };
    Kind::Audit(event.into())
}

/// Something that happens to VPP.
pub(crate) fn dataplane(kind: &str) -> Kind {
    Kind::Dataplane(DataplaneEvent {
        kind: text(kind),
        at_unix_ns: ago(0),
        ..DataplaneEvent::default()
    })
}
