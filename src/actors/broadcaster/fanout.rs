//! Hands batches of events to readers, a few readers at a time: each has
//! something to write then, and a thousand at once would keep the thread on a
//! core for as long as a weight may take to VPP.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::mpsc::{self, error::TrySendError};

use super::filter::EventFilter;
use super::reader::ReaderItem;
use super::shared_event::SharedEvent;

/// Readers that are served before the thread does something else.
const STEP: usize = 8;

/// Events that go out together.
type EventBatch = Arc<[Arc<SharedEvent>]>;

/// The readers, and the batches that not all of them have.
#[derive(Default)]
pub(super) struct FanoutQueue {
    batches: VecDeque<EventBatch>,
    /// How many batches were before the first of those.
    dropped: u64,
    pub(super) readers: Vec<StreamReader>,
    /// The reader that is served next.
    next: usize,
}

/// The sending end of a subscription.
pub(super) struct StreamReader {
    pub(super) filter: EventFilter,
    pub(super) items: mpsc::Sender<ReaderItem>,
    /// Events that it missed; `None` while it keeps up.
    pub(super) missed: Option<u64>,
    /// How many batches it has been served, or were before its time.
    served: u64,
}

impl FanoutQueue {
    /// Adds a reader, which gets the batches from now on.
    pub(super) fn add(&mut self, filter: EventFilter, items: mpsc::Sender<ReaderItem>) {
        let served = self.dropped + self.batches.len() as u64;
        self.readers.push(StreamReader { filter, items, missed: None, served });
    }

    pub(super) fn push(&mut self, events: Vec<Arc<SharedEvent>>) {
        self.batches.push_back(events.into());
    }

    /// Removes the readers of closed subscriptions; true if there were any.
    pub(super) fn remove_closed(&mut self) -> bool {
        let before = self.readers.len();
        self.readers.retain(|reader| !reader.items.is_closed());
        if self.readers.len() != before {
            self.next = 0;
        }
        self.readers.len() != before
    }

    /// Whether a reader lacks a batch.
    pub(super) fn has_more(&self) -> bool {
        !self.batches.is_empty()
    }

    /// Serves the next few readers; returns how many events they missed.
    pub(super) fn step(&mut self) -> u64 {
        let mut missed = 0;
        let mut served = 0;
        while served < STEP
            && let Some(reader) = self.readers.get_mut(self.next)
        {
            let outcome = reader.serve(&self.batches, self.dropped);
            missed += outcome.missed;
            served += usize::from(outcome.had_new);
            self.next += 1;
        }
        if self.next < self.readers.len() {
            return missed;
        }
        self.next = 0;
        let end = self.dropped + self.batches.len() as u64;
        let first = self.readers.iter().map(|reader| reader.served).min().unwrap_or(end);
        while self.dropped < first {
            self.batches.pop_front();
            self.dropped += 1;
        }
        missed
    }

    /// Serves every reader all batches; returns how many events they missed.
    pub(super) fn finish(&mut self) -> u64 {
        let mut missed = 0;
        while self.has_more() {
            missed += self.step();
        }
        missed
    }

    /// Calls `resume` for each reader that missed events and has room again. The
    /// batches in the queue are counted as missed by it: what `resume` sends has
    /// to include them. Returns how many events that adds.
    pub(super) fn resume_readers(&mut self, mut resume: impl FnMut(&mut StreamReader)) -> u64 {
        let mut missed = 0;
        for reader in self.readers.iter_mut().filter(|reader| reader.can_resume()) {
            missed += reader.serve(&self.batches, self.dropped).missed;
            resume(reader);
        }
        missed
    }
}

struct ServeOutcome {
    missed: u64,
    had_new: bool,
}

impl StreamReader {
    /// Whether it missed events and has room for the count, the snapshot and the
    /// next batch.
    pub(super) fn can_resume(&self) -> bool {
        self.missed.is_some() && self.items.capacity() >= 3
    }

