//! Keeps the state of one pass over VPP: its observation, the steps that remain, the
//! batches in flight, and what flips have changed meanwhile.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::input::{CallId, StepResult};
pub(super) use super::trigger::Trigger;
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::{Observed, ObservedVip};
use crate::domain::dataplane::plan::{self, Outline, Planned, Scope};
use crate::domain::dataplane::step::Step;
use crate::domain::moment::Moment;
use crate::domain::names::FrontendName;
use crate::domain::reconcile::refusals::Refusals;

/// See the module's description.
#[derive(Debug)]
pub(super) struct Pass {
    scope: Scope,
    trigger: Trigger,
    /// The observation that the pass waits for; nothing is written before it.
    observing: Option<CallId>,
    /// The frontends of each batch in flight, by the batch's number.
    in_flight: BTreeMap<u64, BTreeSet<Option<FrontendName>>>,
    batches: u64,
    /// The remaining steps no longer follow from the present state.
    stale: bool,
    remaining: VecDeque<Planned>,
    /// Frontends that are still to be planned.
    unplanned: VecDeque<FrontendName>,
    /// The steps after those of all frontends.
    last: Vec<Planned>,
    /// The pass has yielded the thread and waits to be resumed.
    yields: bool,
    /// Frontends with a step that VPP did not do. This pass writes no more of them, but
    /// goes on with others.
    failed: BTreeSet<Option<FrontendName>>,
    /// Frontends that VPP keeps refusing, and that this pass does not write.
    backing_off: BTreeSet<Option<FrontendName>>,
    /// Frontends that flips write instead of this pass.
    yielded: BTreeSet<Option<FrontendName>>,
    /// What flips wrote since the observation began: it may not show that yet.
    superseding: Vec<Step>,
    /// A flip failed during the observation, which may show VPP before or after it.
    is_ambiguous: bool,
    results: Vec<StepResult>,
    /// Removals that this pass does not make.
    held: Vec<Planned>,
    /// Others wait for a withdraw.
    has_waiting: bool,
    /// The VIPs of an operator's sync as they were before.
    before: BTreeMap<Vip, ObservedVip>,
    begun: Moment,
}

/// The most steps in a batch, even if a frontend has more.
const MAX_BATCH: usize = 128;
/// The most batches in flight: VPP works on one while the outcomes of the other are
/// processed.
const MAX_IN_FLIGHT: usize = 2;

/// The result of a pass.
pub(super) struct EndedPass {
    pub(super) scope: Scope,
    pub(super) trigger: Trigger,
    pub(super) results: Vec<StepResult>,
    pub(super) held: Vec<Planned>,
    pub(super) before: BTreeMap<Vip, ObservedVip>,
    pub(super) applied: bool,
    /// It covered all of VPP, left no frontend out and held no removal.
    pub(super) complete: bool,
    pub(super) took: Duration,
}

impl Pass {
    /// A pass that begins with the observation `observing`, and does not write
    /// `backing_off`.
    pub(super) fn new(
        scope: Scope,
        trigger: Trigger,
        backing_off: BTreeSet<Option<FrontendName>>,
        observing: CallId,
        now: Moment,
    ) -> Self {
        Self {
            scope,
            trigger,
            observing: Some(observing),
            in_flight: BTreeMap::new(),
            batches: 0,
            stale: true,
            remaining: VecDeque::new(),
            unplanned: VecDeque::new(),
            last: Vec::new(),
            yields: false,
            failed: BTreeSet::new(),
            backing_off,
            yielded: BTreeSet::new(),
            superseding: Vec::new(),
            is_ambiguous: false,
            results: Vec::new(),
            held: Vec::new(),
            has_waiting: false,
            before: BTreeMap::new(),
            begun: now,
        }
    }

    pub(super) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Whether a batch in flight has steps of this frontend.
    pub(super) fn is_busy_with(&self, frontend: &Option<FrontendName>) -> bool {
        self.in_flight.values().any(|frontends| frontends.contains(frontend))
    }

    pub(super) fn is_observing(&self) -> bool {
        self.observing.is_some()
    }

