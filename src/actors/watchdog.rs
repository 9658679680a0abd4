//! Looks after all other actors, and tells the service manager: that the daemon
//! has started, that it reloads and stops, what it does, and that it lives.
//!
//! Each round asks every actor, and a [`HeartbeatResponder`] on every thread of probers. The
//! watchdog is fed when all have answered, and not before: a part that hangs
//! stops the feeding, and the service manager ends the process. What starts is
//! asked often, so that nobody waits for a daemon that is ready.

mod messages;

use std::time::Duration;

use actix::prelude::*;
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{info, warn};

pub use messages::*;

use super::gone;
use super::reconciler::GetObservedEpoch;
use super::vpp_connection::{ConnectionState, Epoch, GetConnectionState};
use crate::actors::controller::GetHealthCounts;
use crate::domain::readiness::{Readiness, ReadinessInput, Start, VppState};
use crate::host::heartbeat::HeartbeatRound;
use crate::host::notification::Notification;

/// Between two rounds while the daemon starts.
const STARTING: Duration = Duration::from_millis(100);
/// Between two rounds afterwards, or a quarter of the watchdog's time.
const STARTED: Duration = Duration::from_secs(2);
/// Who is silent for this long, or for half of the watchdog's time, is named in
/// the log.
const PATIENCE: Duration = Duration::from_secs(5);
/// A notice that the start goes on is good for this time.
const STILL_STARTING: Duration = Duration::from_secs(30);

/// Who is asked in each round.
#[derive(Clone)]
pub struct Parts {
    /// The Controller.
    pub census: Recipient<GetHealthCounts>,
    /// The VppConnection.
    pub link: Recipient<GetConnectionState>,
    /// The Reconciler.
    pub sight: Recipient<GetObservedEpoch>,
    /// Everybody else, by name.
    pub others: Vec<(String, Recipient<Ping>)>,
}

/// Takes what the service manager is to be told, and does not wait.
pub type Tell = Box<dyn Fn(&[Notification]) + Send>;

/// The actor. See the module's description.
pub struct Watchdog {
    parts: Parts,
    tell: Tell,
    started: Duration,
    patience: Duration,
    /// When the present round began.
    asked: Instant,
    round: HeartbeatRound,
    facts: ReadinessInput,
    link: ConnectionState,
    sight: Option<Epoch>,
    start: Start,
    readiness: Readiness,
    has_started: watch::Sender<bool>,
    told: String,
    /// Who is silent was said of the present round.
    complained: bool,
    stopping: bool,
}

impl Watchdog {
    /// An Watchdog of `parts`. `watchdog`: within what time the service manager
    /// wants to hear of it; `None` if it does not.
    #[must_use]
    pub fn new(parts: Parts, tell: Tell, watchdog: Option<Duration>) -> Self {
        let started = watchdog.map_or(STARTED, |within| (within / 4).min(STARTED));
        let patience = watchdog.map_or(PATIENCE, |within| (within / 2).min(PATIENCE));
        let facts = ReadinessInput::default();
        Self {
            parts,
            tell,
            started,
            patience,
            asked: Instant::now(),
            round: HeartbeatRound::default(),
            facts,
            link: ConnectionState::Dialing,
            sight: None,
            start: Start::default(),
            readiness: Readiness::Starting(facts),
            has_started: watch::Sender::new(false),
            told: String::new(),
            complained: false,
            stopping: false,
        }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let others = self.parts.others.iter().map(|(name, _)| name.as_str());
        ["Checker", "VppConnection", "Reconciler"].into_iter().chain(others)
    }

    fn turn(&mut self, ctx: &mut Context<Self>) {
        match self.round.begin(self.names().count()) {
            Some(number) => self.ask(number, ctx),
            None => self.complain(),
        }
        let starting = !self.readiness.has_started();
        let wait = if starting { STARTING.min(self.started) } else { self.started };
        ctx.run_later(wait, Self::turn);
    }

