//! One pass over VPP: an observation, then steps in batches, with flips in between.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::{CallId, Moment, RequestId, StepResult};
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::{Observed, ObservedVip};
use crate::domain::dataplane::plan::{self, Outline, Planned, Scope};
use crate::domain::dataplane::step::Step;
use crate::domain::names::FrontendName;
use crate::domain::reconcile::refusals::Refusals;

/// See the module's description.
#[derive(Debug)]
pub(super) struct Pass {
    scope: Scope,
    trigger: Trigger,
    /// The observation that is awaited; nothing is written before it.
    observing: Option<CallId>,
    /// The batches under way by their numbers: the frontends they are for.
    under_way: BTreeMap<u64, BTreeSet<Option<FrontendName>>>,
    batches: u64,
    /// Whether the steps that remain are not those that are due.
    stale: bool,
    remaining: VecDeque<Planned>,
    /// What is still to be planned, and what comes after that.
    unplanned: VecDeque<FrontendName>,
    last: Vec<Planned>,
    /// Others have the thread; it goes on after them.
    yields: bool,
    /// Frontends that VPP refused something for. They wait for the next pass,
    /// and do not stop the others.
    skipped: BTreeSet<Option<FrontendName>>,
    /// Frontends that VPP keeps refusing: this pass leaves them alone.
    backing_off: BTreeSet<Option<FrontendName>>,
    /// Frontends that flips write, of whose steps this pass knows nothing.
    left_to_flips: BTreeSet<Option<FrontendName>>,
    /// What flips wrote since the observation began: it may not show that yet.
    superseding: Vec<Step>,
    /// A flip failed beside the observation, which may show what VPP did of it,
    /// or what was there before.
    is_ambiguous: bool,
    results: Vec<StepResult>,
    /// The VIPs that an operator's pass concerns, as they were before it.
    before: BTreeMap<Vip, ObservedVip>,
    begun: Moment,
}

/// Steps that are written together, if that many are of one frontend.
const LONGEST: usize = 128;
/// Batches that are under way at a time: while the outcomes of one are taken in,
/// VPP has another.
const BATCHES: usize = 2;

/// Why a pass is made.
#[derive(Debug)]
pub(super) enum Trigger {
    /// To find and mend what differs. `alone`: nothing changed on our side
    /// before it, so that whatever differs is drift.
    Drift { alone: bool },
    /// An operator's request.
    Sync { dry_run: bool, id: RequestId },
}

impl Trigger {
    pub(super) fn is_dry_run(&self) -> bool {
        matches!(self, Self::Sync { dry_run: true, .. })
    }
}

/// A pass that is over.
pub(super) struct EndedPass {
    pub(super) scope: Scope,
    pub(super) trigger: Trigger,
    pub(super) results: Vec<StepResult>,
    pub(super) before: BTreeMap<Vip, ObservedVip>,
    pub(super) applied: bool,
    /// It was to make all of VPP right, and left nobody out.
    pub(super) complete: bool,
    pub(super) took: Duration,
}

