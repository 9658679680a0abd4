//! The inputs and effects of the state machine: all that it reacts to, and all that it
//! can do.

use std::time::{Duration, Instant};

use super::damping::DampedReturn;
use super::doubt::{Doubt, DoubtId, Judgement};
use super::probe_result::ProbeResult;
use super::state::{Admin, State};
use crate::domain::evidence::passes::Witness;

/// Identifies one probe of a backend and the wait before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub(super) u64);

/// The inputs of [`step`](super::step).
#[derive(Clone, Debug, PartialEq)]
pub enum HealthInput {
    /// The prober has started.
    Start {
        /// The first probe starts at a random time within this span, so that
        /// backends that start together are not probed at the same time.
        within: Duration,
    },
    /// The wait before the probe is over.
    Due(RunId),
    ProbeDone {
        run: RunId,
        result: ProbeResult,
        took: Duration,
        ended: Instant,
        witness: Witness,
    },
    /// Probe now: another backend's verdict depends on it.
    ProbeNow,
    /// Another backend of its frontends went to this state. Probe now if the next result
    /// may lead to the same.
    PeerChanged(State),
    /// Another backend of its frontends may go to `to`. If it may do so too, probe within
    /// this time, but no sooner than half a fast interval after the last probe, so that a
    /// second failure of the peer finds it in question. A probe that was asked for as a
    /// witness counts.
    PeerTrend {
        to: State,
        within: Duration,
        /// Since the last probe began.
        since_last: Duration,
        /// Until the next probe that is planned.
        left: Duration,
    },
    /// What was found about a doubt of this backend.
    Judged(DoubtId, Judgement),
    /// The administrative state changed; `why` is the reason for logs and events. A
    /// first probe that follows starts within this time.
    Administer {
        admin: Admin,
        why: String,
        within: Duration,
    },
    /// If its return is damped, it waits no longer; `why` is the reason for logs and
    /// events.
    EndDamping {
        why: String,
    },
    /// VPP was read: whether it serves this backend.
    Served(bool),
    /// The health check, the namespace or the address changed, probably that of many
    /// backends: the next probe starts at a random time within the fast interval. The
    /// verdict is kept.
    CheckChanged,
    /// The backend is no longer configured.
    Remove,
}

/// The effects of a step, to be executed in the order of the fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HealthEffects {
    /// Cancel the wait or the probe in progress.
    pub cancel: bool,
    pub change: Option<StateChange>,
    /// A doubt began, or another one did, or it is over.
    pub doubt: Option<Option<Doubt>>,
    /// A streak of failures began at this time, and no other backend passed for a while:
    /// one should be asked before this one's next probe.
    pub ask: Option<Instant>,
    /// Without a change: a streak that leads to another state began, went on or is over.
    pub trend: Option<Option<Trend>>,
    /// Without a change: it passes, and from now on its return waits, or does so no longer.
    pub damped: Option<Option<DampedReturn>>,
    pub next: Option<NextProbe>,
}

/// A streak of results that leads to another state if it goes on, where that takes
/// several. What is doubted or damped has none: results alone do not decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trend {
    /// `Up` or `Down`.
    pub to: State,
    /// One more result is enough.
    pub is_last: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateChange {
    pub from: State,
    pub to: State,
    /// The reason, for logs and events.
    pub why: String,
}

/// What the prober of a backend does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextProbe {
    /// Wait for this time, then step with `HealthInput::Due`.
    Wait(RunId, Duration),
    /// Probe, then step with `HealthInput::ProbeDone`.
    Probe(RunId),
}
