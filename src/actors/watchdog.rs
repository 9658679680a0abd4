//! Watches all other actors, and notifies the service manager: when the daemon has
//! started, reloads and stops, what its status is, and that it is alive.
//!
//! Each round pings every actor, and a [`HeartbeatResponder`](super::ping::HeartbeatResponder)
//! on every thread of probers. The service manager's watchdog is fed when all have
//! answered, and not before: a part that hangs stops the feeding, and the service manager
//! ends the process. Rounds are frequent during the start, so that a daemon that is ready
//! says so at once.

mod messages;

use std::time::Duration;

use actix::prelude::*;
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{info, warn};

pub use messages::*;

use super::closed_mailbox::mailbox_closed;
use super::controller::GetHealthCounts;
use super::ping::Ping;
use super::reconciler::{GetReconcilerStatus, ReconcilerStatus};
use super::vpp_connection::{ConnectionState, Epoch, GetConnectionState};
use crate::domain::readiness::{Readiness, ReadinessInput, StartupLatch, VppState};
use crate::host::heartbeat::HeartbeatRound;
use crate::host::sd_notify::{Notification, Notifier};

/// Between two rounds while the daemon starts.
const STARTING_INTERVAL: Duration = Duration::from_millis(100);
/// Between two rounds afterwards, or a quarter of the watchdog timeout.
const INTERVAL: Duration = Duration::from_secs(2);
/// After this time, or half of the watchdog timeout, the actors that have not
/// answered are logged.
const PATIENCE: Duration = Duration::from_secs(5);
/// How much longer the service manager is asked to wait for the start, in each round.
const START_EXTENSION: Duration = Duration::from_secs(30);

/// The actors that are pinged in each round. The first three answer with what the
/// readiness of the daemon depends on.
#[derive(Clone)]
pub struct WatchedActors {
    pub controller: Recipient<GetHealthCounts>,
    pub vpp: Recipient<GetConnectionState>,
    pub reconciler: Recipient<GetReconcilerStatus>,
    /// By name.
    pub others: Vec<(String, Recipient<Ping>)>,
}

/// The actor.
pub struct Watchdog {
    actors: WatchedActors,
    notify: Notifier,
    interval: Duration,
    patience: Duration,
    round_begun: Instant,
    round: HeartbeatRound,
    input: ReadinessInput,
    connection: ConnectionState,
    /// The connection to VPP whose state the Reconciler has read.
    observed: Option<Epoch>,
    start: StartupLatch,
    readiness: Readiness,
    has_started: watch::Sender<bool>,
    /// The last status that was sent.
    status: String,
    /// Missing answers of the present round were logged.
    has_complained: bool,
    is_stopping: bool,
}

impl Watchdog {
    /// `timeout` is that of the service manager's watchdog; `None` if it has none.
    #[must_use]
    pub fn new(actors: WatchedActors, notify: Notifier, timeout: Option<Duration>) -> Self {
        let interval = timeout.map_or(INTERVAL, |timeout| (timeout / 4).min(INTERVAL));
        let patience = timeout.map_or(PATIENCE, |timeout| (timeout / 2).min(PATIENCE));
        let input = ReadinessInput::default();
        Self {
            actors,
            notify,
            interval,
            patience,
            round_begun: Instant::now(),
            round: HeartbeatRound::default(),
            input,
            connection: ConnectionState::Dialing,
            observed: None,
            start: StartupLatch::default(),
            readiness: Readiness::Starting(input),
            has_started: watch::Sender::new(false),
            status: String::new(),
            has_complained: false,
            is_stopping: false,
        }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let others = self.actors.others.iter().map(|(name, _)| name.as_str());
        ["Controller", "VppConnection", "Reconciler"].into_iter().chain(others)
    }

    fn tick(&mut self, ctx: &mut Context<Self>) {
        match self.round.begin(self.names().count()) {
            Some(number) => self.ping_all(number, ctx),
            None => self.complain(),
        }
        let is_starting = !self.readiness.has_started();
        let wait = if is_starting { STARTING_INTERVAL.min(self.interval) } else { self.interval };
        ctx.run_later(wait, Self::tick);
    }

