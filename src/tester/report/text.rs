//! Reports as lines for people.

use std::fmt::Write as _;
use std::time::Duration;

use super::test_report::{TestReport, TestStart};
use crate::api::views::text::printable;
use crate::api::views::time::time_of_day;
use crate::cli::render::context::{RenderContext, Tone};
use crate::domain::tester::counts::{Failures, VipCounts};
use crate::domain::tester::fact::TestEvent;
use crate::domain::tester::limits::Breach;
use crate::domain::tester::record::VipReport;
use crate::domain::tester::shares::ShareVerdict;
use crate::tester::targets::target::VipTarget;

pub(super) fn start(start: &TestStart<'_>, context: &RenderContext) -> String {
    let mut text = String::new();
    for target in start.targets {
        let name = context.paint(Tone::Title, &printable(&target.name));
        // Writing to a String cannot fail.
        let _ = writeln!(text, "testing {name}: {} over {}", target.address, target.kind.as_str());
    }
    text
}

/// An event, with its tone.
pub(super) fn event_line(at_ns: i64, target: &VipTarget, event: &TestEvent) -> (Tone, String) {
    let (tone, what) = match event {
        TestEvent::Broken { slot, server, failure } => {
            let server = server.as_ref().map(|name| format!(" (of {name})")).unwrap_or_default();
            (Tone::Bad, format!("held connection {slot}{server} broke: {failure}"))
        }
        TestEvent::Moved { slot: Some(slot), from, to } => {
            (Tone::Bad, format!("held connection {slot} moved from {from} to {to}"))
        }
        TestEvent::Moved { slot: None, from, to } => {
            (Tone::Bad, format!("a new connection moved from {from} to {to}"))
        }
        TestEvent::Gap { lasted } => {
            (Tone::Bad, format!("succeeds again, after a gap of {}", ms(*lasted)))
        }
        TestEvent::FullSize { says } => (Tone::Unsure, says.clone()),
    };
    (tone, printable(&format!("{} {}: {what}", time_of_day(at_ns), target.name)))
}

pub(super) fn event(
    at_ns: i64,
    target: &VipTarget,
    event: &TestEvent,
    context: &RenderContext,
) -> String {
    let (tone, line) = event_line(at_ns, target, event);
    context.paint(tone, &line) + "\n"
}

pub(super) fn interval(report: &TestReport, left_out: u64, context: &RenderContext) -> String {
    let mut text = String::new();
    let time = time_of_day(report.at_ns);
    for (target, vip) in &report.vips {
        let name = context.paint(Tone::Title, &printable(&target.name));
        let _ = writeln!(text, "{time} {name}: {}", counts(vip, context));
    }
    if left_out > 0 {
        let _ = writeln!(text, "{time} {left_out} more events are not shown");
    }
    text
}

/// One VIP's counts on a line.
fn counts(vip: &VipReport, context: &RenderContext) -> String {
    let counts = &vip.counts;
    let bad = |count: u64| if count > 0 { Tone::Bad } else { Tone::Plain };
    let failed = format!("{} failed{}", counts.failed(), by_kind(&counts.failed));
    let mut parts = vec![format!("{} ok", counts.ok), context.paint(bad(counts.failed()), &failed)];
    if counts.skipped > 0 {
        let skipped = format!("{} skipped (this machine is too busy)", counts.skipped);
        parts.push(context.paint(Tone::Unsure, &skipped));
    }
    parts.extend(latency(counts));
    if vip.held_wanted > 0 {
        let tone = if vip.held_open < vip.held_wanted { Tone::Unsure } else { Tone::Plain };
        let held = format!("held {}/{}", vip.held_open, vip.held_wanted);
        parts.push(context.paint(tone, &held));
        let broken = format!("{} broken{}", counts.broken, by_kind(&counts.broken_by));
        parts.push(context.paint(bad(counts.broken), &broken));
        if vip.held_stalled > 0 {
            parts.push(context.paint(Tone::Unsure, &format!("{} stalled", vip.held_stalled)));
        }
    }
    if counts.moved > 0 || vip.held_wanted > 0 {
        parts.push(context.paint(bad(counts.moved), &format!("{} moved", counts.moved)));
    }
    parts.push(format!("longest gap {}", ms(vip.longest_gap)));
    parts.join(", ")
}

fn latency(counts: &VipCounts) -> Option<String> {
    let of = |percent| counts.latencies.percentile(percent).map(fine_ms);
    Some(format!("p50 {} p90 {} p99 {}", of(50)?, of(90)?, of(99)?))
}

/// ` (2 reset, 1 timeout)`
fn by_kind(failures: &Failures) -> String {
    if failures.is_empty() {
        return String::new();
    }
    let kinds: Vec<_> =
        failures.iter().map(|(kind, count)| format!("{count} {}", kind.as_str())).collect();
    format!(" ({})", kinds.join(", "))
}

pub(super) fn summary(report: &TestReport, breaches: &[Breach], context: &RenderContext) -> String {
    let mut text = String::new();
    for (target, vip) in &report.vips {
        let name = context.paint(Tone::Title, &printable(&target.name));
        let _ = writeln!(
            text,
            "\n{name} {} over {}, {} new flows in {}",
            target.address,
            target.kind.as_str(),
            vip.counts.attempts,
            ms(report.elapsed)
        );
        let _ = writeln!(text, "  {}", counts(vip, context));
        let total: u64 = vip.counts.tally.values().sum();
        for (server, count) in &vip.counts.tally {
            // In tenths, rounded.
            let share = (count * 1000 + total / 2) / total.max(1);
            let share = format!("{}.{} %", share / 10, share % 10);
            let _ = writeln!(text, "  {count:>8} {share:>7}  {}", printable(server));
        }
        if vip.expected.is_some() {
            let verdict = vip.shares.verdict;
            let tone = match verdict {
                ShareVerdict::AsExpected => Tone::Good,
                ShareVerdict::Wrong => Tone::Bad,
                _ => Tone::Unsure,
            };
            let word = context.paint(tone, verdict.as_str());
            let _ = writeln!(text, "  shares: {word}: {}", printable(&vip.shares.says));
        }
        if let Some(finding) = &vip.full_size {
            let tone = match finding.passes {
                Some(true) => Tone::Good,
                Some(false) => Tone::Bad,
                None => Tone::Unsure,
            };
            let _ = writeln!(text, "  {}", context.paint(tone, &printable(&finding.says)));
        }
    }
    text.push('\n');
    for breach in breaches {
        let line = printable(&format!("FAILED {breach}"));
        let _ = writeln!(text, "{}", context.paint(Tone::Bad, &line));
    }
    if breaches.is_empty() {
        let _ = writeln!(text, "{}", context.paint(Tone::Good, "PASSED"));
    }
    text
}

/// `700 ms`, `12.3 s`
pub(super) fn ms(time: Duration) -> String {
    if time < Duration::from_secs(10) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}

/// `0.43 ms`, `12.3 ms`, `432 ms`
pub(super) fn fine_ms(time: Duration) -> String {
    match time.as_secs_f64() * 1000.0 {
        small if small < 10.0 => format!("{small:.2} ms"),
        medium if medium < 100.0 => format!("{medium:.1} ms"),
        large => format!("{large:.0} ms"),
    }
}
