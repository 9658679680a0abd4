//! One pass over VPP: a look, then steps in portions, with flips in between.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::{Basis, Report, StepResult, SyncError};
use crate::actors::vpp_connection::{LinkError, Outcome};
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
    /// VPP is being read; nothing is written before.
    is_looking: bool,
    /// The portions under way by their numbers: the frontends they are for.
    under_way: BTreeMap<u64, BTreeSet<Option<FrontendName>>>,
    portions: u64,
    /// Of those, what became of the ones that are not settled yet.
    landed: BTreeMap<u64, Landed>,
    /// Whether the steps that remain are those that are due.
    stale: bool,
    remaining: VecDeque<Planned>,
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

/// Portions that are under way at a time: while the answers to one are taken
/// in, VPP has another.
const PORTIONS: usize = 2;

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

/// A portion that VPP has answered, or lost.
pub(super) struct Landed {
    /// What its steps were planned for.
    pub(super) basis: Basis,
    pub(super) steps: Vec<Planned>,
    pub(super) outcomes: Result<Vec<Outcome>, LinkError>,
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
            is_looking: true,
            under_way: BTreeMap::new(),
            portions: 0,
            landed: BTreeMap::new(),
            stale: true,
            remaining: VecDeque::new(),
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

    /// These steps follow from what was `seen`. Those of frontends that `flips`
    /// are about to write are not for the pass, which goes on beside them.
    pub(super) fn take_plan(
        &mut self,
        steps: Vec<Planned>,
        seen: &Observed,
        flips: BTreeSet<Option<FrontendName>>,
    ) {
        self.left_to_flips = flips;
        if matches!(self.purpose, Purpose::Sync { .. }) {
            let mut vips: Vec<_> = steps.iter().filter_map(|planned| planned.step.vip()).collect();
            // The steps of a VIP stand together.
            vips.dedup();
            for vip in vips {
                if let Some(now) = seen.vips.get(&vip) {
                    self.before.entry(vip).or_insert_with(|| now.clone());
                }
            }
        }
        let due = |planned: &Planned| {
            let frontend = &planned.frontend;
            ![&self.skipped, &self.resting, &self.left_to_flips]
                .iter()
                .any(|others| others.contains(frontend))
        };
        self.remaining = steps.into_iter().filter(due).collect();
        self.stale = false;
    }

    /// The next steps to write and their portion's number; none when nothing
    /// remains.
    pub(super) fn next_portion(&mut self, most: usize) -> Option<(u64, Vec<Planned>)> {
        if self.purpose.is_dry_run() {
            let steps = self.remaining.drain(..);
            self.results.extend(steps.map(|planned| StepResult { planned, error: None }));
        }
        let count = most.min(self.remaining.len());
        let portion: Vec<_> = self.remaining.drain(..count).collect();
        if portion.is_empty() {
            return None;
        }
        self.portions += 1;
        let frontends = portion.iter().map(|planned| planned.frontend.clone()).collect();
        self.under_way.insert(self.portions, frontends);
        Some((self.portions, portion))
    }

    /// This became of the portion of this number.
    pub(super) fn landed(&mut self, portion: u64, landed: Landed) {
        self.landed.insert(portion, landed);
    }

    /// The first portion under way, if it is known what became of it.
    pub(super) fn next_landed(&mut self) -> Option<(u64, Landed)> {
        let (&first, _) = self.under_way.first_key_value()?;
        Some((first, self.landed.remove(&first)?))
    }

    /// The portion of this number is settled.
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
