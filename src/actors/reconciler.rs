//! Executes the effects that [`domain::reconcile`](crate::domain::reconcile) decides: it
//! reads and writes VPP, publishes events, logs and replies. It decides nothing itself.

mod handlers;
mod log;
mod messages;

use std::collections::BTreeMap;

use actix::prelude::*;
use tokio::sync::oneshot;

pub use messages::*;

use super::Outbox;
use super::clock::moment;
use super::event_batcher::EventBatcher;
use super::vpp_connection::{
    Apply, Collect, DataplaneHandle, Observe, ReadServers, SubscribeConnection,
};
use crate::domain::balancing::maglev::mismatches;
use crate::domain::dataplane::connection::Epoch;
use crate::domain::dataplane::connection::{DataplaneError, Observation};
use crate::domain::events::Event;
use crate::domain::reconcile::{
    CallId, ReconcileEffect, ReconcileInput, ReconcileState, RequestId, TimerId,
};

/// The actor. See the module's description.
pub struct Reconciler {
    state: ReconcileState,
    vpp: DataplaneHandle,
    events: EventBatcher,
    /// The subscriber is the Controller.
    progress: Option<Outbox<ProgressChanged>>,
    served: Option<Outbox<ServedObserved>>,
    /// The subscriber is the Doctor.
    passes: Option<Outbox<PassEnded>>,
    /// The connection of the last pass that has ended.
    last_pass: Option<Epoch>,
    presence: Option<Outbox<VppPresence>>,
    /// `None` before the first connection.
    vpp_is_present: Option<bool>,
    timers: BTreeMap<TimerId, SpawnHandle>,
    syncs: BTreeMap<RequestId, oneshot::Sender<Result<SyncReport, SyncError>>>,
    waiters: BTreeMap<RequestId, oneshot::Sender<AwaitAnswer>>,
    last_request: u64,
    /// Effects that follow an urgent write, until it is on its way.
    deferred: Vec<ReconcileEffect>,
}

impl Reconciler {
    /// A Reconciler that waits for the desired state and for a connection to VPP.
    #[must_use]
    pub fn new(vpp: impl Into<DataplaneHandle>, events: EventBatcher) -> Self {
        Self {
            state: ReconcileState::default(),
            vpp: vpp.into(),
            events,
            progress: None,
            served: None,
            passes: None,
            last_pass: None,
            presence: None,
            vpp_is_present: None,
            timers: BTreeMap::new(),
            syncs: BTreeMap::new(),
            waiters: BTreeMap::new(),
            last_request: 0,
            deferred: Vec::new(),
        }
    }

    /// Executes the effects in order. What follows an urgent write waits until the
    /// VppConnection, which shares this thread, has had its turn: a record in the log does
    /// not delay it.
    fn step(&mut self, input: ReconcileInput, ctx: &mut Context<Self>) {
        self.execute_deferred(ctx);
        let mut effects = self.state.step(input, moment()).into_iter();
        for effect in effects.by_ref() {
            let is_urgent = matches!(effect, ReconcileEffect::Write { urgent: true, .. });
            self.execute(effect, ctx);
            if is_urgent {
                break;
            }
        }
        self.deferred = effects.collect();
        if !self.deferred.is_empty() {
            let turn = async { tokio::task::yield_now().await }.into_actor(self);
            ctx.spawn(turn.map(|(), this, ctx| this.execute_deferred(ctx)));
        }
    }

    fn execute_deferred(&mut self, ctx: &mut Context<Self>) {
        for effect in std::mem::take(&mut self.deferred) {
            self.execute(effect, ctx);
        }
    }

