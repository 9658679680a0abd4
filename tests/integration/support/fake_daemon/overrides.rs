//! Operators' overrides.

use vpp_maglev::pb::*;

use super::data::{ago, text};

const SECOND_NS: i64 = 1_000_000_000;

/// Set so many seconds ago.
fn set(value: &str, configured: &str, seconds: i64) -> OverrideInfo {
    OverrideInfo {
        value: text(value),
        configured: text(configured),
        since_unix_ns: ago(seconds),
        age_ns: seconds * SECOND_NS,
        ..OverrideInfo::default()
    }
}

pub(super) fn of_nginx1() -> OverrideInfo {
    OverrideInfo {
        kind: text("admin"),
        backend_name: text("nginx1"),
        who: text("alice 192.0.2.7:41822"),
        why: text("its disk is to be replaced, and after that the whole rack moves"),
        until_unix_ns: ago(59 - 7200),
        left_ns: Some((7200 - 59) * SECOND_NS),
        ..set("disabled", "enabled", 59)
    }
}

fn of_weight() -> OverrideInfo {
    OverrideInfo {
        kind: text("weight"),
        frontend_name: text("web"),
        pool_name: text("primary"),
        backend_name: text("nginx1"),
        who: text("uid 0 pid 4711"),
        ..set("50", "100", 2 * 86_400)
    }
}

/// A member of a pool with an operator's weight.
pub(super) fn weighed(member: PoolBackendInfo) -> PoolBackendInfo {
    PoolBackendInfo { weight_overridden: true, weight_override: Some(of_weight()), ..member }
}

/// What a request asks for, just set.
pub(super) fn paused(wanted: &BackendRequest) -> OverrideInfo {
    OverrideInfo {
        kind: text("admin"),
        backend_name: wanted.name.clone(),
        who: text("uid 0 pid 4711"),
        why: wanted.why.clone(),
        left_ns: (wanted.for_ns > 0).then_some(wanted.for_ns - 1_000_000),
        ..set("paused", "enabled", 0)
    }
}

pub(super) fn all(empty: bool) -> GetOverridesResponse {
    let overrides = if empty { vec![] } else { vec![of_nginx1(), of_weight()] };
    GetOverridesResponse { kept: !empty, overrides, now_unix_ns: ago(0) }
}
