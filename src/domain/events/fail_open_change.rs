//! A frontend's beginning or ceasing to fail open, as an event.

use std::sync::Arc;
use std::time::SystemTime;

use crate::domain::balancing::fail_open::FailOpenDecision;
use crate::domain::names::{FrontendName, PoolName};

/// In an event of a snapshot `was_open` and `is_open` are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailOpenChange {
    pub frontend: FrontendName,
    pub was_open: bool,
    pub is_open: bool,
    /// The pool whose enabled backends all count as up, or did.
    pub pool: Option<PoolName>,
    /// The figures; `None`: it no longer may fail open.
    pub decision: Option<FailOpenDecision>,
    pub at: SystemTime,
    /// The cause, for people.
    pub why: Arc<str>,
}

impl FailOpenChange {
    /// The name of a state in the API.
    #[must_use]
    pub fn state_name(is_open: bool) -> &'static str {
        if is_open { "open" } else { "closed" }
    }
}
