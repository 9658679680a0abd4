//! The messages of a prober: those that it receives, and the transitions that it
//! reports.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::prelude::*;
use tokio::sync::oneshot;

use crate::domain::config::HealthCheck;
use crate::domain::events::Transition;
use crate::domain::evidence::doubts::{QuestionId, Suspicion};
use crate::domain::evidence::group::ProbeGroup;
use crate::domain::health::certificate::CertificateView;
use crate::domain::health::damping::DampedReturn;
use crate::domain::health::doubt::{DoubtId, Judgement};
use crate::domain::health::probe_history::{ProbeHistory, ProbeOutcome};
use crate::domain::health::probe_result::ProbeResult;
use crate::domain::health::probe_stats::ProbeStats;
use crate::domain::health::{Admin, Health, State, Trend};
use crate::domain::names::BackendName;
use crate::domain::prober_id::ProberId;
use crate::probe::ProbeEnvironment;

/// Sent to the Controller: the backend changed its state.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Transitioned {
    pub prober: ProberId,
    pub backend: BackendName,
    pub transition: Transition<State>,
    /// When the result that caused it was received.
    pub decided: Instant,
}

/// Sent to the Controller: what a prober has to say of its backend's failures.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Suspected {
    pub prober: ProberId,
    pub backend: BackendName,
    pub group: ProbeGroup,
    pub suspicion: Suspicion,
}

/// Sent to the Controller: a streak of results that leads to another state has begun, has
/// gone on, or is over. A [`Transitioned`] says the latter as well.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct TrendChanged {
    pub prober: ProberId,
    pub backend: BackendName,
    pub trend: Option<Trend>,
}

/// Sent to the Controller: the backend passes and its return waits, or does so no longer.
/// A [`Transitioned`] says the latter as well.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Damped {
    pub prober: ProberId,
    pub backend: BackendName,
    pub damped: Option<DampedReturn>,
}

/// Sent to the Controller: the server shows another certificate than it did, or the same,
/// and its end is near; `None`: nothing is known of one any more.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct CertificateSeen {
    pub prober: ProberId,
    pub backend: BackendName,
    pub certificate: Option<CertificateView>,
}

/// Sent to the Controller: the answer to [`Ask`].
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Answered {
    pub group: ProbeGroup,
    pub question: QuestionId,
    /// Whose probe passed, and when it began.
    pub passed: Option<(ProberId, Instant)>,
}

/// The Controller, as far as probers send to it.
#[derive(Clone)]
pub struct ProberRecipients {
    pub transitions: Recipient<Transitioned>,
    pub suspicions: Recipient<Suspected>,
    pub trends: Recipient<TrendChanged>,
    pub damped: Recipient<Damped>,
    pub certificates: Recipient<CertificateSeen>,
    pub answers: Recipient<Answered>,
}

impl<A> From<&Addr<A>> for ProberRecipients
where
    A: Actor<Context = Context<A>>
        + Handler<Transitioned>
        + Handler<Suspected>
        + Handler<TrendChanged>
        + Handler<Damped>
        + Handler<CertificateSeen>
        + Handler<Answered>,
{
    fn from(controller: &Addr<A>) -> Self {
        Self {
            transitions: controller.clone().recipient(),
            suspicions: controller.clone().recipient(),
            trends: controller.clone().recipient(),
            damped: controller.clone().recipient(),
            certificates: controller.clone().recipient(),
            answers: controller.clone().recipient(),
        }
    }
}

/// Asks whether a probe passes that begins after `since`. Answered once by [`Answered`],
/// after a probe if need be.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Ask {
    pub group: ProbeGroup,
    pub question: QuestionId,
    pub since: Instant,
}

/// Another backend's probe passed, that began at `began`.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct NoteWitness {
    /// The doubt of this backend that it is about, if any.
    pub doubt: Option<DoubtId>,
    pub by: ProberId,
    pub began: Instant,
}

/// What was found about a doubt of the backend.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct Judge(pub DoubtId, pub Judgement);

/// Another backend of the same frontend went to this state. If one more result may lead
/// to the same here, it is probed at once.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct PeerChanged(pub State);

/// Another backend of the same frontend may go to `to`. If this one may do so too, it is
/// probed within this time, but no sooner than half a fast interval after its last probe.
#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "()")]
pub struct PeerTrend {
    pub to: State,
    pub within: Duration,
}

/// If the backend's return waits, it waits no longer. The text is the reason, for logs and
/// events.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct EndDamping(pub String);

/// Changes the administrative state of the backend. Answered when that is done.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Administer {
    pub admin: Admin,
    /// The reason, for logs and events.
    pub why: String,
    /// A first probe that follows starts within this time.
    pub within: Duration,
}

/// VPP was read: whether it serves the backend.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Served(pub bool);

/// Reads the trusted certificates again, once a thread for each number.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct RenewRoots(pub u64);

/// The backend's health check changed; `None`: always up.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct CheckChanged(pub Option<Arc<HealthCheck>>);

/// The backend's address changed.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Readdressed(pub IpAddr);

/// The namespace of probes changed.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Relocated(pub ProbeEnvironment);

#[derive(Message, Debug)]
#[rtype(result = "ProbeCount")]
pub struct GetProbeStats;

#[derive(Clone, Debug, MessageResponse)]
pub struct ProbeCount {
    pub backend: BackendName,
    /// The type of its health check; `None`: it has none.
    pub kind: Option<&'static str>,
    /// Since its health check has this type.
    pub stats: ProbeStats,
}

/// Ends the prober. No probe is in progress and no socket is open afterwards.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Stop;

#[derive(Message, Clone, Copy, Debug)]
#[rtype(result = "ProbeReading")]
pub struct GetReading {
    pub with_history: bool,
}

/// The rise/fall counter and the last results.
#[derive(Clone, Debug, Default, PartialEq, Eq, MessageResponse)]
pub struct ProbeReading {
    /// 0 to rise+fall-1.
    pub counter: u32,
    /// `None` before the first probe.
    pub last: Option<ProbeResult>,
    /// Oldest first; empty unless it was asked for.
    pub history: Vec<ProbeOutcome>,
}

/// Sends the prober's state to the prober that replaces it on another thread, and ends
/// the prober like [`Stop`].
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Handover(pub oneshot::Sender<HandoverState>);

/// Sends the prober's state to a prober that continues from it for another backend.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct CopyState {
    pub to: oneshot::Sender<HandoverState>,
    /// With the counts of its probes.
    pub with_stats: bool,
}

/// The state that a prober hands over to another one.
#[derive(Debug)]
pub struct HandoverState {
    pub health: Health,
    pub last: Option<ProbeResult>,
    pub history: ProbeHistory,
    /// The type of the health check of `stats`.
    pub kind: Option<&'static str>,
    pub stats: Box<ProbeStats>,
}
