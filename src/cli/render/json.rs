//! Answers and events as JSON. The schema is a promise and written down in
//! `docs/cli.md`: keys are only ever added.
//!
//! Moments are RFC 3339 texts in UTC, or null where they are not known; spans
//! are integers of nanoseconds; what is absent is null, never an empty text.

use serde_json::{Map, Value, json};

use crate::cli::answer::{CheckFindings, CliAnswer, serving_pool};
use crate::cli::command::help::Usage;
use crate::cli::command::request::Shell;
use crate::cli::command::scripts;
use crate::cli::render::time::rfc3339;
use crate::cli::version::Version;
use crate::pb;

/// An answer's JSON.
#[must_use]
pub fn answer(answer: &CliAnswer) -> Value {
    match answer {
        CliAnswer::Frontends(list) => list.iter().map(|f| frontend(f, None)).collect(),
        CliAnswer::Frontend { frontend: one, backends } => frontend(one, Some(backends)),
        CliAnswer::Predicted { frontend, backend, predicted } => {
            prediction(frontend, backend, predicted)
        }
        CliAnswer::WeightSet { frontend: one, .. } => frontend(one, None),
        CliAnswer::Backends(list) => list.iter().map(backend).collect(),
        CliAnswer::Backend { backend: one, .. } | CliAnswer::BackendSet(one) => backend(one),
        CliAnswer::HealthChecks(list) => list.iter().map(health_check).collect(),
        CliAnswer::HealthCheck(one) => health_check(one),
        CliAnswer::VppInfo(info) => vpp_info(info),
        CliAnswer::LbState(state) => lb_state(state),
        CliAnswer::LbCounters(counters) => counters.vips.iter().map(vip_counters).collect(),
        CliAnswer::Synced { sync, dry_run } => synced(sync, *dry_run),
        CliAnswer::Checked(found) | CliAnswer::Reloaded(found) => faults(found),
    }
}

/// `show version`
#[must_use]
pub fn version(version: &Version) -> Value {
    json!({ "version": version.version, "commit": version.commit, "build_date": version.build_date })
}

/// `help`
#[must_use]
pub fn usages(usages: &[Usage]) -> Value {
    usages.iter().map(|usage| json!({ "usage": usage.line, "help": usage.help })).collect()
}

/// `completions`
#[must_use]
pub fn completions(shell: Shell) -> Value {
    json!({ "shell": shell.as_str(), "script": scripts::script(shell) })
}

