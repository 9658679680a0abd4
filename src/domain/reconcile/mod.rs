//! What is written to VPP, in what order, and when: [`ReconcileState::step`]
//! takes what happened and says what is to be done. It has no clock, no thread
//! and no socket, so its laws are tested on it alone (`tests/laws.rs`).
//!
//! At most one *pass* is under way: an observation of all of VPP, then the
//! planned steps in batches. A *flip*, the change of a few frontends, is planned
//! from what is known and written at once, ahead of what is left of the pass,
//! whose steps for other frontends stand.
//!
//! **Invariant: nothing is planned from what was not read.** [`ObservedState`]
//! says whether VPP is known; a lost reply makes it unknown.

mod batches;
mod fast_path;
mod input;
mod observe;
mod outcomes;
mod pass;
mod progress;
mod queries;
mod read_back;
mod record;
pub mod refusals;
mod stats;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

pub use input::{
    CallId, DesiredSnapshot, DesiredUpdate, Generation, Moment, ReconcileEffect, ReconcileInput,
    RequestId, SyncError, TimerId,
};
pub use progress::{AwaitAnswer, FrontendProgress};
pub use queries::VipObservation;
pub use record::{ReconcileRecord, ScopeWord};
pub use stats::ReconcilerStats;

use crate::domain::balancing::maglev::ModelCheck;
use crate::domain::config::LbSettings;
use crate::domain::dataplane::connection::{DataplaneError, Epoch};
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::{Observed, ObservedVip};
use crate::domain::dataplane::plan::{Desired, Flushed, Planned, Scope};
use crate::domain::names::FrontendName;
use fast_path::{Flip, PendingChange};
use outcomes::WriteUnderWay;
use pass::{Pass, Trigger};
use progress::Progress;
use read_back::ReadBack;
use refusals::Refusals;

/// What a pass did, or would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncReport {
    /// The steps in order.
    pub results: Vec<StepResult>,
    /// False for a dry run.
    pub applied: bool,
    /// The VIPs that the steps concern, as they were before.
    pub before: BTreeMap<Vip, ObservedVip>,
}

/// A step and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepResult {
    pub planned: Planned,
    /// Why it was not done; `None` if it was, or in a dry run.
    pub error: Option<String>,
}

/// See the module's description.
#[derive(Debug, Default)]
pub struct ReconcileState {
    desired: Option<DesiredState>,
    /// False until `startup-min-delay` is over.
    may_write: bool,
    epoch: Option<Epoch>,
    observed: ObservedState,
    flushed: Flushed,
    model: ModelCheck,
    /// Frontends that are to be written, and why.
    pending: BTreeMap<FrontendName, PendingChange>,
    flip: Option<Flip>,
    pass: Option<Pass>,
    queue: VecDeque<(Scope, Trigger)>,
    writes: BTreeMap<CallId, WriteUnderWay>,
    read_back: ReadBack,
    refusals: Refusals,
    progress: Progress,
    stats: ReconcilerStats,
    /// Syncs that were requested without a connection, by the observation that
    /// will say why there is none.
    unconnected: BTreeMap<CallId, RequestId>,
    last_call: u64,
    /// Collected within one step.
    effects: Vec<ReconcileEffect>,
}

#[derive(Debug)]
struct DesiredState {
    desired: Desired,
    settings: Arc<LbSettings>,
    generation: Generation,
    /// Whose VIP is whose.
    owners: BTreeMap<Vip, FrontendName>,
}

/// What VPP holds.
#[derive(Debug, Default)]
enum ObservedState {
    #[default]
    Unknown,
    Known(Observed),
}

impl ReconcileState {
    /// Takes what happened, and says what is to be done, in order.
    #[must_use]
    pub fn step(&mut self, input: ReconcileInput, now: Moment) -> Vec<ReconcileEffect> {
        self.accept(input, now);
        self.advance(now);
        self.report_progress();
        std::mem::take(&mut self.effects)
    }

    fn accept(&mut self, input: ReconcileInput, now: Moment) {
        match input {
            ReconcileInput::DesiredReplaced(snapshot) => self.replace_desired(snapshot),
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
            ReconcileInput::Resumed => {
                if let Some(pass) = &mut self.pass {
                    pass.resume();
                }
            }
            ReconcileInput::SyncRequested { id, scope, dry_run } => {
                self.request_sync(id, scope, dry_run);
            }
            ReconcileInput::ProgressAwaited { id, frontends, generation, within } => {
                self.await_progress(id, frontends, generation, within);
            }
        }
    }

