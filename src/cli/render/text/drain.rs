//! How far a drain is, in a line, and as a bar.

use crate::api::views::text::printable;
use crate::cli::render::context::Tone;
use crate::cli::render::time::{elapsed, span};
use crate::pb::DrainInfo;

const SECOND_NS: i64 = 1_000_000_000;

/// The cells of a whole bar.
const BAR: usize = 24;

/// The tone of a phase.
pub(crate) fn tone(phase: &str) -> Tone {
    match phase {
        "overdue" => Tone::Bad,
        "drained" => Tone::Good,
        _ => Tone::Held,
    }
}

/// A server without a packet for less than this may just have had none between two.
const QUIET_NS: i64 = 3 * SECOND_NS;

/// `draining for 2m0s: 90 of 120 flows, about 42 in use, 1.5 end in a second, the last in
/// about 28s`
pub(crate) fn line(drain: &DrainInfo) -> String {
    let lasted = elapsed(drain.lasted_ns);
    if drain.phase == "drained" {
        let first = drain.first_flows.map_or(String::new(), |first| format!(", of {first} flows"));
        return format!("drained after {lasted}{first}");
    }
    let mut parts = vec![flows(drain)];
    parts.extend(in_use(drain));
    parts.extend(quiet(drain));
    parts.extend(drain.rate.and_then(rate));
    let is_estimated = drain.uncounted.is_empty() && drain.flows.is_some_and(|flows| flows > 0);
    if is_estimated {
        parts.push(match drain.ends_in_ns {
            Some(ends_in) => format!("the last in about {}", rounded(ends_in)),
            None => "no saying when the last does".into(),
        });
    }
    parts.extend(drain.left_ns.map(|left| {
        let then = if drain.flush { ", then flush" } else { "" };
        format!("timeout in {}{then}", elapsed(left))
    }));
    if drain.phase == "overdue" {
        parts.push(format!("its timeout of {} is over", span(drain.timeout_ns)));
    }
    if !drain.uncounted.is_empty() {
        parts.push(format!("not counted: {}", printable(&drain.uncounted)));
    }
    format!("{} for {lasted}: {}", printable(&drain.phase), parts.join(", "))
}

/// `[########------]  42 of 120 flows, …`, in `width` columns.
pub(crate) fn bar(drain: &DrainInfo, width: usize) -> String {
    let (first, counted) = (drain.first_flows.unwrap_or(0), drain.flows.unwrap_or(0));
    let left = drain.in_use.map_or(counted, |in_use| in_use.min(counted));
    // Where they became more since, the bar is empty.
    let gone = first.saturating_sub(left);
    let filled = if first == 0 {
        if drain.phase == "drained" { BAR } else { 0 }
    } else {
        usize::try_from(u128::from(gone) * BAR as u128 / u128::from(first)).unwrap_or(BAR)
    };
    let bar = format!("[{}{}] {}", "#".repeat(filled), "-".repeat(BAR - filled), line(drain));
    bar.chars().take(width).collect()
}

fn flows(drain: &DrainInfo) -> String {
    match (drain.flows, drain.first_flows) {
        (None, _) => "flows not counted yet".into(),
        (Some(flows), Some(first)) if first > flows => format!("{flows} of {first} flows"),
        (Some(1), _) => "1 flow".into(),
        (Some(flows), _) => format!("{flows} flows"),
    }
}

/// Where fewer are in use than VPP counts.
fn in_use(drain: &DrainInfo) -> Option<String> {
    let in_use = drain.in_use.filter(|in_use| drain.flows.is_some_and(|flows| *in_use < flows))?;
    Some(if in_use == 0 { "hardly one in use".into() } else { format!("about {in_use} in use") })
}

fn quiet(drain: &DrainInfo) -> Option<String> {
    let (quiet, after) = drain.quiet_ns.zip(drain.forgets_after_ns)?;
    let is_quiet = quiet >= QUIET_NS && drain.uncounted.is_empty();
    let after = elapsed(after);
    is_quiet.then(|| format!("no packet for {} (none is left after {after})", elapsed(quiet)))
}

/// Where they neither become fewer nor more, nothing.
fn rate(rate: f64) -> Option<String> {
    let figure = |rate: f64| if rate < 10.0 { format!("{rate:.1}") } else { format!("{rate:.0}") };
    if rate >= 0.05 {
        Some(format!("{} end in a second", figure(rate)))
    } else if rate <= -0.05 {
        Some(format!("{} more in a second", figure(-rate)))
    } else if rate > 0.0 {
        Some(format!("{} end in an hour", figure(rate * 3600.0)))
    } else {
        None
    }
}

