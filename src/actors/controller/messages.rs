//! The messages that the Controller receives.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use thiserror::Error;
use tokio::sync::oneshot;

use crate::actors::prober::{ProbeCount, ProbeReading};
use crate::config::{LoadError, Loaded};
use crate::domain::announce::orders::{AnnounceOrder, AnnounceOrders, AnnounceScope};
use crate::domain::config::Config;
use crate::domain::controller::{
    AdminCommand, AnnounceSubject, CommandRefused, ExcessiveChange, OverrideCommand, ReloadStatus,
    WeightPrediction,
};
pub use crate::domain::controller::{BackendView, FrontendView};
use crate::domain::dataplane::net::Weight;
use crate::domain::drain::DrainOrder;
use crate::domain::evidence::hold::HoldStats;
use crate::domain::explain::facts::{BackendSituation, FrontendSituation};
use crate::domain::histogram::Histogram;
use crate::domain::moment::Moment;
use crate::domain::names::{BackendName, FrontendName};
use crate::domain::overrides::{OverrideEntry, Reason};
use crate::domain::readiness::{HealthCounts, ReloadRefusal};
use crate::domain::reconcile::{DesiredSnapshot, Generation};
use crate::probe::{NamespaceError, SlotStats};
use crate::state::KeepError;

/// An operator's command for a backend. Answered when it is kept over restarts, if
/// anything is, and the backend's prober has executed it.
#[derive(Message, Debug)]
#[rtype(result = "Result<(), OverrideFailed>")]
pub struct AdministerBackend {
    pub backend: String,
    pub command: AdminCommand,
    pub given: CommandOrigin,
}

/// Takes new flows away from a backend and follows those that remain. Answered when its
/// prober has executed it.
#[derive(Message, Debug)]
#[rtype(result = "Result<(), OverrideFailed>")]
pub struct DrainBackend {
    pub backend: String,
    pub order: DrainOrder,
    pub given: CommandOrigin,
}

/// Overrides the weight of a backend in a pool. The answer is the generation of the
/// desired state that has it, when it is kept over restarts, if anything is.
#[derive(Message, Debug)]
#[rtype(result = "Result<Generation, OverrideFailed>")]
pub struct SetWeight {
    pub frontend: String,
    pub pool: String,
    pub backend: String,
    /// `None`: that of the configuration.
    pub weight: Option<Weight>,
    pub given: CommandOrigin,
}

/// Has announcements follow an order. Answered when it is kept over restarts, if anything
/// is, and the Announcer has been told.
#[derive(Message, Debug)]
#[rtype(result = "Result<(), OverrideFailed>")]
pub struct OrderAnnouncement {
    pub subject: AnnounceSubject,
    /// `None`: the rules.
    pub order: Option<AnnounceOrder>,
    pub given: CommandOrigin,
}

/// What the subject of a command is in the configuration.
#[derive(Message, Debug)]
#[rtype(result = "Result<AnnounceScope, CommandRefused>")]
pub struct GetAnnounceScope(pub AnnounceSubject);

/// Who gives a command, why, and for how long.
#[derive(Clone, Debug)]
pub struct CommandOrigin {
    /// The operator, as the daemon knows them.
    pub who: Arc<str>,
    pub why: Option<Reason>,
    /// How long the override lasts; `None`: until it is ended.
    pub lasts: Option<Duration>,
}

