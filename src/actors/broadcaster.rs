//! Publishes events to subscriptions. A subscription gets the snapshot and the
//! following events from one message, so that no event falls between the two. A
//! slow reader gets a count of what it missed and a new snapshot; it delays no
//! other.

mod batch_interval;
mod fanout;
mod filter;
mod messages;
mod reader;
mod shared_event;
mod snapshot;

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use tokio::sync::mpsc;
use tokio::time::Instant;

use batch_interval::BatchInterval;
use fanout::{FanoutQueue, StreamReader};
pub use filter::EventFilter;
pub use messages::*;
use reader::ReaderItem;
pub use reader::{StreamItem, Subscription};
pub use shared_event::SharedEvent;
use snapshot::StateSnapshot;

use super::ping::Ping;
use crate::domain::events::{Event, LogLevel, Replay, Ring};
use crate::host::logging::LogDemand;

#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Events held for clients that resume; as many log records are held apart.
    pub history: usize,
    /// Subscriptions at a time.
    pub subscribers: usize,
    /// Items that may wait for a reader, before it misses events.
    pub queued: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { history: 10_000, subscribers: 10_000, queued: 1024 }
    }
}

/// Mailbox places: a burst of transitions of every backend fits.
const MAILBOX: usize = 16_384;
/// How often readers that missed events are checked for room while no event is
/// published.
const CATCH_UP_INTERVAL: Duration = Duration::from_millis(100);
/// Between two steps of the fan-out: the resolution of timers.
const STEP_INTERVAL: Duration = Duration::from_millis(1);

/// The actor.
pub struct Broadcaster {
    boot_id: u64,
    limits: Limits,
    ring: Ring<SharedEvent>,
    snapshot: StateSnapshot,
    fanout: FanoutQueue,
    /// Published events that are in no batch yet.
    unbatched: Vec<Arc<SharedEvent>>,
    batch_interval: BatchInterval,
    /// Ends the wait for more events of the same batch.
    batch_timer: Option<SpawnHandle>,
    /// Starts the next step of the fan-out.
    step_timer: Option<SpawnHandle>,
    /// The most detailed level that a subscription asks for.
    log_level: Option<LogLevel>,
    log_demand: LogDemand,
    missed: u64,
    is_catching_up: bool,
    is_stopping: bool,
}

impl Broadcaster {
    /// `boot_id` differs between two starts of the daemon. `log_demand` is kept
    /// at the level of log records that subscriptions ask for.
    #[must_use]
    pub fn new(boot_id: u64, limits: Limits, log_demand: LogDemand) -> Self {
        Self {
            boot_id,
            limits,
            ring: Ring::new(limits.history),
            snapshot: StateSnapshot::default(),
            fanout: FanoutQueue::default(),
            unbatched: Vec::new(),
            batch_interval: BatchInterval::default(),
            batch_timer: None,
            step_timer: None,
            log_level: None,
            log_demand,
            missed: 0,
            is_catching_up: false,
            is_stopping: false,
        }
    }

    fn publish(&mut self, events: Vec<Event>, ctx: &mut Context<Self>) {
        for event in events {
            let shared = self.ring.push(event);
            self.snapshot.apply(&shared);
            if !self.fanout.readers.is_empty() {
                self.unbatched.push(shared);
            }
        }
        if self.unbatched.is_empty() {
            return;
        }
        let readers = self.fanout.readers.len();
        match self.batch_interval.wait(Instant::now(), self.unbatched.len(), readers) {
            None => self.hand_out(ctx),
            Some(_) if self.batch_timer.is_some() => {}
            Some(wait) => {
                self.batch_timer = Some(ctx.run_later(wait, |this, ctx| {
                    this.batch_timer = None;
                    this.hand_out(ctx);
                }));
            }
        }
    }

    /// Starts to hand out what was published so far.
    fn hand_out(&mut self, ctx: &mut Context<Self>) {
        if let Some(timer) = self.batch_timer.take() {
            ctx.cancel_future(timer);
        }
        self.close_batch();
        if self.step_timer.is_none() {
            self.step(ctx);
        }
    }

    fn close_batch(&mut self) {
        if !self.unbatched.is_empty() {
            self.fanout.push(std::mem::take(&mut self.unbatched));
            self.batch_interval.handed_out(Instant::now());
        }
    }

    /// Serves a few readers, and the others after a pause.
    fn step(&mut self, ctx: &mut Context<Self>) {
        self.missed += self.fanout.step();
        if self.fanout.has_more() {
            self.schedule_step(ctx);
        } else {
            self.maintain(ctx);
        }
    }

    fn schedule_step(&mut self, ctx: &mut Context<Self>) {
        if self.fanout.has_more() && self.step_timer.is_none() {
            self.step_timer = Some(ctx.run_later(STEP_INTERVAL, |this, ctx| {
                this.step_timer = None;
                this.step(ctx);
            }));
        }
    }

    /// Serves every reader everything at once.
    fn finish(&mut self) {
        self.close_batch();
        self.missed += self.fanout.finish();
    }

