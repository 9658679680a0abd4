//! Turns each message into an input or a query of the state.

use actix::prelude::*;
use tokio::sync::oneshot;

use super::{
    AwaitProgress, GetHeldRemovals, GetPendingReason, GetReconcilerStats, GetReconcilerStatus,
    GetRefusalOf, GetTrace, GetVip, PassEnded, Reconciler, ReconcilerStatus, RoutesPlaced,
    SubscribePasses, SubscribeProgress, Sync, VppPresence,
};
use crate::actors::Outbox;
use crate::actors::reconciler::{DesiredChanged, DesiredReplaced};
use crate::actors::vpp_connection::{Connected, Lost};
use crate::domain::dataplane::connection::DataplaneError;
use crate::domain::reconcile::{AwaitAnswer, ReconcileInput, RequestId, SyncError, SyncReport};

impl Handler<DesiredReplaced> for Reconciler {
    type Result = ();

    fn handle(&mut self, DesiredReplaced(now): DesiredReplaced, ctx: &mut Self::Context) {
        self.step(ReconcileInput::DesiredReplaced(now), ctx);
    }
}

impl Handler<DesiredChanged> for Reconciler {
    type Result = ();

    fn handle(&mut self, DesiredChanged(update): DesiredChanged, ctx: &mut Self::Context) {
        self.step(ReconcileInput::DesiredChanged(update), ctx);
    }
}

impl Handler<RoutesPlaced> for Reconciler {
    type Result = ();

    fn handle(&mut self, RoutesPlaced(placed): RoutesPlaced, ctx: &mut Self::Context) {
        self.step(ReconcileInput::RoutesPlaced(placed), ctx);
    }
}

impl Handler<Connected> for Reconciler {
    type Result = ();

    fn handle(&mut self, Connected { epoch }: Connected, ctx: &mut Self::Context) {
        self.step(ReconcileInput::Connected(epoch), ctx);
    }
}

impl Handler<Lost> for Reconciler {
    type Result = ();

    fn handle(&mut self, Lost { epoch, why }: Lost, ctx: &mut Self::Context) {
        self.step(ReconcileInput::Lost { epoch, why }, ctx);
    }
}

impl Reconciler {
    fn next_request(&mut self) -> RequestId {
        self.last_request += 1;
        RequestId(self.last_request)
    }
}

impl Handler<Sync> for Reconciler {
    type Result = ResponseFuture<Result<SyncReport, SyncError>>;

    fn handle(&mut self, sync: Sync, ctx: &mut Self::Context) -> Self::Result {
        let Sync { scope, dry_run, force } = sync;
        let (reply, replied) = oneshot::channel();
        let id = self.next_request();
        self.syncs.insert(id, reply);
        self.step(ReconcileInput::SyncRequested { id, scope, dry_run, force }, ctx);
        Box::pin(
            async move { replied.await.unwrap_or_else(|_| Err(DataplaneError::ended().into())) },
        )
    }
}

impl Handler<AwaitProgress> for Reconciler {
    type Result = ResponseFuture<AwaitAnswer>;

    fn handle(&mut self, wait: AwaitProgress, ctx: &mut Self::Context) -> Self::Result {
        let AwaitProgress { frontends, generation, within } = wait;
        let (reply, replied) = oneshot::channel();
        let id = self.next_request();
        self.waiters.insert(id, reply);
        let input = ReconcileInput::ProgressAwaited { id, frontends, generation, within };
        self.step(input, ctx);
        Box::pin(async move {
            let stopping = |_| AwaitAnswer::NotYet("the daemon is stopping".into());
            replied.await.unwrap_or_else(stopping)
        })
    }
}

impl Handler<SubscribeProgress> for Reconciler {
    type Result = ();

    fn handle(&mut self, subscribe: SubscribeProgress, _: &mut Self::Context) {
        let SubscribeProgress { progress, served, presence } = subscribe;
        self.progress = Some(Outbox::new(progress));
        self.served = Some(Outbox::new(served));
        self.presence = Some(Outbox::new(presence));
        // It may have been connected before there was a subscriber.
        if let (Some(is_present), Some(presence)) = (self.vpp_is_present, &self.presence) {
            presence.send(VppPresence(is_present));
        }
    }
}

impl Handler<SubscribePasses> for Reconciler {
    type Result = ();

    fn handle(&mut self, SubscribePasses(passes): SubscribePasses, _: &mut Self::Context) {
        let passes = Outbox::new(passes);
        // The first pass may have ended before the subscriber started.
        if let Some(epoch) = self.last_pass {
            passes.send(PassEnded(epoch));
        }
        self.passes = Some(passes);
    }
}

impl Handler<GetPendingReason> for Reconciler {
    type Result = Option<String>;

    fn handle(
        &mut self,
        GetPendingReason(frontends): GetPendingReason,
        _: &mut Self::Context,
    ) -> Self::Result {
        self.state.pending_reason(&frontends)
    }
}

impl Handler<GetReconcilerStatus> for Reconciler {
    type Result = ReconcilerStatus;

    fn handle(&mut self, _: GetReconcilerStatus, _: &mut Self::Context) -> ReconcilerStatus {
        let observed = self.state.observed_epoch();
        ReconcilerStatus { observed, removals_held: self.state.stats().removals_held }
    }
}

impl Handler<GetHeldRemovals> for Reconciler {
    type Result = MessageResult<GetHeldRemovals>;

    fn handle(&mut self, _: GetHeldRemovals, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.state.held_removals())
    }
}

impl Handler<GetVip> for Reconciler {
    type Result = MessageResult<GetVip>;

    fn handle(&mut self, GetVip(vip): GetVip, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.state.vip(vip))
    }
}

impl Handler<GetTrace> for Reconciler {
    type Result = MessageResult<GetTrace>;

    fn handle(
        &mut self,
        GetTrace { frontend, vip }: GetTrace,
        _: &mut Self::Context,
    ) -> Self::Result {
        MessageResult(self.state.trace(&frontend, vip))
    }
}

impl Handler<GetReconcilerStats> for Reconciler {
    type Result = MessageResult<GetReconcilerStats>;

    fn handle(&mut self, _: GetReconcilerStats, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.state.stats())
    }
}

impl Handler<GetRefusalOf> for Reconciler {
    type Result = Option<String>;

    fn handle(
        &mut self,
        GetRefusalOf(frontend): GetRefusalOf,
        _: &mut Self::Context,
    ) -> Self::Result {
        self.state.refusal(&frontend)
    }
}
