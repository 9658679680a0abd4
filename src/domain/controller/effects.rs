//! What operators can command, and what the roster orders.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use super::ProberId;
use crate::domain::balancing::weights::DesiredFrontend;
use crate::domain::config::{Backend, HealthCheck};
use crate::domain::events::Event;
use crate::domain::health::Admin;
use crate::domain::names::{BackendName, FrontendName};

/// What the holder of the roster is to do, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum ControllerEffect {
    /// Start to probe a backend.
    StartProber {
        /// Who is to report.
        id: ProberId,
        /// The backend.
        backend: BackendName,
        /// Its configuration.
        settings: ProberSettings,
    },
    /// Stop probing a backend.
    StopProber(BackendName),
    /// The backend has another health check from now on.
    CheckChanged(BackendName, Option<Arc<HealthCheck>>),
    /// Put the backend into another administrative state.
    Administer {
        /// The backend.
        backend: BackendName,
        /// What is wanted.
        admin: Admin,
        /// Who wants it.
        why: String,
    },
    /// The backend's name leads to another address from now on: it is probed
    /// there.
    Readdress(BackendName, IpAddr),
    /// Two backends of one frontend have come to one address. They are one
    /// server in VPP, with the greater of their weights.
    AddressShared {
        /// The one that came.
        backend: BackendName,
        /// The one that was there.
        other: BackendName,
        /// Where.
        address: IpAddr,
    },
    /// Tell everybody.
    Publish(Event),
    /// These frontends should look like this now.
    Desire(Vec<(FrontendName, Arc<DesiredFrontend>)>),
    /// An operator's override ended: the file now says something else of its
    /// item, or has none such.
    OverrideDropped(String),
}

/// What a prober needs to know of its backend.
#[derive(Clone, Debug, PartialEq)]
pub struct ProberSettings {
    /// Where and whether the backend is.
    pub backend: Arc<Backend>,
    /// Where it is; `None` while its name has not been resolved.
    pub address: Option<IpAddr>,
    /// `None`: always up.
    pub check: Option<Arc<HealthCheck>>,
    /// The state it starts in.
    pub admin: Admin,
    /// The first probe is made within this time.
    pub within: Duration,
}

/// What an operator can do to a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminCommand {
    Pause,
    Resume,
    Enable,
    Disable,
}

impl fmt::Display for AdminCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Enable => "enable",
            Self::Disable => "disable",
        })
    }
}

/// Why a question or a command was refused.
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
}
