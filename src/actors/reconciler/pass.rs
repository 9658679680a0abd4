//! One pass over VPP: a look, then steps in portions, with flips in between.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::{StepResult, SyncError, SyncReport};
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::{Observed, ObservedVip};
use crate::domain::dataplane::plan::{self, Outline, Planned, Scope};
use crate::domain::dataplane::step::Step;
use crate::domain::names::FrontendName;
use crate::domain::reconcile::refusals::Refusals;

/// See the module's description.
pub(super) struct Pass {
    scope: Scope,
    purpose: Trigger,
    /// VPP is being read; nothing is written before.
    is_looking: bool,
    /// The portions under way by their numbers: the frontends they are for.
    under_way: BTreeMap<u64, BTreeSet<Option<FrontendName>>>,
    portions: u64,
    /// Whether the steps that remain are not those that are due.
    stale: bool,
    remaining: VecDeque<Planned>,
    /// What is still to be planned, and what comes after that.
    unplanned: VecDeque<FrontendName>,
    last: Vec<Planned>,
    /// It goes on when others have had their turn.
    waits_its_turn: bool,
    /// Frontends that VPP refused something for. They wait for the next pass,
    /// and do not stop the others.
    skipped: BTreeSet<Option<FrontendName>>,
    /// Frontends that VPP keeps refusing: this pass leaves them alone.
    resting: BTreeSet<Option<FrontendName>>,
    /// Frontends whose last word flips have, of which this pass knows nothing.
    left_to_flips: BTreeSet<Option<FrontendName>>,
    /// What flips wrote since the look began: the look may not show it yet.
    overtook: Vec<Step>,
    /// Of a flip that overtook the look it is not known what VPP did: the look
    /// may show it, or what was there before.
    is_doubtful: bool,
    results: Vec<StepResult>,
    /// The VIPs that an operator's pass concerns, as they were before it.
    before: BTreeMap<Vip, ObservedVip>,
    begun: Instant,
}

/// Steps that go out together, if that many are of one frontend.
const LONGEST: usize = 128;
/// Portions that are under way at a time: while the answers to one are taken
/// in, VPP has another.
const PORTIONS: usize = 2;

/// Why a pass is made, and who waits for it.
pub(super) enum Trigger {
    /// To find and mend what differs. `alone`: nothing changed on our side
    /// before it, so that whatever differs is drift.
    Drift { alone: bool },
    /// Because an operator asks.
    Sync { dry_run: bool, answer: oneshot::Sender<Result<SyncReport, SyncError>> },
}

impl Trigger {
    pub(super) fn is_dry_run(&self) -> bool {
        matches!(self, Self::Sync { dry_run: true, .. })
    }

    pub(super) fn answer(self, result: Result<SyncReport, SyncError>) {
        if let Self::Sync { answer, .. } = self {
            // Whoever asked may have gone.
            let _ = answer.send(result);
        }
    }
}

/// A pass that is over.
pub(super) struct Ended {
    pub(super) scope: Scope,
    pub(super) purpose: Trigger,
    pub(super) results: Vec<StepResult>,
    pub(super) before: BTreeMap<Vip, ObservedVip>,
    pub(super) applied: bool,
    /// It was to make all of VPP right, and left nobody out.
    pub(super) complete: bool,
    pub(super) took: Duration,
}

impl Pass {
    /// A pass that begins with a look at VPP, and leaves `resting` alone.
    pub(super) fn new(
        scope: Scope,
        purpose: Trigger,
        resting: BTreeSet<Option<FrontendName>>,
    ) -> Self {
        Self {
            scope,
            purpose,
            is_looking: true,
            under_way: BTreeMap::new(),
            portions: 0,
            stale: true,
            remaining: VecDeque::new(),
            unplanned: VecDeque::new(),
            last: Vec::new(),
            waits_its_turn: false,
            skipped: BTreeSet::new(),
            resting,
            left_to_flips: BTreeSet::new(),
            overtook: Vec::new(),
            is_doubtful: false,
            results: Vec::new(),
            before: BTreeMap::new(),
            begun: Instant::now(),
        }
    }

    pub(super) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Whether a portion under way is for this frontend.
    pub(super) fn is_busy_with(&self, frontend: &Option<FrontendName>) -> bool {
        self.under_way.values().any(|frontends| frontends.contains(frontend))
    }

    /// VPP is being read.
    pub(super) fn is_looking(&self) -> bool {
        self.is_looking
    }

    /// Nothing is under way, and VPP was read.
    pub(super) fn is_idle(&self) -> bool {
        !self.is_looking && self.under_way.is_empty()
    }

    /// Whether another portion may go out: it is known which.
    pub(super) fn has_room(&self) -> bool {
        !self.is_looking && !self.stale && self.under_way.len() < PORTIONS
    }

    pub(super) fn is_stale(&self) -> bool {
        self.stale
    }

    pub(super) fn is_dry_run(&self) -> bool {
        self.purpose.is_dry_run()
    }

