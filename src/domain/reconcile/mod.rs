//! Decides what is written to VPP, in what order, and when. [`ReconcileState::step`]
//! takes an input and returns effects. It has no clock, no thread and no socket, so
//! its laws are tested without actors (`tests/laws.rs`).
//!
//! At most one *pass* is in progress: an observation of all of VPP, then the planned
//! steps in batches. A *flip*, the change of a few frontends, is planned from the
//! known state and written immediately, ahead of the rest of the pass; the pass's
//! steps for other frontends remain valid.
//!
//! **Invariant: nothing is planned from what was not read.** [`ObservedState`] says
//! whether VPP's state is known; a lost reply makes it unknown.

mod batches;
mod collect;
mod collection;
mod fast_path;
mod held_removals;
mod hold;
mod in_flight;
mod input;
mod observe;
mod outcomes;
mod pass;
mod progress;
mod queries;
mod read_back;
mod record;
pub mod refusals;
mod removal_waits;
mod stats;
#[cfg(test)]
mod tests;
mod trace;
mod trace_query;
mod trigger;
mod verify;
mod withdrawals;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

pub use input::{
    AwaitAnswer, CallId, DesiredSnapshot, DesiredUpdate, FrontendProgress, Generation,
    ReconcileEffect, ReconcileInput, RequestId, StepResult, SyncError, SyncReport, TimerId,
};
pub use queries::VipObservation;
pub use record::{ReconcileRecord, ScopeLabel};
pub use stats::ReconcilerStats;
pub use trace::{FrontendTrace, LastWrite, LinkTrace};
pub use trace_query::DataplaneTrace;
pub use withdrawals::{AnnouncedVips, PlacedAddresses, WITHDRAW_LIMIT};

use crate::domain::balancing::maglev::ModelCheck;
use crate::domain::config::LbSettings;
use crate::domain::dataplane::connection::{DataplaneError, Epoch};
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::Observed;
use crate::domain::dataplane::plan::{Desired, Flushed, Scope};
use crate::domain::moment::Moment;
use crate::domain::names::FrontendName;
use collection::Collection;
use held_removals::HeldRemovals;
use in_flight::{Flip, InFlightWrite, PendingChange};
use pass::{Pass, Trigger};
use progress::Progress;
use read_back::ReadBack;
use refusals::Refusals;
use trace::Traces;
use withdrawals::Withdrawals;

/// See the module's description.
#[derive(Debug, Default)]
pub struct ReconcileState {
    desired: Option<DesiredState>,
    /// `startup-min-delay` is over.
    may_write: bool,
    epoch: Option<Epoch>,
    observed: ObservedState,
    flushed: Flushed,
    model: ModelCheck,
    /// Frontends that wait for a flip.
    pending: BTreeMap<FrontendName, PendingChange>,
    flip: Option<Flip>,
    pass: Option<Pass>,
    queue: VecDeque<(Scope, Trigger)>,
    writes: BTreeMap<CallId, InFlightWrite>,
    read_back: ReadBack,
    refusals: Refusals,
    held: HeldRemovals,
    withdrawals: Withdrawals,
    collection: Collection,
    progress: Progress,
    traces: Traces,
    stats: ReconcilerStats,
    /// Syncs that were requested without a connection, by the observation whose
    /// error is their answer.
    unconnected: BTreeMap<CallId, RequestId>,
    last_call: u64,
    /// The effects of the present step.
    effects: Vec<ReconcileEffect>,
}

#[derive(Debug)]
struct DesiredState {
    desired: Desired,
    settings: Arc<LbSettings>,
    generation: Generation,
    /// The frontend of each VIP.
    owners: BTreeMap<Vip, FrontendName>,
}

/// What VPP holds, if it is known.
#[derive(Debug, Default)]
enum ObservedState {
    #[default]
    Unknown,
    Known(Observed),
}

