//! Everything that can be watched passes through here. A subscription gets the
//! present state and the live stream from one message, so that nothing falls
//! between the two; a reader that falls behind is told, and harms nobody.

mod batch_interval;
mod fanout;
mod messages;
mod reader;
mod snapshot;

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use tokio::sync::mpsc;
use tokio::time::Instant;

use batch_interval::BatchInterval;
use fanout::{FanoutQueue, StreamReader};
pub use messages::*;
use reader::ReaderItem;
use snapshot::StateSnapshot;

use crate::domain::events::{Event, LogLevel, Numbered, Replay, Ring};
use crate::host::log_stream::LogDemand;

/// Sizes that the Broadcaster keeps to.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Events remembered for those who resume; log records count apart.
    pub held: usize,
    /// Subscriptions at a time.
    pub subscribers: usize,
    /// Times that a reader may be woken before it reads, before it counts as
    /// behind.
    pub waiting: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { held: 10_000, subscribers: 10_000, waiting: 1024 }
    }
}

/// Mailbox places: a burst of transitions of every backend fits.
const MAILBOX: usize = 16_384;
/// How often readers that fell behind are looked after while nothing happens.
const CATCH_UP: Duration = Duration::from_millis(100);
/// Between two steps of handing out: timers know no less.
const STEP: Duration = Duration::from_millis(1);

/// The actor. See the module's description.
pub struct Broadcaster {
    boot_id: u64,
    limits: Limits,
    ring: Ring,
    present: StateSnapshot,
    delivery: FanoutQueue,
    /// Events that happened and are in no bundle yet.
    waiting: Vec<Arc<Numbered>>,
    pace: BatchInterval,
    /// The wait until what waits is bundled.
    gathering: Option<SpawnHandle>,
    /// The wait until more readers are handed something.
    handing_out: Option<SpawnHandle>,
    /// The log records that anybody wants.
    records: Option<LogLevel>,
    demand: LogDemand,
    missed: u64,
    catching_up: bool,
    stopping: bool,
}

impl Broadcaster {
    /// A Broadcaster of one life of the daemon. It tells `demand` which log
    /// records anybody wants.
    #[must_use]
    pub fn new(boot_id: u64, limits: Limits, demand: LogDemand) -> Self {
        Self {
            boot_id,
            limits,
            ring: Ring::new(limits.held),
            present: StateSnapshot::default(),
            delivery: FanoutQueue::default(),
            waiting: Vec::new(),
            pace: BatchInterval::default(),
            gathering: None,
            handing_out: None,
            records: None,
            demand,
            missed: 0,
            catching_up: false,
            stopping: false,
        }
    }

    fn publish(&mut self, events: Vec<Event>, ctx: &mut Context<Self>) {
        for event in events {
            let numbered = self.ring.push(event);
            self.present.remember(&numbered);
            if !self.delivery.readers.is_empty() {
                self.waiting.push(numbered);
            }
        }
        if self.waiting.is_empty() {
            return;
        }
        let readers = self.delivery.readers.len();
        match self.pace.wait(Instant::now(), self.waiting.len(), readers) {
            None => self.hand_out(ctx),
            Some(_) if self.gathering.is_some() => {}
            Some(wait) => {
                self.gathering = Some(ctx.run_later(wait, |this, ctx| {
                    this.gathering = None;
                    this.hand_out(ctx);
                }));
            }
        }
    }

    /// Begins to hand out what waits.
    fn hand_out(&mut self, ctx: &mut Context<Self>) {
        if let Some(timer) = self.gathering.take() {
            ctx.cancel_future(timer);
        }
        self.bundle();
        if self.handing_out.is_none() {
            self.step(ctx);
        }
    }

    /// What waits goes out together.
    fn bundle(&mut self) {
        if !self.waiting.is_empty() {
            self.delivery.bundle(std::mem::take(&mut self.waiting));
            self.pace.handed_out(Instant::now());
        }
    }

    /// Hands a few readers what they do not have, and the others after a pause.
    fn step(&mut self, ctx: &mut Context<Self>) {
        self.missed += self.delivery.step();
        if self.delivery.has_more() {
            self.go_on(ctx);
        } else {
            self.look_after(ctx);
        }
    }

    fn go_on(&mut self, ctx: &mut Context<Self>) {
        if self.delivery.has_more() && self.handing_out.is_none() {
            self.handing_out = Some(ctx.run_later(STEP, |this, ctx| {
                this.handing_out = None;
                this.step(ctx);
            }));
        }
    }