    pub(super) fn observing(&self) -> Option<CallId> {
        self.observing
    }

    /// VPP was observed, and no batch is in flight.
    pub(super) fn is_idle(&self) -> bool {
        self.observing.is_none() && self.in_flight.is_empty()
    }

    /// Whether another batch may be written.
    pub(super) fn has_room(&self) -> bool {
        self.observing.is_none() && !self.stale && self.in_flight.len() < MAX_IN_FLIGHT
    }

    pub(super) fn is_stale(&self) -> bool {
        self.stale
    }

    pub(super) fn is_dry_run(&self) -> bool {
        self.trigger.is_dry_run()
    }

    pub(super) fn is_forced(&self) -> bool {
        matches!(self.trigger, Trigger::Sync { force: true, .. })
    }

    pub(super) fn is_ambiguous(&self) -> bool {
        self.is_ambiguous
    }

    /// Whether all that this pass repairs is drift.
    pub(super) fn finds_drift(&self) -> bool {
        matches!(self.trigger, Trigger::Drift { alone: true })
    }

    /// Something changed on our side, so that differences are not all drift.
    pub(super) fn mark_explained(&mut self) {
        if let Trigger::Drift { alone } = &mut self.trigger {
            *alone = false;
        }
    }

    /// Marks the remaining steps as stale.
    pub(super) fn replan(&mut self) {
        self.stale = true;
    }

    /// Replaces an ambiguous observation by another.
    pub(super) fn observe_again(&mut self, observing: CallId) {
        self.superseding.clear();
        self.is_ambiguous = false;
        self.observing = Some(observing);
    }

    /// Ends the observation, and applies to it what flips wrote meanwhile.
    pub(super) fn observed(&mut self, observed: &mut Observed) {
        for step in self.superseding.drain(..) {
            plan::apply(observed, &step);
        }
        self.observing = None;
    }

    /// Drops the remaining steps of a frontend whose desired state changed: a flip
    /// writes it. The steps of other frontends remain valid.
    pub(super) fn yield_to_fast_path(&mut self, frontend: &FrontendName) {
        self.mark_explained();
        self.remaining.retain(|planned| planned.frontend.as_ref() != Some(frontend));
        self.yielded.insert(Some(frontend.clone()));
    }

    /// Notes the results of a flip that overtook this pass. After a failure the rest is replanned.
    pub(super) fn superseded(&mut self, results: Vec<StepResult>) {
        let failed = results.iter().any(|result| result.error.is_some());
        self.stale |= failed;
        if self.observing.is_some() {
            self.is_ambiguous |= failed;
            let done = results.into_iter().filter(|result| result.error.is_none());
            self.superseding.extend(done.map(|result| result.planned.step));
        }
    }

    /// Replaces the remaining steps by a new plan, without the frontends that `flips`
    /// are about to write. `held`: the removals that are left out of it; `has_waiting`: and
    /// others that wait for a withdraw.
    pub(super) fn take_outline(
        &mut self,
        outline: Outline,
        held: Vec<Planned>,
        has_waiting: bool,
        flips: BTreeSet<Option<FrontendName>>,
    ) {
        (self.held, self.has_waiting) = (held, has_waiting);
        self.yielded = flips;
        self.stale = false;
        self.remaining.clear();
        self.unplanned = outline.frontends;
        self.last = outline.last;
        self.take_steps(outline.first);
    }

    /// Appends steps to those that remain.
    pub(super) fn take_steps(&mut self, mut steps: Vec<Planned>) {
        steps.retain(|planned| self.is_for(&planned.frontend));
        self.remaining.extend(steps);
    }

    /// Whether this pass writes this frontend.
    fn is_for(&self, frontend: &Option<FrontendName>) -> bool {
        ![&self.failed, &self.backing_off, &self.yielded]
            .iter()
            .any(|others| others.contains(frontend))
    }