impl ReconcileState {
    /// Processes one input. Returns the effects in order.
    #[must_use]
    pub fn step(&mut self, input: ReconcileInput, now: Moment) -> Vec<ReconcileEffect> {
        self.accept(input, now);
        self.advance(now);
        self.report_progress(now);
        std::mem::take(&mut self.effects)
    }

    fn accept(&mut self, input: ReconcileInput, now: Moment) {
        match input {
            ReconcileInput::DesiredReplaced(snapshot) => self.replace_desired(snapshot, now),
            ReconcileInput::DesiredChanged(update) => self.change_desired(update),
            ReconcileInput::Connected(epoch) => self.connected(epoch, now),
            ReconcileInput::Lost { epoch, why } => {
                if self.epoch == Some(epoch) {
                    self.lost(&why, now);
                }
            }
            ReconcileInput::Observed { id, result } => self.observed(id, result, now),
            ReconcileInput::Written { id, outcomes } => self.written(id, outcomes, now),
            ReconcileInput::ServersRead { id, result } => self.servers_read(id, result, now),
            ReconcileInput::TimerFired(timer) => self.timer_fired(timer),
            ReconcileInput::RoutesPlaced(placed) => {
                self.withdrawals.placed(placed, now.monotonic);
                self.time_removals(now);
            }
            ReconcileInput::Resumed => {
                if let Some(pass) = &mut self.pass {
                    pass.resume();
                }
            }
            ReconcileInput::SyncRequested { id, scope, dry_run, force } => {
                self.request_sync(scope, Trigger::Sync { dry_run, force, id });
            }
            ReconcileInput::ProgressAwaited { id, frontends, generation, within } => {
                self.await_progress(id, frontends, generation, within);
            }
        }
    }

    /// Starts all that can be started now.
    fn advance(&mut self, now: Moment) {
        loop {
            // Before the next flip, so that a series of flips cannot starve the pass.
            self.outline_pass(now);
            self.flip();
            if !self.advance_pass(now) {
                break;
            }
        }
        self.advance_read_back();
    }

    fn replace_desired(&mut self, snapshot: DesiredSnapshot, now: Moment) {
        let DesiredSnapshot { desired, settings, generation, announced, force } = snapshot;
        self.withdrawals.announce(announced);
        if self.desired.is_none() {
            let after = settings.startup_min_delay;
            self.set_timer(TimerId::StartupMinDelay, after);
        }
        let desired = Arc::unwrap_or_clone(desired);
        let before = self.desired.as_ref().map(|before| &before.desired.frontends);
        for (name, frontend) in &desired.frontends {
            self.traces.desired(name, frontend);
            if before.is_some_and(|before| before.get(name) != Some(frontend)) {
                self.progress.desired_changed(name);
            }
        }
        self.progress.retain(|name| desired.frontends.contains_key(name));
        self.traces.retain(|name| desired.frontends.contains_key(name));
        if let Some(before) = &self.desired {
            self.held.left_out(&before.desired, &desired);
        }
        let owners = desired.frontends.iter();
        let owners = owners.map(|(name, frontend)| (frontend.spec.vip, name.clone())).collect();
        let sync_interval = settings.sync_interval;
        self.desired = Some(DesiredState { desired, settings, generation, owners });
        if force {
            self.force_removals(now);
        }
        self.review_hold(now);
        if let Some(pass) = &mut self.pass {
            pass.mark_explained();
            pass.replan();
        }
        self.refusals.clear();
        self.queue_drift_pass(false);
        self.set_timer(TimerId::Drift, sync_interval);
    }

    fn change_desired(&mut self, update: DesiredUpdate) {
        let Some(state) = &mut self.desired else { return };
        state.generation = update.generation;
        for (name, frontend) in update.frontends {
            state.owners.insert(frontend.spec.vip, name.clone());
            self.traces.desired(&name, &frontend);
            state.desired.frontends.insert(name.clone(), frontend);
            if let Some(pass) = &mut self.pass {
                pass.yield_to_fast_path(&name);
            }
            self.refusals.reset_backoff(&name);
            self.progress.desired_changed(&name);
            self.pending.entry(name).or_default().changed(update.decided);
        }
    }

