//! Explains why a backend or a frontend gets the flows that it gets: from its probes,
//! over the verdict, the evidence, the operator and the pools, to what VPP was written
//! and holds. The cause comes first, as one sentence; each statement of the chain has
//! its moment and what would change it.
//!
//! [`backend::explain`] and [`frontend::explain`] are functions of the [`facts`] alone.

mod announcement;
pub mod backend;
pub mod facts;
pub mod frontend;
mod members;
mod own;
mod probes;
#[cfg(test)]
mod tests;
mod vpp;

use std::fmt;
use std::time::SystemTime;

pub use announcement::with_announcement;

use crate::domain::dataplane::net::Vip;
use crate::domain::names::FrontendName;
use crate::domain::removals::FirstNames;

/// Why something is as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    pub cause: Cause,
    pub chain: Vec<Statement>,
}

/// What decides, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    pub kind: CauseKind,
    /// `web1 gets no new flows because …`, without a full stop.
    pub text: String,
    /// `None`: not known.
    pub since: Option<SystemTime>,
}

/// One step from the probes to VPP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub stage: ExplainStage,
    /// The frontend that it is about; `None`: the backend itself, or all of VPP.
    pub frontend: Option<FrontendName>,
    pub text: String,
    pub since: Option<SystemTime>,
    /// A command of maglevc, or what else would change it.
    pub remedy: Option<String>,
}

/// The steps, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExplainStage {
    /// The last results.
    Probes,
    /// The state that they made.
    Verdict,
    /// Whether failures are believed.
    Evidence,
    /// Whether the file and the operators want it in use.
    Operator,
    /// Which pool serves.
    Pool,
    /// The weight, and the part of the new flows.
    Share,
    /// What was written to VPP.
    Write,
    /// What VPP was read back to hold.
    ReadBack,
    /// Whether the address is announced.
    Announcement,
}

impl ExplainStage {
    /// The word in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Probes => "probes",
            Self::Verdict => "verdict",
            Self::Evidence => "evidence",
            Self::Operator => "operator",
            Self::Pool => "pool",
            Self::Share => "share",
            Self::Write => "write",
            Self::ReadBack => "read_back",
            Self::Announcement => "announce",
        }
    }
}

/// The kinds of cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CauseKind {
    /// It gets new flows, and all is as asked for.
    Serves,
    /// Some backends of the serving pool get none.
    Degraded,
    /// No frontend uses the backend.
    Unused,
    /// The file, or an operator, has it disabled.
    Disabled,
    Paused,
    /// Its name was never resolved.
    Unresolved,
    /// Its health check fails.
    CheckFails,
    /// Its health check passes again, and not often enough yet.
    Recovers,
    /// Its failures are not believed.
    Doubted,
    /// This machine cannot probe it.
    CannotProbe,
    /// It has had no result yet.
    NoResult,
    /// Its weight is 0.
    WeightZero,
    /// An operator's weight above 0 is in force.
    WeightSet,
    /// It does not have its whole weight yet.
    SlowStart,
    /// An earlier pool serves.
    Standby,
    /// A pool waits for a backend whose state is unknown.
    PoolWaits,
    /// A later pool serves.
    Failover,
    /// Health checks are not believed, since too many fail.
    FailsOpen,
    /// No backend can take new flows.
    NoBackend,
    VppOff,
    VppAway,
    /// VPP lacks the plugin, or has an old one.
    VppLacking,
    /// `startup-min-delay` is not over.
    StartupDelay,
    /// VPP refuses a step.
    Refused,
    /// VPP has not confirmed it yet.
    NotProgrammed,
    /// The table has no entry for it.
    NoEntry,
    /// Packets to the VIP do not reach the load balancer.
    Unreached,
    /// Somebody else changed VPP, which was mended a short while ago.
    Repaired,
    /// Its address is withdrawn, so that routers send it nothing.
    Withdrawn,
}

impl CauseKind {
    /// The word in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Serves => "serves",
            Self::Degraded => "degraded",
            Self::Unused => "unused",
            Self::Disabled => "disabled",
            Self::Paused => "paused",
            Self::Unresolved => "unresolved",
            Self::CheckFails => "check_fails",
            Self::Recovers => "recovers",
            Self::Doubted => "doubted",
            Self::CannotProbe => "cannot_probe",
            Self::NoResult => "no_result",
            Self::WeightZero => "weight_zero",
            Self::WeightSet => "weight_set",
            Self::SlowStart => "slow_start",
            Self::Standby => "standby",
            Self::PoolWaits => "pool_waits",
            Self::Failover => "failover",
            Self::FailsOpen => "fails_open",
            Self::NoBackend => "no_backend",
            Self::VppOff => "vpp_off",
            Self::VppAway => "vpp_away",
            Self::VppLacking => "vpp_lacking",
            Self::StartupDelay => "startup_delay",
            Self::Refused => "refused",
            Self::NotProgrammed => "not_programmed",
            Self::NoEntry => "no_entry",
            Self::Unreached => "unreached",
            Self::Repaired => "repaired",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl Cause {
    fn new(kind: CauseKind, text: impl Into<String>, since: Option<SystemTime>) -> Self {
        Self { kind, text: text.into(), since }
    }
}

impl Statement {
    fn new(stage: ExplainStage, text: impl Into<String>) -> Self {
        Self { stage, frontend: None, text: text.into(), since: None, remedy: None }
    }

    fn of(self, frontend: &FrontendName) -> Self {
        Self { frontend: Some(frontend.clone()), ..self }
    }

    fn since(self, since: Option<SystemTime>) -> Self {
        Self { since, ..self }
    }

    fn remedy(self, remedy: impl fmt::Display) -> Self {
        Self { remedy: Some(remedy.to_string()), ..self }
    }
}

/// Why there is nothing to explain: the configuration has no frontend of this name. Where
/// the removal of VIPs is held, the frontend may be one that VPP still serves.
#[must_use]
pub fn no_such_frontend(name: &str, held: &[Vip]) -> String {
    if held.is_empty() {
        return format!("there is no frontend \"{name}\"");
    }
    format!(
        "there is no frontend \"{name}\", and VPP still has VIPs of no frontend, whose removal is \
         held since it would be too many to be meant: {}; maglevc sync vpp lb state force \
         removes them",
        FirstNames(held)
    )
}
