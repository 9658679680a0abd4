//! A flip: frontends that changed are written at once.

use std::collections::BTreeSet;
use std::time::Instant;

use super::outcomes::{PlanSnapshot, WriteUnderWay, failed_frontends};
use super::pass::Pass;
use super::record::{ReconcileRecord, ScopeWord};
use super::{CallId, Moment, ObservedState, ReconcileState, input};
use crate::domain::dataplane::connection::{DataplaneError, Outcome};
use crate::domain::dataplane::plan::{Scope, plan};
use crate::domain::names::FrontendName;

/// Why a frontend is to be written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PendingChange {
    /// When the first probe result that the change follows from was in.
    pub(super) decided: Option<Instant>,
    /// Something else is desired than before. Otherwise VPP was found to hold
    /// something else than what was written: drift.
    pub(super) is_changed: bool,
}

impl PendingChange {
    pub(super) fn changed(&mut self, decided: Option<Instant>) {
        self.decided = self.decided.or(decided);
        self.is_changed = true;
    }
}

/// The flip under way.
#[derive(Debug)]
pub(super) struct Flip {
    id: CallId,
    decided: BTreeSet<Instant>,
    /// Frontends that it writes only because VPP held something else.
    drifted: BTreeSet<Option<FrontendName>>,
}

impl ReconcileState {
    /// Writes changed frontends at once. Those of a batch under way wait for
    /// its answer: what it leaves is not known before.
    pub(super) fn flip(&mut self) {
        let (Some(state), ObservedState::Known(observed)) = (&self.desired, &self.observed) else {
            return;
        };
        if self.flip.is_some() || !self.may_write || self.pending.is_empty() {
            return;
        }
        let pass = self.pass.as_ref();
        let (flushed, progress) = (&self.flushed, &mut self.progress);
        let mut steps = Vec::new();
        let mut decided = BTreeSet::new();
        let mut drifted = BTreeSet::new();
        self.pending.retain(|name, change| {
            let waits = pass.is_some_and(|pass| pass.is_busy_with(&Some(name.clone())));
            if !waits {
                let scope = Scope::One(name.clone());
                let before = steps.len();
                steps.extend(plan(&state.desired, observed, flushed, &scope));
                if steps.len() == before {
                    progress.written(name);
                }
                decided.extend(change.decided);
                if !change.is_changed {
                    drifted.insert(Some(name.clone()));
                }
            }
            waits
        });
        if steps.is_empty() {
            return;
        }
        let snapshot = PlanSnapshot::of(&steps, &state.desired);
        let count = steps.len();
        let id = self.write(WriteUnderWay { steps, snapshot, batch: None }, true);
        self.flip = Some(Flip { id, decided, drifted });
        self.log(ReconcileRecord::SyncStarted { scope: ScopeWord::Vip, steps: Some(count) });
    }

    /// The flip of this call was answered.
    pub(super) fn flip_written(
        &mut self,
        write: WriteUnderWay,
        outcomes: Result<Vec<Outcome>, DataplaneError>,
        now: Moment,
    ) {
        let Some(Flip { decided, drifted, .. }) = self.flip.take() else { return };
        let took = |since: &Instant| now.monotonic.saturating_duration_since(*since);
        for decided in &decided {
            self.stats.flips.record(took(decided));
        }
        let drift = |frontend: &_| drifted.contains(frontend);
        let WriteUnderWay { steps, snapshot, .. } = write;
        let results = self.settle(&snapshot, steps, outcomes, ScopeWord::Vip, drift, now);
        // What somebody else keeps undoing is left to the drift passes.
        let mended = results.iter().filter(|result| drifted.contains(&result.planned.frontend));
        for vip in mended.filter_map(|result| result.planned.step.vip()) {
            self.read_back.leave(&vip);
        }
        let frontends = failed_frontends(&results);
        self.clear_refusals(&results, &frontends);
        let failed = input::failed(&results);
        self.log(ReconcileRecord::SyncDone {
            scope: ScopeWord::Vip,
            steps: results.len(),
            failed,
            took: decided.first().map(took),
        });
        self.settle_progress(&snapshot, &frontends, now);
        // What VPP refuses is not as it was last observed. A pass that is still
        // observing observes again by itself.
        if failed > 0 && !self.pass.as_ref().is_some_and(Pass::is_observing) {
            self.queue_drift_pass(false);
        }
        if let Some(pass) = &mut self.pass {
            pass.superseded(results);
        }
    }

    pub(super) fn is_flip(&self, id: CallId) -> bool {
        self.flip.as_ref().is_some_and(|flip| flip.id == id)
    }
}
