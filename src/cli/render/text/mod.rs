//! Answers as text for people: one file for each subject. A text depends on
//! the answer and the context alone.

mod announcements;
mod backends;
mod checks;
mod common;
mod doctor;
pub(crate) mod drain;
mod explain;
mod frontends;
mod identity;
mod overrides;
mod prediction;
pub(crate) mod slow_start;
pub mod timeline;
mod vpp;

use crate::api::views::ConfigCheckJson;
use crate::api::views::text::printable;
use crate::cli::answer::CliAnswer;
use crate::cli::render::context::{RenderContext, Tone};
use common::first_names;

/// The text of an answer; each line with its newline.
#[must_use]
pub fn text(answer: &CliAnswer, context: &RenderContext) -> String {
    match answer {
        CliAnswer::Frontends { frontends: list, held_removals } => {
            frontends::list(list, context) + &held_note(held_removals, context)
        }
        CliAnswer::Frontend { frontend, backends } => frontends::one(frontend, backends, context),
        CliAnswer::Predicted { frontend, backend, predicted } => {
            prediction::prediction(frontend, backend, predicted, context)
        }
        CliAnswer::WeightSet { frontend, pool, backend, .. } => {
            frontends::weight(frontend, pool, backend, context)
        }
        CliAnswer::Backends(list) => backends::list(list, context),
        CliAnswer::Backend { backend, check } => backends::one(backend, check.as_ref(), context),
        CliAnswer::Identity(identity) => identity::identity(identity, context),
        CliAnswer::Overrides(answer) => overrides::list(answer, context),
        CliAnswer::Announcements(answer) => announcements::list(answer, context),
        CliAnswer::AnnouncementSet { announcements, .. } => {
            announcements::ordered(announcements, context)
        }
        CliAnswer::BackendSet { backend, .. } => backends::changed(backend, context),
        CliAnswer::HealthChecks(list) => checks::list(list, context),
        CliAnswer::HealthCheck(check) => checks::one(check, context),
        CliAnswer::VppInfo(info) => vpp::info(info, context),
        CliAnswer::LbState(state) => vpp::state(state, context),
        CliAnswer::LbCounters(counters) => vpp::counters(counters, context),
        CliAnswer::Doctor(doctor) => doctor::doctor(doctor, context),
        CliAnswer::Explained(explanation) => explain::explanation(explanation, context),
        CliAnswer::Timeline(timeline) => timeline::timeline(timeline, context),
        CliAnswer::Synced { sync, dry_run } => vpp::sync(sync, *dry_run, context),
        CliAnswer::Checked(check) => config(check, "the configuration is valid", context),
        CliAnswer::Reloaded(check) => config(check, "the configuration was reloaded", context),
    }
}

/// The line for removals that are held, after a list of frontends.
fn held_note(held: &[String], context: &RenderContext) -> String {
    if held.is_empty() {
        return String::new();
    }
    let label = context.paint(Tone::Bad, "held in VPP:");
    let vips = printable(&first_names(held));
    format!("{label} VIPs of no frontend: {vips}; sync vpp lb state force removes them\n")
}

/// A line for each error and warning, and one for success.
fn config(check: &ConfigCheckJson, success: &str, context: &RenderContext) -> String {
    let mut text = String::new();
    for fault in check.errors() {
        text.push_str(&format!("{} {fault}\n", context.paint(Tone::Bad, "fault:")));
    }
    for warning in &check.warnings {
        text.push_str(&format!("{} {warning}\n", context.paint(Tone::Unsure, "warning:")));
    }
    if check.ok {
        text.push_str(&format!("{}\n", context.paint(Tone::Good, success)));
    }
    text
}
