//! From what VPP holds, and what was written to it, to the generated types.

use std::time::{Duration, SystemTime};

use super::nanos::{now_ns, ns, unix_ns};
use super::table;
use crate::actors::reconciler::SyncReport;
use crate::actors::vpp_connection::{VipPackets, VppInfo};
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::{Observed, ObservedConf, ObservedEncap, ObservedVip};
use crate::domain::dataplane::plan::Planned;
use crate::domain::doctor::Finding;
use crate::pb;

pub(super) fn info(info: &VppInfo, held: &[Vip]) -> pb::VppInfo {
    pb::VppInfo {
        version: info.version.clone(),
        build_date: info.build_date.clone(),
        build_directory: info.build_directory.clone(),
        pid: info.pid,
        boottime_ns: info.booted_at.map_or(0, unix_ns),
        connecttime_ns: unix_ns(info.connected_at),
        missing_messages: info.missing.clone(),
        reaped_clients: info.reaped.clone(),
        now_unix_ns: now_ns(),
        connected_for_ns: ns(info.connected_for()),
        uptime_ns: info.uptime().map_or(0, ns),
        held_removals: held.iter().map(ToString::to_string).collect(),
        dialect: info.dialect.map_or_else(String::new, |dialect| dialect.to_string()),
    }
}

/// The load balancer of a VPP that has been running for `uptime`, at `now`.
pub(super) fn state(
    observed: &Observed,
    uptime: Option<Duration>,
    now: SystemTime,
    held: &[Vip],
) -> pb::VpplbState {
    let booted_at = uptime.and_then(|uptime| now.checked_sub(uptime));
    pb::VpplbState {
        now_unix_ns: unix_ns(now),
        conf: conf(&observed.conf),
        vips: observed
            .vips
            .iter()
            .map(|(key, seen)| pb::Vpplbvip {
                removal_held: held.contains(key),
                ..vip(key, seen, booted_at)
            })
            .collect(),
    }
}

/// The global settings; numbers that VPP does not tell are 0, and `None` if it tells
/// nothing.
fn conf(conf: &ObservedConf) -> Option<pb::VpplbConf> {
    let (ip4_src, ip6_src) = conf.sources()?;
    let known = conf.known();
    Some(pb::VpplbConf {
        ip4_src_address: ip4_src.to_string(),
        ip6_src_address: ip6_src.to_string(),
        sticky_buckets_per_core: known.map_or(0, |conf| conf.sticky_buckets_per_core),
        flow_timeout: known.map_or(0, |conf| conf.flow_timeout_s),
    })
}

fn vip(key: &Vip, seen: &ObservedVip, booted_at: Option<SystemTime>) -> pb::Vpplbvip {
    let live = seen.servers.iter().map(|(address, server)| pb::Vpplbas {
        address: address.to_string(),
        weight: server.weight.into(),
        flags: 1,
        num_buckets: server.buckets,
        in_use_since_ns: 0,
    });
    let retired = seen.retired.iter().map(|server| pb::Vpplbas {
        address: server.address.to_string(),
        weight: server.weight.into(),
        flags: 0,
        num_buckets: 0,
        in_use_since_ns: server
            .removed_at_s
            .and_then(|seconds| at_uptime(booted_at, seconds))
            .map_or(0, unix_ns),
    });
    pb::Vpplbvip {
        prefix: key.prefix().to_string(),
        protocol: key.service().protocol().into(),
        port: key.service().port().into(),
        encap: encap(seen.encap),
        flow_table_length: seen.table_length.map_or(0, |length| length.get().into()),
        application_servers: live.chain(retired).collect(),
        removal_held: false,
    }
}

/// The time at which VPP had been up for this many seconds.
fn at_uptime(booted_at: Option<SystemTime>, seconds: u32) -> Option<SystemTime> {
    booted_at?.checked_add(Duration::from_secs(seconds.into()))
}

fn encap(encap: ObservedEncap) -> String {
    match encap {
        ObservedEncap::Gre(encap) => encap.to_string(),
        ObservedEncap::Other(2) => "l3dsr".into(),
        ObservedEncap::Other(3) => "nat4".into(),
        ObservedEncap::Other(4) => "nat6".into(),
        ObservedEncap::Other(number) => number.to_string(),
    }
}

pub(super) fn counters(vips: &[VipPackets], held: &[Vip]) -> pb::VpplbCounters {
    let vip = |VipPackets { vip, packets }: &VipPackets| pb::VpplbvipCounters {
        prefix: vip.prefix().to_string(),
        protocol: vip.service().protocol().into(),
        port: vip.service().port().into(),
        next: packets.next,
        first: packets.first,
        untracked: packets.untracked,
        no_server: packets.no_server,
        removal_held: held.contains(vip),
    };
    pb::VpplbCounters { vips: vips.iter().map(vip).collect() }
}

pub(super) fn doctor(findings: &[Finding]) -> pb::VppDoctor {
    let finding = |finding: &Finding| pb::VppDoctorFinding {
        severity: finding.severity.to_string(),
        subject: finding.subject.clone(),
        seen: finding.seen.clone(),
        remedy: finding.remedy.clone(),
    };
    pb::VppDoctor { findings: findings.iter().map(finding).collect() }
}

pub(super) fn report(report: &SyncReport) -> pb::SyncVpplbStateResponse {
    let steps = report.results.iter().zip(table::moves_of_steps(report));
    let steps = steps.map(|(result, moves)| {
        let error = result.error.clone().unwrap_or_default();
        pb::SyncStep { error, moves, ..step(&result.planned) }
    });
    let held = report.held.iter().map(|held| pb::SyncStep { held: true, ..step(held) });
    pb::SyncVpplbStateResponse { steps: steps.chain(held).collect(), applied: report.applied }
}

fn step(planned: &Planned) -> pb::SyncStep {
    pb::SyncStep {
        frontend_name: planned.frontend.as_ref().map(ToString::to_string).unwrap_or_default(),
        action: planned.step.action().into(),
        disruption: planned.disruption.to_string(),
        detail: planned.step.to_string(),
        ..pb::SyncStep::default()
    }
}
