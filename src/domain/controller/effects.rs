//! What operators can command, and the effects that the Controller executes.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::domain::announce::placement::VipPrefix;
use crate::domain::balancing::slow_start::{RampId, RampRequest};
use crate::domain::balancing::weights::DesiredFrontend;
use crate::domain::config::{Backend, HealthCheck, WitnessAddress};
use crate::domain::drain::{DrainId, FlowTimer};
use crate::domain::events::{Change, Event};
use crate::domain::evidence::doubts::{DoubtOrder, QuestionId};
use crate::domain::evidence::group::ProbeGroup;
use crate::domain::health::{Admin, State};
use crate::domain::names::{BackendName, FrontendName};
use crate::domain::overrides::{OverrideEnd, OverrideEntry, Reason};
use crate::domain::prober_id::ProberId;

/// Numbers the reloads that bring backends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReloadId(pub(super) u64);

/// What the Controller does, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum ControllerEffect {
    StartProber {
        id: ProberId,
        backend: BackendName,
        settings: ProberSettings,
    },
    StopProber(BackendName),
    /// The prober of `to`, which is about to be started, continues from the state of the
    /// prober of `from`, which may be stopped. Comes before both.
    CopyVerdict {
        from: BackendName,
        to: BackendName,
        /// With the counts of its probes: `to` is its new name.
        with_stats: bool,
    },
    CheckChanged(BackendName, Option<Arc<HealthCheck>>),
    /// `why` names the operator, or the reload, for logs and events.
    Administer {
        backend: BackendName,
        admin: Admin,
        why: String,
        /// A first probe that follows starts within this time.
        within: Duration,
    },
    /// Another backend of its frontends went to this state, and it is about to: it is to
    /// be probed now.
    PeerChanged(BackendName, State),
    /// Another backend of its frontends may go to `to`: it is to be probed within this time,
    /// as if it might do so too.
    PeerTrend {
        backend: BackendName,
        to: State,
        within: Duration,
    },
    /// The return of this backend waits no longer; `why` is the reason for logs and events.
    EndDamping {
        backend: BackendName,
        why: String,
    },
    /// VPP was read: whether it serves this backend, which has no verdict yet.
    Served(BackendName, bool),
    /// After `startup-max-delay`, end the grace of the backends that this reload brought.
    SetGraceTimer(ReloadId),
    /// The backend's name resolves to this address: probe it there.
    Readdress(BackendName, IpAddr),
    /// Two backends of one frontend resolve to one address. They are one server in
    /// VPP, with the greater of their weights.
    AddressShared {
        /// The backend whose address changed.
        backend: BackendName,
        other: BackendName,
        address: IpAddr,
    },
    Publish(Event),
    /// Have these backends, and these witnesses, answer whether a probe passes that
    /// begins after `since`.
    Ask {
        group: ProbeGroup,
        question: QuestionId,
        since: Instant,
        backends: Vec<BackendName>,
        witnesses: Vec<WitnessAddress>,
    },
    Doubt(DoubtOrder),
    /// The first backend cannot be probed by this machine, or none is such any more.
    ProbingChanged {
        /// What there is to see of the first one: `SOCKERR out of file descriptors`.
        impossible: Option<(BackendName, Arc<str>)>,
    },
    /// Plan the steps of a slow start, which takes some milliseconds.
    PlanRamp(RampId, RampRequest),
    /// After this time, the next step of a slow start is due.
    SetRampTimer(RampId, Duration),
    /// After this time, VPP's flows are due to be read for the drains under way.
    SetFlowTimer(FlowTimer, Duration),
    /// Read VPP's flows, and the packets that it has sent to these servers.
    ReadFlows {
        packets_of: BTreeSet<IpAddr>,
    },
    /// After this time, the drain has taken too long.
    SetDrainTimer(DrainId, Duration),
    /// The new desired state of these frontends.
    Desire(Vec<(FrontendName, Arc<DesiredFrontend>)>),
    /// An operator's override is in force, in place of another or not.
    OverrideBegan(OverrideEntry),
    OverrideEnded {
        entry: OverrideEntry,
        end: OverrideEnd,
        /// Who ended it, by the words of `Change::who`.
        who: String,
        /// In their words.
        why: Option<Reason>,
    },
}

impl ControllerEffect {
    /// An override ended, because the configuration has another value or no such item.
    pub(super) fn reconfigured(entry: OverrideEntry) -> Self {
        let (end, who) = (OverrideEnd::Reconfigured, Change::FILE.into());
        Self::OverrideEnded { entry, end, who, why: None }
    }
}

/// The settings of a backend's prober.
#[derive(Clone, Debug, PartialEq)]
pub struct ProberSettings {
    pub backend: Arc<Backend>,
    /// `None` until its name is resolved.
    pub address: Option<IpAddr>,
    /// `None`: always up.
    pub check: Option<Arc<HealthCheck>>,
    /// The administrative state it starts in.
    pub admin: Admin,
    /// The first probe starts within this time.
    pub within: Duration,
    /// VPP serves the backend, or may do so.
    pub served: bool,
    /// It continues from another prober's state.
    pub inherited: Option<InheritedVerdict>,
}

/// What a prober that continues from another one's state has to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InheritedVerdict {
    /// The state that the Controller knows. The other prober may know better.
    pub state: State,
    /// The counter of results goes on as well.
    pub has_same_check: bool,
}

/// An operator's command for a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminCommand {
    Pause,
    /// Pause it, and follow the flows that remain.
    Drain,
    /// Resume it, if it is drained.
    Undrain,
    Resume,
    /// Resume it; where its pool has `slow-start`, slowly.
    ResumeSlowly,
    Enable,
    Disable,
    /// As the file has it.
    Unset,
}

impl fmt::Display for AdminCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pause => "pause",
            Self::Drain => "drain",
            Self::Undrain => "undrain",
            Self::Resume => "resume",
            Self::ResumeSlowly => "resume slowly",
            Self::Enable => "enable",
            Self::Disable => "disable",
            Self::Unset => "unset",
        })
    }
}

/// Why a query or a command was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CommandRefused {
    #[error("there is no backend \"{0}\"")]
    NoBackend(String),
    #[error("there is no frontend \"{0}\"")]
    NoFrontend(String),
    #[error("frontend \"{frontend}\" has no pool \"{pool}\"")]
    NoPool { frontend: String, pool: String },
    #[error("pool \"{pool}\" of frontend \"{frontend}\" has no backend \"{backend}\"")]
    NotInPool { frontend: String, pool: String, backend: String },
    #[error("frontend \"{frontend}\" has no backend \"{backend}\" in any pool")]
    NotInFrontend { frontend: String, backend: String },
    #[error("backend \"{backend}\" is disabled: enable it before you {command} it")]
    Disabled { backend: String, command: AdminCommand },
    #[error(
        "after \"{command}\" nothing of backend \"{backend}\" is overridden that could end by itself: \
         leave out how long"
    )]
    NothingLasts { backend: String, command: String },
    #[error("backend \"{0}\" is not drained")]
    NotDrained(String),
    #[error("frontend \"{0}\" is not announced: `announce` in the configuration file has it so")]
    NotAnnounced(String),
    #[error("no frontend that is announced has the address {}", .0.address())]
    NoAnnouncement(VipPrefix),
    #[error("no frontend is announced: `announce` in the configuration file has one so")]
    NothingAnnounced,
}
