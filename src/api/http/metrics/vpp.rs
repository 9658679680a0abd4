//! The families of VPP: its connection, what was written to it, its counters.

use std::time::SystemTime;

use actix::MailboxError;

use super::page::{MetricFamily, MetricsPage, count, counter, flag, gauge, histogram};
use crate::actors::doctor::GetUnreachedVips;
use crate::actors::reconciler::{GetReconcilerStats, ReconcilerStats};
use crate::actors::vpp_connection::{
    ConnectionStats, GetConnectionStats, GetCounters, GetVppInfo, VipPackets, VppInfo,
};
use crate::api::actors::Actors;

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
const FLIP: MetricFamily = histogram(
    "flip_duration_seconds",
    "From the probe result that decides a change of weights to VPP's answer.",
);
const LAST_SUCCESS: MetricFamily = gauge(
    "vpp_lbsync_last_success_timestamp_seconds",
    "When a pass over all of VPP last ended with everything right.",
);
const REFUSED: MetricFamily = gauge(
    "vpp_refused",
    "1 for each frontend that VPP refuses something at present; without a name: global.",
);
const HELD: MetricFamily = gauge(
    "vpp_removals_held",
    "VIPs of no frontend that stay in VPP: too much would be removed to be meant.",
);
const DEAD_CLIENTS: MetricFamily = counter(
    "vpp_dead_clients_total",
    "API clients that were gone and that VPP noticed only when maglevd connected.",
);
const MISMATCHES: MetricFamily = counter(
    "vpp_model_mismatch_total",
    "Tables in VPP whose bucket counts were not those that their weights make.",
);
const UNREACHED: MetricFamily = gauge(
    "vpp_unreached_vips",
    "VIPs whose packets do not reach lb in VPP, because another source of its FIB goes before it.",
);
const API: MetricFamily = counter(
    "vpp_api_total",
    "Calls to VPP's binary API: requests sent, and what became of them: ok, refused or unanswered.",
);
const PACKETS: MetricFamily =
    counter("vip_packets_total", "Packets of a VIP by what became of them.");

/// What the actors of VPP answer.
pub(super) struct VppAnswers {
    connection: ConnectionStats,
    info: Option<VppInfo>,
    counters: Option<Vec<VipPackets>>,
    reconciler: ReconcilerStats,
    unreached: usize,
}

pub(super) async fn collect(actors: &Actors) -> Result<VppAnswers, MailboxError> {
    let connection = actors.vpp.send(GetConnectionStats).await?;
    let info = actors.vpp.send(GetVppInfo).await?.ok();
    let counters = match info {
        Some(_) => actors.vpp.send(GetCounters).await?.ok(),
        None => None,
    };
    let reconciler = actors.reconciler.send(GetReconcilerStats).await?;
    let unreached = actors.doctor.send(GetUnreachedVips).await?;
    Ok(VppAnswers { connection, info, counters, reconciler, unreached })
}

pub(super) fn write(answers: &VppAnswers, page: &mut MetricsPage) {
    connection(answers, page);
    if let Some(counters) = &answers.counters {
        packets(counters, page);
    }
    reconciled(&answers.reconciler, page);
    page.single(&UNREACHED, count(answers.unreached as u64));
}

fn connection(answers: &VppAnswers, page: &mut MetricsPage) {
    let stats = &answers.connection;
    page.single(&DEAD_CLIENTS, count(stats.dead_clients));
    page.family(&API);
    for (message, traffic) in &stats.traffic {
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
    page.single(&CONNECTED, flag(answers.info.is_some()));
    let Some(info) = &answers.info else { return };
    let pid = info.pid.to_string();
    page.family(&INFO);
    let labels =
        [("version", info.version.as_str()), ("build_date", &info.build_date), ("pid", &pid)];
    page.series(&INFO, &labels, 1.0);
    page.single(&CONNECTED_SECONDS, info.connected_for().as_secs_f64());
    if let Some(uptime) = info.uptime() {
        page.single(&UPTIME, uptime.as_secs_f64());
    }
}

fn reconciled(stats: &ReconcilerStats, page: &mut MetricsPage) {
    page.family(&SYNCED);
    for ((scope, kind), number) in &stats.steps {
        page.series(&SYNCED, &[("scope", scope), ("kind", kind)], count(*number));
    }
    page.family(&DRIFT);
    for (kind, number) in &stats.drift {
        page.series(&DRIFT, &[("kind", kind)], count(*number));
    }
    page.family(&FLIP);
    page.histogram(&FLIP, &[], &stats.flips);
    if let Some(at) = stats.last_success {
        let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        page.single(&LAST_SUCCESS, since.as_secs_f64());
    }
    page.single(&MISMATCHES, count(stats.model_mismatches));
    page.single(&HELD, count(u64::try_from(stats.removals_held).unwrap_or(u64::MAX)));
    page.family(&REFUSED);
    for (frontend, _) in &stats.refused {
        let name = frontend.as_ref().map_or("", |name| name.as_str());
        page.series(&REFUSED, &[("frontend", name)], 1.0);
    }
}

fn packets(counters: &[VipPackets], page: &mut MetricsPage) {
    page.family(&PACKETS);
    for VipPackets { vip, packets } in counters {
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