    /// Does what is to be done next, if anything can be done now.
    fn advance(&mut self, now: Moment) {
        loop {
            // Before the next flip: no storm of flips holds up a pass.
            self.outline_pass();
            self.flip();
            if !self.advance_pass(now) {
                break;
            }
        }
        self.advance_read_back();
    }

    fn replace_desired(&mut self, snapshot: DesiredSnapshot) {
        let DesiredSnapshot { desired, settings, generation } = snapshot;
        if self.desired.is_none() {
            let after = settings.startup_min_delay;
            self.set_timer(TimerId::StartupMinDelay, after);
        }
        let desired = Arc::unwrap_or_clone(desired);
        let before = self.desired.as_ref().map(|before| &before.desired.frontends);
        for (name, frontend) in &desired.frontends {
            if before.is_some_and(|before| before.get(name) != Some(frontend)) {
                self.progress.pending(name);
            }
        }
        self.progress.retain(|name| desired.frontends.contains_key(name));
        let owners = desired.frontends.iter();
        let owners = owners.map(|(name, frontend)| (frontend.spec.vip, name.clone())).collect();
        let sync_interval = settings.sync_interval;
        self.desired = Some(DesiredState { desired, settings, generation, owners });
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
            state.desired.frontends.insert(name.clone(), frontend);
            if let Some(pass) = &mut self.pass {
                pass.yield_to_fast_path(&name);
            }
            self.refusals.reset_backoff(&name);
            self.progress.pending(&name);
            self.pending.entry(name).or_default().changed(update.decided);
        }
    }

    fn connected(&mut self, epoch: Epoch, now: Moment) {
        if self.epoch.is_some_and(|present| present != epoch) {
            self.lost("VPP was reconnected", now);
        }
        self.epoch = Some(epoch);
        self.forget_observed();
        self.read_back.forget();
        self.refusals.clear();
        self.queue_drift_pass(false);
    }

    fn lost(&mut self, why: &str, now: Moment) {
        self.epoch = None;
        self.forget_observed();
        self.flip = None;
        self.writes.clear();
        self.read_back.forget();
        self.progress.forget();
        let error = DataplaneError::NotConnected(why.into());
        self.end_pass(Some(error.clone()), now);
        for (_, trigger) in std::mem::take(&mut self.queue) {
            self.reply(trigger, Err(error.clone().into()));
        }
    }

    fn timer_fired(&mut self, timer: TimerId) {
        match timer {
            TimerId::StartupMinDelay => {
                self.may_write = true;
                // The pass that waits for this covers all that changed so far.
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
            TimerId::ReadBack => self.read_back.delay_is_over(),
            TimerId::Await(id) => self.give_up_waiting(id),
        }
    }

    fn request_sync(&mut self, id: RequestId, scope: Scope, dry_run: bool) {
        if self.epoch.is_none() {
            // The connection knows why there is none.
            let call = self.next_call();
            self.unconnected.insert(call, id);
            self.effects.push(ReconcileEffect::Observe(call));
            return;
        }
        self.queue.push_back((scope, Trigger::Sync { dry_run, id }));
    }

    fn await_progress(
        &mut self,
        id: RequestId,
        frontends: Vec<FrontendName>,
        generation: Generation,
        within: Duration,
    ) {
        if self.epoch.is_none() {
            // Nobody knows for how long.
            let answer = AwaitAnswer::NotYet("VPP is not connected".into());
            self.effects.push(ReconcileEffect::ReplyProgress { id, answer });
            return;
        }
        self.progress.wait(id, frontends, generation);
        self.set_timer(TimerId::Await(id), within);
    }

    /// Queues a pass unless one is waiting; `alone`: see [`Trigger::Drift`].
    fn queue_drift_pass(&mut self, alone: bool) {
        for (_, trigger) in &mut self.queue {
            if let Trigger::Drift { alone: queued } = trigger {
                *queued &= alone;
                return;
            }
        }
        self.queue.push_back((Scope::All, Trigger::Drift { alone }));
    }

    fn reply(&mut self, trigger: Trigger, result: Result<SyncReport, SyncError>) {
        if let Trigger::Sync { id, .. } = trigger {
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
