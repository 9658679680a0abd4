//! From the domain's types to the generated ones.

use std::time::Instant;

use super::nanos::{now_ns, ns, unix_ns};
use super::override_info::{self, present_info};
use super::{announcement_info, audit_info, drain_info};
use crate::actors::prober::ProbeReading;
use crate::domain::balancing::fail_open::FailOpenDecision;
use crate::domain::balancing::slow_start::{Ramp, RampView};
use crate::domain::balancing::weights::TargetWeight;
use crate::domain::controller::{BackendView, FrontendView, PoolView};
use crate::domain::dataplane::net::{Service, Vip};
use crate::domain::events::{Change, Changed, Event, FailOpenChange, Seq, Transition};
use crate::domain::evidence::hold::{HoldChange, HoldChangeKind};
use crate::domain::health::certificate::CertificateView;
use crate::domain::health::damping::DampingView;
use crate::domain::health::doubt::DoubtView;
use crate::domain::health::probe_history::ProbeOutcome;
use crate::domain::names::FrontendName;
use crate::pb;

/// A count that the configuration keeps far below `i32::MAX`.
pub(super) fn int(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn transition<S: ToString>(transition: &Transition<S>) -> pb::TransitionRecord {
    pb::TransitionRecord {
        from: transition.from.to_string(),
        to: transition.to.to_string(),
        at_unix_ns: unix_ns(transition.at),
        why: transition.why.to_string(),
    }
}

pub(super) fn backend(view: &BackendView, reading: &ProbeReading) -> pb::BackendInfo {
    pb::BackendInfo {
        name: view.name.to_string(),
        address: view.address.map(|address| address.to_string()).unwrap_or_default(),
        state: view.state.to_string(),
        transitions: view.transitions.iter().map(transition).collect(),
        enabled: view.enabled,
        healthcheck: view.settings.check.as_ref().map(ToString::to_string).unwrap_or_default(),
        counter: int(reading.counter),
        last_result: reading.last.as_ref().map(ToString::to_string).unwrap_or_default(),
        enabled_overridden: view.admin_override.is_some(),
        dns_name: view.settings.address.name().map(|host| host.name.clone()).unwrap_or_default(),
        unresolved: view.unresolved.clone().unwrap_or_default(),
        programmed: view.programmed,
        not_programmed: String::new(),
        now_unix_ns: now_ns(),
        doubt: view.doubt.as_ref().map(doubt),
        damping: view.damping.map(damping),
        admin_override: view.admin_override.as_ref().map(present_info),
        drain: view.drain.as_deref().map(drain_info::info),
        slow_starts: view.ramps.iter().map(|(frontend, ramp)| slow_start(frontend, ramp)).collect(),
        probes: reading.history.iter().map(probe).collect(),
        port: view.settings.port.map_or(0, |port| port.get().into()),
        certificate: view.certificate.map(certificate),
    }
}

fn probe(outcome: &ProbeOutcome) -> pb::ProbeRecord {
    pb::ProbeRecord {
        code: outcome.code.as_str().into(),
        took_ns: ns(outcome.took()),
        at_unix_ns: unix_ns(outcome.ended()),
        passed: outcome.code.passed(),
    }
}

fn certificate(view: CertificateView) -> pb::CertificateInfo {
    pb::CertificateInfo { ends_unix_ns: unix_ns(view.ends), soon: view.is_soon }
}

fn damping(view: DampingView) -> pb::DampingInfo {
    pb::DampingInfo {
        since_unix_ns: unix_ns(view.since),
        until_unix_ns: unix_ns(view.until),
        falls: u32::try_from(view.falls).unwrap_or(u32::MAX),
    }
}

fn slow_start(frontend: &FrontendName, ramp: &Ramp) -> pb::SlowStartInfo {
    let RampView { weight, target, left } = ramp.view(Instant::now());
    pb::SlowStartInfo {
        frontend_name: frontend.to_string(),
        weight: weight.get().into(),
        target: target.get().into(),
        left_ns: ns(left),
    }
}

fn doubt(view: &DoubtView) -> pb::DoubtInfo {
    pb::DoubtInfo {
        since_unix_ns: unix_ns(view.since),
        why: view.why.to_string(),
        held: view.is_held,
    }
}

pub(super) fn frontend(view: &FrontendView, refusal: Option<String>) -> pb::FrontendInfo {
    let settings = &view.settings;
    let (protocol, port) = match settings.vip.service() {
        Service::All => (String::new(), 0),
        Service::Port { protocol: 6, port } => ("tcp".into(), port.get()),
        Service::Port { protocol: 17, port } => ("udp".into(), port.get()),
        Service::Port { protocol, port } => (protocol.to_string(), port.get()),
    };
    pb::FrontendInfo {
        name: view.name.to_string(),
        address: vip_address(&settings.vip),
        protocol,
        port: port.into(),
        pools: view.pools.iter().map(|pool| pool_info(&view.name, pool)).collect(),
        description: settings.description.clone(),
        src_ip_sticky: settings.src_ip_sticky,
        flush_on_down: settings.flush_on_down,
        state: view.state.to_string(),
        new_flows_table_length: settings.table_length.get().into(),
        vpp_refusal: refusal.unwrap_or_default(),
        programmed: view.programmed,
        serving: view.serving,
        fail_open: view.fail_open.map(|decision| fail_open(view, decision)),
        ..pb::FrontendInfo::default()
    }
}

fn fail_open(view: &FrontendView, decision: FailOpenDecision) -> pb::FailOpenInfo {
    let open_pool = decision.open_pool().and_then(|pool| view.pools.get(pool));
    pb::FailOpenInfo {
        open: open_pool.is_some(),
        threshold_percent: decision.threshold.percent().into(),
        up_weight: decision.weight.up,
        total_weight: decision.weight.total,
        pool_name: open_pool.map(|pool| pool.name.to_string()).unwrap_or_default(),
        since_unix_ns: view.open_since.map_or(0, unix_ns),
    }
}

/// The address as operators write it: a host without its prefix length.
fn vip_address(vip: &Vip) -> String {
    let prefix = vip.prefix();
    if prefix.prefix_len() == prefix.max_prefix_len() {
        prefix.addr().to_string()
    } else {
        prefix.to_string()
    }
}

/// -1: VPP keeps what it has.
pub(super) fn effective(weight: TargetWeight) -> i32 {
    match weight {
        TargetWeight::Weight(weight) => weight.get().into(),
        TargetWeight::Keep => -1,
    }
}

fn pool_info(frontend: &FrontendName, view: &PoolView) -> pb::PoolInfo {
    let backends = view.backends.iter().map(|backend| pb::PoolBackendInfo {
        name: backend.name.to_string(),
        weight: backend.weight.get().into(),
        effective_weight: effective(backend.effective),
        weight_overridden: backend.weight_override.is_some(),
        weight_override: backend.weight_override.as_ref().map(present_info),
        slow_start: backend.ramp.as_ref().map(|ramp| slow_start(frontend, ramp)),
        doubt: backend.doubt.as_ref().map(doubt),
        ..pb::PoolBackendInfo::default()
    });
    pb::PoolInfo { name: view.name.to_string(), backends: backends.collect() }
}

pub(super) fn event(event: &Event, seq: Seq, boot_id: u64) -> pb::Event {
    use pb::event::Event as Kind;
    let kind = match event {
        Event::Log(record) => Kind::Log(pb::LogEvent {
            at_unix_ns: unix_ns(record.at),
            level: record.level.as_str().into(),
            msg: record.message.clone(),
            attrs: record
                .fields
                .iter()
                .map(|(key, value)| pb::LogAttr { key: (*key).into(), value: value.clone() })
                .collect(),
        }),
        Event::Backend(name, change) => Kind::Backend(pb::BackendEvent {
            backend_name: name.to_string(),
            transition: Some(transition(change)),
        }),
        Event::Frontend(name, change) => Kind::Frontend(pb::FrontendEvent {
            frontend_name: name.to_string(),
            transition: Some(transition(change)),
        }),
        Event::Dataplane(change) => Kind::Dataplane(pb::DataplaneEvent {
            frontend_name: change.frontend.as_ref().map(ToString::to_string).unwrap_or_default(),
            kind: change.kind.as_str().into(),
            detail: change.detail.clone(),
            at_unix_ns: unix_ns(change.at),
        }),
        Event::FailOpen(record) => Kind::FailOpen(fail_open_event(record)),
        Event::Change(record) => Kind::Change(change(record)),
        Event::Hold(record) => Kind::Hold(hold(record)),
        Event::Drain(record) => Kind::Drain(drain_info::event(record)),
        Event::Audit(record) => Kind::Audit(audit_info::event(record).into()),
        Event::Announcement(news) => Kind::Announcement(announcement_info::event(news)),
    };
    pb::Event { event: Some(kind), seq: seq.0, boot_id }
}

fn fail_open_event(change: &FailOpenChange) -> pb::FailOpenEvent {
    let name = |is_open| FailOpenChange::state_name(is_open).to_owned();
    let weight = change.decision.map(|decision| decision.weight).unwrap_or_default();
    pb::FailOpenEvent {
        frontend_name: change.frontend.to_string(),
        transition: Some(pb::TransitionRecord {
            from: name(change.was_open),
            to: name(change.is_open),
            at_unix_ns: unix_ns(change.at),
            why: change.why.to_string(),
        }),
        pool_name: change.pool.as_ref().map(ToString::to_string).unwrap_or_default(),
        threshold_percent: change.decision.map_or(0, |it| it.threshold.percent().into()),
        up_weight: weight.up,
        total_weight: weight.total,
    }
}

fn change(change: &Change) -> pb::ChangeEvent {
    let common = pb::ChangeEvent {
        overridden: change.overridden,
        who: change.who.clone(),
        at_unix_ns: unix_ns(change.at),
        why: change.why.as_ref().map(ToString::to_string).unwrap_or_default(),
        until_unix_ns: change.until.map_or(0, unix_ns),
        ended: change.ended.map(|end| end.as_str().to_owned()).unwrap_or_default(),
        ..pb::ChangeEvent::default()
    };
    match &change.what {
        Changed::Admin { backend, from, to } => pb::ChangeEvent {
            kind: "admin".into(),
            backend_name: backend.to_string(),
            from: from.as_str().into(),
            to: to.as_str().into(),
            ..common
        },
        Changed::Weight { frontend, pool, backend, from, to } => pb::ChangeEvent {
            kind: "weight".into(),
            frontend_name: frontend.to_string(),
            pool_name: pool.to_string(),
            backend_name: backend.to_string(),
            from: from.to_string(),
            to: to.to_string(),
            ..common
        },
        Changed::Announcement { scope, from, to, frontends: _ } => pb::ChangeEvent {
            kind: "announcement".into(),
            prefix: scope.to_string(),
            from: override_info::order_word(*from).into(),
            to: override_info::order_word(*to).into(),
            ..common
        },
        Changed::Config => pb::ChangeEvent { kind: "config".into(), ..common },
    }
}

fn hold(change: &HoldChange) -> pb::HoldEvent {
    let common = pb::HoldEvent {
        probes: change.group.to_string(),
        at_unix_ns: unix_ns(change.at),
        ..pb::HoldEvent::default()
    };
    match change.kind {
        HoldChangeKind::Began { limit } => {
            pb::HoldEvent { kind: "began".into(), limit_ns: ns(limit), ..common }
        }
        HoldChangeKind::Ended { outcome, lasted } => pb::HoldEvent {
            kind: "ended".into(),
            outcome: outcome.as_str().into(),
            lasted_ns: ns(lasted),
            ..common
        },
    }
}

/// Has the number 0: a client cannot resume before it has the whole snapshot.
pub(super) fn missed(count: u64, boot_id: u64) -> pb::Event {
    let event = Some(pb::event::Event::Missed(pb::MissedEvent { count }));
    pb::Event { event, seq: 0, boot_id }
}