/// Why a command had no effect.
#[derive(Clone, Debug, Error)]
pub enum OverrideFailed {
    #[error(transparent)]
    Refused(#[from] CommandRefused),
    #[error(transparent)]
    NotKept(#[from] KeepError),
    #[error("the daemon is stopping")]
    Stopping,
}

/// All overrides.
#[derive(Message, Debug)]
#[rtype(result = "OverrideListing")]
pub struct GetOverrides;

#[derive(Clone, Debug, MessageResponse)]
pub struct OverrideListing {
    pub overrides: Vec<OverrideEntry>,
    /// Those of announcements.
    pub orders: AnnounceOrders,
    /// When they were so.
    pub now: Moment,
    /// Whether they are kept over restarts.
    pub is_kept: bool,
    pub writes: OverrideWriteStats,
}

/// How the writes went by which they are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OverrideWriteStats {
    /// Those that failed since the daemon started.
    pub failures: u64,
    /// The last one failed.
    pub is_failing: bool,
}

/// One backend, with its prober's reading.
#[derive(Message, Debug)]
#[rtype(result = "Result<(BackendView, ProbeReading), CommandRefused>")]
pub struct GetBackend(pub String);

/// The frontends that use a backend, and the generation of their desired state. If it
/// is sent after a command was answered, the generation includes the command.
#[derive(Message, Debug)]
#[rtype(result = "Result<(Vec<FrontendName>, Generation), CommandRefused>")]
pub struct GetUses(pub String);

/// Some backends with their probers' readings, in this order. One that is not configured
/// is left out. Ten thousand are asked for a few at a time, so that a flip does not wait
/// for all of them.
#[derive(Message, Debug)]
#[rtype(result = "Vec<(BackendView, ProbeReading)>")]
pub struct GetBackends(pub Vec<BackendName>);

#[derive(Message, Debug)]
#[rtype(result = "Result<FrontendView, CommandRefused>")]
pub struct GetFrontend(pub String);

/// A backend with its frontends, as an explanation needs them, and its prober's reading.
#[derive(Message, Debug)]
#[rtype(result = "Result<(BackendSituation, ProbeReading), CommandRefused>")]
pub struct GetBackendSituation(pub String);

/// A frontend as an explanation needs it.
#[derive(Message, Debug)]
#[rtype(result = "Result<FrontendSituation, CommandRefused>")]
pub struct GetFrontendSituation(pub String);

/// Asks whether a command would be accepted, and changes nothing.
#[derive(Message, Debug)]
#[rtype(result = "Result<(), CommandRefused>")]
pub struct WouldCommand {
    pub command: OverrideCommand,
    pub given: CommandOrigin,
}

/// The weights of a frontend's servers if one of its backends had another weight.
#[derive(Message, Debug)]
#[rtype(result = "Result<WeightPrediction, CommandRefused>")]
pub struct PredictWeight {
    pub frontend: String,
    pub backend: String,
    pub weight: Weight,
}

/// Some backends and frontends, as they are at one moment. Those that are not
/// configured are left out.
#[derive(Message, Debug)]
#[rtype(result = "Overview")]
pub struct GetOverview {
    pub backends: Vec<BackendName>,
    pub frontends: Vec<FrontendName>,
}

/// The outcome of the last reload, the counts of holds, and backends and frontends in the
/// order in which they were asked for.
#[derive(Clone, Debug, MessageResponse)]
pub struct Overview {
    pub reload: ReloadStatus,
    pub holds: HoldStats,
    pub backends: Vec<BackendView>,
    pub frontends: Vec<FrontendView>,
}

#[derive(Message, Debug)]
#[rtype(result = "Probes")]
pub struct GetProbes(pub Vec<BackendName>);

/// The statistics of some backends' probes, and the slots of all.
#[derive(Clone, Debug, MessageResponse)]
pub struct Probes {
    /// In the order in which they were asked for.
    pub backends: Vec<ProbeCount>,
    /// The limit of probes in flight, and the probes that wait for a slot.
    pub slots: SlotStats,
    /// The time from when probes were due to their start.
    pub late: Histogram,
}

#[derive(Message, Debug)]
#[rtype(result = "HealthCounts")]
pub struct GetHealthCounts;

/// What should be known of verdicts that wait for evidence, a line each.
#[derive(Message, Debug)]
#[rtype(result = "Vec<String>")]
pub struct GetEvidenceNotes;

#[derive(Message, Debug)]
#[rtype(result = "Arc<Config>")]
pub struct GetConfig;

#[derive(Message, Debug)]
#[rtype(result = "DesiredSnapshot")]
pub struct GetDesired;

/// Reads and checks the file without using it.
#[derive(Message, Debug)]
#[rtype(result = "Result<Loaded, LoadFailed>")]
pub struct CheckConfig;

/// Reads and checks the file, and uses it if it has no fault. One reload is made at a
/// time; requests that come meanwhile share one that begins afterwards.
#[derive(Message, Clone, Copy, Debug, Default)]
#[rtype(result = "Result<(), LoadFailed>")]
pub struct Reload {
    /// Use it even if it takes away too much to be meant, and end the holding of
    /// removals in VPP.
    pub force: bool,
}

/// A request that waits for a load.
#[derive(Debug)]
pub(super) struct ReloadRequest {
    pub(super) force: bool,
    pub(super) reply: oneshot::Sender<Result<(), LoadFailed>>,
}

/// Why a file was not used. Nothing has changed.
#[derive(Clone, Debug, Error)]
pub enum LoadFailed {
    #[error(transparent)]
    Refused(Arc<LoadError>),
    #[error("healthchecker.netns: {0}")]
    Namespace(#[from] NamespaceError),
    /// The file has no fault, and would take away too much.
    #[error(transparent)]
    Excessive(Arc<ExcessiveChange>),
    #[error("the daemon is stopping")]
    Stopping,
}

impl From<&LoadFailed> for ReloadRefusal {
    fn from(failed: &LoadFailed) -> Self {
        match failed {
            LoadFailed::Excessive(_) => Self::Excessive,
            LoadFailed::Refused(_) | LoadFailed::Namespace(_) | LoadFailed::Stopping => Self::Fault,
        }
    }
}
