//! Reports as JSON: one object a line. The schema is stable and documented in
//! docs/maglevt.md.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::test_report::{TestReport, TestStart};
use crate::api::views::time::rfc3339;
use crate::cli::render::json;
use crate::domain::tester::counts::Failures;
use crate::domain::tester::fact::TestEvent;
use crate::domain::tester::full_size::FullSizeFinding;
use crate::domain::tester::latency::Latencies;
use crate::domain::tester::limits::Breach;
use crate::domain::tester::record::VipReport;
use crate::domain::tester::shares::{ExpectedShares, ShareFinding};
use crate::tester::targets::target::VipTarget;

/// An object as it is written.
pub(super) fn line(value: &Value) -> String {
    format!("{}\n", json::line(value))
}

pub(super) fn start(start: &TestStart<'_>) -> Value {
    let vips = start.targets.iter().map(|target| {
        let mut vip = identity(target);
        vip.insert("expected".into(), target.expected.as_ref().map(shares_of).into());
        Value::Object(vip)
    });
    json!({
        "type": "start", "at": rfc3339(start.at_ns), "vips": vips.collect::<Vec<_>>(),
        "hold": start.hold, "interval_ms": start.interval.map(ms),
    })
}

pub(super) fn event(at_ns: i64, at: Duration, target: &VipTarget, event: &TestEvent) -> Value {
    let mut object = Map::from_iter([
        ("type".into(), "event".into()),
        ("at".into(), rfc3339(at_ns).into()),
        ("elapsed_ms".into(), ms(at)),
        ("vip".into(), target.name.clone().into()),
    ]);
    let more = match event {
        TestEvent::Broken { slot, server, failure } => json!({
            "what": "broken", "slot": slot, "server": server,
            "kind": failure.kind.as_str(), "why": failure.why,
        }),
        TestEvent::Moved { slot, from, to } => {
            json!({ "what": "moved", "slot": slot, "server": from, "now": to })
        }
        TestEvent::Gap { lasted } => json!({ "what": "gap", "gap_ms": ms(*lasted) }),
        TestEvent::FullSize { says } => json!({ "what": "full_size", "why": says }),
    };
    if let Value::Object(more) = more {
        object.extend(more);
    }
    object.into()
}

pub(super) fn interval(report: &TestReport, lasted: Duration, left_out: u64) -> Value {
    let vips = report.vips.iter().map(|(target, vip)| counted(target, vip).into());
    json!({
        "type": "interval", "at": rfc3339(report.at_ns), "elapsed_ms": ms(report.elapsed),
        "interval_ms": ms(lasted), "events_left_out": left_out,
        "vips": vips.collect::<Vec<Value>>(),
    })
}

pub(super) fn summary(report: &TestReport, breaches: &[Breach]) -> Value {
    let vips = report.vips.iter().map(|(target, vip)| {
        let mut object = counted(target, vip);
        object.insert("shares".into(), shares(&vip.shares, vip.expected.as_ref()));
        object.insert("full_size".into(), vip.full_size.as_ref().map(full_size).into());
        Value::Object(object)
    });
    json!({
        "type": "summary", "at": rfc3339(report.at_ns), "elapsed_ms": ms(report.elapsed),
        "passed": breaches.is_empty(),
        "breaches": breaches.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "vips": vips.collect::<Vec<_>>(),
    })
}

fn identity(target: &VipTarget) -> Map<String, Value> {
    Map::from_iter([
        ("vip".into(), target.name.clone().into()),
        ("address".into(), target.address.to_string().into()),
        ("kind".into(), target.kind.as_str().into()),
    ])
}

fn counted(target: &VipTarget, vip: &VipReport) -> Map<String, Value> {
    let counts = &vip.counts;
    let mut object = identity(target);
    let more = json!({
        "attempts": counts.attempts,
        "ok": counts.ok,
        "failed": failures(&counts.failed),
        "skipped": counts.skipped,
        "latency_ms": latency(&counts.latencies),
        "tally": counts.tally,
        "held_wanted": vip.held_wanted,
        "held_open": vip.held_open,
        "held_stalled": vip.held_stalled,
        "held_opened": counts.held_opened,
        "held_failed": failures(&counts.held_failed),
        "held_renewed": counts.held_renewed,
        "held_answers": counts.held_answers,
        "held_longest_stall_ms": ms(counts.held_longest_stall),
        "held_tally": vip.held_tally,
        "broken": counts.broken,
        "broken_by": failures(&counts.broken_by),
        "broken_slots": vip.broken_slots,
        "moved": counts.moved,
        "gap_ms": ms(vip.gap),
        "longest_gap_ms": ms(vip.longest_gap),
    });
    if let Value::Object(more) = more {
        object.extend(more);
    }
    object
}

fn failures(failures: &Failures) -> Value {
    failures.iter().map(|(kind, count)| (kind.as_str().to_owned(), Value::from(*count))).collect()
}

fn latency(latencies: &Latencies) -> Value {
    let percentile = |percent| latencies.percentile(percent).map(fine_ms);
    match latencies.max() {
        None => Value::Null,
        Some(max) => json!({
            "p50": percentile(50), "p90": percentile(90), "p99": percentile(99),
            "max": fine_ms(max),
        }),
    }
}

fn shares(finding: &ShareFinding, expected: Option<&ExpectedShares>) -> Value {
    json!({
        "verdict": finding.verdict.as_str(), "says": finding.says, "p": finding.p,
        "answers": finding.answers, "expected": expected.map(shares_of),
    })
}

fn shares_of(expected: &ExpectedShares) -> Value {
    expected.iter().map(|(name, share)| (name.to_owned(), Value::from(share))).collect()
}

fn full_size(finding: &FullSizeFinding) -> Value {
    json!({
        "passes": finding.passes, "says": finding.says, "mss": finding.mss,
        "largest_passing": finding.largest_passing, "by_server": finding.by_server,
    })
}

/// Whole milliseconds.
fn ms(time: Duration) -> Value {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).into()
}

/// Milliseconds to the microsecond.
fn fine_ms(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
