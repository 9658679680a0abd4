//! The steps of a pass: planned a few frontends at a time, written in portions.
//! A flip that comes meanwhile waits for neither.

use actix::prelude::*;

use super::pass::Pass;
use super::{ObservedState, PlanSnapshot, Reconciler, scope_word};
use crate::domain::dataplane::plan::{Planned, outline, plan_one};

/// Steps that go out together, about. A flip that concerns a frontend of theirs
/// waits for them, and any flip while it is taken in what became of them. Half as
/// many, and twice as many portions, make both syncs and flips slower.
const PORTION: usize = 16;
/// Frontends that are planned before others have their turn. It takes some tens
/// of microseconds.
const SLICE: usize = 64;

impl Reconciler {
    /// Plans what is left of a pass in outline, when nothing is under way: what
    /// that leaves is not known before its answer, and a plan would do it once
    /// more.
    pub(super) fn plan_pass(&mut self) {
        let (Some(wanted), Some(pass), ObservedState::Seen(seen)) =
            (&self.wanted, &mut self.pass, &self.sight)
        else {
            return;
        };
        if pass.is_stale() && pass.is_idle() && !self.flipping {
            let flips = self.may_write.then(|| self.dirty.keys()).into_iter().flatten();
            let flips = flips.cloned().map(Some).collect();
            let due = outline(&wanted.desired, seen, &self.flushed, pass.scope());
            pass.take_outline(due, flips);
        }
    }

    /// Writes as many portions as may be under way, or ends the pass.
    pub(super) fn next_portion(&mut self, ctx: &mut Context<Self>) {
        while self.pass.as_ref().is_some_and(Pass::has_room) {
            if !self.plan_portion() {
                return self.go_on_later(ctx);
            }
            let (Some(pass), ObservedState::Seen(seen)) = (&mut self.pass, &self.sight) else {
                return;
            };
            match pass.next_portion(PORTION, seen) {
                Some(portion) => self.write_portion(portion, ctx),
                None if pass.is_idle() => {
                    self.end_pass(None);
                    return self.drive(ctx);
                }
                None => return,
            }
        }
    }

    /// Plans until there is a portion to write. False: others have had to wait
    /// for long enough.
    fn plan_portion(&mut self) -> bool {
        let (Some(wanted), Some(pass), ObservedState::Seen(seen)) =
            (&self.wanted, &mut self.pass, &self.sight)
        else {
            return true;
        };
        for _ in 0..SLICE {
            if pass.is_ready(PORTION) {
                return true;
            }
            if let Some(name) = pass.next_frontend() {
                pass.take_steps(plan_one(&wanted.desired, seen, &self.flushed, &name));
            }
        }
        pass.is_ready(PORTION)
    }

    /// Goes on when whoever waits for this thread has had it.
    fn go_on_later(&mut self, ctx: &mut Context<Self>) {
        if self.pass.as_mut().is_some_and(Pass::wait_its_turn) {
            let turn = tokio::task::yield_now().into_actor(self);
            ctx.spawn(turn.map(|(), this, ctx| {
                if let Some(pass) = &mut this.pass {
                    pass.has_its_turn();
                }
                this.drive(ctx);
            }));
        }
    }

    fn write_portion(&mut self, (number, steps): (u64, Vec<Planned>), ctx: &mut Context<Self>) {
        let Some(wanted) = &self.wanted else { return };
        let basis = PlanSnapshot::of(&steps, &wanted.desired);
        self.write(steps, false, ctx, move |this, steps, outcomes, ctx| {
            if let Some(pass) = &this.pass {
                let (drift, scope) = (pass.finds_drift(), scope_word(pass.scope()));
                let results = this.settle(&basis, steps, outcomes, scope, |_| drift);
                if let Some(pass) = &mut this.pass {
                    pass.written(number, results);
                }
            }
            this.drive(ctx);
        });
    }
}
