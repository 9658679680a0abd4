//! Holds what happened for a moment, on the thread that decides. A weight is
//! then on its way to VPP before anybody is woken to be told of it, and what
//! happens together is told together.

use std::time::Duration;

use actix::prelude::*;

use super::Outbox;
use super::broadcaster::{Broadcaster, Publish, SetSnapshot, Shutdown};
use super::gone;
use crate::domain::events::Event;

/// From the first event that is held until all that are held are told. VPP
/// answers in less, and nobody who watches notices.
const MOMENT: Duration = Duration::from_millis(1);
/// Mailbox places: a burst of transitions of every backend fits.
const MAILBOX: usize = 65_536;

/// This happened.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct PublishEvent(pub Event);

/// The actor. See the module's description.
pub struct EventBatcher {
    broadcaster: Addr<Broadcaster>,
    told: Option<Outbox<Publish>>,
    held: Vec<Event>,
}

impl EventBatcher {
    /// A EventBatcher, started, that tells this Broadcaster.
    #[must_use]
    pub fn of(broadcaster: &Addr<Broadcaster>) -> Addr<Self> {
        Self { broadcaster: broadcaster.clone(), told: None, held: Vec::new() }.start()
    }

    fn tell(&mut self) {
        let held = std::mem::take(&mut self.held);
        if let Some(told) = self.told.as_ref().filter(|_| !held.is_empty()) {
            told.send(Publish(held));
        }
    }
}

impl Actor for EventBatcher {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
        self.told = Some(Outbox::new(self.broadcaster.clone().recipient()));
    }
}

impl Handler<PublishEvent> for EventBatcher {
    type Result = ();

    fn handle(&mut self, PublishEvent(event): PublishEvent, ctx: &mut Self::Context) {
        if self.held.is_empty() {
            ctx.run_later(MOMENT, |this, _| this.tell());
        }
        self.held.push(event);
    }
}

impl Handler<SetSnapshot> for EventBatcher {
    type Result = ();

    fn handle(&mut self, announce: SetSnapshot, _: &mut Self::Context) {
        // It is the first message of many places.
        self.broadcaster.do_send(announce);
    }
}

impl Handler<Shutdown> for EventBatcher {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, end: Shutdown, _: &mut Self::Context) -> Self::Result {
        self.tell();
        let broadcaster = self.broadcaster.clone();
        Box::pin(async move {
            broadcaster.send(end).await.unwrap_or_else(|_| gone("Broadcaster"));
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::SystemTime;

    use super::*;
    use crate::actors::broadcaster::{EventFilter, Limits, StreamItem, Subscribe, Subscription};
    use crate::domain::events::Transition;
    use crate::domain::health::State;
    use crate::host::log_stream::LogDemand;

    fn happened(to: State) -> PublishEvent {
        let (from, at, why) = (State::Unknown, SystemTime::UNIX_EPOCH, Arc::default());
        PublishEvent(Event::Backend("a".into(), Transition { from, to, at, why }))
    }

    /// What the next event says became of the backend; `None` at the end.
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
    async fn what_happens_within_a_moment_is_told_together_and_in_order() {
        tokio::time::pause();
        let broadcaster = Broadcaster::new(1, Limits::default(), LogDemand::default()).start();
        let herald = EventBatcher::of(&broadcaster);
        let filter =
            EventFilter { log: None, backend: true, frontend: true, dataplane: true, change: true };
        let subscribe = Subscribe { filter, resume: None };
        let mut stream = broadcaster.send(subscribe).await.unwrap().unwrap();
        for to in [State::Up, State::Down, State::Up] {
            herald.send(happened(to)).await.unwrap();
        }
        for to in [State::Up, State::Down, State::Up] {
            assert_eq!(next(&mut stream).await, Some(to));
        }

        // What is held is told before the end.
        herald.send(happened(State::Down)).await.unwrap();
        herald.send(Shutdown).await.unwrap();
        assert_eq!(next(&mut stream).await, Some(State::Down));
        assert_eq!(next(&mut stream).await, None);
    }
}
