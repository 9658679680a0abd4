//! One pass over VPP: a look, then steps in portions, with flips in between.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::{Report, StepResult, SyncError};
use crate::domain::names::FrontendName;
use crate::domain::net::Vip;
use crate::domain::observed::{Observed, ObservedVip};
use crate::domain::plan::{self, Planned, Scope};
use crate::domain::refusals::Refusals;
use crate::domain::step::Step;

/// See the module's description.
pub(super) struct Pass {
    scope: Scope,
    purpose: Purpose,
    stage: Stage,
    /// Whether the steps that remain are those that are due.
    stale: bool,
    remaining: VecDeque<Planned>,
    /// Frontends that VPP refused something for. They wait for the next pass,
    /// and do not stop the others.
    skipped: BTreeSet<Option<FrontendName>>,
    /// Frontends that VPP keeps refusing: this pass leaves them alone.
    resting: BTreeSet<Option<FrontendName>>,
    /// What flips wrote since the look began: the look may not show it yet.
    overtook: Vec<Step>,
    /// Of a flip that overtook the look it is not known what VPP did: the look
    /// may show it, or what was there before.
    is_doubtful: bool,
    /// Flips that went ahead since it last wrote.
    waited_for: u32,
    results: Vec<StepResult>,
    /// The VIPs that an operator's pass concerns, as they were before it.
    before: BTreeMap<Vip, ObservedVip>,
    begun: Instant,
}

/// Flips that may go ahead of a pass one after the other before it is its
/// turn: under a storm of them it goes on all the same.
const PATIENCE: u32 = 8;

/// Why a pass is made, and who waits for it.
pub(super) enum Purpose {
    /// To find and mend what differs. `alone`: nothing changed on our side
    /// before it, so that whatever differs is drift.
    Drift { alone: bool },
    /// Because an operator asks.
    Sync { dry_run: bool, answer: oneshot::Sender<Result<Report, SyncError>> },
}

impl Purpose {
    pub(super) fn is_dry_run(&self) -> bool {
        matches!(self, Self::Sync { dry_run: true, .. })
    }

    pub(super) fn answer(self, result: Result<Report, SyncError>) {
        if let Self::Sync { answer, .. } = self {
            // Whoever asked may have gone.
            let _ = answer.send(result);
        }
    }
}

enum Stage {
    Looking,
    Idle,
    /// A portion for these frontends is under way.
    Writing(BTreeSet<Option<FrontendName>>),
}

/// A pass that is over.
pub(super) struct Ended {
    pub(super) scope: Scope,
    pub(super) purpose: Purpose,
    pub(super) results: Vec<StepResult>,
    pub(super) before: BTreeMap<Vip, ObservedVip>,
    pub(super) applied: bool,
    /// It was to make all of VPP right, and left nobody out.
    pub(super) complete: bool,
    pub(super) took: Duration,
}

static NOBODY: BTreeSet<Option<FrontendName>> = BTreeSet::new();

impl Pass {
    /// A pass that begins with a look at VPP, and leaves `resting` alone.
    pub(super) fn new(
        scope: Scope,
        purpose: Purpose,
        resting: BTreeSet<Option<FrontendName>>,
    ) -> Self {
        Self {
            scope,
            purpose,
            stage: Stage::Looking,
            stale: true,
            remaining: VecDeque::new(),
            skipped: BTreeSet::new(),
            resting,
            overtook: Vec::new(),
            is_doubtful: false,
            waited_for: 0,
            results: Vec::new(),
            before: BTreeMap::new(),
            begun: Instant::now(),
        }
    }