    fn execute(&mut self, effect: ReconcileEffect, ctx: &mut Context<Self>) {
        match effect {
            ReconcileEffect::Write { id, epoch, steps, urgent } => {
                let written = self.vpp.apply.send(Apply { epoch, steps, urgent });
                self.step_with(ctx, async move {
                    let outcomes = written.await.unwrap_or_else(|_| Err(DataplaneError::ended()));
                    ReconcileInput::Written { id, outcomes }
                });
            }
            ReconcileEffect::Observe(id) => self.observe(id, ctx),
            ReconcileEffect::ReadServers { id, epoch, vips } => {
                let read = self.vpp.read_servers.send(ReadServers { epoch, vips });
                self.step_with(ctx, async move {
                    let result = read.await.unwrap_or_else(|_| Err(DataplaneError::ended()));
                    ReconcileInput::ServersRead { id, result }
                });
            }
            ReconcileEffect::Collect { epoch, ip4_src } => {
                let collected = self.vpp.collect.send(Collect { epoch, ip4_src });
                ctx.spawn(collected.into_actor(self).map(|collected, _, _| {
                    let collected = collected.unwrap_or_else(|_| Err(DataplaneError::ended()));
                    log::log_collection(&collected);
                }));
            }
            ReconcileEffect::SetTimer { timer, after } => {
                let fired = ctx.run_later(after, move |this, ctx| {
                    this.timers.remove(&timer);
                    this.step(ReconcileInput::TimerFired(timer), ctx);
                });
                if let Some(earlier) = self.timers.insert(timer, fired) {
                    ctx.cancel_future(earlier);
                }
            }
            ReconcileEffect::Yield => self.step_with(ctx, async {
                tokio::task::yield_now().await;
                ReconcileInput::Resumed
            }),
            ReconcileEffect::Free(observed) => {
                tokio::task::spawn_blocking(move || drop(observed));
            }
            ReconcileEffect::Publish(change) => {
                self.events.publish(Event::Dataplane(change.into()));
            }
            ReconcileEffect::Log(record) => log::log(record),
            ReconcileEffect::Reply { id, result } => {
                if let Some(to) = self.syncs.remove(&id) {
                    // The client may have gone.
                    let _ = to.send(result);
                }
            }
            ReconcileEffect::ReplyProgress { id, answer } => {
                if let Some(timer) = self.timers.remove(&TimerId::Await(id)) {
                    ctx.cancel_future(timer);
                }
                if let Some(to) = self.waiters.remove(&id) {
                    let _ = to.send(answer);
                }
            }
            ReconcileEffect::Served(addresses) => {
                if let Some(served) = &self.served {
                    served.send(ServedObserved(addresses));
                }
            }
            ReconcileEffect::PassEnded(epoch) => {
                self.last_pass = Some(epoch);
                if let Some(passes) = &self.passes {
                    passes.send(PassEnded(epoch));
                }
            }
            ReconcileEffect::Presence(is_present) => {
                self.vpp_is_present = Some(is_present);
                if let Some(presence) = &self.presence {
                    presence.send(VppPresence(is_present));
                }
            }
            ReconcileEffect::Progress { generation, changes } => {
                if let Some(progress) = &self.progress {
                    progress.send(ProgressChanged { generation, changes });
                }
            }
        }
    }

    fn observe(&mut self, id: CallId, ctx: &mut Context<Self>) {
        let observed = self.vpp.observe.send(Observe);
        self.step_with(ctx, async move {
            let observed = observed.await.unwrap_or_else(|_| Err(DataplaneError::ended()));
            let compare = move || {
                let observed = observed?;
                let mismatches = mismatches(&observed.observed);
                let (epoch, observed) = (observed.epoch, observed.observed);
                Ok(Observation { epoch, observed, mismatches })
            };
            let compared = tokio::task::spawn_blocking(compare).await;
            let result = compared.unwrap_or_else(|_| Err(DataplaneError::ended()));
            ReconcileInput::Observed { id, result }
        });
    }

    /// Steps with `input` once it is available.
    fn step_with(
        &mut self,
        ctx: &mut Context<Self>,
        input: impl Future<Output = ReconcileInput> + 'static,
    ) {
        let input = input.into_actor(self);
        ctx.spawn(input.map(|input, this, ctx| this.step(input, ctx)));
    }
}

impl Actor for Reconciler {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let (connected, lost) = (ctx.address().recipient(), ctx.address().recipient());
        self.vpp.subscribe.do_send(SubscribeConnection { connected, lost });
    }
}

#[cfg(test)]
mod tests;
