//! Everything that can be watched passes through here. A subscription gets the
//! present state and the live stream from one message, so that nothing falls
//! between the two; a reader that falls behind is told, and harms nobody.

mod messages;
mod pace;
mod present;
mod reader;

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::time::Instant;

pub use messages::*;
use pace::Pace;
use present::Present;
use reader::Item;

use super::log_stream::LogDemand;
use crate::domain::events::{Event, LogLevel, Numbered, Replay, Ring};

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

/// The actor. See the module's description.
pub struct Broadcaster {
    boot_id: u64,
    limits: Limits,
    ring: Ring,
    present: Present,
    subscribers: Vec<Subscriber>,
    /// Events that happened and were not handed out yet.
    waiting: Vec<Arc<Numbered>>,
    pace: Pace,
    handing_out: Option<SpawnHandle>,
    /// The log records that anybody wants.
    records: Option<LogLevel>,
    demand: LogDemand,
    missed: u64,
    catching_up: bool,
    stopping: bool,
}

struct Subscriber {
    filter: Filter,
    items: mpsc::Sender<Item>,
    /// Events that it lost; `None` while it keeps up.
    behind: Option<u64>,
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
            present: Present::default(),
            subscribers: Vec::new(),
            waiting: Vec::new(),
            pace: Pace::default(),
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
            if !self.subscribers.is_empty() {
                self.waiting.push(numbered);
            }
        }
        if self.waiting.is_empty() {
            return;
        }
        let readers = self.subscribers.len();
        match self.pace.wait(Instant::now(), self.waiting.len(), readers) {
            None => self.hand_out(ctx),
            Some(_) if self.handing_out.is_some() => {}
            Some(wait) => {
                self.handing_out = Some(ctx.run_later(wait, |this, ctx| {
                    this.handing_out = None;
                    this.hand_out(ctx);
                }));
            }
        }
    }

    /// Gives every reader what waits, and counts it for those who cannot take
    /// it.
    fn hand_out(&mut self, ctx: &mut Context<Self>) {
        if let Some(timer) = self.handing_out.take() {
            ctx.cancel_future(timer);
        }
        if !self.waiting.is_empty() {
            let events: Arc<[_]> = std::mem::take(&mut self.waiting).into();
            for subscriber in &mut self.subscribers {
                self.missed += subscriber.take(&events);
            }
            self.pace.handed_out(Instant::now());
        }
        self.look_after(ctx);
    }

    /// What a subscription starts with.
    fn beginning(&mut self, filter: &Filter, resume: Option<ResumePoint>) -> Vec<Item> {
        let present = Item::Present(self.present.events(), self.ring.last());
        let Some(resume) = resume else { return vec![present] };
        let replay = match resume.boot_id == self.boot_id {
            true => self.ring.after(resume.seq, filter.log.is_some()),
            // Everything of this life: what went by after that of another is
            // not known.
            false => Replay::Lost(self.ring.last().0),
        };
        match replay {
            Replay::Whole(events) => vec![Item::Events(events.into())],
            Replay::Lost(count) => vec![Item::Missed(count), present],
        }
    }

    /// Tells those who fell behind what they lost, as soon as they have room.
    /// Nothing may wait to be handed out: the present state holds it.
    fn catch_up(&mut self) {
        for subscriber in &mut self.subscribers {
            // One place more, for what happens next.
            if subscriber.items.capacity() < 3 {
                continue;
            }
            if let Some(missed) = subscriber.behind.take() {
                // With the room just seen, and no other sender, only a reader
                // that is gone refuses; it is swept up.
                let _ = subscriber.items.try_send(Item::Missed(missed));
                let present = Item::Present(self.present.events(), self.ring.last());
                let _ = subscriber.items.try_send(present);
            }
        }
    }

    fn look_after(&mut self, ctx: &mut Context<Self>) {
        let before = self.subscribers.len();
        self.subscribers.retain(|subscriber| !subscriber.items.is_closed());
        if self.subscribers.len() != before {
            self.set_demand();
        }
        if self.waiting.is_empty() {
            self.catch_up();
        }
        let behind = self.subscribers.iter().any(|subscriber| subscriber.behind.is_some());
        if behind && !self.catching_up {
            self.catching_up = true;
            ctx.run_later(CATCH_UP, |this, ctx| {
                this.catching_up = false;
                this.look_after(ctx);
            });
        }
    }

    fn set_demand(&mut self) {
        self.records = self.subscribers.iter().filter_map(|wanted| wanted.filter.log).max();
        self.demand.set(self.records);
    }
}

impl Subscriber {
    /// Takes events, or falls behind; gives how many of them it has lost.
    fn take(&mut self, events: &Arc<[Arc<Numbered>]>) -> u64 {
        let wanted = || events.iter().filter(|event| self.filter.wants(&event.event)).count();
        let wanted = wanted() as u64;
        if wanted == 0 {
            return 0;
        }
        if self.behind.is_none() {
            match self.items.try_send(Item::Events(Arc::clone(events))) {
                Ok(()) | Err(TrySendError::Closed(_)) => return 0,
                Err(TrySendError::Full(_)) => {}
            }
        }
        *self.behind.get_or_insert(0) += wanted;
        wanted
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

impl Handler<Announce> for Broadcaster {
    type Result = ();

    fn handle(&mut self, Announce { states, at }: Announce, ctx: &mut Self::Context) {
        self.hand_out(ctx);
        self.present.announce(states, at);
        // Who was quicker than this began with nothing.
        let (present, last) = (self.present.events(), self.ring.last());
        for subscriber in &mut self.subscribers {
            let present = Item::Present(Arc::clone(&present), last);
            if subscriber.items.try_send(present).is_err() {
                subscriber.behind.get_or_insert(0);
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
        if !self.waiting.is_empty() {
            // The newcomer's present state holds it.
            self.hand_out(ctx);
        }
        if self.subscribers.len() >= self.limits.subscribers {
            self.look_after(ctx);
            if self.subscribers.len() >= self.limits.subscribers {
                return Err(SubscribeError::TooMany(self.limits.subscribers));
            }
        }
        let Subscribe { filter, resume } = subscribe;
        let (items, receiver) = mpsc::channel(self.limits.waiting.max(4));
        for item in self.beginning(&filter, resume) {
            // A new channel of at least four places takes two items.
            let _ = items.try_send(item);
        }
        self.subscribers.push(Subscriber { filter, items, behind: None });
        self.records = self.records.max(filter.log);
        self.demand.set(self.records);
        Ok(Subscription::new(self.boot_id, filter, receiver))
    }
}

impl Handler<End> for Broadcaster {
    type Result = ();

    fn handle(&mut self, _: End, ctx: &mut Self::Context) {
        self.hand_out(ctx);
        self.subscribers.clear();
        self.stopping = true;
    }
}

impl Handler<GetFigures> for Broadcaster {
    type Result = Figures;

    fn handle(&mut self, _: GetFigures, ctx: &mut Self::Context) -> Figures {
        self.look_after(ctx);
        Figures { subscribers: self.subscribers.len(), missed: self.missed }
    }
}

#[cfg(test)]
mod tests;
