//! What the Reconciler hears, and what it makes of it.

use std::sync::Arc;

use actix::prelude::*;
use tokio::sync::oneshot;

use super::pass::Trigger;
use super::{
    GetObservedEpoch, GetVip, ObservedState, Reconciler, Sync, SyncError, SyncReport,
    VipObservation, Wanted,
};
use crate::actors::controller::{DesiredChanged, DesiredReplaced, DesiredSnapshot};
use crate::actors::vpp_connection::{Connected, DataplaneError, Lost, Observe};

impl Handler<DesiredReplaced> for Reconciler {
    type Result = ();

    fn handle(&mut self, DesiredReplaced(now): DesiredReplaced, ctx: &mut Self::Context) {
        let DesiredSnapshot { desired, settings } = now;
        if self.wanted.is_none() {
            ctx.run_later(settings.startup_min_delay, |this, ctx| {
                this.may_write = true;
                // The pass that waits for this covers all that changed so far.
                this.dirty.clear();
                this.drive(ctx);
            });
        }
        let desired = Arc::unwrap_or_clone(desired);
        self.wanted = Some(Wanted { desired, settings });
        if let Some(pass) = &mut self.pass {
            pass.explain();
            pass.replan();
        }
        self.refused.clear();
        self.want_drift_pass(false);
        self.drift_later(ctx);
        self.drive(ctx);
    }
}

impl Handler<DesiredChanged> for Reconciler {
    type Result = ();

    fn handle(&mut self, changed: DesiredChanged, ctx: &mut Self::Context) {
        let Some(wanted) = &mut self.wanted else { return };
        for (name, frontend) in changed.frontends {
            wanted.desired.frontends.insert(name.clone(), frontend);
            if let Some(pass) = &mut self.pass {
                pass.leave_to_flip(&name);
            }
            self.refused.hope(&name);
            self.dirty.entry(name).or_default().changed(changed.decided);
        }
        self.drive(ctx);
    }
}

impl Handler<Connected> for Reconciler {
    type Result = ();

    fn handle(&mut self, Connected { epoch }: Connected, ctx: &mut Self::Context) {
        self.epoch = Some(epoch);
        self.sight = ObservedState::NotYet;
        self.reread.forget();
        self.refused.clear();
        self.want_drift_pass(false);
        self.drive(ctx);
    }
}

impl Handler<Lost> for Reconciler {
    type Result = ();

    fn handle(&mut self, Lost { epoch, why }: Lost, _: &mut Self::Context) {
        if self.epoch == Some(epoch) {
            self.epoch = None;
            self.sight = ObservedState::NotYet;
            self.flipping = false;
            self.reread.forget();
            self.end_pass(Some(DataplaneError::NotConnected(why.clone())));
            for (_, purpose) in self.queue.drain(..) {
                purpose.answer(Err(SyncError::Link(DataplaneError::NotConnected(why.clone()))));
            }
        }
    }
}

impl Handler<GetObservedEpoch> for Reconciler {
    type Result = MessageResult<GetObservedEpoch>;

    fn handle(&mut self, _: GetObservedEpoch, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.epoch.filter(|_| matches!(self.sight, ObservedState::Seen(_))))
    }
}

impl Handler<GetVip> for Reconciler {
    type Result = VipObservation;

    fn handle(&mut self, GetVip(vip): GetVip, _: &mut Self::Context) -> VipObservation {
        match &self.sight {
            ObservedState::NotYet => VipObservation::NotYet,
            ObservedState::Seen(seen) => {
                seen.vips.get(&vip).cloned().map_or(VipObservation::Absent, VipObservation::Present)
            }
        }
    }
}

impl Handler<Sync> for Reconciler {
    type Result = ResponseFuture<Result<SyncReport, SyncError>>;

    fn handle(&mut self, Sync { scope, dry_run }: Sync, ctx: &mut Self::Context) -> Self::Result {
        let (answer, answered) = oneshot::channel();
        let purpose = Trigger::Sync { dry_run, answer };
        if self.epoch.is_none() {
            // The connection knows why there is none.
            let vpp = self.vpp.clone();
            return Box::pin(async move {
                let looked = vpp
                    .observe
                    .send(Observe)
                    .await
                    .unwrap_or_else(|_| Err(DataplaneError::ended()));
                Err(SyncError::Link(looked.err().unwrap_or_else(DataplaneError::reconnected)))
            });
        }
        self.queue.push_back((scope, purpose));
        self.drive(ctx);
        Box::pin(async move {
            answered.await.unwrap_or_else(|_| Err(SyncError::Link(DataplaneError::ended())))
        })
    }
}
