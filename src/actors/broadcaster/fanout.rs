//! Hands bundles of events to readers, a few readers at a time: each has
//! something to write then, and a thousand at once would have the thread on a
//! core for as long as a weight may take to VPP.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::mpsc::{self, error::TrySendError};

use super::EventFilter;
use super::reader::ReaderItem;
use crate::domain::events::Numbered;

/// Readers that are handed something before the thread does something else.
const STEP: usize = 8;

/// Events that go out together.
type Bundle = Arc<[Arc<Numbered>]>;

/// Bundles that not all readers have, and the readers.
#[derive(Default)]
pub(super) struct FanoutQueue {
    bundles: VecDeque<Bundle>,
    /// How many bundles there were before those.
    gone: u64,
    pub(super) readers: Vec<StreamReader>,
    /// Whose turn it is.
    turn: usize,
}

/// One subscription, from here.
pub(super) struct StreamReader {
    pub(super) filter: EventFilter,
    pub(super) items: mpsc::Sender<ReaderItem>,
    /// Events that it lost; `None` while it keeps up.
    pub(super) behind: Option<u64>,
    /// How many bundles there were before the next that it gets.
    had: u64,
}

impl FanoutQueue {
    /// Takes in a reader. What was bundled until now is not for it.
    pub(super) fn admit(&mut self, filter: EventFilter, items: mpsc::Sender<ReaderItem>) {
        let had = self.gone + self.bundles.len() as u64;
        self.readers.push(StreamReader { filter, items, behind: None, had });
    }

    pub(super) fn bundle(&mut self, events: Vec<Arc<Numbered>>) {
        self.bundles.push_back(events.into());
    }

    /// Lets go of readers that are gone; says whether there were any.
    pub(super) fn sweep(&mut self) -> bool {
        let before = self.readers.len();
        self.readers.retain(|reader| !reader.items.is_closed());
        if self.readers.len() != before {
            self.turn = 0;
        }
        self.readers.len() != before
    }

    /// Whether there is something to hand out.
    pub(super) fn has_more(&self) -> bool {
        !self.bundles.is_empty()
    }

    /// Hands the next few readers what they do not have; gives how many events
    /// were lost by it.
    pub(super) fn step(&mut self) -> u64 {
        let mut lost = 0;
        let mut served = 0;
        while served < STEP
            && let Some(reader) = self.readers.get_mut(self.turn)
        {
            let (more, had_all) = reader.take(&self.bundles, self.gone);
            lost += more;
            served += usize::from(!had_all);
            self.turn += 1;
        }
        if self.turn < self.readers.len() {
            return lost;
        }
        self.turn = 0;
        let end = self.gone + self.bundles.len() as u64;
        let first = self.readers.iter().map(|reader| reader.had).min().unwrap_or(end);
        while self.gone < first {
            self.bundles.pop_front();
            self.gone += 1;
        }
        lost
    }

    /// Hands everything to everybody; gives how many events were lost by it.
    pub(super) fn finish(&mut self) -> u64 {
        let mut lost = 0;
        while self.has_more() {
            lost += self.step();
        }
        lost
    }

    /// Has `welcome` tell each reader that fell behind and has room again; all
    /// bundles are behind it then. Gives how many events were lost with those.
    pub(super) fn returning(&mut self, mut welcome: impl FnMut(&mut StreamReader)) -> u64 {
        let mut lost = 0;
        for reader in self.readers.iter_mut().filter(|reader| reader.returns()) {
            lost += reader.take(&self.bundles, self.gone).0;
            welcome(reader);
        }
        lost
    }
}

impl StreamReader {
    /// Whether it fell behind and has room for what it is told then, and for
    /// what happens next.
    pub(super) fn returns(&self) -> bool {
        self.behind.is_some() && self.items.capacity() >= 3
    }

    /// Takes the bundles it did not have, or falls behind; gives how many of
    /// their events it has lost, and whether it had all.
    fn take(&mut self, bundles: &VecDeque<Bundle>, gone: u64) -> (u64, bool) {
        let had = usize::try_from(self.had - gone).unwrap_or(usize::MAX);
        self.had = gone + bundles.len() as u64;
        let new = bundles.range(had.min(bundles.len())..);
        let had_all = new.len() == 0;
        (new.map(|bundle| self.take_one(bundle)).sum(), had_all)
    }

    fn take_one(&mut self, events: &Bundle) -> u64 {
        let wanted = || events.iter().filter(|event| self.filter.wants(&event.event)).count();
        let wanted = wanted() as u64;
        if wanted == 0 {
            return 0;
        }
        if self.behind.is_none() {
            match self.items.try_send(ReaderItem::Events(Arc::clone(events))) {
                Ok(()) | Err(TrySendError::Closed(_)) => return 0,
                Err(TrySendError::Full(_)) => {}
            }
        }
        *self.behind.get_or_insert(0) += wanted;
        wanted
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::domain::events::{DataplaneChange, DataplaneKind, Event, Seq};

    fn event(number: u64) -> Arc<Numbered> {
        let (frontend, kind) = (None, DataplaneKind::Connected);
        let (detail, at) = (String::new(), SystemTime::UNIX_EPOCH);
        let change = DataplaneChange { frontend, kind, detail, at };
        Arc::new(Numbered::new(Seq(number), Event::Dataplane(change.into())))
    }

    fn admit(delivery: &mut FanoutQueue) -> mpsc::Receiver<ReaderItem> {
        let filter =
            EventFilter { log: None, backend: true, frontend: true, dataplane: true, change: true };
        let (items, receiver) = mpsc::channel(4);
        delivery.admit(filter, items);
        receiver
    }

    /// The numbers of the events that a reader was handed.
    fn had(receiver: &mut mpsc::Receiver<ReaderItem>) -> Vec<u64> {
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
        let mut delivery = FanoutQueue::default();
        let mut readers: Vec<_> = (0..3 * STEP).map(|_| admit(&mut delivery)).collect();
        delivery.bundle(vec![event(1), event(2)]);
        delivery.step();
        let served: Vec<_> = readers.iter_mut().map(had).collect();
        assert!(served[..STEP].iter().all(|numbers| *numbers == [1, 2]), "{served:?}");
        assert!(served[STEP..].iter().all(Vec::is_empty), "{served:?}");

        let mut newcomer = admit(&mut delivery);
        delivery.bundle(vec![event(3)]);
        // One goes in the midst of it, and is in nobody's way.
        drop(readers.remove(0));
        assert!(delivery.sweep());
        assert_eq!(delivery.finish(), 0);
        assert!(!delivery.has_more());
        for reader in &mut readers[..STEP - 1] {
            assert_eq!(had(reader), [3]);
        }
        for reader in &mut readers[STEP - 1..] {
            assert_eq!(had(reader), [1, 2, 3]);
        }
        assert_eq!(had(&mut newcomer), [3]);
    }

    #[test]
    fn who_falls_behind_loses_what_is_counted_and_returns_with_room() {
        let mut delivery = FanoutQueue::default();
        let mut slow = admit(&mut delivery);
        for number in 1..=6 {
            delivery.bundle(vec![event(number)]);
        }
        assert_eq!(delivery.finish(), 2, "there are four places");
        assert_eq!(delivery.returning(|_| panic!("there is no room")), 0);
        assert_eq!(had(&mut slow), [1, 2, 3, 4]);
        delivery.bundle(vec![event(7)]);
        let mut missed = Vec::new();
        let lost = delivery.returning(|reader| missed.push(reader.behind));
        assert_eq!((missed, lost), (vec![Some(3)], 1));
        assert_eq!(had(&mut slow), Vec::<u64>::new());
    }
}
