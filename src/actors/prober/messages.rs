//! What a prober is told and asked.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use actix::prelude::*;
use tokio::sync::oneshot;

use crate::domain::config::HealthCheck;
use crate::domain::controller::ProberId;
use crate::domain::events::Transition;
use crate::domain::health::probe_result::ProbeResult;
use crate::domain::health::probe_stats::ProbeStats;
use crate::domain::health::{Admin, Health, State};
use crate::domain::names::BackendName;
use crate::probe::ProbeEnvironment;

/// A backend changed its state: to the Controller.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Transitioned {
    /// The prober that says so.
    pub prober: ProberId,
    pub backend: BackendName,
    pub transition: Transition<State>,
    /// When the deciding result was in.
    pub decided: Instant,
}

/// Put the backend into this administrative state. Answered when it is.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Administer {
    /// What is wanted.
    pub admin: Admin,
    /// Who wants it.
    pub why: String,
}

/// The backend has another health check from now on; `None`: always up.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct CheckChanged(pub Option<Arc<HealthCheck>>);

/// The backend is at another address from now on.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Readdressed(pub IpAddr);

/// Probes leave from another namespace from now on.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Relocated(pub ProbeEnvironment);

/// What did all the probes find?
#[derive(Message, Debug)]
#[rtype(result = "ProbeCount")]
pub struct GetProbeStats;

/// The probes of one backend, counted.
#[derive(Clone, Debug, MessageResponse)]
pub struct ProbeCount {
    /// The backend.
    pub backend: BackendName,
    /// The type of its check; `None`: it is not probed.
    pub kind: Option<&'static str>,
    /// Since it has that type.
    pub stats: ProbeStats,
}

/// End, with no probe under way and no socket open.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Stop;

/// Where does the counter stand, and what did the last probe find?
#[derive(Message, Debug)]
#[rtype(result = "ProbeReading")]
pub struct GetReading;

/// What a prober knows beyond the verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq, MessageResponse)]
pub struct ProbeReading {
    /// 0 to rise+fall-1.
    pub counter: u32,
    /// What the last probe found; `None` before the first.
    pub last: Option<ProbeResult>,
}

/// Hand what is known over to the successor on another thread, and end, with no
/// probe under way and no socket open.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Handover(pub oneshot::Sender<HandoverState>);

/// What a prober leaves to its successor.
#[derive(Debug)]
pub struct HandoverState {
    /// The verdict, and how far the next one has come.
    pub health: Health,
    /// What the last probe found.
    pub last: Option<ProbeResult>,
    /// The type of the check that was counted for.
    pub kind: Option<&'static str>,
    /// The probes so far.
    pub stats: Box<ProbeStats>,
}
