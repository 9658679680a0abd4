//! The inputs and effects of the reconciliation: two closed enums that list all that
//! it reacts to and all that it can do.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use thiserror::Error;

use super::record::ReconcileRecord;
use super::withdrawals::{AnnouncedVips, PlacedAddresses};
use crate::domain::balancing::weights::DesiredFrontend;
use crate::domain::config::LbSettings;
use crate::domain::dataplane::connection::{DataplaneError, Epoch, Observation, Outcome};
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::{Observed, ObservedServers, ObservedVip};
use crate::domain::dataplane::plan::{Desired, Planned, Scope};
use crate::domain::dataplane::step::Step;
use crate::domain::events::DataplaneChange;
use crate::domain::names::FrontendName;

/// The number of a desired state; each change increases it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(pub u64);

impl Generation {
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Everything that VPP should hold, with the settings of the reconciliation.
#[derive(Clone, Debug)]
pub struct DesiredSnapshot {
    pub desired: Arc<Desired>,
    pub settings: Arc<LbSettings>,
    pub generation: Generation,
    pub announced: AnnouncedVips,
    /// An operator forced the reload: removals are held no longer.
    pub force: bool,
}

/// Frontends whose desired state changed.
#[derive(Clone, Debug)]
pub struct DesiredUpdate {
    pub frontends: Vec<(FrontendName, Arc<DesiredFrontend>)>,
    /// When the probe result that caused it was received; `None`: an operator caused it.
    pub decided: Option<Instant>,
    pub generation: Generation,
}

/// Identifies an observation, a write or a read-back, so that a late answer is not
/// mistaken for that of another call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// Identifies a request that awaits a reply. The requester chooses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// A timer. Setting it again replaces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimerId {
    /// `startup-min-delay`: nothing is written before it fires.
    StartupMinDelay,
    /// The next drift pass is due.
    Drift,
    /// The next read-back is due.
    ReadBack,
    /// The first of the removals that wait for a withdraw is due.
    Removal,
    /// The deadline of a [`ReconcileInput::ProgressAwaited`].
    Await(RequestId),
}

#[derive(Clone, Debug)]
pub enum ReconcileInput {
    /// The desired state after a start or a reload.
    DesiredReplaced(DesiredSnapshot),
    DesiredChanged(DesiredUpdate),
    /// VPP can be programmed over this connection.
    Connected(Epoch),
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
    /// Answers [`ReconcileEffect::ReadServers`]. VIPs that VPP cannot dump by
    /// themselves are missing.
    ServersRead {
        id: CallId,
        result: Result<BTreeMap<Vip, ObservedServers>, DataplaneError>,
    },
    TimerFired(TimerId),
    /// Drivers have placed routes for these addresses.
    RoutesPlaced(PlacedAddresses),
    /// Answers [`ReconcileEffect::Yield`].
    Resumed,
    /// An operator requests a sync, or with `dry_run` only a report of what it would do.
    /// With `force` it makes the removals that are held.
    SyncRequested {
        id: RequestId,
        scope: Scope,
        dry_run: bool,
        force: bool,
    },
    /// A client waits, for at most `within`, until VPP holds the desired state of
    /// these frontends at this generation.
    ProgressAwaited {
        id: RequestId,
        frontends: Vec<FrontendName>,
        generation: Generation,
        within: Duration,
    },
}

/// What the actor does, in order.
#[derive(Clone, Debug)]
pub enum ReconcileEffect {
    /// Read all of VPP, and compare its tables with the model on another thread: for
    /// thousands of VIPs this takes milliseconds.
    Observe(CallId),
    /// Write these steps in order over this connection and no other; urgent steps
    /// before all that was not sent yet.
    Write {
        id: CallId,
        epoch: Epoch,
        steps: Vec<Step>,
        urgent: bool,
    },
    /// Read the servers of these VIPs; the value is the expected number of rows.
    ReadServers {
        id: CallId,
        epoch: Epoch,
        vips: BTreeMap<Vip, usize>,
    },
    /// Make VPP collect what was removed, over this connection, by setting this address
    /// to what it is.
    Collect {
        epoch: Epoch,
        ip4_src: Ipv4Addr,
    },
    SetTimer {
        timer: TimerId,
        after: Duration,
    },
    /// Yield the thread to other tasks, then send [`ReconcileInput::Resumed`].
    Yield,
    /// Drop this on another thread: for thousands of VIPs this takes long enough to
    /// delay a flip.
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
    /// Report that a pass over all of VPP has ended over this connection.
    PassEnded(Epoch),
    /// Report the servers that get flows, as VPP was read for the first time over a
    /// connection, or after its state was lost.
    Served(BTreeSet<IpAddr>),
    /// Report that VPP can be programmed, or cannot any more.
    Presence(bool),
    /// Report changed progress of these frontends at this generation.
    Progress {
        generation: Generation,
        changes: Vec<FrontendProgress>,
    },
}

/// The result of a sync: what it did or, as a dry run, would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncReport {
    pub results: Vec<StepResult>,
    /// Removals that are held: too much would be removed to be meant.
    pub held: Vec<Planned>,
    /// False for a dry run.
    pub applied: bool,
    /// The VIPs of the steps as they were before.
    pub before: BTreeMap<Vip, ObservedVip>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepResult {
    pub planned: Planned,
    /// Why VPP did not do the step; `None` if it did, and in a dry run.
    pub error: Option<String>,
}

/// How far VPP is with a frontend's desired state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrontendProgress {
    pub frontend: FrontendName,
    pub programmed: bool,
    pub serving: bool,
}

/// The answer to [`ReconcileInput::ProgressAwaited`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AwaitAnswer {
    /// VPP holds the desired state.
    Written,
    /// VPP does not hold it yet, for this reason.
    NotYet(String),
}

/// Why a sync was not done.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SyncError {
    #[error("there is no frontend \"{0}\"")]
    NoFrontend(FrontendName),
    #[error(transparent)]
    Dataplane(#[from] DataplaneError),
}

impl SyncReport {
    /// The number of steps that VPP did not do.
    #[must_use]
    pub fn failed(&self) -> usize {
        failed(&self.results)
    }
}

/// The number of steps that VPP did not do.
pub(super) fn failed(results: &[StepResult]) -> usize {
    results.iter().filter(|result| result.error.is_some()).count()
}
