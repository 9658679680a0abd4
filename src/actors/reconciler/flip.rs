//! A flip: frontends that changed go out at once.

use std::collections::BTreeSet;
use std::time::Instant;

use actix::prelude::*;
use tracing::info;

use super::{ObservedState, Pass, PlanSnapshot, Reconciler, micros};
use crate::domain::dataplane::plan::{Scope, plan};

/// Why a frontend is to be written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PendingChange {
    /// When the first probe result that its change follows from was in.
    pub(super) decided: Option<Instant>,
    /// Something is wanted now that was not before. Otherwise VPP was found to
    /// hold something else than what was written: drift.
    pub(super) is_changed: bool,
}

impl PendingChange {
    /// Something else is wanted of the frontend.
    pub(super) fn changed(&mut self, decided: Option<Instant>) {
        self.decided = self.decided.or(decided);
        self.is_changed = true;
    }
}

impl Reconciler {
    /// Sends out changed frontends at once. Those that a portion under way
    /// concerns wait for it: what it leaves is not known before.
    pub(super) fn flip(&mut self, ctx: &mut Context<Self>) {
        let (Some(wanted), ObservedState::Seen(seen)) = (&self.wanted, &self.sight) else { return };
        if self.flipping || !self.may_write {
            return;
        }
        let pass = self.pass.as_ref();
        let mut steps = Vec::new();
        let mut decided = BTreeSet::new();
        let mut drifted = BTreeSet::new();
        self.dirty.retain(|name, due| {
            let waits = pass.is_some_and(|pass| pass.is_busy_with(&Some(name.clone())));
            if !waits {
                let scope = Scope::One(name.clone());
                steps.extend(plan(&wanted.desired, seen, &self.flushed, &scope));
                decided.extend(due.decided);
                if !due.is_changed {
                    drifted.insert(Some(name.clone()));
                }
            }
            waits
        });
        if steps.is_empty() {
            return;
        }
        self.flipping = true;
        info!(scope = "vip", steps = steps.len(), "vpp-lbsync-start");
        let basis = PlanSnapshot::of(&steps, &wanted.desired);
        self.write(steps, true, ctx, move |this, steps, outcomes, ctx| {
            this.flipping = false;
            let took = decided.first().map(Instant::elapsed);
            for decided in &decided {
                this.figures.flips.record(decided.elapsed());
            }
            let drift = |frontend: &_| drifted.contains(frontend);
            let results = this.settle(&basis, steps, outcomes, "vip", drift);
            // What somebody else keeps undoing is for the drift passes.
            let mended = results.iter().filter(|result| drifted.contains(&result.planned.frontend));
            mended.filter_map(|result| result.planned.step.vip()).for_each(|vip| {
                this.reread.leave(&vip);
            });
            this.heal(&results);
            let failed = results.iter().filter(|result| result.error.is_some()).count();
            info!(
                scope = "vip",
                steps = results.len(),
                failed,
                took_us = took.map(micros),
                "vpp-lbsync-done"
            );
            // What VPP refuses is not as it was last seen. A pass that is still
            // looking looks again by itself.
            if failed > 0 && !this.pass.as_ref().is_some_and(Pass::is_looking) {
                this.want_drift_pass(false);
            }
            if let Some(pass) = &mut this.pass {
                pass.overtaken(results);
            }
            this.drive(ctx);
        });
    }
}
