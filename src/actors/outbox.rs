//! Hands messages to another actor: in order, none lost, none waiting in front
//! of the sender.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use actix::prelude::*;
use tokio::sync::mpsc;

use super::closed_mailbox::gone;

/// The way to another actor.
///
/// A message goes straight into the receiver's mailbox. While that is full,
/// messages queue here and follow one by one as it empties. What is sent this
/// way is bounded by its cause (transitions, writes to VPP), not by this queue.
///
/// The queue is made when it is first needed: it takes 4 KiB, and there is an
/// outbox for each of ten thousand backends.
pub struct Outbox<M>
where
    M: Message + Send + 'static,
    M::Result: Send,
{
    to: Recipient<M>,
    late: OnceCell<mpsc::UnboundedSender<M>>,
    behind: Rc<Cell<usize>>,
}

impl<M> Outbox<M>
where
    M: Message + Send + 'static,
    M::Result: Send,
{
    /// An outbox to `to`.
    #[must_use]
    pub fn new(to: Recipient<M>) -> Self {
        Self { to, late: OnceCell::new(), behind: Rc::default() }
    }

    /// Whether it is an outbox to `to`.
    #[must_use]
    pub fn leads_to(&self, to: &Recipient<M>) -> bool {
        self.to == *to
    }

    /// The way into the queue, which a task on this arbiter empties.
    fn queue(&self) -> mpsc::UnboundedSender<M> {
        let (late, mut queue) = mpsc::unbounded_channel();
        let (recipient, count) = (self.to.clone(), Rc::clone(&self.behind));
        actix_rt::spawn(async move {
            while let Some(message) = queue.recv().await {
                if recipient.send(message).await.is_err() {
                    closed::<M>();
                }
                count.set(count.get() - 1);
            }
        });
        late
    }

    /// Sends a message after all those sent before. Must be called on an
    /// arbiter.
    pub fn send(&self, message: M) {
        let message = match self.behind.get() {
            0 => match self.to.try_send(message) {
                Ok(()) => return,
                Err(SendError::Closed(_)) => closed::<M>(),
                Err(SendError::Full(message)) => message,
            },
            _ => message,
        };
        self.behind.set(self.behind.get() + 1);
        if self.late.get_or_init(|| self.queue()).send(message).is_err() {
            closed::<M>();
        }
    }
}

/// An actor that others rely on has ended, and nothing is right from here on.
fn closed<M>() -> ! {
    gone(std::any::type_name::<M>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Message)]
    #[rtype(result = "()")]
    struct Number(u32);

    #[derive(Message)]
    #[rtype(result = "Vec<u32>")]
    struct Numbers;

    struct Slow(Vec<u32>);

    impl Actor for Slow {
        type Context = Context<Self>;

        fn started(&mut self, ctx: &mut Self::Context) {
            ctx.set_mailbox_capacity(1);
        }
    }

    impl Handler<Number> for Slow {
        type Result = ();

        fn handle(&mut self, Number(number): Number, ctx: &mut Self::Context) {
            self.0.push(number);
            ctx.wait(async { tokio::task::yield_now().await }.into_actor(self));
        }
    }

    impl Handler<Numbers> for Slow {
        type Result = MessageResult<Numbers>;

        fn handle(&mut self, _: Numbers, _: &mut Self::Context) -> Self::Result {
            MessageResult(self.0.clone())
        }
    }

    #[actix_rt::test]
    async fn a_full_mailbox_delays_and_loses_nothing() {
        let slow = Slow(vec![]).start();
        let outbox = Outbox::new(slow.clone().recipient());
        (0..1000).for_each(|number| outbox.send(Number(number)));
        while outbox.behind.get() > 0 {
            tokio::task::yield_now().await;
        }
        let numbers = slow.send(Numbers).await.unwrap();
        assert_eq!(numbers, (0..1000).collect::<Vec<_>>());
    }
}
