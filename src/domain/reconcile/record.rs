//! The log records of the reconciliation, as values. The Reconciler writes them to the
//! log.

use std::net::IpAddr;
use std::time::Duration;

use crate::domain::dataplane::connection::DataplaneError;
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::plan::{Disruption, Scope};
use crate::domain::names::FrontendName;

/// The scope in logs and metrics. Passes over everything have `all`; flips and syncs
/// of one frontend have `vip`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScopeLabel {
    All,
    Vip,
}

impl ScopeLabel {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Vip => "vip",
        }
    }
}

impl From<&Scope> for ScopeLabel {
    fn from(scope: &Scope) -> Self {
        match scope {
            Scope::All => Self::All,
            Scope::One(_) => Self::Vip,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReconcileRecord {
    /// `steps`: the number of steps; `None` if VPP is read first.
    SyncStarted {
        scope: ScopeLabel,
        steps: Option<usize>,
    },
    /// `took`: for a flip since the probe result that caused it; `None` if an operator did.
    SyncDone {
        scope: ScopeLabel,
        steps: usize,
        failed: usize,
        took: Option<Duration>,
    },
    /// VPP could not be read.
    SyncFailed(DataplaneError),
    StepDone {
        frontend: Option<FrontendName>,
        /// The record's name: `vpp-lbsync-as-weight`.
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
    /// VPP allocates a table of sticky flows of another size, and loses the flows in
    /// the old one.
    StickyBucketsChanged {
        from: u32,
        to: u32,
    },
    /// A row of VPP's dumps that cannot be a VIP or server of ours.
    UnexpectedRow(String),
    ModelMismatch {
        frontend: Option<FrontendName>,
        vip: Vip,
        servers: String,
    },
    /// VPP does not hold what was written.
    ReadBackDiffers(Vip),
    ReadBackFailed(DataplaneError),
    /// Too many VIPs would be removed to be meant: they stay.
    RemovalsHeld {
        held: usize,
        /// The VIPs that VPP has.
        of: usize,
        detail: String,
    },
    RemovalsReleased {
        detail: String,
    },
    /// VIPs are removed once their addresses are withdrawn.
    RemovalsWait {
        vips: Vec<Vip>,
    },
    /// VIPs are removed although a route to their address is there.
    RemovedAnnounced {
        addresses: Vec<IpAddr>,
    },
}
