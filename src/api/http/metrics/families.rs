//! The families of the page, and what the actors say of each.

use std::time::SystemTime;

use actix::MailboxError;

use super::page::{MetricFamily, MetricKind, MetricsPage, count};
use super::{probes, process};
use crate::actors::broadcaster::GetBroadcasterStats;
use crate::actors::controller::{GetConfig, GetOverview, Overview};
use crate::actors::reconciler;
use crate::actors::vpp_connection::{GetConnectionStats, GetCounters, GetVppInfo, VipPackets};
use crate::api::Actors;
use crate::domain::balancing::weights::{FrontendState, TargetWeight};
use crate::domain::health::State;

pub(super) const fn gauge(name: &'static str, help: &'static str) -> MetricFamily {
    MetricFamily { name, kind: MetricKind::Gauge, help }
}

pub(super) const fn counter(name: &'static str, help: &'static str) -> MetricFamily {
    MetricFamily { name, kind: MetricKind::Counter, help }
}

const BUILD_INFO: MetricFamily = gauge("build_info", "The running maglevd; always 1.");
const BACKEND_STATE: MetricFamily =
    gauge("backend_state", "1 for the state that a backend is in, 0 for the others.");
const BACKEND_HEALTH: MetricFamily = gauge("backend_health", "1 while a backend is up.");
const BACKEND_ENABLED: MetricFamily =
    gauge("backend_enabled", "0 while the file or an operator has a backend disabled.");
const TRANSITIONS: MetricFamily = counter(
    "backend_transitions_total",
    "Changes of a backend's state since it was configured, by where from and where to.",
);
const BACKEND_UNRESOLVED: MetricFamily = gauge(
    "backend_unresolved",
    "1 while a backend's DNS name does not resolve; the last address is kept.",
);
const FRONTEND_STATE: MetricFamily =
    gauge("frontend_state", "1 for the state that a frontend is in, 0 for the others.");
const WEIGHT: MetricFamily =
    gauge("frontend_pool_backend_weight", "The weight that the file or an operator gives.");
const EFFECTIVE: MetricFamily = gauge(
    "frontend_pool_backend_effective_weight",
    "The weight that VPP should hold; none while it is left as it is.",
);
const CONNECTED: MetricFamily = gauge("vpp_connected", "1 while VPP answers.");
const INFO: MetricFamily = gauge("vpp_info", "The VPP that is connected; always 1.");
const CONNECTED_SECONDS: MetricFamily =
    gauge("vpp_connected_seconds", "How long this connection to VPP has stood.");
const UPTIME: MetricFamily = gauge("vpp_uptime_seconds", "How long VPP has been running.");
const SYNCED: MetricFamily = counter("vpp_lbsync_total", "Steps that VPP did, by scope and kind.");
const DRIFT: MetricFamily = counter(
    "vpp_drift_total",
    "Differences in VPP that nothing of maglevd's explains, found and mended.",
);
const FLIP: MetricFamily = MetricFamily {
    name: "flip_duration_seconds",
    kind: MetricKind::Histogram,
    help: "From the probe result that decides a change of weights to VPP's answer.",
};
const LAST_SUCCESS: MetricFamily = gauge(
    "vpp_lbsync_last_success_timestamp_seconds",
    "When a pass over all of VPP last ended with everything right.",
);
const REFUSED: MetricFamily = gauge(
    "vpp_refused",
    "1 for each frontend that VPP refuses something at present; without a name: global.",
);
const DEAD_CLIENTS: MetricFamily = counter(
    "vpp_dead_clients_total",
    "API clients that were gone and that VPP noticed only when maglevd connected.",
);
const MISMATCHES: MetricFamily = counter(
    "vpp_model_mismatch_total",
    "Tables in VPP whose bucket counts were not those that their weights make.",
);
const API: MetricFamily = counter(
    "vpp_api_total",
    "Calls to VPP's binary API: requests sent, and what became of them: ok, refused or unanswered.",
);
const PACKETS: MetricFamily =
    counter("vip_packets_total", "Packets of a VIP by what became of them.");
const SUBSCRIBERS: MetricFamily = gauge("event_subscribers", "Open event streams.");
const MISSED: MetricFamily =
    counter("events_missed_total", "Events that streams lost because they fell behind.");

/// Asks every actor and fills the page.
pub(super) async fn collect(actors: &Actors, page: &mut MetricsPage) -> Result<(), MailboxError> {
    page.family(&BUILD_INFO);
    let labels = [("version", env!("CARGO_PKG_VERSION")), ("commit", env!("MAGLEV_COMMIT"))];
    page.series(&BUILD_INFO, &labels, 1.0);
    let overview = actors.checker.send(GetOverview).await?;
    backends(&overview, page);
    frontends(&overview, page);
    probes::collect(actors, page).await?;
    vpp(actors, page).await?;
    reconciled(&actors.reconciler.send(reconciler::GetReconcilerStats).await?, page);
    let figures = actors.broadcaster.send(GetBroadcasterStats).await?;
    page.single(&SUBSCRIBERS, count(figures.subscribers as u64));
    page.single(&MISSED, count(figures.missed));
    process::collect(page);
    Ok(())
}

/// Has every actor answer a question that costs nothing: to ask for the whole
/// page would have VPP read for it.
pub(super) async fn answer(actors: &Actors) -> Result<(), MailboxError> {
    actors.checker.send(GetConfig).await?;
    actors.vpp.send(GetConnectionStats).await?;
    actors.broadcaster.send(GetBroadcasterStats).await?;
    Ok(())
}