    /// The next frontend to plan; `None` when all are planned.
    pub(super) fn next_frontend(&mut self) -> Option<FrontendName> {
        while let Some(name) = self.unplanned.pop_front() {
            if self.is_for(&Some(name.clone())) {
                return Some(name);
            }
        }
        let last = std::mem::take(&mut self.last);
        self.take_steps(last);
        None
    }

    /// Whether a batch of `most` steps is complete, or all frontends are planned.
    pub(super) fn is_ready(&self, most: usize) -> bool {
        let is_planned = self.unplanned.is_empty() && self.last.is_empty();
        is_planned || self.remaining.len() >= most && !self.trigger.is_dry_run()
    }

    /// Makes the pass yield the thread. Returns false if it already does.
    pub(super) fn yield_now(&mut self) -> bool {
        !std::mem::replace(&mut self.yields, true)
    }

    pub(super) fn resume(&mut self) {
        self.yields = false;
    }

    /// The next batch of about `most` steps, with its number; `None` if no step can be
    /// written before a batch in flight is answered.
    pub(super) fn next_batch(
        &mut self,
        most: usize,
        observed: &Observed,
    ) -> Option<(u64, Vec<Planned>)> {
        let is_dry_run = self.trigger.is_dry_run();
        let count = if is_dry_run { self.remaining.len() } else { self.batch_size(most) };
        let batch: Vec<_> = self.remaining.drain(..count).collect();
        if matches!(self.trigger, Trigger::Sync { .. }) {
            let mut vips: Vec<_> = batch.iter().filter_map(|planned| planned.step.vip()).collect();
            // The steps of a VIP are consecutive.
            vips.dedup();
            for vip in vips {
                if let Some(now) = observed.vips.get(&vip) {
                    self.before.entry(vip).or_insert_with(|| now.clone());
                }
            }
        }
        if is_dry_run {
            let steps = batch.into_iter();
            self.results.extend(steps.map(|planned| StepResult { planned, error: None }));
            return None;
        }
        if batch.is_empty() {
            return None;
        }
        self.batches += 1;
        let frontends = batch.iter().map(|planned| planned.frontend.clone()).collect();
        self.in_flight.insert(self.batches, frontends);
        Some((self.batches, batch))
    }

    /// The size of the next batch. It has all steps of a frontend, up to [`MAX_BATCH`];
    /// the rest waits for the outcomes of these.
    fn batch_size(&self, most: usize) -> usize {
        let mut count = 0;
        while let Some(planned) = self.remaining.get(count) {
            let before = count.checked_sub(1).and_then(|last| self.remaining.get(last));
            let continues = before.is_some_and(|before| before.frontend == planned.frontend);
            let is_full = count >= most && !continues || count >= MAX_BATCH;
            if is_full || self.is_busy_with(&planned.frontend) {
                break;
            }
            count += 1;
        }
        count
    }

    /// Notes the results of a batch. `failed`: the frontends with a step that VPP did
    /// not do.
    pub(super) fn batch_written(
        &mut self,
        batch: u64,
        results: Vec<StepResult>,
        failed: &BTreeSet<Option<FrontendName>>,
    ) {
        self.remaining.retain(|planned| !failed.contains(&planned.frontend));
        self.failed.extend(failed.iter().cloned());
        self.results.extend(results);
        self.in_flight.remove(&batch);
    }

    /// Ends the pass. Unless it was aborted, refusals of frontends for which it did all
    /// are cleared.
    pub(super) fn end(self, refusals: &mut Refusals, aborted: bool, now: Moment) -> EndedPass {
        let applied = !self.trigger.is_dry_run();
        let complete = applied && self.scope == Scope::All;
        let leaves_none = self.backing_off.is_empty() && self.held.is_empty() && !self.has_waiting;
        if complete && !aborted {
            let mut not_written = self.backing_off.clone();
            not_written.extend(self.yielded);
            refusals.end_pass(&self.failed, &not_written);
        }
        EndedPass {
            scope: self.scope,
            trigger: self.trigger,
            results: self.results,
            complete: complete && leaves_none,
            held: self.held,
            before: self.before,
            applied,
            took: now.monotonic.saturating_duration_since(self.begun.monotonic),
        }
    }
}
