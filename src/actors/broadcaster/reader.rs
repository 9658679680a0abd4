//! The receiving end of a subscription, event by event.

use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::mpsc;

use super::filter::EventFilter;
use super::shared_event::SharedEvent;
use crate::domain::events::Seq;

/// What the Broadcaster sends to a subscription.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ReaderItem {
    /// In the order in which they happened.
    Events(Arc<[Arc<SharedEvent>]>),
    /// The state of everything, after the event of this number.
    Snapshot(Arc<[Arc<SharedEvent>]>, Seq),
    /// This many events were dropped. A snapshot follows.
    Missed(u64),
}

/// A subscription. It ends when the daemon stops.
#[derive(Debug)]
pub struct Subscription {
    /// Changes when the daemon restarts.
    pub boot_id: u64,
    filter: EventFilter,
    items: mpsc::Receiver<ReaderItem>,
    pending: PendingEvents,
}

/// The rest of an item that has been read in part.
#[derive(Debug, Default)]
struct PendingEvents {
    events: Option<Arc<[Arc<SharedEvent>]>>,
    next: usize,
    /// In a snapshot: the index of its last event that matches the filter, and
    /// the number that the event is given.
    end_of_snapshot: Option<(usize, Seq)>,
}

/// What a subscription gives to its client.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamItem {
    /// An event, and the number that the stream can be resumed from. Within a
    /// snapshot that is 0, and at its end the number of the event before it.
    Event(Seq, Arc<SharedEvent>),
    /// This many events were dropped. A snapshot follows, and then new events.
    Missed(u64),
}

impl Subscription {
    pub(super) fn new(
        boot_id: u64,
        filter: EventFilter,
        items: mpsc::Receiver<ReaderItem>,
    ) -> Self {
        Self { boot_id, filter, items, pending: PendingEvents::default() }
    }

    /// The next item; `None`: the daemon is stopping.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<StreamItem>> {
        loop {
            if let Some(item) = self.pending.next(&self.filter) {
                return Poll::Ready(Some(item));
            }
            let Poll::Ready(item) = self.items.poll_recv(context) else { return Poll::Pending };
            match item {
                None => return Poll::Ready(None),
                Some(ReaderItem::Missed(count)) => {
                    return Poll::Ready(Some(StreamItem::Missed(count)));
                }
                Some(ReaderItem::Events(events)) => {
                    self.pending =
                        PendingEvents { events: Some(events), ..PendingEvents::default() };
                }
                Some(ReaderItem::Snapshot(events, seq)) => {
                    let last = events.iter().rposition(|event| self.filter.matches(&event.event));
                    self.pending = PendingEvents {
                        events: Some(events),
                        next: 0,
                        end_of_snapshot: last.map(|index| (index, seq)),
                    };
                }
            }
        }
    }
}

impl PendingEvents {
    fn next(&mut self, filter: &EventFilter) -> Option<StreamItem> {
        let events = self.events.as_ref()?;
        while let Some(event) = events.get(self.next) {
            let index = self.next;
            self.next += 1;
            if filter.matches(&event.event) {
                let seq = match self.end_of_snapshot {
                    Some((last, seq)) if last == index => seq,
                    _ => event.seq,
                };
                return Some(StreamItem::Event(seq, Arc::clone(event)));
            }
        }
        self.events = None;
        None
    }
}