    fn ask(&mut self, number: u64, ctx: &mut Context<Self>) {
        self.complained = false;
        self.asked = Instant::now();
        let parts = self.parts.clone();
        self.ask_one(number, 0, &parts.census, GetHealthCounts, ctx, |this, census| {
            this.facts.census = census;
        });
        self.ask_one(number, 1, &parts.link, GetConnectionState, ctx, |this, link| {
            this.link = link
        });
        self.ask_one(number, 2, &parts.sight, GetObservedEpoch, ctx, |this, sight| {
            this.sight = sight
        });
        for (place, (_, other)) in parts.others.iter().enumerate() {
            self.ask_one(number, 3 + place, other, Ping, ctx, |_, ()| {});
        }
    }

    /// Asks part `who`, and takes its answer with `learn`.
    fn ask_one<M>(
        &self,
        number: u64,
        who: usize,
        part: &Recipient<M>,
        question: M,
        ctx: &mut Context<Self>,
        learn: impl FnOnce(&mut Self, M::Result) + 'static,
    ) where
        M: Message + Send + 'static,
        M::Result: Send,
    {
        let asked = part.send(question);
        ctx.spawn(asked.into_actor(self).map(move |answer, this, _| {
            let Ok(answer) = answer else {
                gone(this.names().nth(who).unwrap_or_default());
            };
            learn(this, answer);
            if this.round.answered(number, who) {
                this.all_answered();
            }
        }));
    }

    /// A round is complete.
    fn all_answered(&mut self) {
        if self.stopping {
            return;
        }
        if self.complained {
            info!("all-answer-again");
        }
        let had_started = self.readiness.has_started();
        self.facts.vpp = match self.link {
            ConnectionState::Off => VppState::Off,
            ConnectionState::Dialing => VppState::Dialing,
            ConnectionState::Away => VppState::Away,
            ConnectionState::Unusable => VppState::Unusable,
            ConnectionState::Up(epoch) if self.sight == Some(epoch) => VppState::Read,
            ConnectionState::Up(_) => VppState::Unread,
        };
        self.readiness = self.start.judge(self.facts);
        let mut notices = vec![Notification::Alive];
        let status = match self.readiness {
            Readiness::Starting(_) => {
                notices.push(Notification::StillStarting(STILL_STARTING));
                format!("starting, {}: {}", self.readiness, self.facts)
            }
            _ => self.facts.to_string(),
        };
        if self.readiness.has_started() && !had_started {
            info!(status, "ready");
            notices.push(Notification::Ready);
            self.has_started.send_replace(true);
        }
        if status != self.told {
            notices.push(Notification::Status(status.clone()));
            self.told = status;
        }
        (self.tell)(&notices);
    }

    fn complain(&mut self) {
        if !self.complained && !self.stopping && self.asked.elapsed() >= self.patience {
            let silent = self.round.silent().filter_map(|who| self.names().nth(who));
            let silent = silent.collect::<Vec<_>>().join(" ");
            warn!(silent, "no-answer: the watchdog is not fed until all answer");
            self.complained = true;
        }
    }
}

impl Actor for Watchdog {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.turn(ctx);
    }
}

impl Handler<Reloading> for Watchdog {
    type Result = ();

    fn handle(&mut self, Reloading { monotonic_us }: Reloading, _: &mut Self::Context) {
        // One that has not said that it is ready cannot say that it reloads.
        if self.readiness.has_started() {
            (self.tell)(&[Notification::Reloading { monotonic_us }]);
        }
    }
}

impl Handler<Reloaded> for Watchdog {
    type Result = ();

    fn handle(&mut self, _: Reloaded, _: &mut Self::Context) {
        if self.readiness.has_started() {
            (self.tell)(&[Notification::Ready]);
        }
    }
}

impl Handler<Stopping> for Watchdog {
    type Result = ();

    fn handle(&mut self, _: Stopping, _: &mut Self::Context) {
        self.stopping = true;
        (self.tell)(&[Notification::Stopping, Notification::Status("stopping".into())]);
    }
}

impl Handler<GetReadiness> for Watchdog {
    type Result = MessageResult<GetReadiness>;

    fn handle(&mut self, _: GetReadiness, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.readiness)
    }
}

impl Handler<AwaitStart> for Watchdog {
    type Result = ResponseFuture<bool>;

    fn handle(&mut self, _: AwaitStart, _: &mut Self::Context) -> Self::Result {
        let mut has_started = self.has_started.subscribe();
        Box::pin(async move { has_started.wait_for(|it| *it).await.is_ok() })
    }
}

#[cfg(test)]
mod tests;
