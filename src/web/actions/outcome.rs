//! What became of an action, daemon by daemon.

use serde_json::{Value, json};

use super::asked::AskedAction;
use crate::api::views::{BackendJson, FrontendJson, SyncStepJson};
use crate::cli::answer::CliAnswer;
use crate::cli::error::CliError;
use crate::cli::multi_server::{Fate, Fates, ServerAnswer};
use crate::cli::render::context::RenderContext;
use crate::cli::render::text;
use crate::cli::set;

/// What became of it at one daemon.
pub(in crate::web) struct DaemonOutcome {
    pub(in crate::web) daemon: String,
    /// `done`, `refused`, `unreached`, `failed`, `spared`, `undone` or `stuck`.
    pub(in crate::web) outcome: &'static str,
    pub(in crate::web) message: String,
    answer: Option<CliAnswer>,
}

pub(in crate::web) struct ActionAnswer {
    action: &'static str,
    why: String,
    results: Vec<DaemonOutcome>,
}

impl ActionAnswer {
    pub(super) fn of_answers(
        asked: &AskedAction,
        names: Vec<String>,
        answers: Vec<ServerAnswer>,
    ) -> Self {
        let results = names.into_iter().zip(answers);
        let results = results.map(|(daemon, answer)| match answer.result {
            Ok(answer) => done(daemon, answer),
            Err(error) => failed(daemon, &error),
        });
        Self { action: asked.action(), why: asked.why().to_owned(), results: results.collect() }
    }

    pub(super) fn of_fates(asked: &AskedAction, names: Vec<String>, fates: Fates) -> Self {
        let results = names.into_iter().zip(fates);
        let results = results.map(|(daemon, (_, fate))| match fate {
            Fate::Changed(answer) => done(daemon, *answer),
            Fate::Failed(error) => failed(daemon, &error),
            Fate::Spared => {
                let message = "would, and was not changed".into();
                DaemonOutcome { daemon, outcome: "spared", message, answer: None }
            }
            Fate::Undone(by) => {
                let by = by.iter().filter_map(set::described).collect::<Vec<_>>().join(", ");
                let message = match by.as_str() {
                    "" => "had nothing to change".into(),
                    by => format!("was changed back: {by}"),
                };
                DaemonOutcome { daemon, outcome: "undone", message, answer: None }
            }
            Fate::Stuck { why, undoing } => {
                let message = format!("could not be changed back: {why}; {undoing}");
                DaemonOutcome { daemon, outcome: "stuck", message, answer: None }
            }
        });
        Self { action: asked.action(), why: asked.why().to_owned(), results: results.collect() }
    }

    pub(in crate::web) fn action(&self) -> &'static str {
        self.action
    }

    pub(in crate::web) fn why(&self) -> &str {
        &self.why
    }

    pub(in crate::web) fn results(&self) -> &[DaemonOutcome] {
        &self.results
    }

    fn outcome(&self) -> &'static str {
        let is = |outcome: &str| self.results.iter().any(|result| result.outcome == outcome);
        let all = self.results.iter().all(|result| result.outcome == "done");
        match () {
            () if all => "done",
            () if is("stuck") => "stuck",
            () if is("undone") => "undone",
            () if is("done") => "some",
            () => "none",
        }
    }

    pub(in crate::web) fn to_json(&self) -> Value {
        let results: Vec<_> = self.results.iter().map(DaemonOutcome::to_json).collect();
        json!({ "action": self.action, "outcome": self.outcome(), "results": results })
    }
}

fn done(daemon: String, answer: CliAnswer) -> DaemonOutcome {
    let plain = RenderContext { now_ns: 0, width: None, colour: false };
    let (outcome, message) = match answer.failure() {
        Some(failure) => ("failed", failure),
        None => ("done", text::text(&answer, &plain).trim_end().to_owned()),
    };
    DaemonOutcome { daemon, outcome, message, answer: Some(answer) }
}

fn failed(daemon: String, error: &CliError) -> DaemonOutcome {
    let outcome = if error.status() == 3 { "unreached" } else { "refused" };
    DaemonOutcome { daemon, outcome, message: error.to_string(), answer: None }
}

impl DaemonOutcome {
    fn to_json(&self) -> Value {
        let mut value = json!({
            "daemon": self.daemon,
            "outcome": self.outcome,
            "message": self.message,
            "programmed": null,
            "backend": null,
            "frontend": null,
            "steps": [],
            "check": null,
        });
        match &self.answer {
            Some(CliAnswer::BackendSet { backend, .. }) => {
                value["programmed"] = backend.programmed.into();
                value["backend"] = json!(BackendJson::from(&**backend));
            }
            Some(CliAnswer::WeightSet { frontend, .. }) => {
                value["programmed"] = frontend.programmed.into();
                value["frontend"] = json!(FrontendJson::from(frontend));
            }
            Some(CliAnswer::Synced { sync, .. }) => {
                let steps = sync.steps.iter().map(SyncStepJson::from).collect::<Vec<_>>();
                value["steps"] = json!(steps);
            }
            Some(CliAnswer::Reloaded(check)) => value["check"] = json!(check),
            _ => {}
        }
        value
    }
}
