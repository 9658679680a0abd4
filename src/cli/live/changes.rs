//! The recent changes in words.

use crate::api::views::text::printable;
use crate::cli::render::context::Tone;
use crate::cli::render::text::drain;
use crate::cli::render::time::elapsed;
use crate::client::mirror::{RecentChange, RecentChangeKind};
use crate::pb;

/// A recent change in words, and their tone.
pub(super) fn described(change: &RecentChange) -> (String, Tone) {
    let transition = |object: &str, name: &str, last: &pb::TransitionRecord| {
        let arrow = format!("{} → {}", last.from, last.to);
        (words(&[object, name, &arrow, &last.why]), Tone::of_state(&last.to))
    };
    match &change.kind {
        RecentChangeKind::Backend { name, transition: last } => transition("backend", name, last),
        RecentChangeKind::Frontend { name, transition: last } => transition("frontend", name, last),
        RecentChangeKind::FailOpen(event) => {
            let last = event.transition.clone().unwrap_or_default();
            let (what, tone) = match last.to.as_str() {
                "open" => ("FAILS OPEN", Tone::Bad),
                _ => ("no longer fails open", Tone::Good),
            };
            let share = format!("weight {} of {} is up", event.up_weight, event.total_weight);
            (words(&["frontend", &event.frontend_name, what, &share, &last.why]), tone)
        }
        RecentChangeKind::Dataplane(event) => {
            let tone = match event.kind.as_str() {
                "disconnected" | "model_mismatch" | "removals_held" => Tone::Bad,
                "connected" => Tone::Good,
                _ => Tone::Plain,
            };
            (words(&["VPP", &event.frontend_name, &event.kind, &event.detail]), tone)
        }
        RecentChangeKind::Hold(hold) if hold.kind == "began" => {
            (words(&["verdicts held", &hold.probes, "nobody passes"]), Tone::Unsure)
        }
        RecentChangeKind::Hold(hold) => {
            let lasted = elapsed(hold.lasted_ns);
            (words(&["verdicts", &hold.outcome, &hold.probes, "after", &lasted]), Tone::Plain)
        }
        RecentChangeKind::Drain(event) => {
            let flows = event.flows.map_or(String::new(), |flows| format!("{flows} flows"));
            let what = ["drain of", &event.backend_name, &event.kind, &flows, &event.why];
            (words(&what), drain::tone(&event.kind))
        }
        RecentChangeKind::Announcement(event) => {
            let arrow = format!("{} → {}", event.from, event.to);
            let at = match event.driver.as_str() {
                "" => String::new(),
                driver => format!("at {driver}"),
            };
            let tone = match event.to.as_str() {
                "withdrawn" | "failed" | "blocked" => Tone::Bad,
                "announced" | "works" => Tone::Good,
                _ => Tone::Plain,
            };
            (words(&["announcement", &event.prefix, &arrow, &at, &event.why]), tone)
        }
        RecentChangeKind::Missed(count) => (format!("{count} events missed"), Tone::Unsure),
    }
}

/// The words that are not empty, on one line.
fn words(words: &[&str]) -> String {
    let words: Vec<&str> = words.iter().copied().filter(|word| !word.is_empty()).collect();
    printable(&words.join(" "))
}
