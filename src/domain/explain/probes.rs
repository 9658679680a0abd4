//! What the last probes of a backend say.

use std::time::Duration;

use super::facts::{BackendSituation, ProbeSituation};
use super::{ExplainStage, Statement};
use crate::domain::health::State;
use crate::domain::health::probe_history::ProbeOutcome;

/// The failures at the end of the history.
pub(super) fn last_failures(history: &[ProbeOutcome]) -> u32 {
    let failures = history.iter().rev().take_while(|outcome| !outcome.code.passed()).count();
    u32::try_from(failures).unwrap_or(u32::MAX)
}

/// The passes at the end of the history.
pub(super) fn last_passes(history: &[ProbeOutcome]) -> u32 {
    let passes = history.iter().rev().take_while(|outcome| outcome.code.passed()).count();
    u32::try_from(passes).unwrap_or(u32::MAX)
}

/// `7 × L7OK, 3 × L7STS`, oldest first.
fn runs(history: &[ProbeOutcome]) -> String {
    let runs = history.chunk_by(|one, two| one.code == two.code);
    let runs = runs.filter_map(|run| Some(format!("{} × {}", run.len(), run.first()?.code)));
    runs.collect::<Vec<_>>().join(", ")
}

/// `1.2 ms`, `2 s`
fn span(took: Duration) -> String {
    match took.as_secs_f64() {
        seconds if seconds >= 1.0 => format!("{seconds:.1} s"),
        seconds => format!("{:.1} ms", seconds * 1000.0),
    }
}

pub(super) fn statement(backend: &BackendSituation, probes: &ProbeSituation) -> Statement {
    let Some(check) = &backend.check else {
        let text = "it has no health check, so that it is up whenever it is enabled";
        return Statement::new(ExplainStage::Probes, text)
            .remedy("`healthcheck` of the backend in the configuration file");
    };
    let is_stopped = matches!(backend.state, State::Paused | State::Disabled);
    let looks = format!("show healthcheck {}", check.name);
    let Some(last) = probes.history.last() else {
        let text = match (is_stopped, backend.address) {
            (true, _) => format!("it is not probed while it is {}", backend.state),
            (false, None) => "it is not probed before its name resolves".into(),
            (false, Some(_)) => format!("health check {} has no result yet", check.name),
        };
        return Statement::new(ExplainStage::Probes, text).remedy(looks);
    };
    let detail = probes.last.as_ref().map(|result| format!(": {result}")).unwrap_or_default();
    let stopped =
        if is_stopped { format!("; not probed while {}", backend.state) } else { String::new() };
    let text = format!(
        "health check {}, oldest first: {}; the last took {}{detail}{stopped}",
        check.name,
        runs(&probes.history),
        span(last.took()),
    );
    Statement::new(ExplainStage::Probes, text).since(Some(last.ended())).remedy(looks)
}
