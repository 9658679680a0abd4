//! Logs when a frontend begins to fail open, and when it ceases to.

use tracing::warn;

use crate::domain::balancing::fail_open::UpWeight;
use crate::domain::events::FailOpenChange;
use crate::domain::names::PoolName;

pub(super) fn log(change: &FailOpenChange) {
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
