//! What can happen to the reconciliation, and what it asks for: two closed
//! enums, so that this page answers what wakes it and what it can do.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use thiserror::Error;

use super::progress::{AwaitAnswer, FrontendProgress};
use super::record::ReconcileRecord;
use super::{StepResult, SyncReport};
use crate::domain::balancing::weights::DesiredFrontend;
use crate::domain::config::LbSettings;
use crate::domain::dataplane::connection::{DataplaneError, Epoch, Observation, Outcome};
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::{Observed, ObservedServers};
use crate::domain::dataplane::plan::{Desired, Scope};
use crate::domain::dataplane::step::Step;
use crate::domain::events::DataplaneChange;
use crate::domain::names::FrontendName;

/// The present moment, by both clocks: spans are monotonic, dates are not.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    pub monotonic: Instant,
    pub wall: SystemTime,
}

/// Numbers the states of what is desired; each change has a higher one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(pub u64);

impl Generation {
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Everything that VPP should hold, and how it is kept so.
#[derive(Clone, Debug)]
pub struct DesiredSnapshot {
    pub desired: Arc<Desired>,
    pub settings: Arc<LbSettings>,
    pub generation: Generation,
}

/// Frontends of which something else is desired than before.
#[derive(Clone, Debug)]
pub struct DesiredUpdate {
    pub frontends: Vec<(FrontendName, Arc<DesiredFrontend>)>,
    /// When the probe result that decided it was in; `None`: an operator did.
    pub decided: Option<Instant>,
    pub generation: Generation,
}

/// Tells an observation, a write or a reading from all others, so that a late
/// answer is never taken for another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// Tells a request that awaits a reply from all others. The requester chooses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// A timer. To set it again replaces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimerId {
    /// `startup-min-delay`: nothing is written before.
    StartupMinDelay,
    /// The next drift pass.
    Drift,
    /// What was written is read back.
    ReadBack,
    /// The deadline of an [`ReconcileInput::ProgressAwaited`].
    Await(RequestId),
}

/// What can happen.
#[derive(Clone, Debug)]
pub enum ReconcileInput {
    /// After a start and after a reload.
    DesiredReplaced(DesiredSnapshot),
    DesiredChanged(DesiredUpdate),
    /// VPP can be programmed over this connection.
    Connected(Epoch),
    /// It no longer can.
    Lost {
        epoch: Epoch,
        why: String,
    },
    /// Answers [`ReconcileEffect::Observe`].
    Observed {
        id: CallId,
        result: Result<Observation, DataplaneError>,
    },
    /// Answers [`ReconcileEffect::Write`]: one outcome a step.
    Written {
        id: CallId,
        outcomes: Result<Vec<Outcome>, DataplaneError>,
    },
    /// Answers [`ReconcileEffect::ReadServers`]. VIPs that VPP cannot be asked
    /// for alone are missing.
    ServersRead {
        id: CallId,
        result: Result<BTreeMap<Vip, ObservedServers>, DataplaneError>,
    },
    TimerFired(TimerId),
    /// Answers [`ReconcileEffect::Yield`].
    Resumed,
    /// An operator asks for a sync, or with `dry_run` for what it would do.
    SyncRequested {
        id: RequestId,
        scope: Scope,
        dry_run: bool,
    },
    /// Somebody waits until VPP holds what was desired of these frontends at
    /// this generation, at most for so long.
    ProgressAwaited {
        id: RequestId,
        frontends: Vec<FrontendName>,
        generation: Generation,
        within: Duration,
    },
}

/// What is to be done, in order.
#[derive(Clone, Debug)]
pub enum ReconcileEffect {
    /// Read all of VPP, and compare its tables with the model. Thousands of
    /// VIPs take milliseconds: another thread does it.
    Observe(CallId),
    /// Write these steps in order over this connection and no other; urgent
    /// ones ahead of everything that is not sent yet.
    Write {
        id: CallId,
        epoch: Epoch,
        steps: Vec<Step>,
        urgent: bool,
    },
    /// Read the servers of these VIPs, of which each has about so many rows.
    ReadServers {
        id: CallId,
        epoch: Epoch,
        vips: BTreeMap<Vip, usize>,
    },
    SetTimer {
        timer: TimerId,
        after: Duration,
    },
    /// Let whoever waits for this thread have it, then resume.
    Yield,
    /// Free this on another thread: thousands of VIPs take long enough for a
    /// flip to notice.
    Free(Observed),
    Publish(DataplaneChange),
    Log(ReconcileRecord),
    Reply {
        id: RequestId,
        result: Result<SyncReport, SyncError>,
    },
    ReplyProgress {
        id: RequestId,
        answer: AwaitAnswer,
    },
    /// VPP holds what was desired of these frontends at this generation, or no
    /// longer does.
    Progress {
        generation: Generation,
        changes: Vec<FrontendProgress>,
    },
}

/// Why a sync was not made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SyncError {
    #[error("there is no frontend \"{0}\"")]
    NoFrontend(FrontendName),
    #[error(transparent)]
    Dataplane(#[from] DataplaneError),
}

impl SyncReport {
    /// Steps that VPP did not do.
    #[must_use]
    pub fn failed(&self) -> usize {
        failed(&self.results)
    }
}

/// How many of these steps VPP did not do.
pub(super) fn failed(results: &[StepResult]) -> usize {
    results.iter().filter(|result| result.error.is_some()).count()
}
