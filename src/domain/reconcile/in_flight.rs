//! The writes and the flip that VPP has not answered yet, and the changes that wait
//! for their flip.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use super::input::{CallId, StepResult};
use crate::domain::balancing::weights::DesiredFrontend;
use crate::domain::dataplane::plan::{Desired, Planned};
use crate::domain::names::FrontendName;

/// A write that VPP has not answered yet.
#[derive(Debug)]
pub(super) struct InFlightWrite {
    pub(super) steps: Vec<Planned>,
    pub(super) snapshot: PlanSnapshot,
    /// The batch's number in the pass; `None`: a flip.
    pub(super) batch: Option<u64>,
}

/// The desired state of the frontends when their steps were planned. Outcomes are
/// settled against it, since the desired state may have changed meanwhile.
#[derive(Debug)]
pub(super) struct PlanSnapshot(pub(super) BTreeMap<FrontendName, Arc<DesiredFrontend>>);

impl PlanSnapshot {
    pub(super) fn of(steps: &[Planned], desired: &Desired) -> Self {
        let names = steps.iter().filter_map(|planned| planned.frontend.as_ref());
        let frontend =
            |name: &FrontendName| Some((name.clone(), Arc::clone(desired.frontends.get(name)?)));
        Self(names.filter_map(frontend).collect())
    }
}

/// Why a frontend waits for a flip.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PendingChange {
    /// When the first probe result that caused the change was received.
    pub(super) decided: Option<Instant>,
    /// The desired state changed. Otherwise a read-back differed from what was
    /// written, which is drift.
    pub(super) is_changed: bool,
}

impl PendingChange {
    pub(super) fn changed(&mut self, decided: Option<Instant>) {
        self.decided = self.decided.or(decided);
        self.is_changed = true;
    }
}

/// The flip in flight.
#[derive(Debug)]
pub(super) struct Flip {
    pub(super) id: CallId,
    pub(super) decided: BTreeSet<Instant>,
    /// Frontends that it writes only because of drift.
    pub(super) drifted: BTreeSet<Option<FrontendName>>,
}

/// The frontends with a step that VPP did not do.
pub(super) fn failed_frontends(results: &[StepResult]) -> BTreeSet<Option<FrontendName>> {
    let failed = results.iter().filter(|result| result.error.is_some());
    failed.map(|result| result.planned.frontend.clone()).collect()
}
