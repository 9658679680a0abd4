//! The steps of a pass: planned a few frontends at a time, written in batches.
//! A flip that comes meanwhile waits for neither.

use super::outcomes::{PlanSnapshot, WriteUnderWay, failed_frontends};
use super::pass::Pass;
use super::record::ScopeWord;
use super::{Moment, ObservedState, ReconcileEffect, ReconcileState};
use crate::domain::dataplane::connection::{DataplaneError, Outcome};
use crate::domain::dataplane::plan::{Planned, outline, plan_one};

/// Steps that are written together, about. A flip that concerns a frontend of
/// theirs waits for them, and any flip while their outcomes are taken in. Half as
/// many, and twice as many batches, make both syncs and flips slower.
const BATCH: usize = 16;
/// Frontends that are planned before others have the thread. It takes some tens
/// of microseconds.
const SLICE: usize = 64;

impl ReconcileState {
    /// Begins the next pass, or writes the next batches of the present one.
    /// Says whether there may be more to do.
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

    /// Ends the pass, and queues another that observes VPP again.
    fn restart_pass(&mut self, now: Moment) {
        let error = DataplaneError::Failed("a reply was lost; VPP is read anew".into());
        self.end_pass(Some(error), now);
        self.queue_drift_pass(false);
    }

    /// Plans what is left of a pass in outline, when nothing is under way: what
    /// that leaves is not known before its answer, and a plan would do it once
    /// more.
    pub(super) fn outline_pass(&mut self) {
        let (Some(state), Some(pass), ObservedState::Known(observed)) =
            (&self.desired, &mut self.pass, &self.observed)
        else {
            return;
        };
        if pass.is_stale() && pass.is_idle() && self.flip.is_none() {
            let flips = self.may_write.then(|| self.pending.keys()).into_iter().flatten();
            let flips = flips.cloned().map(Some).collect();
            let due = outline(&state.desired, observed, &self.flushed, pass.scope());
            pass.take_outline(due, flips);
        }
    }

    /// Writes as many batches as may be under way, or ends the pass and says so.
    fn write_batches(&mut self, now: Moment) -> bool {
        while self.pass.as_ref().is_some_and(Pass::has_room) {
            if !self.plan_batch() {
                if self.pass.as_mut().is_some_and(Pass::yield_now) {
                    self.effects.push(ReconcileEffect::Yield);
                }
                return false;
            }
            let (Some(pass), ObservedState::Known(observed)) = (&mut self.pass, &self.observed)
            else {
                return false;
            };
            match pass.next_batch(BATCH, observed) {
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

    /// Plans until there is a batch to write. False: others have waited for the
    /// thread for long enough.
    fn plan_batch(&mut self) -> bool {
        let (Some(state), Some(pass), ObservedState::Known(observed)) =
            (&self.desired, &mut self.pass, &self.observed)
        else {
            return true;
        };
        for _ in 0..SLICE {
            if pass.is_ready(BATCH) {
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
                }
            }
            pass.take_steps(steps);
        }
        pass.is_ready(BATCH)
    }

    fn write_batch(&mut self, number: u64, steps: Vec<Planned>) {
        let Some(state) = &self.desired else { return };
        let snapshot = PlanSnapshot::of(&steps, &state.desired);
        self.write(WriteUnderWay { steps, snapshot, batch: Some(number) }, false);
    }

    /// The batch of this number was answered.
    pub(super) fn batch_written(
        &mut self,
        write: WriteUnderWay,
        outcomes: Result<Vec<Outcome>, DataplaneError>,
        now: Moment,
    ) {
        let WriteUnderWay { steps, snapshot, batch } = write;
        let (Some(pass), Some(number)) = (&self.pass, batch) else { return };
        let (drift, scope) = (pass.finds_drift(), ScopeWord::from(pass.scope()));
        let results = self.settle(&snapshot, steps, outcomes, scope, |_| drift, now);
        let failed = failed_frontends(&results);
        if let Some(pass) = &mut self.pass {
            pass.batch_written(number, results, &failed);
        }
        self.settle_progress(&snapshot, &failed, now);
    }
}
