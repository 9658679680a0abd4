//! Reads a subscription, event by event.

use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::mpsc;

use super::EventFilter;
use crate::domain::events::{Numbered, Seq};

/// What a subscription brings.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ReaderItem {
    /// What happened, in order.
    Events(Arc<[Arc<Numbered>]>),
    /// The present state, which the event of this number led to.
    Present(Arc<[Arc<Numbered>]>, Seq),
    /// This many events were lost. The present state follows.
    Missed(u64),
}

/// A subscription that has started. It ends when the daemon stops.
#[derive(Debug)]
pub struct Subscription {
    /// This life of the daemon.
    pub boot_id: u64,
    filter: EventFilter,
    items: mpsc::Receiver<ReaderItem>,
    batch: Batch,
}

/// What is left of an item.
#[derive(Debug, Default)]
struct Batch {
    events: Option<Arc<[Arc<Numbered>]>>,
    next: usize,
    /// The place and the number of the event that ends the present state.
    last: Option<(usize, Seq)>,
}

/// One thing that a subscription tells.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamItem {
    /// An event. Its number is what a stream can be resumed from: 0 within the
    /// present state, and at the end of that the number of what led to it.
    Event(Seq, Arc<Numbered>),
    /// This many events were lost. What follows is the present state, and then
    /// what happens.
    Missed(u64),
}

impl Subscription {
    pub(super) fn new(
        boot_id: u64,
        filter: EventFilter,
        items: mpsc::Receiver<ReaderItem>,
    ) -> Self {
        Self { boot_id, filter, items, batch: Batch::default() }
    }

    /// The next that there is to tell; `None`: the daemon stops.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<StreamItem>> {
        loop {
            if let Some(told) = self.batch.next(&self.filter) {
                return Poll::Ready(Some(told));
            }
            let Poll::Ready(item) = self.items.poll_recv(context) else { return Poll::Pending };
            match item {
                None => return Poll::Ready(None),
                Some(ReaderItem::Missed(count)) => {
                    return Poll::Ready(Some(StreamItem::Missed(count)));
                }
                Some(ReaderItem::Events(events)) => {
                    self.batch = Batch { events: Some(events), next: 0, last: None };
                }
                Some(ReaderItem::Present(events, seq)) => {
                    let last = events.iter().rposition(|event| self.filter.wants(&event.event));
                    let last = last.map(|place| (place, seq));
                    self.batch = Batch { events: Some(events), next: 0, last };
                }
            }
        }
    }
}

impl Batch {
    fn next(&mut self, filter: &EventFilter) -> Option<StreamItem> {
        let events = self.events.as_ref()?;
        while let Some(event) = events.get(self.next) {
            let place = self.next;
            self.next += 1;
            if filter.wants(&event.event) {
                let seq = match self.last {
                    Some((last, seq)) if last == place => seq,
                    _ => event.seq,
                };
                return Some(StreamItem::Event(seq, Arc::clone(event)));
            }
        }
        self.events = None;
        None
    }
}