    pub(super) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The frontends that the portion under way is for.
    pub(super) fn under_way(&self) -> &BTreeSet<Option<FrontendName>> {
        match &self.stage {
            Stage::Writing(frontends) => frontends,
            _ => &NOBODY,
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        matches!(self.stage, Stage::Idle)
    }

    pub(super) fn is_stale(&self) -> bool {
        self.stale
    }

    pub(super) fn is_dry_run(&self) -> bool {
        self.purpose.is_dry_run()
    }

    /// Whether so many flips went ahead of it that it is its turn.
    pub(super) fn has_waited(&self) -> bool {
        self.waited_for >= PATIENCE && self.is_idle() && !self.is_dry_run()
    }

    /// Whether its look is not to be believed.
    pub(super) fn is_doubtful(&self) -> bool {
        self.is_doubtful
    }

    /// Whether all that this pass mends is drift.
    pub(super) fn finds_drift(&self) -> bool {
        matches!(self.purpose, Purpose::Drift { alone: true })
    }

    /// Something changed on our side: what differs need not be drift.
    pub(super) fn explain(&mut self) {
        if let Purpose::Drift { alone } = &mut self.purpose {
            *alone = false;
        }
    }

    /// What is left is to be planned from a fresh look at what is known.
    pub(super) fn replan(&mut self) {
        self.stale = true;
    }

    /// The look is done. Brings it up to date with what was written meanwhile.
    pub(super) fn looked(&mut self, observed: &mut Observed) {
        for step in self.overtook.drain(..) {
            plan::apply(observed, &step);
        }
        self.stage = Stage::Idle;
    }

    /// A flip went ahead of this pass.
    pub(super) fn overtaken(&mut self, results: Vec<StepResult>) {
        self.stale = true;
        self.waited_for += 1;
        let failed = results.iter().any(|result| result.error.is_some());
        self.is_doubtful |= failed && matches!(self.stage, Stage::Looking);
        let done = results.into_iter().filter(|result| result.error.is_none());
        if matches!(self.stage, Stage::Looking) {
            self.overtook.extend(done.map(|result| result.planned.step));
        }
    }

    /// These steps follow from what was `seen`.
    pub(super) fn take_plan(&mut self, steps: Vec<Planned>, seen: &Observed) {
        if matches!(self.purpose, Purpose::Sync { .. }) {
            for vip in steps.iter().filter_map(|planned| planned.step.vip()) {
                if let Some(now) = seen.vips.get(&vip) {
                    self.before.entry(vip).or_insert_with(|| now.clone());
                }
            }
        }
        let due = |planned: &Planned| {
            let frontend = &planned.frontend;
            !self.skipped.contains(frontend) && !self.resting.contains(frontend)
        };
        self.remaining = steps.into_iter().filter(due).collect();
        self.stale = false;
    }

    /// The next steps to write; none when the pass is done.
    pub(super) fn next_portion(&mut self, most: usize) -> Vec<Planned> {
        if self.purpose.is_dry_run() {
            let steps = self.remaining.drain(..);
            self.results.extend(steps.map(|planned| StepResult { planned, error: None }));
        }
        let count = most.min(self.remaining.len());
        let portion: Vec<_> = self.remaining.drain(..count).collect();
        if !portion.is_empty() {
            self.stage =
                Stage::Writing(portion.iter().map(|planned| planned.frontend.clone()).collect());
        }
        portion
    }

    /// The next steps to write, without those for `flips`; none when only
    /// those are left. It is not known to be right that they are done.
    pub(super) fn take_turn(
        &mut self,
        most: usize,
        flips: &BTreeSet<Option<FrontendName>>,
    ) -> Vec<Planned> {
        self.remaining.retain(|planned| !flips.contains(&planned.frontend));
        let steps = self.next_portion(most);
        if steps.is_empty() {
            self.resting.extend(flips.iter().cloned());
        }
        self.waited_for = 0;
        self.stale = true;
        steps
    }

    /// A portion was written.
    pub(super) fn written(&mut self, results: Vec<StepResult>) {
        let failed: BTreeSet<_> = results
            .iter()
            .filter(|result| result.error.is_some())
            .map(|result| result.planned.frontend.clone())
            .collect();
        self.remaining.retain(|planned| !failed.contains(&planned.frontend));
        self.skipped.extend(failed);
        self.results.extend(results);
        self.waited_for = 0;
        self.stage = Stage::Idle;
    }

    /// Ends the pass; what went well is no longer among the refused, unless
    /// the pass was broken off.
    pub(super) fn end(self, refused: &mut Refusals, broken_off: bool) -> Ended {
        let applied = !self.purpose.is_dry_run();
        let complete = applied && self.scope == Scope::All;
        if complete && !broken_off {
            refused.end_pass(&self.skipped, &self.resting);
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
