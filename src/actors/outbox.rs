//! Sends messages to another actor: in order, without loss, and without blocking the
//! sender.
//!
//! A message goes straight into the receiver's mailbox. While that is full, messages
//! wait in a queue, and a task moves them into the mailbox as it empties. The queue
//! holds [`CAPACITY`] messages. A receiver that is so far behind has hung for minutes;
//! since no message may be dropped, a full queue is fatal, like a closed mailbox.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use actix::prelude::*;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::closed_mailbox::mailbox_closed;

/// The most messages in the queue: a hundred transitions of each of ten thousand
/// backends.
const CAPACITY: usize = 1 << 20;

/// See the module's description.
pub struct Outbox<M>
where
    M: Message + Send + 'static,
    M::Result: Send,
{
    to: Recipient<M>,
    /// Made by the first message that has to wait: it takes 4 KiB.
    queue: OnceCell<mpsc::Sender<M>>,
    capacity: usize,
    /// Messages that are queued or being moved into the mailbox.
    queued: Rc<Cell<usize>>,
}

impl<M> Outbox<M>
where
    M: Message + Send + 'static,
    M::Result: Send,
{
    #[must_use]
    pub fn new(to: Recipient<M>) -> Self {
        Self::with_capacity(to, CAPACITY)
    }

    fn with_capacity(to: Recipient<M>, capacity: usize) -> Self {
        Self { to, queue: OnceCell::new(), capacity, queued: Rc::default() }
    }

    #[must_use]
    pub fn sends_to(&self, to: &Recipient<M>) -> bool {
        self.to == *to
    }

    /// Makes the queue, and spawns the task that empties it.
    fn make_queue(&self) -> mpsc::Sender<M> {
        let (sender, mut queue) = mpsc::channel(self.capacity);
        let (recipient, queued) = (self.to.clone(), Rc::clone(&self.queued));
        actix_rt::spawn(async move {
            while let Some(message) = queue.recv().await {
                if recipient.send(message).await.is_err() {
                    closed::<M>();
                }
                queued.set(queued.get() - 1);
            }
        });
        sender
    }

    /// Sends a message after all those sent before. Must be called on an arbiter.
    ///
    /// # Panics
    /// The receiver has ended, or the queue is full.
    pub fn send(&self, message: M) {
        let message = match self.queued.get() {
            0 => match self.to.try_send(message) {
                Ok(()) => return,
                Err(SendError::Closed(_)) => closed::<M>(),
                Err(SendError::Full(message)) => message,
            },
            _ => message,
        };
        self.queued.set(self.queued.get() + 1);
        match self.queue.get_or_init(|| self.make_queue()).try_send(message) {
            Ok(()) => {}
            Err(TrySendError::Closed(_)) => closed::<M>(),
            Err(TrySendError::Full(_)) => full::<M>(self.capacity),
        }
    }
}

fn closed<M>() -> ! {
    mailbox_closed(std::any::type_name::<M>())
}

fn full<M>(capacity: usize) -> ! {
    let message = std::any::type_name::<M>();
    panic!("outbox-full: the receiver of {message} has not taken the last {capacity} messages")
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
        for number in 0..1000 {
            outbox.send(Number(number));
            // Between some, the mailbox has room again while others wait.
            if number % 3 == 0 {
                tokio::task::yield_now().await;
            }
        }
        for _ in 0..100_000 {
            if outbox.queued.get() == 0 {
                break;
            }
            tokio::task::yield_now().await;
        }
        assert_eq!(outbox.queued.get(), 0);
        let numbers = slow.send(Numbers).await.unwrap();
        assert_eq!(numbers, (0..1000).collect::<Vec<_>>());
    }

    #[actix_rt::test]
    #[should_panic(expected = "outbox-full")]
    async fn a_full_queue_is_fatal() {
        let slow = Slow(vec![]).start();
        let outbox = Outbox::with_capacity(slow.recipient(), 10);
        // Some fit into the mailbox; the task that empties the queue does not run.
        (0..100).for_each(|number| outbox.send(Number(number)));
    }
}