    /// Whether its look is not to be believed.
    pub(super) fn is_doubtful(&self) -> bool {
        self.is_doubtful
    }

    /// Whether all that this pass mends is drift.
    pub(super) fn finds_drift(&self) -> bool {
        matches!(self.purpose, Trigger::Drift { alone: true })
    }

    /// Something changed on our side: what differs need not be drift.
    pub(super) fn explain(&mut self) {
        if let Trigger::Drift { alone } = &mut self.purpose {
            *alone = false;
        }
    }

    /// What is left is to be planned from a fresh look at what is known.
    pub(super) fn replan(&mut self) {
        self.stale = true;
    }

    /// Another look begins in place of one that is not to be believed.
    pub(super) fn look_again(&mut self) {
        self.overtook.clear();
        self.is_doubtful = false;
    }

    /// The look is done. Brings it up to date with what was written meanwhile.
    pub(super) fn looked(&mut self, observed: &mut Observed) {
        for step in self.overtook.drain(..) {
            plan::apply(observed, &step);
        }
        self.is_looking = false;
    }

    /// Something else is wanted of this frontend, and a flip will write it:
    /// what was planned for it is void. The steps of the others stand.
    pub(super) fn leave_to_flip(&mut self, frontend: &FrontendName) {
        self.explain();
        let is_its = |planned: &Planned| planned.frontend.as_ref() == Some(frontend);
        self.remaining.retain(|planned| !is_its(planned));
        self.left_to_flips.insert(Some(frontend.clone()));
    }

    /// A flip went ahead of this pass. What it left undone is planned anew.
    pub(super) fn overtaken(&mut self, results: Vec<StepResult>) {
        let failed = results.iter().any(|result| result.error.is_some());
        self.stale |= failed;
        if self.is_looking {
            self.is_doubtful |= failed;
            let done = results.into_iter().filter(|result| result.error.is_none());
            self.overtook.extend(done.map(|result| result.planned.step));
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
        ![&self.skipped, &self.resting, &self.left_to_flips]
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
        is_planned || self.remaining.len() >= most && !self.purpose.is_dry_run()
    }

    /// Has it wait for its turn. Says whether it did not already.
    pub(super) fn wait_its_turn(&mut self) -> bool {
        !std::mem::replace(&mut self.waits_its_turn, true)
    }

    /// It is its turn.
    pub(super) fn has_its_turn(&mut self) {
        self.waits_its_turn = false;
    }

    /// The next steps to write and their portion's number, about `most`; none
    /// when nothing remains that can be written before what is under way has
    /// ended. `seen` is what they change.
    pub(super) fn next_portion(
        &mut self,
        most: usize,
        seen: &Observed,
    ) -> Option<(u64, Vec<Planned>)> {
        let is_dry_run = self.purpose.is_dry_run();
        let count = if is_dry_run { self.remaining.len() } else { self.portion(most) };
        let portion: Vec<_> = self.remaining.drain(..count).collect();
        if matches!(self.purpose, Trigger::Sync { .. }) {
            let mut vips: Vec<_> =
                portion.iter().filter_map(|planned| planned.step.vip()).collect();
            // The steps of a VIP stand together.
            vips.dedup();
            for vip in vips {
                if let Some(now) = seen.vips.get(&vip) {
                    self.before.entry(vip).or_insert_with(|| now.clone());
                }
            }
        }
        if is_dry_run {
            let steps = portion.into_iter();
            self.results.extend(steps.map(|planned| StepResult { planned, error: None }));
            return None;
        }
        if portion.is_empty() {
            return None;
        }
        self.portions += 1;
        let frontends = portion.iter().map(|planned| planned.frontend.clone()).collect();
        self.under_way.insert(self.portions, frontends);
        Some((self.portions, portion))
    }

    /// How many of the steps that remain go out together: all of a frontend. Of
    /// very many the rest waits until it is known what became of the first.
    fn portion(&self, most: usize) -> usize {
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

    /// This became of the portion of this number.
    pub(super) fn written(&mut self, portion: u64, results: Vec<StepResult>) {
        let failed: BTreeSet<_> = results
            .iter()
            .filter(|result| result.error.is_some())
            .map(|result| result.planned.frontend.clone())
            .collect();
        self.remaining.retain(|planned| !failed.contains(&planned.frontend));
        self.skipped.extend(failed);
        self.results.extend(results);
        self.under_way.remove(&portion);
    }

    /// Ends the pass; what went well is no longer among the refused, unless
    /// the pass was broken off.
    pub(super) fn end(self, refused: &mut Refusals, broken_off: bool) -> Ended {
        let applied = !self.purpose.is_dry_run();
        let complete = applied && self.scope == Scope::All;
        if complete && !broken_off {
            let mut left = self.resting.clone();
            left.extend(self.left_to_flips);
            refused.end_pass(&self.skipped, &left);
        }
        Ended {
            scope: self.scope,
            purpose: self.purpose,
            results: self.results,
            before: self.before,
            applied,
            complete: complete && self.resting.is_empty(),
            took: self.begun.elapsed(),
        }
    }
}
