//! A change of what operators or the configuration ask for: a weight, or whether
//! a backend serves at all.

use std::time::SystemTime;

use crate::domain::dataplane::net::Weight;
use crate::domain::health::Admin;
use crate::domain::names::{BackendName, FrontendName, PoolName};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub what: Changed,
    /// Whether an operator's command is in force, in place of the configuration.
    pub overridden: bool,
    /// The client that asked for it, or [`Change::FILE`].
    pub who: String,
    pub at: SystemTime,
}

impl Change {
    /// `who` of the changes that a reload brings.
    pub const FILE: &str = "file";
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
    /// A configuration was loaded and is in force: anything may have changed.
    Config,
}