fn present(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn at(at_ns: i64) -> Option<String> {
    (at_ns != 0).then(|| rfc3339(at_ns))
}

fn frontend(frontend: &pb::FrontendInfo, backends: Option<&Vec<pb::BackendInfo>>) -> Value {
    let pool = |pool: &pb::PoolInfo| {
        let members: Vec<Value> = pool.backends.iter().map(|m| member(m, backends)).collect();
        json!({ "name": pool.name, "backends": members })
    };
    json!({
        "name": frontend.name,
        "state": frontend.state,
        "description": present(&frontend.description),
        "address": frontend.address,
        "protocol": present(&frontend.protocol),
        "port": present(&frontend.protocol).map(|_| frontend.port),
        "src_ip_sticky": frontend.src_ip_sticky,
        "flush_on_down": frontend.flush_on_down,
        "new_flows_table_length": frontend.new_flows_table_length,
        "warnings": frontend.warnings,
        "vpp_refusal": present(&frontend.vpp_refusal),
        "serving_pool": serving_pool(frontend).map(|pool| &pool.name),
        "pools": frontend.pools.iter().map(pool).collect::<Vec<_>>(),
    })
}

fn member(member: &pb::PoolBackendInfo, backends: Option<&Vec<pb::BackendInfo>>) -> Value {
    let mut value = json!({
        "name": member.name,
        "weight": member.weight,
        "weight_overridden": member.weight_overridden,
        "effective_weight": Some(member.effective_weight).filter(|weight| *weight >= 0),
        "asked_share": member.asked_share,
        "real_share": member.real_share,
        "vpp_buckets": member.vpp_buckets,
    });
    if let Some(backends) = backends {
        let found = backends.iter().find(|backend| backend.name == member.name);
        value["state"] = found.map_or("removed", |backend| &backend.state).into();
    }
    value
}

fn backend(backend: &pb::BackendInfo) -> Value {
    json!({
        "name": backend.name,
        "address": present(&backend.address),
        "dns_name": present(&backend.dns_name),
        "unresolved": present(&backend.unresolved),
        "state": backend.state,
        "since": backend.transitions.last().and_then(|last| at(last.at_unix_ns)),
        "enabled": backend.enabled,
        "enabled_overridden": backend.enabled_overridden,
        "healthcheck": present(&backend.healthcheck),
        "counter": backend.counter,
        "last_result": present(&backend.last_result),
        "transitions": backend.transitions.iter().map(transition).collect::<Vec<_>>(),
    })
}

fn transition(transition: &pb::TransitionRecord) -> Value {
    json!({
        "from": transition.from,
        "to": transition.to,
        "at": at(transition.at_unix_ns),
        "why": present(&transition.why),
    })
}

fn health_check(check: &pb::HealthCheckInfo) -> Value {
    let http = check.http.as_ref().map(|http| {
        json!({
            "path": http.path,
            "host": present(&http.host),
            "response_code_min": http.response_code_min,
            "response_code_max": http.response_code_max,
            "response_regexp": present(&http.response_regexp),
            "server_name": present(&http.server_name),
            "insecure_skip_verify": http.insecure_skip_verify,
        })
    });
    let tcp = check.tcp.as_ref().map(|tcp| {
        json!({
            "ssl": tcp.ssl,
            "server_name": present(&tcp.server_name),
            "insecure_skip_verify": tcp.insecure_skip_verify,
        })
    });
    let dns = check.dns.as_ref().map(|dns| {
        json!({
            "query": dns.query,
            "record": dns.record,
            "transport": dns.transport,
            "expect_rcode": dns.expect_rcode,
            "expect_answer": present(&dns.expect_answer),
        })
    });
    json!({
        "name": check.name,
        "type": check.r#type,
        "port": Some(check.port).filter(|port| *port > 0),
        "interval_ns": check.interval_ns,
        "fast_interval_ns": check.fast_interval_ns,
        "down_interval_ns": check.down_interval_ns,
        "timeout_ns": check.timeout_ns,
        "rise": check.rise,
        "fall": check.fall,
        "probe_ipv4_src": present(&check.probe_ipv4_src),
        "probe_ipv6_src": present(&check.probe_ipv6_src),
        "http": http,
        "tcp": tcp,
        "dns": dns,
    })
}

fn vpp_info(info: &pb::VppInfo) -> Value {
    json!({
        "version": info.version,
        "build_date": info.build_date,
        "build_directory": info.build_directory,
        "pid": info.pid,
        "booted_at": at(info.boottime_ns),
        "connected_at": at(info.connecttime_ns),
        "missing_messages": info.missing_messages,
        "reaped_clients": info.reaped_clients,
    })
}

fn lb_state(state: &pb::VpplbState) -> Value {
    let conf = state.conf.as_ref().map(|conf| {
        json!({
            "ip4_src_address": conf.ip4_src_address,
            "ip6_src_address": conf.ip6_src_address,
            "sticky_buckets_per_core": conf.sticky_buckets_per_core,
            "flow_timeout_s": conf.flow_timeout,
        })
    });
    let server = |server: &pb::Vpplbas| {
        json!({
            "address": server.address,
            "weight": server.weight,
            "buckets": server.num_buckets,
            "in_use": server.flags & 1 != 0,
            "flags": server.flags,
            "removed_at": at(server.in_use_since_ns),
        })
    };
    let vip = |vip: &pb::Vpplbvip| {
        json!({
            "prefix": vip.prefix,
            "protocol": vip.protocol,
            "port": vip.port,
            "encap": vip.encap,
            "flow_table_length": Some(vip.flow_table_length).filter(|length| *length > 0),
            "servers": vip.application_servers.iter().map(server).collect::<Vec<_>>(),
        })
    };
    json!({ "conf": conf, "vips": state.vips.iter().map(vip).collect::<Vec<_>>() })
}

fn vip_counters(vip: &pb::VpplbvipCounters) -> Value {
    json!({
        "prefix": vip.prefix,
        "protocol": vip.protocol,
        "port": vip.port,
        "next": vip.next,
        "first": vip.first,
        "untracked": vip.untracked,
        "no_server": vip.no_server,
    })
}

fn synced(sync: &pb::SyncVpplbStateResponse, dry_run: bool) -> Value {
    let step = |step: &pb::SyncStep| {
        json!({
            "frontend": present(&step.frontend_name),
            "action": step.action,
            "disruption": step.disruption,
            "detail": step.detail,
            "error": present(&step.error),
            "moves": step.moves.as_ref().map(moves),
        })
    };
    let steps: Vec<Value> = sync.steps.iter().map(step).collect();
    json!({ "steps": steps, "applied": sync.applied, "dry_run": dry_run })
}

fn prediction(frontend: &str, backend: &str, predicted: &pb::PredictChangeResponse) -> Value {
    let server = |server: &pb::PredictedServer| {
        json!({
            "name": server.name,
            "address": server.address,
            "weight_before": server.weight_before,
            "weight_after": server.weight_after,
            "buckets_before": server.buckets_before,
            "buckets_after": server.buckets_after,
        })
    };
    json!({
        "frontend": frontend,
        "backend": backend,
        "servers": predicted.servers.iter().map(server).collect::<Vec<_>>(),
        "moves": predicted.moves.as_ref().map(moves),
    })
}

fn moves(moves: &pb::TableMoves) -> Value {
    json!({ "entries": moves.entries, "own": moves.own, "collateral": moves.collateral })
}

fn faults(faults: &CheckFindings) -> Value {
    json!({
        "ok": faults.ok,
        "parse_errors": faults.parse,
        "semantic_errors": faults.semantic,
        "reload_errors": faults.reload,
        "warnings": faults.warnings,
    })
}

/// One event; `type` says which of the other keys there are.
#[must_use]
pub fn event(event: &pb::Event) -> Value {
    use pb::event::Event;
    let mut value = match &event.event {
        Some(Event::Log(log)) => {
            let attrs: Map<String, Value> = log
                .attrs
                .iter()
                .map(|attr| (attr.key.clone(), attr.value.clone().into()))
                .collect();
            let at = at(log.at_unix_ns);
            json!({ "type": "log", "at": at, "level": log.level, "msg": log.msg, "attrs": attrs })
        }
        Some(Event::Backend(backend)) => {
            changed("backend", &backend.backend_name, backend.transition.as_ref())
        }
        Some(Event::Frontend(frontend)) => {
            changed("frontend", &frontend.frontend_name, frontend.transition.as_ref())
        }
        Some(Event::Dataplane(dataplane)) => json!({
            "type": "dataplane",
            "at": at(dataplane.at_unix_ns),
            "frontend": present(&dataplane.frontend_name),
            "kind": dataplane.kind,
            "detail": present(&dataplane.detail),
        }),
        Some(Event::Change(change)) => json!({
            "type": "change",
            "at": at(change.at_unix_ns),
            "kind": change.kind,
            "frontend": present(&change.frontend_name),
            "pool": present(&change.pool_name),
            "backend": present(&change.backend_name),
            "from": present(&change.from),
            "to": present(&change.to),
            "overridden": change.overridden,
            "who": change.who,
        }),
        Some(Event::Missed(missed)) => json!({ "type": "missed", "count": missed.count }),
        // A kind that only a newer daemon knows.
        None => json!({ "type": "unknown" }),
    };
    value["seq"] = event.seq.into();
    value["boot_id"] = format!("{:016x}", event.boot_id).into();
    value
}

/// A transition, with the name under the key of its kind.
fn changed(kind: &str, name: &str, record: Option<&pb::TransitionRecord>) -> Value {
    let mut value = transition(record.unwrap_or(&pb::TransitionRecord::default()));
    value["type"] = kind.into();
    value[kind] = name.into();
    value
}
