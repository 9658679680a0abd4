//! Something else is asked for: a weight, or whether a backend serves at all.

use std::time::SystemTime;

use crate::domain::dataplane::net::Weight;
use crate::domain::health::Admin;
use crate::domain::names::{BackendName, FrontendName, PoolName};

/// A change of what is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it is about.
    pub what: Changed,
    /// Whether what is asked for now is an operator's word, in place of the
    /// file's.
    pub overridden: bool,
    /// Who asks for it: a client, or [`Change::FILE`].
    pub who: String,
    /// When.
    pub at: SystemTime,
}

impl Change {
    /// Who asks for what a reload brings.
    pub const FILE: &str = "file";
}

/// What is asked for, before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// Whether a backend is to serve.
    Admin {
        /// The backend.
        backend: BackendName,
        /// Before.
        from: Admin,
        /// From now on.
        to: Admin,
    },
    /// The weight of a backend in a pool.
    Weight {
        /// The frontend.
        frontend: FrontendName,
        /// Its pool.
        pool: PoolName,
        /// The backend in it.
        backend: BackendName,
        /// Before.
        from: Weight,
        /// From now on.
        to: Weight,
    },
    /// The file was read and is used: everything may be another.
    Config,
}
