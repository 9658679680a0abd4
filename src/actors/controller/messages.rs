//! What the Controller can be told and asked, and what it tells the Reconciler.

use std::sync::Arc;

use actix::prelude::*;
use thiserror::Error;

use crate::actors::prober::{ProbeCount, ProbeReading};
use crate::config::{LoadError, Loaded};
use crate::domain::config::Config;
use crate::domain::controller::{AdminCommand, CommandRefused, WeightPrediction};
pub use crate::domain::controller::{BackendView, FrontendView};
use crate::domain::dataplane::net::Weight;
use crate::domain::histogram::Histogram;
use crate::domain::names::{BackendName, FrontendName};
use crate::domain::readiness::HealthCounts;
use crate::domain::reconcile::{DesiredSnapshot, Generation};
use crate::domain::resolution::{HostName, Resolution};
use crate::probe::{NamespaceError, SlotStats};

/// A backend's name leads elsewhere, or nowhere, the Resolver says.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Resolved {
    /// The backend.
    pub backend: BackendName,
    /// Its name, as it was looked up.
    pub host: HostName,
    /// What is new.
    pub resolution: Resolution,
}

/// An operator's command for a backend. Answered when its prober has obeyed.
#[derive(Message, Debug)]
#[rtype(result = "Result<(), CommandRefused>")]
pub struct AdministerBackend {
    /// The backend.
    pub backend: String,
    /// What to do.
    pub command: AdminCommand,
    /// Who wants it.
    pub who: String,
}

/// An operator's weight for a backend in a pool. The answer numbers what is
/// desired with it.
#[derive(Message, Debug)]
#[rtype(result = "Result<Generation, CommandRefused>")]
pub struct SetWeight {
    /// The frontend.
    pub frontend: String,
    /// Its pool.
    pub pool: String,
    /// The backend in it.
    pub backend: String,
    /// The weight.
    pub weight: Weight,
    /// Who wants it.
    pub who: String,
}

/// One backend, with what its prober knows.
#[derive(Message, Debug)]
#[rtype(result = "Result<(BackendView, ProbeReading), CommandRefused>")]
pub struct GetBackend(pub String);

/// The frontends that use a backend, and the generation that has what was last
/// desired of them. Asked after a command was answered, it has what follows from
/// that.
#[derive(Message, Debug)]
#[rtype(result = "Result<(Vec<FrontendName>, Generation), CommandRefused>")]
pub struct GetUses(pub String);

/// Every backend, by name, with what its prober knows.
#[derive(Message, Debug)]
#[rtype(result = "Vec<(BackendView, ProbeReading)>")]
pub struct GetBackends;

/// One frontend.
#[derive(Message, Debug)]
#[rtype(result = "Result<FrontendView, CommandRefused>")]
pub struct GetFrontend(pub String);

/// What a frontend would look like if a backend of it had another weight.
#[derive(Message, Debug)]
#[rtype(result = "Result<WeightPrediction, CommandRefused>")]
pub struct PredictWeight {
    /// The frontend.
    pub frontend: String,
    /// The backend in it.
    pub backend: String,
    /// The weight.
    pub weight: Weight,
}

/// Every backend and every frontend, as they are at one moment.
#[derive(Message, Debug)]
#[rtype(result = "Overview")]
pub struct GetOverview;

/// Every backend and every frontend, as they are at one moment.
#[derive(Clone, Debug, MessageResponse)]
pub struct Overview {
    /// By name.
    pub backends: Vec<BackendView>,
    /// By name.
    pub frontends: Vec<FrontendView>,
}

/// What all probes found, and how busy they are.
#[derive(Message, Debug)]
#[rtype(result = "Probes")]
pub struct GetProbes;

/// What all probes found, and how busy they are.
#[derive(Clone, Debug, MessageResponse)]
pub struct Probes {
    /// By name.
    pub backends: Vec<ProbeCount>,
    /// The bound on probes in flight, and who stands in line.
    pub slots: SlotStats,
    /// How long after they were due probes began.
    pub late: Histogram,
}

/// How many backends and frontends are there, and how many are up?
#[derive(Message, Debug)]
#[rtype(result = "HealthCounts")]
pub struct GetHealthCounts;

/// The accepted configuration.
#[derive(Message, Debug)]
#[rtype(result = "Arc<Config>")]
pub struct GetConfig;

/// What VPP should hold.
#[derive(Message, Debug)]
#[rtype(result = "DesiredSnapshot")]
pub struct GetDesired;

/// Read and check the file, and use it not.
#[derive(Message, Debug)]
#[rtype(result = "Result<Loaded, LoadFailed>")]
pub struct CheckConfig;

/// Read and check the file and, if it has no fault, use it whole.
#[derive(Message, Debug)]
#[rtype(result = "Result<(), LoadFailed>")]
pub struct Reload;

/// Why a file was not used. Everything is as it was.
#[derive(Clone, Debug, Error)]
pub enum LoadFailed {
    /// It cannot be read, or has faults.
    #[error(transparent)]
    Refused(Arc<LoadError>),
    /// The network namespace that it names cannot be entered.
    #[error("healthchecker.netns: {0}")]
    Namespace(#[from] NamespaceError),
}
