//! Holds events for a millisecond on the thread that decides, and publishes them
//! together. A weight change is on its way to VPP before any subscriber wakes.
//!
//! A value that the thread's actors share, and not an actor: they all run on that
//! thread, so a call puts an event at its place in the order without a message,
//! and nothing can be left in a mailbox when the daemon stops.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use actix::prelude::*;

use super::broadcaster::{Broadcaster, Publish, SetSnapshot, Shutdown};
use super::closed_mailbox::mailbox_closed;
use super::outbox::Outbox;
use crate::domain::controller::States;
use crate::domain::events::Event;

/// From the first event of a batch until it is published. VPP answers a write in
/// less, and no subscriber notices.
const DELAY: Duration = Duration::from_millis(1);

/// The handle; clones add to the same batch.
#[derive(Clone)]
pub struct EventBatcher {
    batch: Rc<PendingBatch>,
}

struct PendingBatch {
    broadcaster: Addr<Broadcaster>,
    outbox: Outbox<Publish>,
    events: RefCell<Vec<Event>>,
}

impl EventBatcher {
    #[must_use]
    pub fn new(broadcaster: &Addr<Broadcaster>) -> Self {
        let outbox = Outbox::new(broadcaster.clone().recipient());
        let (broadcaster, events) = (broadcaster.clone(), RefCell::default());
        Self { batch: Rc::new(PendingBatch { broadcaster, outbox, events }) }
    }

    /// Must be called on an arbiter.
    pub fn publish(&self, event: Event) {
        self.batch.events.borrow_mut().push(event);
        if self.batch.events.borrow().len() == 1 {
            let batch = Rc::clone(&self.batch);
            actix_rt::spawn(async move {
                tokio::time::sleep(DELAY).await;
                batch.flush();
            });
        }
    }

    /// Sets what new subscriptions begin with, at the start of the daemon.
    pub fn set_snapshot(&self, states: States, at: SystemTime) {
        // The mailbox has room: this is one of the first messages.
        self.batch.broadcaster.do_send(SetSnapshot { states, at });
    }

    /// Publishes what is held, and then ends every subscription.
    pub async fn shut_down(&self) {
        self.batch.flush();
        self.batch
            .broadcaster
            .send(Shutdown)
            .await
            .unwrap_or_else(|_| mailbox_closed("Broadcaster"));
    }
}

impl PendingBatch {
    fn flush(&self) {
        let events = self.events.take();
        if !events.is_empty() {
            self.outbox.send(Publish(events));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::actors::broadcaster::{EventFilter, Limits, StreamItem, Subscribe, Subscription};
    use crate::domain::events::Transition;
    use crate::domain::health::State;
    use crate::host::logging::LogDemand;

    fn transition(to: State) -> Event {
        let (from, at, why) = (State::Unknown, SystemTime::UNIX_EPOCH, Arc::default());
        Event::Backend("a".into(), Transition { from, to, at, why })
    }

    /// The backend's state after the next event; `None` at the end.
    async fn next(stream: &mut Subscription) -> Option<State> {
        match std::future::poll_fn(|context| stream.poll_next(context)).await? {
            StreamItem::Event(_, event) => match &event.event {
                Event::Backend(_, transition) => Some(transition.to),
                other => panic!("{other:?}"),
            },
            StreamItem::Missed(count) => panic!("{count} missed"),
        }
    }

    #[actix_rt::test]
    async fn events_are_published_together_in_order_and_before_the_end() {
        tokio::time::pause();
        let broadcaster = Broadcaster::new(1, Limits::default(), LogDemand::default()).start();
        let events = EventBatcher::new(&broadcaster);
        let filter = EventFilter {
            log: None,
            backend: true,
            frontend: true,
            dataplane: true,
            change: true,
            hold: true,
            drain: true,
            audit: true,
            announcement: true,
        };
        let subscribe = Subscribe { filter, resume: None };
        let mut stream = broadcaster.send(subscribe).await.unwrap().unwrap();
        for to in [State::Up, State::Down, State::Up] {
            events.clone().publish(transition(to));
        }
        assert_eq!(events.batch.events.borrow().len(), 3, "none is published by itself");
        for to in [State::Up, State::Down, State::Up] {
            assert_eq!(next(&mut stream).await, Some(to));
        }

        events.publish(transition(State::Down));
        events.shut_down().await;
        assert_eq!(next(&mut stream).await, Some(State::Down));
        assert_eq!(next(&mut stream).await, None);
    }
}
