//! Answers and events as JSON, made of the read model in `api/views`. The
//! schema is stable and documented in docs/cli.md. Keys are sorted.

use serde_json::{Value, json, to_value};

use crate::api::views::text::printable_json;
use crate::api::views::{
    AnnouncementsJson, BackendJson, DoctorFindingJson, EventJson, ExplanationJson, FrontendJson,
    HealthCheckJson, IdentityJson, LbStateJson, OverridesJson, PredictionJson, SyncJson,
    VipCountersJson, VppInfoJson,
};
use crate::cli::answer::CliAnswer;
use crate::cli::command::help::Usage;
use crate::cli::command::request::Shell;
use crate::cli::command::scripts;
use crate::cli::version::Version;
use crate::pb;

/// An answer's JSON.
///
/// # Errors
/// None of the read model causes one.
pub fn answer(answer: &CliAnswer) -> serde_json::Result<Value> {
    match answer {
        CliAnswer::Frontends { frontends, .. } => {
            to_value(frontends.iter().map(FrontendJson::from).collect::<Vec<_>>())
        }
        CliAnswer::Frontend { frontend, backends } => {
            to_value(FrontendJson::with_states(frontend, backends))
        }
        CliAnswer::Predicted { frontend, backend, predicted } => {
            to_value(PredictionJson::new(frontend, backend, predicted))
        }
        CliAnswer::WeightSet { frontend, .. } => to_value(FrontendJson::from(frontend)),
        CliAnswer::Identity(identity) => to_value(IdentityJson::from(identity)),
        CliAnswer::Overrides(answer) => to_value(OverridesJson::from(answer)),
        CliAnswer::Announcements(answer)
        | CliAnswer::AnnouncementSet { announcements: answer, .. } => {
            to_value(AnnouncementsJson::from(answer))
        }
        CliAnswer::Backends(backends) => {
            to_value(backends.iter().map(BackendJson::from).collect::<Vec<_>>())
        }
        CliAnswer::Backend { backend, .. } => to_value(BackendJson::from(&**backend)),
        CliAnswer::BackendSet { backend, .. } => to_value(BackendJson::from(&**backend)),
        CliAnswer::HealthChecks(checks) => {
            to_value(checks.iter().map(HealthCheckJson::from).collect::<Vec<_>>())
        }
        CliAnswer::HealthCheck(check) => to_value(HealthCheckJson::from(check)),
        CliAnswer::VppInfo(info) => to_value(VppInfoJson::from(info)),
        CliAnswer::LbState(state) => to_value(LbStateJson::from(state)),
        CliAnswer::LbCounters(counters) => {
            to_value(counters.vips.iter().map(VipCountersJson::from).collect::<Vec<_>>())
        }
        CliAnswer::Doctor(doctor) => {
            to_value(doctor.findings.iter().map(DoctorFindingJson::from).collect::<Vec<_>>())
        }
        CliAnswer::Explained(explanation) => to_value(ExplanationJson::from(explanation)),
        CliAnswer::Timeline(timeline) => {
            to_value(timeline.events.iter().map(EventJson::from).collect::<Vec<_>>())
        }
        CliAnswer::Synced { sync, dry_run } => to_value(SyncJson::new(sync, *dry_run)),
        CliAnswer::Checked(check) | CliAnswer::Reloaded(check) => to_value(check),
    }
}

/// JSON as it is written for people and programs: nothing in it acts on a terminal.
#[must_use]
pub fn pretty(value: &Value) -> String {
    printable_json(&format!("{value:#}\n")).into_owned()
}

/// The same on one line, without its end.
#[must_use]
pub fn line(value: &Value) -> String {
    printable_json(&value.to_string()).into_owned()
}

/// One event; the key `type` decides which other keys there are.
///
/// # Errors
/// None of the read model causes one.
pub fn event(event: &pb::Event) -> serde_json::Result<Value> {
    to_value(EventJson::from(event))
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
