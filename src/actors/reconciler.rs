//! The only part that decides what VPP is told: what should be × what is
//! there → [`plan`](crate::domain::dataplane::plan) → apply → look again.
//!
//! At most one *pass* is under way: a look at all of VPP and the steps that
//! follow, in portions. A *flip*, the change of a few frontends, is planned
//! from what was last seen and goes out at once, ahead of what is left of the
//! pass, whose steps for other frontends stand.

mod figures;
mod flip;
mod hear;
mod look;
mod messages;
mod pass;
mod portions;
mod settle;
mod verify;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use actix::prelude::*;
use tracing::info;

pub use figures::{GetReconcilerStats, GetRefusalOf, ReconcilerStats};
use flip::PendingChange;
pub use messages::*;
use pass::{Pass, Trigger};
use settle::PlanSnapshot;
use verify::ReadBack;

use super::vpp_connection::{
    Apply, DataplaneError, DataplaneHandle, Epoch, Outcome, SubscribeConnection,
};
use crate::actors::event_batcher::EventBatcher;
use crate::domain::balancing::maglev::ModelCheck;
use crate::domain::config::LbSettings;
use crate::domain::dataplane::observed::Observed;
use crate::domain::dataplane::plan::{Desired, Flushed, Planned, Scope};
use crate::domain::names::FrontendName;
use crate::domain::reconcile::refusals::Refusals;

/// The actor. See the module's description.
pub struct Reconciler {
    vpp: DataplaneHandle,
    events: EventBatcher,
    wanted: Option<Wanted>,
    /// False until `startup-min-delay` is over.
    may_write: bool,
    epoch: Option<Epoch>,
    sight: ObservedState,
    flushed: Flushed,
    model: ModelCheck,
    /// Frontends that are to be written, and why.
    dirty: BTreeMap<FrontendName, PendingChange>,
    flipping: bool,
    reread: ReadBack,
    pass: Option<Pass>,
    queue: VecDeque<(Scope, Trigger)>,
    refused: Refusals,
    figures: ReconcilerStats,
    timer: Option<SpawnHandle>,
}

/// What should be.
struct Wanted {
    desired: Desired,
    settings: Arc<LbSettings>,
}

/// What is there. Nothing is planned from what was not read.
enum ObservedState {
    NotYet,
    Seen(Observed),
}

impl Reconciler {
    /// A Reconciler that waits for both sides: what should be, and a VPP.
    #[must_use]
    pub fn new(vpp: impl Into<DataplaneHandle>, events: EventBatcher) -> Self {
        Self {
            vpp: vpp.into(),
            events,
            wanted: None,
            may_write: false,
            epoch: None,
            sight: ObservedState::NotYet,
            flushed: Flushed::new(),
            model: ModelCheck::default(),
            dirty: BTreeMap::new(),
            flipping: false,
            reread: ReadBack::default(),
            pass: None,
            queue: VecDeque::new(),
            refused: Refusals::default(),
            figures: ReconcilerStats::default(),
            timer: None,
        }
    }

    /// Does what is to be done next, if anything can be done now.
    fn drive(&mut self, ctx: &mut Context<Self>) {
        // Before the next flip: no storm of them holds up a pass.
        self.plan_pass();
        self.flip(ctx);
        self.go_on(ctx);
        self.verify(ctx);
    }

    /// Begins the next pass, or writes the next portion of the present one.
    fn go_on(&mut self, ctx: &mut Context<Self>) {
        match &self.pass {
            None => self.begin_pass(ctx),
            Some(pass) if pass.is_idle() && matches!(self.sight, ObservedState::NotYet) => {
                // A reply was lost: what VPP holds has to be seen again.
                self.begin_anew();
                self.go_on(ctx);
            }
            Some(pass) if pass.has_room() => self.next_portion(ctx),
            Some(_) => {}
        }
    }

    /// Ends the pass, and asks for another that looks at VPP again.
    fn begin_anew(&mut self) {
        self.end_pass(Some(DataplaneError::Failed("a reply was lost; VPP is read anew".into())));
        self.want_drift_pass(false);
    }

    fn end_pass(&mut self, error: Option<DataplaneError>) {
        let Some(pass) = self.pass.take() else { return };
        let report = pass.end(&mut self.refused, error.is_some());
        let failed = report.results.iter().filter(|result| result.error.is_some()).count();
        if report.complete && error.is_none() && failed == 0 {
            self.figures.last_success = Some(SystemTime::now());
        }
        info!(
            scope = scope_word(&report.scope),
            steps = report.results.len(),
            failed,
            took_us = micros(report.took),
            "vpp-lbsync-done"
        );
        let answer = match error {
            None => Ok(SyncReport {
                results: report.results,
                applied: report.applied,
                before: report.before,
            }),
            Some(error) => Err(SyncError::Link(error)),
        };
        report.purpose.answer(answer);
    }

    /// Writes steps over the present connection and calls `then` with what
    /// became of them, unless the connection is lost before.
    fn write<F>(&mut self, steps: Vec<Planned>, urgent: bool, ctx: &mut Context<Self>, then: F)
    where
        F: FnOnce(
                &mut Self,
                Vec<Planned>,
                Result<Vec<Outcome>, DataplaneError>,
                &mut Context<Self>,
            ) + 'static,
    {
        let epoch = self.epoch.unwrap_or_default();
        self.reread.writing(&steps);
        let messages = steps.iter().map(|planned| planned.step.clone()).collect();
        let sent = self.vpp.apply.send(Apply { epoch, steps: messages, urgent });
        let written = async move { sent.await.unwrap_or_else(|_| Err(DataplaneError::ended())) };
        ctx.spawn(written.into_actor(self).map(move |outcomes, this, ctx| {
            // What was under way on an earlier connection ended with it.
            if this.epoch == Some(epoch) {
                this.reread.written(&steps);
                then(this, steps, outcomes, ctx);
            }
        }));
    }

    /// Asks for a pass unless one is waiting; `alone`: see [`Trigger::Drift`].
    fn want_drift_pass(&mut self, alone: bool) {
        for (_, purpose) in &mut self.queue {
            if let Trigger::Drift { alone: queued } = purpose {
                *queued &= alone;
                return;
            }
        }
        self.queue.push_back((Scope::All, Trigger::Drift { alone }));
    }

    /// Sets the drift timer for the next time.
    fn drift_later(&mut self, ctx: &mut Context<Self>) {
        let Some(wanted) = &self.wanted else { return };
        if let Some(timer) = self.timer.take() {
            ctx.cancel_future(timer);
        }
        self.timer = Some(ctx.run_later(wanted.settings.sync_interval, |this, ctx| {
            this.timer = None;
            if this.epoch.is_some() {
                this.want_drift_pass(true);
            }
            this.drift_later(ctx);
            this.drive(ctx);
        }));
    }
}

/// For the log.
fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn scope_word(scope: &Scope) -> &'static str {
    match scope {
        Scope::All => "all",
        Scope::One(_) => "vip",
    }
}

impl Actor for Reconciler {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let (connected, lost) = (ctx.address().recipient(), ctx.address().recipient());
        self.vpp.listen.do_send(SubscribeConnection { connected, lost });
    }
}

#[cfg(test)]
mod tests;