    /// Sends the batches that it has not been served, or counts them as missed.
    fn serve(&mut self, batches: &VecDeque<EventBatch>, dropped: u64) -> ServeOutcome {
        let served = usize::try_from(self.served - dropped).unwrap_or(usize::MAX);
        self.served = dropped + batches.len() as u64;
        let new = batches.range(served.min(batches.len())..);
        let had_new = new.len() > 0;
        ServeOutcome { missed: new.map(|batch| self.send(batch)).sum(), had_new }
    }

    /// Returns how many events of the batch it misses.
    fn send(&mut self, batch: &EventBatch) -> u64 {
        let matching = batch.iter().filter(|event| self.filter.matches(&event.event)).count();
        if matching == 0 {
            return 0;
        }
        if self.missed.is_none() {
            match self.items.try_send(ReaderItem::Events(Arc::clone(batch))) {
                Ok(()) | Err(TrySendError::Closed(_)) => return 0,
                Err(TrySendError::Full(_)) => {}
            }
        }
        let missed = matching as u64;
        *self.missed.get_or_insert(0) += missed;
        missed
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::domain::events::{DataplaneChange, DataplaneKind, Event, Seq};

    fn event(number: u64) -> Arc<SharedEvent> {
        let (frontend, kind) = (None, DataplaneKind::Connected);
        let (detail, at) = (String::new(), SystemTime::UNIX_EPOCH);
        let change = DataplaneChange { frontend, kind, server: None, detail, at };
        Arc::new(SharedEvent::new(Seq(number), Event::Dataplane(change.into())))
    }

    fn add(fanout: &mut FanoutQueue) -> mpsc::Receiver<ReaderItem> {
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
        let (items, receiver) = mpsc::channel(4);
        fanout.add(filter, items);
        receiver
    }

    /// The numbers of the events that a reader was sent.
    fn received(receiver: &mut mpsc::Receiver<ReaderItem>) -> Vec<u64> {
        let items = std::iter::from_fn(|| receiver.try_recv().ok());
        let numbers = |item| match item {
            ReaderItem::Events(events) => {
                events.iter().map(|event| event.seq.0).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        };
        items.flat_map(numbers).collect()
    }

    #[test]
    fn each_gets_everything_once_and_a_newcomer_what_comes_after_it() {
        let mut fanout = FanoutQueue::default();
        let mut readers: Vec<_> = (0..3 * STEP).map(|_| add(&mut fanout)).collect();
        fanout.push(vec![event(1), event(2)]);
        fanout.step();
        let served: Vec<_> = readers.iter_mut().map(received).collect();
        assert!(served[..STEP].iter().all(|numbers| *numbers == [1, 2]), "{served:?}");
        assert!(served[STEP..].iter().all(Vec::is_empty), "{served:?}");

        let mut newcomer = add(&mut fanout);
        fanout.push(vec![event(3)]);
        // One is closed meanwhile, and the others are served all the same.
        drop(readers.remove(0));
        assert!(fanout.remove_closed());
        assert_eq!(fanout.finish(), 0);
        assert!(!fanout.has_more());
        for reader in &mut readers[..STEP - 1] {
            assert_eq!(received(reader), [3]);
        }
        for reader in &mut readers[STEP - 1..] {
            assert_eq!(received(reader), [1, 2, 3]);
        }
        assert_eq!(received(&mut newcomer), [3]);
    }

    #[test]
    fn a_slow_reader_misses_a_counted_number_and_resumes_once_it_has_room() {
        let mut fanout = FanoutQueue::default();
        let mut slow = add(&mut fanout);
        for number in 1..=6 {
            fanout.push(vec![event(number)]);
        }
        assert_eq!(fanout.finish(), 2, "its channel has four places");
        assert_eq!(fanout.resume_readers(|_| panic!("there is no room")), 0);
        assert_eq!(received(&mut slow), [1, 2, 3, 4]);
        fanout.push(vec![event(7)]);
        let mut counts = Vec::new();
        let added = fanout.resume_readers(|reader| counts.push(reader.missed));
        assert_eq!((counts, added), (vec![Some(3)], 1));
        assert_eq!(received(&mut slow), Vec::<u64>::new());
    }
}
