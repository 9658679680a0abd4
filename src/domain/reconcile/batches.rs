//! Plans the steps of a pass a few frontends at a time, and writes them in batches.
//! A flip waits for neither.

use super::in_flight::{InFlightWrite, PlanSnapshot, failed_frontends};
use super::pass::Pass;
use super::record::ScopeLabel;
use super::{ObservedState, ReconcileEffect, ReconcileState};
use crate::domain::dataplane::connection::{DataplaneError, Outcome};
use crate::domain::dataplane::plan::{Planned, outline, plan_one};
use crate::domain::moment::Moment;

/// About how many steps a batch has. A flip of a frontend in the batch waits for the
/// batch, and every flip waits while its outcomes are processed. Half the size, with
/// twice as many batches, made both syncs and flips slower.
const BATCH_SIZE: usize = 16;
/// Frontends that are planned before the pass yields the thread. Planning them takes
/// some tens of microseconds.
const FRONTENDS_PER_TURN: usize = 64;

impl ReconcileState {
    /// Begins the next pass, or writes the next batches of the present one. Returns
    /// whether there may be more to do.
    pub(super) fn advance_pass(&mut self, now: Moment) -> bool {
        match &self.pass {
            None => self.begin_pass(now),
            Some(pass) if pass.is_idle() && matches!(self.observed, ObservedState::Unknown) => {
                // A reply was lost: VPP has to be observed again.
                self.restart_pass(now);
                true
            }
            Some(pass) if pass.has_room() => self.write_batches(now),
            Some(_) => false,
        }
    }

    /// Ends the pass with an error, and queues a drift pass that observes VPP again.
    fn restart_pass(&mut self, now: Moment) {
        let error = DataplaneError::Failed("a reply was lost; VPP is read anew".into());
        self.end_pass(Some(error), now);
        self.queue_drift_pass(false);
    }

    /// Replans the rest of a stale pass. It waits until nothing is in flight: the
    /// result of what is in flight is not known yet, and would be planned again.
    pub(super) fn outline_pass(&mut self, now: Moment) {
        if !self.pass.as_ref().is_some_and(|pass| pass.is_stale() && pass.is_idle()) {
            return;
        }
        self.review_hold(now);
        let is_forced = self.pass.as_ref().is_some_and(Pass::is_forced);
        if is_forced && !self.pass.as_ref().is_some_and(Pass::is_dry_run) {
            self.force_removals(now);
        }
        let waiting = self.waiting_removals(now);
        let (Some(state), Some(pass), ObservedState::Known(observed)) =
            (&self.desired, &mut self.pass, &self.observed)
        else {
            return;
        };
        if self.flip.is_none() {
            let flips = self.may_write.then(|| self.pending.keys()).into_iter().flatten();
            let flips = flips.cloned().map(Some).collect();
            let mut due = outline(&state.desired, observed, &self.flushed, pass.scope());
            let held = if is_forced { vec![] } else { due.take_removals(self.held.vips()) };
            let waiting = due.take_removals(&waiting);
            pass.take_outline(due, held, !waiting.is_empty(), flips);
        }
    }

    /// Writes batches up to the limit in flight. Returns true if the pass has ended.
    fn write_batches(&mut self, now: Moment) -> bool {
        while self.pass.as_ref().is_some_and(Pass::has_room) {
            if !self.plan_batch(now) {
                if self.pass.as_mut().is_some_and(Pass::yield_now) {
                    self.effects.push(ReconcileEffect::Yield);
                }
                return false;
            }
            let (Some(pass), ObservedState::Known(observed)) = (&mut self.pass, &self.observed)
            else {
                return false;
            };
            match pass.next_batch(BATCH_SIZE, observed) {
                Some((number, steps)) => self.write_batch(number, steps),
                None if pass.is_idle() => {
                    self.end_pass(None, now);
                    return true;
                }
                None => return false,
            }
        }
        false
    }

    /// Plans until a batch is complete. Returns false if the pass has to yield the
    /// thread before.
    fn plan_batch(&mut self, now: Moment) -> bool {
        let (Some(state), Some(pass), ObservedState::Known(observed)) =
            (&self.desired, &mut self.pass, &self.observed)
        else {
            return true;
        };
        for _ in 0..FRONTENDS_PER_TURN {
            if pass.is_ready(BATCH_SIZE) {
                return true;
            }
            let Some(name) = pass.next_frontend() else { continue };
            let steps = plan_one(&state.desired, observed, &self.flushed, &name);
            if steps.is_empty()
                && !self.pending.contains_key(&name)
                && let Some(frontend) = state.desired.frontends.get(&name)
                && let Some(seen) = observed.vips.get(&frontend.spec.vip)
            {
                if self.read_back.is_outstanding(&frontend.spec.vip) {
                    self.progress.written(&name);
                } else {
                    self.progress.confirmed(&name, seen);
                    self.traces.read(&name, now);
                }
            }
            pass.take_steps(steps);
        }
        pass.is_ready(BATCH_SIZE)
    }

    fn write_batch(&mut self, number: u64, steps: Vec<Planned>) {
        let Some(state) = &self.desired else { return };
        let snapshot = PlanSnapshot::of(&steps, &state.desired);
        self.write(InFlightWrite { steps, snapshot, batch: Some(number) }, false);
    }

    pub(super) fn batch_written(
        &mut self,
        write: InFlightWrite,
        outcomes: Result<Vec<Outcome>, DataplaneError>,
        now: Moment,
    ) {
        let InFlightWrite { steps, snapshot, batch } = write;
        let (Some(pass), Some(number)) = (&self.pass, batch) else { return };
        let (drift, scope) = (pass.finds_drift(), ScopeLabel::from(pass.scope()));
        let results = self.settle(&snapshot, steps, outcomes, scope, |_| drift, now);
        let failed = failed_frontends(&results);
        if let Some(pass) = &mut self.pass {
            pass.batch_written(number, results, &failed);
        }
        self.settle_progress(&snapshot, &failed, now);
    }
}