    fn connected(&mut self, epoch: Epoch, now: Moment) {
        if self.epoch.is_some_and(|present| present != epoch) {
            self.lost("VPP was reconnected", now);
        }
        self.epoch = Some(epoch);
        self.traces.connected(now);
        self.collection = Collection::default();
        self.effects.push(ReconcileEffect::Presence(true));
        self.forget_observed();
        self.read_back.clear();
        self.refusals.clear();
        self.held.forget();
        self.queue_drift_pass(false);
    }

    fn lost(&mut self, why: &str, now: Moment) {
        self.epoch = None;
        self.traces.lost(why, now);
        self.effects.push(ReconcileEffect::Presence(false));
        self.forget_observed();
        self.flip = None;
        self.writes.clear();
        self.read_back.clear();
        self.held.forget();
        self.progress.vpp_lost();
        let error = DataplaneError::NotConnected(why.into());
        self.end_pass(Some(error.clone()), now);
        for (_, trigger) in std::mem::take(&mut self.queue) {
            self.reply(&trigger, Err(error.clone().into()));
        }
    }

    fn timer_fired(&mut self, timer: TimerId) {
        match timer {
            TimerId::StartupMinDelay => {
                self.may_write = true;
                // The pass that waits for this delay includes all pending changes.
                self.pending.clear();
            }
            TimerId::Drift => {
                if self.epoch.is_some() {
                    self.queue_drift_pass(true);
                }
                if let Some(state) = &self.desired {
                    let after = state.settings.sync_interval;
                    self.set_timer(TimerId::Drift, after);
                }
            }
            TimerId::ReadBack => self.read_back.delay_over(),
            TimerId::Removal => self.queue_drift_pass(false),
            TimerId::Await(id) => self.expire_wait(id),
        }
    }

    fn request_sync(&mut self, scope: Scope, trigger: Trigger) {
        if let (None, Trigger::Sync { id, .. }) = (self.epoch, &trigger) {
            // The observation fails with the reason why there is no connection.
            let call = self.next_call();
            self.unconnected.insert(call, *id);
            self.effects.push(ReconcileEffect::Observe(call));
            return;
        }
        self.queue.push_back((scope, trigger));
    }

    fn await_progress(
        &mut self,
        id: RequestId,
        frontends: Vec<FrontendName>,
        generation: Generation,
        within: Duration,
    ) {
        if self.epoch.is_none() {
            // It is not known when VPP will be back.
            let answer = AwaitAnswer::NotYet("VPP is not connected".into());
            self.effects.push(ReconcileEffect::ReplyProgress { id, answer });
            return;
        }
        self.progress.wait(id, frontends, generation);
        self.set_timer(TimerId::Await(id), within);
    }

    /// Queues a drift pass unless one is queued; `alone`: see [`Trigger::Drift`].
    fn queue_drift_pass(&mut self, alone: bool) {
        for (_, trigger) in &mut self.queue {
            if let Trigger::Drift { alone: queued } = trigger {
                *queued &= alone;
                return;
            }
        }
        self.queue.push_back((Scope::All, Trigger::Drift { alone }));
    }

    fn reply(&mut self, trigger: &Trigger, result: Result<SyncReport, SyncError>) {
        if let Trigger::Sync { id, .. } = *trigger {
            self.effects.push(ReconcileEffect::Reply { id, result });
        }
    }

    fn set_timer(&mut self, timer: TimerId, after: Duration) {
        self.effects.push(ReconcileEffect::SetTimer { timer, after });
    }

    fn log(&mut self, record: ReconcileRecord) {
        self.effects.push(ReconcileEffect::Log(record));
    }

    fn next_call(&mut self) -> CallId {
        self.last_call += 1;
        CallId(self.last_call)
    }
}
