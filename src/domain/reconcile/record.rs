//! What the reconciliation has logged, as values: whoever executes its effects
//! turns them into records.

use std::time::Duration;

use crate::domain::dataplane::connection::DataplaneError;
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::plan::{Disruption, Scope};
use crate::domain::names::FrontendName;

/// A pass over everything and an operator's sync of all have scope `all`; flips
/// and syncs of one frontend have scope `vip`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScopeWord {
    All,
    Vip,
}

impl ScopeWord {
    /// The word of logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Vip => "vip",
        }
    }
}

impl From<&Scope> for ScopeWord {
    fn from(scope: &Scope) -> Self {
        match scope {
            Scope::All => Self::All,
            Scope::One(_) => Self::Vip,
        }
    }
}

/// One record of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReconcileRecord {
    /// `steps`: how many are written; `None`: VPP is read first.
    SyncStarted {
        scope: ScopeWord,
        steps: Option<usize>,
    },
    /// `took`: of a flip from the deciding probe result on, if there was one.
    SyncDone {
        scope: ScopeWord,
        steps: usize,
        failed: usize,
        took: Option<Duration>,
    },
    /// VPP could not be read.
    SyncFailed(DataplaneError),
    StepDone {
        frontend: Option<FrontendName>,
        /// The event's name: `vpp-lbsync-as-weight`.
        name: &'static str,
        detail: String,
        disruption: Disruption,
    },
    StepFailed {
        frontend: Option<FrontendName>,
        action: &'static str,
        step: String,
        why: String,
    },
    /// VPP makes a new table for sticky flows of another size, and the old
    /// flows are gone with the old one.
    StickyBucketsChanged {
        from: u32,
        to: u32,
    },
    /// A row of VPP's that no VIP of ours can look like.
    UnexpectedRow(String),
    ModelMismatch {
        frontend: Option<FrontendName>,
        vip: Vip,
        servers: String,
    },
    /// VPP does not hold what was written.
    ReadBackDiffers(Vip),
    ReadBackFailed(DataplaneError),
}
