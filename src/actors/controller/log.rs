//! Logs what the Controller decides about evidence, failing open and drains.

use std::sync::Arc;

use tracing::{info, warn};

use crate::domain::balancing::fail_open::UpWeight;
use crate::domain::drain::DrainPhase;
use crate::domain::events::{DrainChange, FailOpenChange};
use crate::domain::evidence::hold::{HoldChange, HoldChangeKind};
use crate::domain::names::{BackendName, PoolName};

/// Once for all backends of a group.
pub(super) fn hold(HoldChange { group, kind, .. }: &HoldChange) {
    match kind {
        HoldChangeKind::Began { limit } => warn!(
            probes = %group, ?limit,
            "verdicts-held: backends fail, and no other backend or witness passes; they stay as they are"
        ),
        HoldChangeKind::Ended { outcome, lasted } => info!(
            probes = %group, outcome = outcome.as_str(), ?lasted,
            "verdicts-released"
        ),
    }
}

/// That this machine cannot probe a backend, the first one, or can probe all again.
pub(super) fn probing(impossible: Option<&(BackendName, Arc<str>)>) {
    match impossible {
        Some((backend, why)) => warn!(
            %backend, why = &**why,
            "probes-impossible: this machine cannot probe this backend, and perhaps others; they stay as they are"
        ),
        None => info!("probes-possible: every backend can be probed again"),
    }
}

/// That a frontend begins to fail open, or ceases to.
pub(super) fn fail_open(change: &FailOpenChange) {
    let FailOpenChange { frontend, is_open, pool, decision, why, .. } = change;
    let pool = pool.as_ref().map_or("", PoolName::as_str);
    let threshold = decision.map(|decision| decision.threshold.to_string()).unwrap_or_default();
    let UpWeight { up, total, .. } = decision.map(|decision| decision.weight).unwrap_or_default();
    let why = &**why;
    if *is_open {
        let effect = "every enabled backend of the pool counts as up";
        warn!(%frontend, pool, up, total, threshold, why, effect, "frontend-fail-open");
    } else {
        let effect = "health checks are believed again";
        warn!(%frontend, pool, up, total, threshold, why, effect, "frontend-fail-open-ended");
    }
}

/// How far a drain is.
pub(super) fn drain(change: &DrainChange) {
    let DrainChange { backend, flows, who, why, .. } = change;
    let (phase, why) = (change.kind(), &**why);
    match change.phase {
        Some(DrainPhase::Overdue) => {
            let remedy = "drain it again, then flush; or disable it";
            warn!(%backend, phase, flows, %who, why, remedy, "backend-drain");
        }
        _ => info!(%backend, phase, flows, %who, why, "backend-drain"),
    }
}