    /// The items that a new subscription begins with.
    fn first_items(
        &mut self,
        filter: &EventFilter,
        resume: Option<ResumePoint>,
    ) -> Vec<ReaderItem> {
        let snapshot = ReaderItem::Snapshot(self.snapshot.events(), self.ring.last());
        let Some(resume) = resume else { return vec![snapshot] };
        let replay = match resume.boot_id == self.boot_id {
            true => self.ring.after(resume.seq, filter.held_apart()),
            // How many events the daemon published before it restarted is not
            // known; all of this life are new to the client.
            false => Replay::Lost(self.ring.last().0),
        };
        match replay {
            Replay::Whole(events) => vec![ReaderItem::Events(events.into())],
            Replay::Lost(count) => vec![ReaderItem::Missed(count), snapshot],
        }
    }

    /// Sends readers that missed events the count and a snapshot, if they have
    /// room for both.
    fn resume_readers(&mut self) {
        if !self.fanout.readers.iter().any(StreamReader::can_resume) {
            return;
        }
        // The snapshot includes every published event: none of them may follow it.
        self.close_batch();
        let (snapshot, last) = (&mut self.snapshot, self.ring.last());
        self.missed += self.fanout.resume_readers(|reader| {
            if let Some(missed) = reader.missed.take() {
                // There is room, and no other sender: only a closed channel
                // refuses, and its reader is removed later.
                let _ = reader.items.try_send(ReaderItem::Missed(missed));
                let _ = reader.items.try_send(ReaderItem::Snapshot(snapshot.events(), last));
            }
        });
    }

    /// Removes closed subscriptions and resumes slow ones; comes again while
    /// some are behind.
    fn maintain(&mut self, ctx: &mut Context<Self>) {
        if self.fanout.remove_closed() {
            let levels = self.fanout.readers.iter().filter_map(|reader| reader.filter.log);
            self.set_log_level(levels.max());
        }
        self.resume_readers();
        self.schedule_step(ctx);
        let behind = self.fanout.readers.iter().any(|reader| reader.missed.is_some());
        if behind && !self.is_catching_up {
            self.is_catching_up = true;
            ctx.run_later(CATCH_UP_INTERVAL, |this, ctx| {
                this.is_catching_up = false;
                this.maintain(ctx);
            });
        }
    }

    fn set_log_level(&mut self, level: Option<LogLevel>) {
        self.log_level = level;
        self.log_demand.set(level);
    }
}

impl Actor for Broadcaster {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
    }
}

impl Handler<Publish> for Broadcaster {
    type Result = ();

    fn handle(&mut self, Publish(events): Publish, ctx: &mut Self::Context) {
        self.publish(events, ctx);
    }
}

impl Handler<SetSnapshot> for Broadcaster {
    type Result = ();

    fn handle(&mut self, SetSnapshot { states, at }: SetSnapshot, _: &mut Self::Context) {
        self.finish();
        self.snapshot.set(states, at);
        // A subscription that is older than this began with an empty snapshot.
        let (events, last) = (self.snapshot.events(), self.ring.last());
        for reader in &mut self.fanout.readers {
            let snapshot = ReaderItem::Snapshot(Arc::clone(&events), last);
            if reader.items.try_send(snapshot).is_err() {
                reader.missed.get_or_insert(0);
            }
        }
    }
}

impl Handler<Subscribe> for Broadcaster {
    type Result = Result<Subscription, SubscribeError>;

    fn handle(&mut self, subscribe: Subscribe, ctx: &mut Self::Context) -> Self::Result {
        if self.is_stopping {
            return Err(SubscribeError::Stopping);
        }
        // The new subscription's snapshot includes what is not handed out yet.
        self.hand_out(ctx);
        if self.fanout.readers.len() >= self.limits.subscribers {
            self.maintain(ctx);
            if self.fanout.readers.len() >= self.limits.subscribers {
                return Err(SubscribeError::TooMany(self.limits.subscribers));
            }
        }
        let Subscribe { filter, resume } = subscribe;
        let (items, receiver) = mpsc::channel(self.limits.queued.max(4));
        for item in self.first_items(&filter, resume) {
            // Two items at most, and at least four places.
            let _ = items.try_send(item);
        }
        self.fanout.add(filter, items);
        self.set_log_level(self.log_level.max(filter.log));
        Ok(Subscription::new(self.boot_id, filter, receiver))
    }
}

impl Handler<Shutdown> for Broadcaster {
    type Result = ();

    fn handle(&mut self, _: Shutdown, _: &mut Self::Context) {
        self.finish();
        self.fanout.readers.clear();
        self.is_stopping = true;
    }
}

impl Handler<GetHeldEvents> for Broadcaster {
    type Result = HeldEvents;

    fn handle(&mut self, _: GetHeldEvents, _: &mut Self::Context) -> HeldEvents {
        let (events, is_whole) = self.ring.facts();
        HeldEvents { boot_id: self.boot_id, events, is_whole }
    }
}

impl Handler<GetBroadcasterStats> for Broadcaster {
    type Result = BroadcasterStats;

    fn handle(&mut self, _: GetBroadcasterStats, ctx: &mut Self::Context) -> BroadcasterStats {
        self.maintain(ctx);
        BroadcasterStats { subscribers: self.fanout.readers.len(), missed: self.missed }
    }
}

impl Handler<Ping> for Broadcaster {
    type Result = ();

    fn handle(&mut self, _: Ping, _: &mut Self::Context) {}
}

#[cfg(test)]
mod tests;
