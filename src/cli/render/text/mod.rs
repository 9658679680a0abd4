//! Answers as text for people: one file for each subject. Every line of every
//! answer is made from the answer and the page alone.

mod backends;
mod checks;
mod frontends;
mod prediction;
mod vpp;

use crate::cli::answer::{CheckFindings, CliAnswer};
use crate::cli::render::context::{RenderContext, Tone};

/// The text of an answer; each line with its newline.
#[must_use]
pub fn text(answer: &CliAnswer, page: &RenderContext) -> String {
    match answer {
        CliAnswer::Frontends(list) => frontends::list(list, page),
        CliAnswer::Frontend { frontend, backends } => frontends::one(frontend, backends, page),
        CliAnswer::Predicted { frontend, backend, predicted } => {
            prediction::prediction(frontend, backend, predicted, page)
        }
        CliAnswer::WeightSet { frontend, pool, backend } => {
            frontends::weight(frontend, pool, backend, page)
        }
        CliAnswer::Backends(list) => backends::list(list, page),
        CliAnswer::Backend { backend, check } => backends::one(backend, check.as_ref(), page),
        CliAnswer::BackendSet(backend) => backends::changed(backend, page),
        CliAnswer::HealthChecks(list) => checks::list(list, page),
        CliAnswer::HealthCheck(check) => checks::one(check, page),
        CliAnswer::VppInfo(info) => vpp::info(info, page),
        CliAnswer::LbState(state) => vpp::state(state, page),
        CliAnswer::LbCounters(counters) => vpp::counters(counters, page),
        CliAnswer::Synced { sync, dry_run } => vpp::sync(sync, *dry_run, page),
        CliAnswer::Checked(faults) => config(faults, "the configuration is valid", page),
        CliAnswer::Reloaded(faults) => config(faults, "the configuration was reloaded", page),
    }
}

/// Each fault and warning on a line; what went well is said in words.
fn config(faults: &CheckFindings, well: &str, page: &RenderContext) -> String {
    let mut text = String::new();
    for fault in faults.faults() {
        text.push_str(&format!("{} {fault}\n", page.paint(Tone::Bad, "fault:")));
    }
    for warning in &faults.warnings {
        text.push_str(&format!("{} {warning}\n", page.paint(Tone::Unsure, "warning:")));
    }
    if faults.ok {
        text.push_str(&format!("{}\n", page.paint(Tone::Good, well)));
    }
    text
}

/// `-` for what is empty.
fn or_dash(text: &str) -> &str {
    if text.is_empty() { "-" } else { text }
}

/// A part in per cent, to a tenth; rounded to the nearest.
fn share(part: u64, total: u64) -> String {
    if total == 0 {
        return "-".into();
    }
    let tenths = (part * 1000 + total / 2) / total;
    format!("{}.{}%", tenths / 10, tenths % 10)
}

fn yes_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

/// Says what a `*` behind a value means, where there is one.
fn override_note(marked: bool, page: &RenderContext) -> String {
    if !marked {
        return String::new();
    }
    page.paint(Tone::Faint, "* set by an operator over the configuration file") + "\n"
}
