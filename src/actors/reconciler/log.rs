//! Writes the reconciliation's records to the log.

use std::time::Duration;

use tracing::{debug, info, warn};

use crate::domain::dataplane::connection::DataplaneError;
use crate::domain::names::FrontendName;
use crate::domain::reconcile::ReconcileRecord;
use crate::domain::removals::FirstNames;

pub(super) fn log(record: ReconcileRecord) {
    match record {
        ReconcileRecord::SyncStarted { scope, steps } => {
            info!(scope = scope.as_str(), steps, "vpp-lbsync-start");
        }
        ReconcileRecord::SyncDone { scope, steps, failed, took } => {
            let took_us = took.map(micros);
            info!(scope = scope.as_str(), steps, failed, took_us, "vpp-lbsync-done");
        }
        ReconcileRecord::SyncFailed(error) => warn!(%error, "vpp-lbsync-failed"),
        ReconcileRecord::StepDone { frontend, name, detail, disruption } => {
            let frontend = frontend.as_ref().map(FrontendName::as_str);
            info!(frontend, step = detail, disruption = disruption.as_str(), "{name}");
        }
        ReconcileRecord::StepFailed { frontend, action, step, why } => {
            let frontend = frontend.as_ref().map(FrontendName::as_str);
            warn!(frontend, action, step, why, "vpp-lbsync-step-failed");
        }
        ReconcileRecord::StickyBucketsChanged { from, to } => warn!(
            from,
            to,
            "vpp-lb-sticky-buckets-changed: VPP drops all flows of all VIPs with its next packets"
        ),
        ReconcileRecord::UnexpectedRow(row) => {
            warn!(row, "vpp-lb-strange: not ours and not to be expressed; left alone");
        }
        ReconcileRecord::ModelMismatch { frontend, vip, servers } => {
            let frontend = frontend.as_ref().map(FrontendName::as_str);
            warn!(frontend, %vip, servers, "vpp-model-mismatch");
        }
        ReconcileRecord::ReadBackDiffers(vip) => {
            warn!(%vip, "vpp-lb-verify-differs: VPP does not hold what was written");
        }
        ReconcileRecord::RemovalsHeld { held, of, detail } => {
            warn!(held, of, detail, "vpp-lb-removals-held");
        }
        ReconcileRecord::RemovalsReleased { detail } => {
            warn!(detail, "vpp-lb-removals-released");
        }
        ReconcileRecord::RemovalsWait { vips } => {
            info!(vips = %FirstNames(&vips), "vpp-lb-removals-wait: for the withdraw of their addresses");
        }
        ReconcileRecord::RemovedAnnounced { addresses } => warn!(
            addresses = %FirstNames(&addresses),
            "vpp-lb-removed-announced: these addresses could not be withdrawn in time"
        ),
        ReconcileRecord::ReadBackFailed(error) => warn!(%error, "vpp-lb-verify-failed"),
    }
}

/// A VPP was made to run its collector, or was not.
pub(super) fn log_collection(collected: &Result<(), DataplaneError>) {
    match collected {
        Ok(()) => debug!("vpp-lb-collected: VPP let go of what was removed"),
        Err(error) => warn!(%error, "vpp-lb-collection-failed"),
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
