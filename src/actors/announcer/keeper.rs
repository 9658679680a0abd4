//! Makes the routes of one driver what is wanted: executes a [`DriverLoop`].

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;

use crate::actors::clock::now;
use crate::announce::{ApplyReport, DriverError, RouteDriver};
use crate::domain::announce::driver_loop::{DriverLoop, LoopEffect, LoopInput, RunOutcome};
use crate::domain::announce::placement::{PlacedRoutes, WantedRoutes};
use crate::domain::announce::{DriverReport, DriverSettings};

/// Between two readings that nothing asks for.
const INTERVAL: Duration = Duration::from_secs(15);

/// The actor. See the module's description.
pub struct RouteKeeper {
    driver: RouteDriver,
    settings: DriverSettings,
    reports: Recipient<RoutesReported>,
    pace: DriverLoop,
    timer: Option<SpawnHandle>,
    /// It withdraws everything, and ends then.
    stopping: bool,
}

/// The whole set, in place of the one before.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct WantRoutes(pub Arc<WantedRoutes>);

/// Withdraws everything and ends, whatever becomes of that.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct StopKeeping;

/// What a run of a driver has read and written.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct RoutesReported {
    pub settings: DriverSettings,
    pub report: DriverReport,
    /// The keeper was told to end, and does.
    pub is_last: bool,
}

impl RouteKeeper {
    #[must_use]
    pub fn new(
        driver: RouteDriver,
        settings: DriverSettings,
        reports: Recipient<RoutesReported>,
    ) -> Self {
        let pace = DriverLoop::new(INTERVAL, now());
        Self { driver, settings, reports, pace, timer: None, stopping: false }
    }

    fn step(&mut self, input: LoopInput, ctx: &mut Context<Self>) {
        for effect in self.pace.step(input, now()) {
            match effect {
                LoopEffect::Read => {
                    let driver = self.driver.clone();
                    let run = async move { driver.read().await }.into_actor(self);
                    ctx.spawn(run.map(|read, this, ctx| this.was_read(read, ctx)));
                }
                LoopEffect::Apply(wanted) => {
                    let driver = self.driver.clone();
                    let is_empty = wanted.is_empty();
                    let run = async move { driver.apply(&wanted).await }.into_actor(self);
                    ctx.spawn(run.map(move |applied, this, ctx| {
                        this.was_applied(applied, is_empty, ctx);
                    }));
                }
                LoopEffect::SetTimer(at) => {
                    if let Some(timer) = self.timer.take() {
                        ctx.cancel_future(timer);
                    }
                    let after = at.saturating_duration_since(now());
                    self.timer = Some(ctx.run_later(after, |this, ctx| {
                        this.timer = None;
                        this.step(LoopInput::TimerFired, ctx);
                    }));
                }
            }
        }
    }

    fn was_read(&mut self, read: Result<PlacedRoutes, DriverError>, ctx: &mut Context<Self>) {
        let outcome = if read.is_ok() { RunOutcome::Complete } else { RunOutcome::Unread };
        let report = match read {
            Ok(placed) => DriverReport { placed: Some(placed), ..DriverReport::default() },
            Err(error) => {
                DriverReport { error: Some(error.to_string()), ..DriverReport::default() }
            }
        };
        self.ended(outcome, report, false, ctx);
    }

    fn was_applied(
        &mut self,
        applied: Result<ApplyReport, DriverError>,
        is_empty: bool,
        ctx: &mut Context<Self>,
    ) {
        let (outcome, report) = match applied {
            Ok(applied) => {
                let outcome = applied.outcome();
                let ApplyReport { statuses, placed, refusal, .. } = applied;
                (outcome, DriverReport { statuses, placed, refusal, error: None })
            }
            Err(error) => {
                let error = Some(error.to_string());
                (RunOutcome::Unread, DriverReport { error, ..DriverReport::default() })
            }
        };
        let is_last = is_empty && self.stopping;
        self.ended(outcome, report, is_last, ctx);
        if is_last {
            ctx.stop();
        }
    }

    fn ended(
        &mut self,
        outcome: RunOutcome,
        report: DriverReport,
        is_last: bool,
        ctx: &mut Context<Self>,
    ) {
        let settings = self.settings.clone();
        self.reports.do_send(RoutesReported { settings, report, is_last });
        self.step(LoopInput::RunEnded { outcome, chance: fastrand::f64() }, ctx);
    }
}

/// The driver's watch tells that something moved.
#[derive(Message)]
#[rtype(result = "()")]
struct Moved;

impl Actor for RouteKeeper {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let (mut watch, own) = (self.driver.changes(), ctx.address());
        let watching = async move {
            loop {
                watch.changed().await;
                own.do_send(Moved);
            }
        };
        ctx.spawn(watching.into_actor(self));
        self.step(LoopInput::Started, ctx);
    }
}

impl Handler<WantRoutes> for RouteKeeper {
    type Result = ();

    fn handle(&mut self, WantRoutes(wanted): WantRoutes, ctx: &mut Self::Context) {
        // What comes after the command to stop is of before.
        if !self.stopping {
            self.step(LoopInput::WantedReplaced((*wanted).clone()), ctx);
        }
    }
}

impl Handler<Moved> for RouteKeeper {
    type Result = ();

    fn handle(&mut self, _: Moved, ctx: &mut Self::Context) {
        self.step(LoopInput::Changed, ctx);
    }
}

impl Handler<StopKeeping> for RouteKeeper {
    type Result = ();

    fn handle(&mut self, _: StopKeeping, ctx: &mut Self::Context) {
        self.stopping = true;
        if self.pace.wanted().is_some_and(WantedRoutes::is_empty) {
            // Nothing is left to withdraw.
            let (settings, report) = (self.settings.clone(), DriverReport::default());
            self.reports.do_send(RoutesReported { settings, report, is_last: true });
            ctx.stop();
        }
        self.step(LoopInput::WantedReplaced(WantedRoutes::new()), ctx);
    }
}
