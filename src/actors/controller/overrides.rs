//! Has overrides kept over restarts before they take effect, and ends those whose time is
//! over.

use actix::prelude::*;

use super::pending::{PendingCommand, TakenEffect};
use super::{Controller, GetOverrides, OverrideFailed, OverrideListing, log};
use crate::actors::clock::moment;
use crate::actors::closed_mailbox::mailbox_closed;
use crate::actors::override_keeper::StoreOverrides;
use crate::actors::prober;
use crate::domain::controller::{ControllerEffect, OperatorCommand};
use crate::domain::overrides::{NextWrite, OverrideChange};
use crate::state::KeepError;

impl Controller {
    /// Writes what is not written yet, and executes the commands that are. To be called
    /// after every change of overrides.
    pub(super) fn keep_overrides(&mut self, ctx: &mut Context<Self>) {
        loop {
            let state = &self.state;
            let plan = |set: &_, it: &PendingCommand| state.plan_override(set, &it.command);
            match (self.writes.begin(state.overrides(), plan), &self.keeper) {
                (NextWrite::None, _) => break,
                (NextWrite::Settle, _) | (NextWrite::Write(_), None) => self.settle(ctx),
                (NextWrite::Write(overrides), Some(keeper)) => {
                    let stored = keeper.send(StoreOverrides(overrides)).into_actor(self);
                    ctx.spawn(stored.map(|stored, this, ctx| {
                        match stored.unwrap_or_else(|_| mailbox_closed("OverrideKeeper")) {
                            Ok(()) => {
                                if std::mem::take(&mut this.write_stats.is_failing) {
                                    log::kept_again();
                                }
                                this.settle(ctx);
                            }
                            Err(error) => this.not_kept(&error, ctx),
                        }
                        this.keep_overrides(ctx);
                    }));
                    break;
                }
            }
        }
        self.set_expiry_timer(ctx);
    }

    /// Executes the commands that are written.
    fn settle(&mut self, ctx: &mut Context<Self>) {
        let state = &self.state;
        let plan = |set: &_, it: &PendingCommand| state.plan_override(set, &it.command);
        for (PendingCommand { command, reply }, planned) in
            self.writes.written(state.overrides(), plan)
        {
            let effect = planned.map(|change| self.take_effect(change, &command, ctx));
            // The client may have gone.
            let _ = reply.send(effect.map_err(OverrideFailed::from));
        }
    }

    fn take_effect(
        &mut self,
        change: OverrideChange,
        command: &OperatorCommand,
        ctx: &mut Context<Self>,
    ) -> TakenEffect {
        let mut probers = Vec::new();
        let mut others = Vec::new();
        for effect in self.state.apply_override(change, command) {
            match effect {
                ControllerEffect::Administer { backend, admin, why, within } => {
                    let prober = self.probers.get(backend.as_str());
                    let message = prober::Administer { admin, why, within };
                    probers.extend(prober.map(|prober| (prober.clone(), message)));
                }
                other => others.push(other),
            }
        }
        // The change is published before the transition that it causes.
        self.execute(others, ctx);
        let probers = probers.into_iter().map(|(prober, message)| prober.send(message)).collect();
        TakenEffect { generation: self.state.generation(), probers }
    }

    /// Answers the commands that could not be written, and so have no effect.
    fn not_kept(&mut self, error: &KeepError, ctx: &mut Context<Self>) {
        log::not_kept(error);
        self.write_stats.failures += 1;
        self.write_stats.is_failing = true;
        for (PendingCommand { reply, .. }, planned) in self.writes.failed(error.is_in_doubt) {
            let failed = planned.map_or_else(OverrideFailed::from, |_| error.clone().into());
            let _ = reply.send(Err(failed));
        }
        if self.retry.is_none() {
            self.retry = Some(ctx.run_later(self.writes.retry_after(), |this, ctx| {
                this.retry = None;
                if this.writes.retry() {
                    this.keep_overrides(ctx);
                }
            }));
        }
    }

    fn set_expiry_timer(&mut self, ctx: &mut Context<Self>) {
        let next = self.state.overrides().next_end();
        if self.expiry.as_ref().map(|(at, _)| *at) == next {
            return;
        }
        if let Some((_, timer)) = self.expiry.take() {
            ctx.cancel_future(timer);
        }
        let Some(at) = next else { return };
        let after = at.saturating_duration_since(moment().monotonic);
        let timer = ctx.run_later(after, |this, ctx| {
            this.expiry = None;
            let effects = this.state.expire_overrides(moment());
            this.execute(effects, ctx);
            this.keep_overrides(ctx);
        });
        self.expiry = Some((at, timer));
    }
}

impl Handler<GetOverrides> for Controller {
    type Result = OverrideListing;

    fn handle(&mut self, _: GetOverrides, _: &mut Self::Context) -> OverrideListing {
        OverrideListing {
            overrides: self.state.overrides().entries().collect(),
            orders: self.state.overrides().announce_orders(),
            now: moment(),
            is_kept: self.keeper.is_some(),
            writes: self.write_stats,
        }
    }
}