    fn ping_all(&mut self, number: u64, ctx: &mut Context<Self>) {
        self.has_complained = false;
        self.round_begun = Instant::now();
        let actors = self.actors.clone();
        self.ping(number, 0, &actors.controller, GetHealthCounts, ctx, |this, counts| {
            this.input.counts = counts;
        });
        self.ping(number, 1, &actors.vpp, GetConnectionState, ctx, |this, connection| {
            this.connection = connection;
        });
        self.ping(number, 2, &actors.reconciler, GetReconcilerStatus, ctx, |this, status| {
            let ReconcilerStatus { observed, removals_held } = status;
            (this.observed, this.input.removals_held) = (observed, removals_held);
        });
        for (index, (_, other)) in actors.others.iter().enumerate() {
            self.ping(number, 3 + index, other, Ping, ctx, |_, ()| {});
        }
    }

    /// Sends `message` to actor `index`, and handles its answer with `store`.
    fn ping<M>(
        &self,
        number: u64,
        index: usize,
        actor: &Recipient<M>,
        message: M,
        ctx: &mut Context<Self>,
        store: impl FnOnce(&mut Self, M::Result) + 'static,
    ) where
        M: Message + Send + 'static,
        M::Result: Send,
    {
        let request = actor.send(message);
        ctx.spawn(request.into_actor(self).map(move |answer, this, _| {
            let Ok(answer) = answer else {
                mailbox_closed(this.names().nth(index).unwrap_or_default());
            };
            store(this, answer);
            if this.round.answered(number, index) {
                this.complete_round();
            }
        }));
    }

    fn complete_round(&mut self) {
        if self.is_stopping {
            return;
        }
        if self.has_complained {
            info!("all-answer-again");
        }
        let had_started = self.readiness.has_started();
        self.input.vpp = match self.connection {
            ConnectionState::Off => VppState::Off,
            ConnectionState::Dialing => VppState::Dialing,
            ConnectionState::Away => VppState::Away,
            ConnectionState::Unusable => VppState::Unusable,
            ConnectionState::Up(epoch) if self.observed == Some(epoch) => VppState::Read,
            ConnectionState::Up(_) => VppState::Unread,
        };
        self.readiness = self.start.update(self.input);
        let mut notifications = vec![Notification::Alive];
        let status = match self.readiness {
            Readiness::Starting(_) => {
                notifications.push(Notification::StillStarting(START_EXTENSION));
                format!("starting, {}: {}", self.readiness, self.input)
            }
            _ => self.input.to_string(),
        };
        if self.readiness.has_started() && !had_started {
            info!(status, "ready");
            notifications.push(Notification::Ready);
            self.has_started.send_replace(true);
        }
        if status != self.status {
            notifications.push(Notification::Status(status.clone()));
            self.status = status;
        }
        (self.notify)(&notifications);
    }

    /// Logs which actors have not answered, once a round.
    fn complain(&mut self) {
        let is_late = self.round_begun.elapsed() >= self.patience;
        if is_late && !self.has_complained && !self.is_stopping {
            let silent = self.round.unanswered().filter_map(|index| self.names().nth(index));
            let silent = silent.collect::<Vec<_>>().join(" ");
            warn!(silent, "no-answer: the watchdog is not fed until all answer");
            self.has_complained = true;
        }
    }
}

impl Actor for Watchdog {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.tick(ctx);
    }
}

impl Handler<Reloading> for Watchdog {
    type Result = ();

    fn handle(&mut self, Reloading { monotonic_us }: Reloading, _: &mut Self::Context) {
        // sd_notify(3): RELOADING=1 must come after READY=1.
        if self.readiness.has_started() {
            (self.notify)(&[Notification::Reloading { monotonic_us }]);
        }
    }
}

impl Handler<Reloaded> for Watchdog {
    type Result = ();

    fn handle(&mut self, Reloaded { refusal }: Reloaded, _: &mut Self::Context) {
        self.input.counts.config_refused = refusal;
        if self.readiness.has_started() {
            // Whoever waits for the end of the reload finds its outcome in the status.
            let status = self.input.to_string();
            if status != self.status {
                (self.notify)(&[Notification::Status(status.clone())]);
                self.status = status;
            }
            (self.notify)(&[Notification::Ready]);
        }
    }
}

impl Handler<Stopping> for Watchdog {
    type Result = ();

    fn handle(&mut self, _: Stopping, _: &mut Self::Context) {
        self.is_stopping = true;
        (self.notify)(&[Notification::Stopping, Notification::Status("stopping".into())]);
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