    /// Hands everything to everybody, now.
    fn finish(&mut self) {
        self.bundle();
        self.missed += self.delivery.finish();
    }

    /// What a subscription starts with.
    fn beginning(&mut self, filter: &EventFilter, resume: Option<ResumePoint>) -> Vec<ReaderItem> {
        let present = ReaderItem::Present(self.present.events(), self.ring.last());
        let Some(resume) = resume else { return vec![present] };
        let replay = match resume.boot_id == self.boot_id {
            true => self.ring.after(resume.seq, filter.log.is_some()),
            // Everything of this life: what went by after that of another is
            // not known.
            false => Replay::Lost(self.ring.last().0),
        };
        match replay {
            Replay::Whole(events) => vec![ReaderItem::Events(events.into())],
            Replay::Lost(count) => vec![ReaderItem::Missed(count), present],
        }
    }

    /// Tells those who fell behind what they lost, if they have room.
    fn catch_up(&mut self) {
        if !self.delivery.readers.iter().any(StreamReader::returns) {
            return;
        }
        // The present state holds all that happened: nothing of it may follow.
        self.bundle();
        let (present, last) = (&mut self.present, self.ring.last());
        self.missed += self.delivery.returning(|reader| {
            if let Some(missed) = reader.behind.take() {
                // With the room just seen, and no other sender, only a reader
                // that is gone refuses; it is swept up.
                let _ = reader.items.try_send(ReaderItem::Missed(missed));
                let _ = reader.items.try_send(ReaderItem::Present(present.events(), last));
            }
        });
    }

    fn look_after(&mut self, ctx: &mut Context<Self>) {
        if self.delivery.sweep() {
            self.set_demand();
        }
        self.catch_up();
        self.go_on(ctx);
        let behind = self.delivery.readers.iter().any(|reader| reader.behind.is_some());
        if behind && !self.catching_up {
            self.catching_up = true;
            ctx.run_later(CATCH_UP, |this, ctx| {
                this.catching_up = false;
                this.look_after(ctx);
            });
        }
    }

    fn set_demand(&mut self) {
        self.records = self.delivery.readers.iter().filter_map(|reader| reader.filter.log).max();
        self.demand.set(self.records);
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
        self.present.announce(states, at);
        // Who was quicker than this began with nothing.
        let (present, last) = (self.present.events(), self.ring.last());
        for reader in &mut self.delivery.readers {
            let present = ReaderItem::Present(Arc::clone(&present), last);
            if reader.items.try_send(present).is_err() {
                reader.behind.get_or_insert(0);
            }
        }
    }
}

impl Handler<Subscribe> for Broadcaster {
    type Result = Result<Subscription, SubscribeError>;

    fn handle(&mut self, subscribe: Subscribe, ctx: &mut Self::Context) -> Self::Result {
        if self.stopping {
            return Err(SubscribeError::Stopping);
        }
        // The newcomer's present state holds it.
        self.hand_out(ctx);
        if self.delivery.readers.len() >= self.limits.subscribers {
            self.look_after(ctx);
            if self.delivery.readers.len() >= self.limits.subscribers {
                return Err(SubscribeError::TooMany(self.limits.subscribers));
            }
        }
        let Subscribe { filter, resume } = subscribe;
        let (items, receiver) = mpsc::channel(self.limits.waiting.max(4));
        for item in self.beginning(&filter, resume) {
            // A new channel of at least four places takes two items.
            let _ = items.try_send(item);
        }
        self.delivery.admit(filter, items);
        self.records = self.records.max(filter.log);
        self.demand.set(self.records);
        Ok(Subscription::new(self.boot_id, filter, receiver))
    }
}

impl Handler<Shutdown> for Broadcaster {
    type Result = ();

    fn handle(&mut self, _: Shutdown, _: &mut Self::Context) {
        self.finish();
        self.delivery.readers.clear();
        self.stopping = true;
    }
}

impl Handler<GetBroadcasterStats> for Broadcaster {
    type Result = BroadcasterStats;

    fn handle(&mut self, _: GetBroadcasterStats, ctx: &mut Self::Context) -> BroadcasterStats {
        self.look_after(ctx);
        BroadcasterStats { subscribers: self.delivery.readers.len(), missed: self.missed }
    }
}

#[cfg(test)]
mod tests;