impl Pass {
    /// A pass that begins with the observation `observing`, and leaves
    /// `backing_off` alone.
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
            under_way: BTreeMap::new(),
            batches: 0,
            stale: true,
            remaining: VecDeque::new(),
            unplanned: VecDeque::new(),
            last: Vec::new(),
            yields: false,
            skipped: BTreeSet::new(),
            backing_off,
            left_to_flips: BTreeSet::new(),
            superseding: Vec::new(),
            is_ambiguous: false,
            results: Vec::new(),
            before: BTreeMap::new(),
            begun: now,
        }
    }

    pub(super) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Whether a batch under way is for this frontend.
    pub(super) fn is_busy_with(&self, frontend: &Option<FrontendName>) -> bool {
        self.under_way.values().any(|frontends| frontends.contains(frontend))
    }

    /// VPP is being observed.
    pub(super) fn is_observing(&self) -> bool {
        self.observing.is_some()
    }

    /// The observation that is awaited.
    pub(super) fn observing(&self) -> Option<CallId> {
        self.observing
    }

    /// Nothing is under way, and VPP was read.
    pub(super) fn is_idle(&self) -> bool {
        self.observing.is_none() && self.under_way.is_empty()
    }

    /// Whether another batch may go out: it is known which.
    pub(super) fn has_room(&self) -> bool {
        self.observing.is_none() && !self.stale && self.under_way.len() < BATCHES
    }

    pub(super) fn is_stale(&self) -> bool {
        self.stale
    }

    pub(super) fn is_dry_run(&self) -> bool {
        self.trigger.is_dry_run()
    }

    /// Whether its observation is not to be believed.
    pub(super) fn is_ambiguous(&self) -> bool {
        self.is_ambiguous
    }

    /// Whether all that this pass mends is drift.
    pub(super) fn finds_drift(&self) -> bool {
        matches!(self.trigger, Trigger::Drift { alone: true })
    }

    /// Something changed on our side: what differs need not be drift.
    pub(super) fn mark_explained(&mut self) {
        if let Trigger::Drift { alone } = &mut self.trigger {
            *alone = false;
        }
    }

    /// What is left is to be planned from what is known by then.
    pub(super) fn replan(&mut self) {
        self.stale = true;
    }

    /// Another observation begins in place of one that is ambiguous.
    pub(super) fn observe_again(&mut self, observing: CallId) {
        self.superseding.clear();
        self.is_ambiguous = false;
        self.observing = Some(observing);
    }

    /// The observation is done. Brings it up to date with what was written
    /// meanwhile.
    pub(super) fn observed(&mut self, observed: &mut Observed) {
        for step in self.superseding.drain(..) {
            plan::apply(observed, &step);
        }
        self.observing = None;
    }

    /// Something else is wanted of this frontend, and a flip will write it:
    /// what was planned for it is void. The steps of the others stand.
    pub(super) fn yield_to_fast_path(&mut self, frontend: &FrontendName) {
        self.mark_explained();
        let is_its = |planned: &Planned| planned.frontend.as_ref() == Some(frontend);
        self.remaining.retain(|planned| !is_its(planned));
        self.left_to_flips.insert(Some(frontend.clone()));
    }

    /// A flip went ahead of this pass. What it left undone is planned anew.
    pub(super) fn superseded(&mut self, results: Vec<StepResult>) {
        let failed = results.iter().any(|result| result.error.is_some());
        self.stale |= failed;
        if self.observing.is_some() {
            self.is_ambiguous |= failed;
            let done = results.into_iter().filter(|result| result.error.is_none());
            self.superseding.extend(done.map(|result| result.planned.step));
        }
    }

    /// These steps are due. Those of frontends that `flips` are about to write
    /// are not for the pass, which goes on beside them.
    pub(super) fn take_outline(&mut self, outline: Outline, flips: BTreeSet<Option<FrontendName>>) {
        self.left_to_flips = flips;
        self.stale = false;
        self.remaining.clear();
        self.unplanned = outline.frontends;
        self.last = outline.last;
        self.take_steps(outline.first);
    }

    /// These steps are due, after those that remain.
    pub(super) fn take_steps(&mut self, mut steps: Vec<Planned>) {
        steps.retain(|planned| self.is_for(&planned.frontend));
        self.remaining.extend(steps);
    }

    /// Whether this pass writes what is due for this frontend.
    fn is_for(&self, frontend: &Option<FrontendName>) -> bool {
        ![&self.skipped, &self.backing_off, &self.left_to_flips]
            .iter()
            .any(|others| others.contains(frontend))
    }

    /// The next frontend to plan; none when all is planned.
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

    /// Whether so many steps remain, or all that there are: nothing need be
    /// planned before they are written.
    pub(super) fn is_ready(&self, most: usize) -> bool {
        let is_planned = self.unplanned.is_empty() && self.last.is_empty();
        is_planned || self.remaining.len() >= most && !self.trigger.is_dry_run()
    }

    /// Has it yield the thread. Says whether it did not already.
    pub(super) fn yield_now(&mut self) -> bool {
        !std::mem::replace(&mut self.yields, true)
    }

    pub(super) fn resume(&mut self) {
        self.yields = false;
    }

    /// The next steps to write and their batch's number, about `most`; none
    /// when nothing remains that can be written before what is under way has
    /// ended. `seen` is what they change.
    pub(super) fn next_batch(
        &mut self,
        most: usize,
        seen: &Observed,
    ) -> Option<(u64, Vec<Planned>)> {
        let is_dry_run = self.trigger.is_dry_run();
        let count = if is_dry_run { self.remaining.len() } else { self.batch_size(most) };
        let batch: Vec<_> = self.remaining.drain(..count).collect();
        if matches!(self.trigger, Trigger::Sync { .. }) {
            let mut vips: Vec<_> = batch.iter().filter_map(|planned| planned.step.vip()).collect();
            // The steps of a VIP stand together.
            vips.dedup();
            for vip in vips {
                if let Some(now) = seen.vips.get(&vip) {
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
        self.under_way.insert(self.batches, frontends);
        Some((self.batches, batch))
    }

    /// How many of the steps that remain go out together: all of a frontend. Of
    /// very many the rest waits until it is known what became of the first.
    fn batch_size(&self, most: usize) -> usize {
        let mut count = 0;
        while let Some(planned) = self.remaining.get(count) {
            let before = count.checked_sub(1).and_then(|last| self.remaining.get(last));
            let goes_on = before.is_some_and(|before| before.frontend == planned.frontend);
            let is_full = count >= most && !goes_on || count >= LONGEST;
            if is_full || self.is_busy_with(&planned.frontend) {
                break;
            }
            count += 1;
        }
        count
    }

    /// The outcomes of the batch of this number; `failed`: the frontends of which
    /// VPP did not do all.
    pub(super) fn batch_written(
        &mut self,
        batch: u64,
        results: Vec<StepResult>,
        failed: &BTreeSet<Option<FrontendName>>,
    ) {
        self.remaining.retain(|planned| !failed.contains(&planned.frontend));
        self.skipped.extend(failed.iter().cloned());
        self.results.extend(results);
        self.under_way.remove(&batch);
    }

    /// Ends the pass; what went well is no longer among the refused, unless
    /// the pass was broken off.
    pub(super) fn end(self, refusals: &mut Refusals, broken_off: bool, now: Moment) -> EndedPass {
        let applied = !self.trigger.is_dry_run();
        let complete = applied && self.scope == Scope::All;
        if complete && !broken_off {
            let mut left = self.backing_off.clone();
            left.extend(self.left_to_flips);
            refusals.end_pass(&self.skipped, &left);
        }
        EndedPass {
            scope: self.scope,
            trigger: self.trigger,
            results: self.results,
            before: self.before,
            applied,
            complete: complete && self.backing_off.is_empty(),
            took: now.monotonic.saturating_duration_since(self.begun.monotonic),
        }
    }
}
