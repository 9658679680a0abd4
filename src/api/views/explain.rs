//! Explanations, probes, and differences between daemons.

use serde::Serialize;

use super::text::present;
use super::time::known_moment;
use crate::pb;

/// Why a backend or a frontend gets the flows that it gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExplanationJson {
    /// The backend or the frontend.
    pub name: String,
    /// The kind of cause: `serves`, `check_fails`, `paused`, …
    pub kind: String,
    /// The cause in one sentence, without a full stop.
    pub cause: String,
    /// Since when.
    pub since: Option<String>,
    /// From the probes to what VPP holds.
    pub chain: Vec<StatementJson>,
}

/// One step from the probes to VPP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatementJson {
    /// `probes`, `verdict`, `evidence`, `operator`, `pool`, `share`, `write` or
    /// `read_back`.
    pub stage: String,
    /// The frontend that it is about.
    pub frontend: Option<String>,
    pub text: String,
    pub since: Option<String>,
    /// What would change it.
    pub remedy: Option<String>,
}

/// A probe that ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProbeJson {
    /// `L7OK`, `L4TOUT`, …
    pub code: String,
    pub passed: bool,
    /// Nanoseconds.
    pub took_ns: i64,
    /// When it ended.
    pub at: Option<String>,
}

/// What is not the same at all of several daemons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DifferenceJson {
    /// `configuration`, `config_object`, `override`, `state`, `weight`,
    /// `effective_weight` or `table`.
    pub aspect: String,
    /// What differs, for people.
    pub what: String,
    /// In the order in which the daemons were named.
    pub values: Vec<DifferenceValueJson>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DifferenceValueJson {
    pub server: String,
    /// `None`: this daemon does not have it.
    pub value: Option<String>,
}

impl From<&pb::Explanation> for ExplanationJson {
    fn from(explanation: &pb::Explanation) -> Self {
        Self {
            name: explanation.name.clone(),
            kind: explanation.kind.clone(),
            cause: explanation.cause.clone(),
            since: known_moment(explanation.since_unix_ns),
            chain: explanation.chain.iter().map(StatementJson::from).collect(),
        }
    }
}

impl From<&pb::ExplainStatement> for StatementJson {
    fn from(statement: &pb::ExplainStatement) -> Self {
        Self {
            stage: statement.stage.clone(),
            frontend: present(&statement.frontend_name),
            text: statement.text.clone(),
            since: known_moment(statement.since_unix_ns),
            remedy: present(&statement.remedy),
        }
    }
}

impl From<&pb::ProbeRecord> for ProbeJson {
    fn from(probe: &pb::ProbeRecord) -> Self {
        Self {
            code: probe.code.clone(),
            passed: probe.passed,
            took_ns: probe.took_ns,
            at: known_moment(probe.at_unix_ns),
        }
    }
}