fn backends(overview: &Overview, page: &mut MetricsPage) {
    page.family(&BACKEND_STATE);
    for backend in &overview.backends {
        for state in State::ALL {
            let labels = [("backend", backend.name.as_str()), ("state", state.as_str())];
            page.series(&BACKEND_STATE, &labels, flag(backend.state == state));
        }
    }
    page.family(&BACKEND_HEALTH);
    for backend in &overview.backends {
        let up = flag(backend.state == State::Up);
        page.series(&BACKEND_HEALTH, &[("backend", backend.name.as_str())], up);
    }
    page.family(&BACKEND_ENABLED);
    for backend in &overview.backends {
        let enabled = flag(backend.enabled);
        page.series(&BACKEND_ENABLED, &[("backend", backend.name.as_str())], enabled);
    }
    page.family(&TRANSITIONS);
    for backend in &overview.backends {
        for ((from, to), number) in &backend.moved {
            let labels =
                [("backend", backend.name.as_str()), ("from", from.as_str()), ("to", to.as_str())];
            page.series(&TRANSITIONS, &labels, count(*number));
        }
    }
    page.family(&BACKEND_UNRESOLVED);
    for backend in overview.backends.iter().filter(|it| it.settings.address.name().is_some()) {
        let unresolved = flag(backend.unresolved.is_some());
        page.series(&BACKEND_UNRESOLVED, &[("backend", backend.name.as_str())], unresolved);
    }
}

fn frontends(overview: &Overview, page: &mut MetricsPage) {
    page.family(&FRONTEND_STATE);
    for frontend in &overview.frontends {
        for state in FrontendState::ALL {
            let labels = [("frontend", frontend.name.as_str()), ("state", state.as_str())];
            page.series(&FRONTEND_STATE, &labels, flag(frontend.state == state));
        }
    }
    for family in [&WEIGHT, &EFFECTIVE] {
        page.family(family);
        for frontend in &overview.frontends {
            for pool in &frontend.pools {
                for backend in &pool.backends {
                    let effective = match backend.effective {
                        TargetWeight::Weight(weight) => Some(weight),
                        TargetWeight::Keep => None,
                    };
                    let is_effective = family.name == EFFECTIVE.name;
                    let weight = if is_effective { effective } else { Some(backend.weight) };
                    let Some(weight) = weight else { continue };
                    let labels = [
                        ("frontend", frontend.name.as_str()),
                        ("pool", pool.name.as_str()),
                        ("backend", backend.name.as_str()),
                    ];
                    page.series(family, &labels, f64::from(weight.get()));
                }
            }
        }
    }
}

async fn vpp(actors: &Actors, page: &mut MetricsPage) -> Result<(), MailboxError> {
    let figures = actors.vpp.send(GetConnectionStats).await?;
    page.single(&DEAD_CLIENTS, count(figures.dead_clients));
    page.family(&API);
    for (message, traffic) in &figures.traffic {
        for (direction, result, number) in [
            ("send", "ok", traffic.sent),
            ("recv", "ok", traffic.answered),
            ("recv", "refused", traffic.refused),
            ("recv", "unanswered", traffic.failed),
        ] {
            let labels = [("msg", *message), ("direction", direction), ("result", result)];
            page.series(&API, &labels, count(number));
        }
    }
    let info = actors.vpp.send(GetVppInfo).await?;
    page.single(&CONNECTED, flag(info.is_ok()));
    let Ok(info) = info else { return Ok(()) };
    let pid = info.pid.to_string();
    page.family(&INFO);
    let labels =
        [("version", info.version.as_str()), ("build_date", &info.build_date), ("pid", &pid)];
    page.series(&INFO, &labels, 1.0);
    let age = |at: SystemTime| at.elapsed().unwrap_or_default().as_secs_f64();
    page.single(&CONNECTED_SECONDS, age(info.connected_at));
    if let Some(booted_at) = info.booted_at {
        page.single(&UPTIME, age(booted_at));
    }
    if let Ok(counted) = actors.vpp.send(GetCounters).await? {
        packets(&counted, page);
    }
    Ok(())
}

fn reconciled(figures: &reconciler::ReconcilerStats, page: &mut MetricsPage) {
    page.family(&SYNCED);
    for ((scope, kind), number) in &figures.steps {
        page.series(&SYNCED, &[("scope", scope), ("kind", kind)], count(*number));
    }
    page.family(&DRIFT);
    for (kind, number) in &figures.drift {
        page.series(&DRIFT, &[("kind", kind)], count(*number));
    }
    page.family(&FLIP);
    page.histogram(&FLIP, &[], &figures.flips);
    if let Some(at) = figures.last_success {
        let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        page.single(&LAST_SUCCESS, since.as_secs_f64());
    }
    page.single(&MISMATCHES, count(figures.model_mismatches));
    page.family(&REFUSED);
    for (frontend, _) in &figures.refused {
        let name = frontend.as_ref().map_or("", |name| name.as_str());
        page.series(&REFUSED, &[("frontend", name)], 1.0);
    }
}

fn packets(counted: &[VipPackets], page: &mut MetricsPage) {
    page.family(&PACKETS);
    for VipPackets { vip, packets } in counted {
        let (prefix, protocol) = (vip.prefix().to_string(), vip.service().protocol().to_string());
        let port = vip.service().port().to_string();
        for (kind, number) in [
            ("next", packets.next),
            ("first", packets.first),
            ("untracked", packets.untracked),
            ("no_server", packets.no_server),
        ] {
            let labels = [
                ("prefix", prefix.as_str()),
                ("protocol", &protocol),
                ("port", &port),
                ("kind", kind),
            ];
            page.series(&PACKETS, &labels, count(number));
        }
    }
}

fn flag(yes: bool) -> f64 {
    if yes { 1.0 } else { 0.0 }
}
