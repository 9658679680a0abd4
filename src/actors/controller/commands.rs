//! Executes operators' commands: each is planned, kept over restarts, and then takes effect.

use actix::prelude::*;
use tokio::sync::oneshot;

use super::pending::{PendingCommand, TakenEffect};
use super::{
    AdministerBackend, CommandOrigin, Controller, OrderAnnouncement, OverrideFailed, SetWeight,
};
use crate::actors::clock::moment;
use crate::domain::controller::{CommandRefused, OperatorCommand, OverrideCommand};
use crate::domain::reconcile::Generation;

impl Handler<AdministerBackend> for Controller {
    type Result = ResponseFuture<Result<(), OverrideFailed>>;

    fn handle(&mut self, message: AdministerBackend, ctx: &mut Self::Context) -> Self::Result {
        let AdministerBackend { backend, command, given } = message;
        let name = backend.clone();
        self.command_backend(name, OverrideCommand::Admin { backend, command }, given, ctx)
    }
}

impl Handler<SetWeight> for Controller {
    type Result = ResponseFuture<Result<Generation, OverrideFailed>>;

    fn handle(&mut self, message: SetWeight, ctx: &mut Self::Context) -> Self::Result {
        let SetWeight { frontend, pool, backend, weight, given } = message;
        let command = OverrideCommand::Weight { frontend, pool, backend, weight };
        let effect = self.command(command, given, ctx);
        Box::pin(async move { Ok(effect.await?.generation) })
    }
}

impl Handler<OrderAnnouncement> for Controller {
    type Result = ResponseFuture<Result<(), OverrideFailed>>;

    fn handle(&mut self, message: OrderAnnouncement, ctx: &mut Self::Context) -> Self::Result {
        let OrderAnnouncement { subject, order, given } = message;
        let effect = self.command(OverrideCommand::Announcement { subject, order }, given, ctx);
        Box::pin(async move { effect.await.map(|_| ()) })
    }
}

impl Controller {
    /// Executes a command for a backend. It is done when the backend's prober has executed
    /// its part.
    pub(super) fn command_backend(
        &mut self,
        name: String,
        command: OverrideCommand,
        given: CommandOrigin,
        ctx: &mut Context<Self>,
    ) -> ResponseFuture<Result<(), OverrideFailed>> {
        let effect = self.command(command, given, ctx);
        Box::pin(async move {
            for prober in effect.await?.probers {
                // The prober's transition is in the mailbox before its answer.
                if prober.await.is_err() {
                    // A reload has removed the backend meanwhile.
                    return Err(CommandRefused::NoBackend(name).into());
                }
            }
            Ok(())
        })
    }

    /// Begins to execute a command. What is returned waits until it has taken effect.
    fn command(
        &mut self,
        command: OverrideCommand,
        CommandOrigin { who, why, lasts }: CommandOrigin,
        ctx: &mut Context<Self>,
    ) -> impl Future<Output = Result<TakenEffect, OverrideFailed>> + use<> {
        let (reply, replied) = oneshot::channel();
        let command = OperatorCommand { command, who, why, lasts, at: moment() };
        self.writes.request(PendingCommand { command, reply });
        self.keep_overrides(ctx);
        async move { replied.await.unwrap_or(Err(OverrideFailed::Stopping)) }
    }
}
