//! Writes changed frontends immediately, ahead of a pass: the flip.

use std::collections::BTreeSet;
use std::time::Instant;

use super::in_flight::{Flip, InFlightWrite, PlanSnapshot, failed_frontends};
use super::pass::Pass;
use super::record::{ReconcileRecord, ScopeLabel};
use super::{CallId, ObservedState, ReconcileState, input};
use crate::domain::dataplane::connection::{DataplaneError, Outcome};
use crate::domain::dataplane::plan::{Scope, plan};
use crate::domain::moment::Moment;

impl ReconcileState {
    /// Writes all pending frontends, except those of a batch in flight: what the batch
    /// leaves in VPP is not known before its answer.
    pub(super) fn flip(&mut self) {
        let (Some(state), ObservedState::Known(observed)) = (&self.desired, &self.observed) else {
            return;
        };
        if self.flip.is_some() || !self.may_write || self.pending.is_empty() {
            return;
        }
        let pass = self.pass.as_ref();
        let (flushed, read_back) = (&self.flushed, &self.read_back);
        let progress = &mut self.progress;
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
                    let frontend = state.desired.frontends.get(name);
                    let vip = frontend.map(|frontend| frontend.spec.vip);
                    match vip.and_then(|vip| observed.vips.get_key_value(&vip)) {
                        // It was read since it was written last, as after a restart.
                        Some((vip, held)) if read_back.was_read(vip) => {
                            progress.confirmed(name, held)
                        }
                        _ => progress.written(name),
                    };
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
        let id = self.write(InFlightWrite { steps, snapshot, batch: None }, true);
        self.flip = Some(Flip { id, decided, drifted });
        self.log(ReconcileRecord::SyncStarted { scope: ScopeLabel::Vip, steps: Some(count) });
    }

    pub(super) fn flip_written(
        &mut self,
        write: InFlightWrite,
        outcomes: Result<Vec<Outcome>, DataplaneError>,
        now: Moment,
    ) {
        let Some(Flip { decided, drifted, .. }) = self.flip.take() else { return };
        let took = |since: &Instant| now.monotonic.saturating_duration_since(*since);
        for decided in &decided {
            self.stats.flips.record(took(decided));
        }
        let drift = |frontend: &_| drifted.contains(frontend);
        let InFlightWrite { steps, snapshot, .. } = write;
        let results = self.settle(&snapshot, steps, outcomes, ScopeLabel::Vip, drift, now);
        // A repair of drift is not read back: if something else keeps undoing it, the
        // next drift pass repairs it again, and not each read-back.
        let repairs = results.iter().filter(|result| drifted.contains(&result.planned.frontend));
        for vip in repairs.filter_map(|result| result.planned.step.vip()) {
            self.read_back.skip(&vip);
        }
        let frontends = failed_frontends(&results);
        self.clear_refusals(&results, &frontends);
        let failed = input::failed(&results);
        self.log(ReconcileRecord::SyncDone {
            scope: ScopeLabel::Vip,
            steps: results.len(),
            failed,
            took: decided.first().map(took),
        });
        self.settle_progress(&snapshot, &frontends, now);
        // A refusal means that VPP has changed since it was observed. A pass that is
        // still observing observes again by itself.
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