/// A span without false precision: to a tenth of it, at least a second.
fn rounded(ns: i64) -> String {
    let seconds = (ns.max(0) / SECOND_NS).max(1);
    let mut steps = [3600, 1800, 600, 300, 60, 30, 10, 5].into_iter();
    let step = steps.find(|step| step * 10 <= seconds).unwrap_or(1);
    elapsed((seconds + step / 2) / step * step * SECOND_NS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draining() -> DrainInfo {
        DrainInfo {
            phase: "draining".into(),
            lasted_ns: 120 * SECOND_NS,
            timeout_ns: 600 * SECOND_NS,
            left_ns: Some(480 * SECOND_NS),
            flows: Some(42),
            first_flows: Some(120),
            rate: Some(1.5),
            ends_in_ns: Some(28 * SECOND_NS),
            ..DrainInfo::default()
        }
    }

    #[test]
    fn a_line_says_what_is_known() {
        let text = "draining for 2m0s: 42 of 120 flows, 1.5 end in a second, the last in about 28s, \
                    timeout in 8m0s";
        assert_eq!(line(&draining()), text);
        let counted = DrainInfo {
            flows: Some(110),
            in_use: Some(42),
            quiet_ns: Some(SECOND_NS),
            forgets_after_ns: Some(42 * SECOND_NS),
            ..draining()
        };
        let expected = text.replace("42 of 120 flows", "110 of 120 flows, about 42 in use");
        assert_eq!(line(&counted), expected);
        let quiet = DrainInfo {
            in_use: Some(0),
            quiet_ns: Some(12 * SECOND_NS),
            rate: Some(0.0),
            ends_in_ns: Some(30 * SECOND_NS),
            ..counted
        };
        let expected = "draining for 2m0s: 110 of 120 flows, hardly one in use, no packet for 12s \
                        (none is left after 42s), the last in about 30s, timeout in 8m0s";
        assert_eq!(line(&quiet), expected);
        let flushed = DrainInfo { flush: true, ..draining() };
        assert_eq!(line(&flushed), format!("{text}, then flush"));
        let rest = DrainInfo { rate: Some(0.0), ends_in_ns: None, ..draining() };
        let expected = "draining for 2m0s: 42 of 120 flows, no saying when the last does, \
                        timeout in 8m0s";
        assert_eq!(line(&rest), expected);
        let unknown = DrainInfo {
            phase: "draining".into(),
            uncounted: "VPP is\x1b away".into(),
            ..DrainInfo::default()
        };
        let expected = "draining for 0s: flows not counted yet, not counted: VPP is\\u{1b} away";
        assert_eq!(line(&unknown), expected);
        let overdue = DrainInfo { phase: "overdue".into(), left_ns: None, ..draining() };
        assert!(line(&overdue).ends_with("its timeout of 10m is over"), "{}", line(&overdue));
        let over = DrainInfo { phase: "drained".into(), flows: Some(0), ..draining() };
        assert_eq!(line(&over), "drained after 2m0s, of 120 flows");
    }

    #[test]
    fn rates_are_of_a_second_or_an_hour() {
        let cases = [
            (0.0, None),
            (12.4, Some("12 end in a second")),
            (-3.0, Some("3.0 more in a second")),
            (0.01, Some("36 end in an hour")),
            (-0.01, None),
        ];
        for (given, expected) in cases {
            assert_eq!(rate(given).as_deref(), expected, "{given}");
        }
    }

    #[test]
    fn spans_have_no_false_precision() {
        let cases = [(0, "1s"), (28, "28s"), (57, "55s"), (118, "2m0s"), (7300, "2h0m")];
        for (seconds, expected) in cases {
            assert_eq!(rounded(seconds * SECOND_NS), expected, "{seconds}");
        }
    }

    #[test]
    fn a_bar_fills_as_flows_end_and_fits() {
        let filled = |drain: &DrainInfo| bar(drain, 200).matches('#').count();
        assert_eq!(filled(&draining()), 78 * BAR / 120);
        assert_eq!(filled(&DrainInfo { flows: Some(500), ..draining() }), 0);
        let counted = DrainInfo { flows: Some(120), in_use: Some(42), ..draining() };
        assert_eq!(filled(&counted), 78 * BAR / 120);
        let over = DrainInfo { phase: "drained".into(), first_flows: Some(0), ..draining() };
        assert_eq!(filled(&over), BAR);
        assert_eq!(bar(&draining(), 40).chars().count(), 40);
    }
}
