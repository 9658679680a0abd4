//! What the fixed daemon says of its VPP, and of its configuration.

use super::data::{NOW_NS, SECOND, ago, text};
use super::prediction;
use vpp_maglev::pb::*;

/// A daemon that contradicts holds the removal of a VIP.
pub(super) fn held_removals(contrary: bool) -> Vec<String> {
    if contrary { vec!["198.51.100.0/28".into()] } else { vec![] }
}

pub(super) fn vpp_info(contrary: bool) -> VppInfo {
    let missing: &[&str] = if contrary { &["lb_as_set_weight"] } else { &[] };
    VppInfo {
        version: text("26.02-release"),
        build_date: text("2026-02-25T10:00:00"),
        build_directory: text("/build/vpp"),
        pid: 4711,
        boottime_ns: ago(2 * 86_400),
        connecttime_ns: ago(3_661),
        missing_messages: missing.iter().copied().map(text).collect(),
        reaped_clients: vec!["old-maglevd".into()],
        now_unix_ns: NOW_NS,
        connected_for_ns: 3_661 * SECOND,
        uptime_ns: 2 * 86_400 * SECOND,
        held_removals: held_removals(contrary),
        dialect: text(if contrary { "" } else { "membership" }),
    }
}

pub(super) fn lb_state(empty: bool) -> VpplbState {
    let conf = VpplbConf {
        ip4_src_address: text("192.0.2.1"),
        ip6_src_address: text("2001:db8::1"),
        sticky_buckets_per_core: 65_536,
        flow_timeout: 40,
    };
    let server = |address: &str, weight, num_buckets| Vpplbas {
        address: text(address),
        weight,
        flags: 1,
        num_buckets,
        in_use_since_ns: 0,
    };
    let removed = Vpplbas { flags: 0, in_use_since_ns: ago(20), ..server("198.51.100.9", 0, 0) };
    let vips = vec![
        Vpplbvip {
            prefix: text("192.0.2.80/32"),
            protocol: 6,
            port: 80,
            encap: text("gre4"),
            flow_table_length: 1024,
            application_servers: vec![
                removed,
                server("198.51.100.10", 100, 683),
                server("198.51.100.11", 50, 341),
            ],
            removal_held: false,
        },
        Vpplbvip {
            prefix: text("198.51.100.0/28"),
            protocol: 255,
            port: 0,
            encap: text("gre6"),
            flow_table_length: 0,
            application_servers: vec![],
            removal_held: true,
        },
    ];
    let vips = if empty { vec![] } else { vips };
    VpplbState { conf: Some(conf), vips, now_unix_ns: NOW_NS }
}

pub(super) fn lb_counters(empty: bool) -> VpplbCounters {
    let vip = |prefix: &str, protocol, next, no_server| VpplbvipCounters {
        prefix: text(prefix),
        protocol,
        port: 80,
        next,
        first: 1_000,
        untracked: 0,
        no_server,
        removal_held: false,
    };
    let vips = vec![
        vip("192.0.2.80/32", 6, 18_446_744_073_709_551_615, 0),
        vip("2001:db8::53/128", 17, 12, 7),
    ];
    VpplbCounters { vips: if empty { vec![] } else { vips } }
}

pub(super) fn steps(wanted: &SyncVpplbStateRequest, contrary: bool) -> Vec<SyncStep> {
    let step = |frontend: &str, action: &str, disruption: &str, detail: &str| SyncStep {
        frontend_name: text(frontend),
        action: text(action),
        disruption: text(disruption),
        detail: text(detail),
        moves: prediction::moves(action),
        ..SyncStep::default()
    };
    let mut steps = vec![
        step("web", "as-weight", "new-flows", "192.0.2.80/32 tcp/80 198.51.100.10 weight 100"),
        step("web", "as-weight", "flush", "192.0.2.80/32 tcp/80 198.51.100.11 weight 0, flush"),
        step("", "vip-del", "disruptive", "203.0.113.7/32 tcp/443"),
    ];
    if contrary && wanted.dry_run {
        steps[2].held = true;
    }
    if contrary && !wanted.dry_run {
        steps[1].error = text("lb_as_set_weight was refused by VPP: -6 (no such entry)");
    }
    steps.retain(|step| {
        wanted.frontend_name.as_ref().is_none_or(|name| *name == step.frontend_name)
    });
    steps
}

pub(super) fn checked(contrary: bool) -> CheckConfigResponse {
    let warnings = vec![text("backends.spare: no frontend uses it")];
    let faults = "frontends.web.pools[1].backends.nginx9: no such backend\n\
                  healthchecks.web.rise: 0 is less than 1\n";
    CheckConfigResponse {
        ok: !contrary,
        semantic_error: text(if contrary { faults } else { "" }),
        warnings,
        ..CheckConfigResponse::default()
    }
}

pub(super) fn reloaded(contrary: bool) -> ReloadConfigResponse {
    let fault = "line 3 column 5: unknown field `intervall`";
    ReloadConfigResponse {
        ok: !contrary,
        parse_error: text(if contrary { fault } else { "" }),
        ..ReloadConfigResponse::default()
    }
}
