//! A change of what operators or the configuration ask for: a weight, or whether
//! a backend serves at all.

use std::time::SystemTime;

use crate::domain::announce::orders::{AnnounceOrder, AnnounceScope};
use crate::domain::dataplane::net::Weight;
use crate::domain::health::Admin;
use crate::domain::names::{BackendName, FrontendName, PoolName};
use crate::domain::overrides::{OverrideEnd, Reason};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub what: Changed,
    /// Whether an operator's override is in force, in place of the configuration.
    pub overridden: bool,
    /// The client that asked for it, [`Change::FILE`] or [`Change::TIME`].
    pub who: String,
    /// In the operator's words.
    pub why: Option<Reason>,
    /// When the override ends by itself.
    pub until: Option<SystemTime>,
    /// How the override ended that was in force; `None`: none has ended.
    pub ended: Option<OverrideEnd>,
    pub at: SystemTime,
}

impl Change {
    /// `who` of the changes that a reload brings.
    pub const FILE: &str = "file";
    /// `who` of the end of an override whose time is over.
    pub const TIME: &str = "time";

    /// A configuration is in force.
    #[must_use]
    pub fn of_config(at: SystemTime) -> Self {
        Self {
            what: Changed::Config,
            overridden: false,
            who: Self::FILE.into(),
            why: None,
            until: None,
            ended: None,
            at,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// Whether a backend is to serve.
    Admin { backend: BackendName, from: Admin, to: Admin },
    Weight {
        frontend: FrontendName,
        pool: PoolName,
        backend: BackendName,
        from: Weight,
        to: Weight,
    },
    /// What operators order of announcements; `None`: it is as the rules have it.
    Announcement {
        scope: AnnounceScope,
        /// Those that it concerns, unless it is about all.
        frontends: Vec<FrontendName>,
        from: Option<AnnounceOrder>,
        to: Option<AnnounceOrder>,
    },
    /// A configuration was loaded and is in force: anything may have changed.
    Config,
}
