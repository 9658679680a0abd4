//! Everything that can be watched passes through here. A subscription gets the
//! present state and the live stream from one message, so that nothing falls
//! between the two; a reader that falls behind is told, and harms nobody.

mod messages;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use actix::prelude::*;
use tokio::sync::mpsc::{self, error::TrySendError};

pub use messages::*;

use super::log_stream::LogDemand;
use crate::domain::events::{Event, Numbered, Ring, Transition};
use crate::domain::health::State;
use crate::domain::names::{BackendName, FrontendName};
use crate::domain::weights::FrontendState;

/// Sizes that the Broadcaster keeps to.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Events remembered for those who resume.
    pub held: usize,
    /// Subscriptions at a time.
    pub subscribers: usize,
    /// Items that may wait for a reader before it counts as behind.
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
    backends: BTreeMap<BackendName, Transition<State>>,
    frontends: BTreeMap<FrontendName, Transition<FrontendState>>,
    subscribers: Vec<Subscriber>,
    demand: LogDemand,
    missed: u64,
    catching_up: bool,
    stopping: bool,
}

struct Subscriber {
    filter: Filter,
    items: mpsc::Sender<Item>,
    missed: u64,
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
            backends: BTreeMap::new(),
            frontends: BTreeMap::new(),
            subscribers: Vec::new(),
            demand,
            missed: 0,
            catching_up: false,
            stopping: false,
        }
    }

    fn publish(&mut self, event: Event, ctx: &mut Context<Self>) {
        self.catch_up();
        self.remember(&event);
        let numbered = self.ring.push(event);
        for subscriber in &mut self.subscribers {
            if !subscriber.filter.wants(&numbered.event) {
                continue;
            }
            let behind = subscriber.missed > 0
                || matches!(
                    subscriber.items.try_send(Item::Live(Arc::clone(&numbered))),
                    Err(TrySendError::Full(_))
                );
            if behind {
                subscriber.missed += 1;
                self.missed += 1;
            }
        }
        self.look_after(ctx);
    }

    fn remember(&mut self, event: &Event) {
        match event {
            Event::Backend(name, transition) if transition.to == State::Removed => {
                self.backends.remove(name);
            }
            Event::Backend(name, transition) => {
                self.backends.insert(name.clone(), transition.clone());
            }
            Event::Frontend(name, transition) if transition.to == FrontendState::Removed => {
                self.frontends.remove(name);
            }
            Event::Frontend(name, transition) => {
                self.frontends.insert(name.clone(), transition.clone());
            }
            Event::Log(_) | Event::Dataplane(_) => {}
        }
    }

    /// The present state as events with from = to, in the shape of a batch.
    fn present(&self, filter: &Filter) -> Vec<Arc<Numbered>> {
        let seq = self.ring.last();
        let backends = self.backends.iter().filter(|_| filter.backend).map(|(name, last)| {
            let from = last.to;
            Event::Backend(name.clone(), Transition { from, ..last.clone() })
        });
        let frontends = self.frontends.iter().filter(|_| filter.frontend).map(|(name, last)| {
            let from = last.to;
            Event::Frontend(name.clone(), Transition { from, ..last.clone() })
        });
        backends.chain(frontends).map(|event| Arc::new(Numbered { seq, event })).collect()
    }

    /// What a subscription starts with.
    fn beginning(&self, filter: &Filter, resume: Option<ResumePoint>) -> Vec<Item> {
        let present = || Item::Batch(self.present(filter));
        let Some(resume) = resume else { return vec![present()] };
        let replay =
            (resume.boot_id == self.boot_id).then(|| self.ring.after(resume.seq)).flatten();
        let missed = match replay {
            Some(replay) if replay.missed == 0 => {
                let wanted = |event: &Arc<Numbered>| filter.wants(&event.event);
                return vec![Item::Batch(replay.events.into_iter().filter(wanted).collect())];
            }
            // Everything of this life: what went by after that of another is
            // not known.
            None => self.ring.last().0,
            Some(replay) => replay.missed + replay.events.len() as u64,
        };
        vec![Item::Missed(missed, self.ring.last()), present()]
    }

    /// Tells those who fell behind what they lost, as soon as they have room.
    fn catch_up(&mut self) {
        for place in 0..self.subscribers.len() {
            let subscriber = &self.subscribers[place];
            // One place more, for what happens next.
            if subscriber.missed == 0 || subscriber.items.capacity() < 3 {
                continue;
            }
            let missed = Item::Missed(subscriber.missed, self.ring.last());
            let present = Item::Batch(self.present(&subscriber.filter));
            // With the room just seen, and no other sender, only a reader that
            // is gone refuses; it is swept up.
            let _ = subscriber.items.try_send(missed);
            let _ = subscriber.items.try_send(present);
            self.subscribers[place].missed = 0;
        }
    }

    fn look_after(&mut self, ctx: &mut Context<Self>) {
        let before = self.subscribers.len();
        self.subscribers.retain(|subscriber| !subscriber.items.is_closed());
        if self.subscribers.len() != before {
            self.set_demand();
        }
        let behind = self.subscribers.iter().any(|subscriber| subscriber.missed > 0);
        if behind && !self.catching_up {
            self.catching_up = true;
            ctx.run_later(CATCH_UP, |this, ctx| {
                this.catching_up = false;
                this.catch_up();
                this.look_after(ctx);
            });
        }
    }

    fn set_demand(&self) {
        self.demand.set(self.subscribers.iter().filter_map(|wanted| wanted.filter.log).max());
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

    fn handle(&mut self, Publish(event): Publish, ctx: &mut Self::Context) {
        self.publish(event, ctx);
    }
}

impl Handler<Announce> for Broadcaster {
    type Result = ();

    fn handle(&mut self, announce: Announce, _: &mut Self::Context) {
        let Announce { states, at } = announce;
        replace(&mut self.backends, states.backends, at);
        replace(&mut self.frontends, states.frontends, at);
    }
}

/// Takes the names and states of `now`, and keeps the transitions that led
/// there where they are known.
fn replace<N: Ord, S: Copy + PartialEq>(
    known: &mut BTreeMap<N, Transition<S>>,
    now: Vec<(N, S)>,
    at: SystemTime,
) {
    let mut before = std::mem::take(known);
    known.extend(now.into_iter().map(|(name, state)| {
        let last = before.remove(&name).filter(|last| last.to == state);
        let first = || Transition { from: state, to: state, at, why: String::new() };
        (name, last.unwrap_or_else(first))
    }));
}

impl Handler<Subscribe> for Broadcaster {
    type Result = Result<Subscription, SubscribeError>;

    fn handle(&mut self, subscribe: Subscribe, ctx: &mut Self::Context) -> Self::Result {
        if self.stopping {
            return Err(SubscribeError::Stopping);
        }
        self.look_after(ctx);
        if self.subscribers.len() >= self.limits.subscribers {
            return Err(SubscribeError::TooMany(self.limits.subscribers));
        }
        let Subscribe { filter, resume } = subscribe;
        let (items, receiver) = mpsc::channel(self.limits.waiting.max(4));
        for item in self.beginning(&filter, resume) {
            // A new channel of at least four places takes two items.
            let _ = items.try_send(item);
        }
        self.subscribers.push(Subscriber { filter, items, missed: 0 });
        self.set_demand();
        Ok(Subscription { boot_id: self.boot_id, items: receiver })
    }
}

impl Handler<End> for Broadcaster {
    type Result = ();

    fn handle(&mut self, _: End, _: &mut Self::Context) {
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
