//! Numbers events and holds the last of them, for clients that resume.

use std::collections::VecDeque;
use std::sync::Arc;

use super::event::{Event, Numbered, Seq};

/// Numbers events and holds the last of them. Log records are held apart, and so are
/// audit records, so that a flood of them drives out no transition. `E` is what an
/// event is held as: [`Numbered`], or that with something beside it.
#[derive(Debug)]
pub struct Ring<E> {
    facts: HistorySegment<E>,
    records: HistorySegment<E>,
    audits: HistorySegment<E>,
    last: Seq,
}

/// The kinds of event that are held apart, and whether each is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    pub records: bool,
    pub audits: bool,
}

/// The events after a number.
#[derive(Clone, Debug, PartialEq)]
pub enum Replay<E> {
    /// All of them, in order.
    Whole(Vec<Arc<E>>),
    /// Some are no longer held, or the number was never given. This many events
    /// of every kind have come since.
    Lost(u64),
}

/// The last events of one kind.
#[derive(Debug)]
struct HistorySegment<E> {
    held: VecDeque<Arc<E>>,
    capacity: usize,
    /// The number of the last event that was dropped.
    dropped: Seq,
}

impl<E: From<Numbered> + AsRef<Numbered>> Ring<E> {
    /// Holds the last `capacity` log records, as many audit records, and as many other
    /// events.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            facts: HistorySegment::new(capacity),
            records: HistorySegment::new(capacity),
            audits: HistorySegment::new(capacity),
            last: Seq(0),
        }
    }

    pub fn push(&mut self, event: Event) -> Arc<E> {
        self.last.0 += 1;
        let segment = match event {
            Event::Log(_) => &mut self.records,
            Event::Audit(_) => &mut self.audits,
            _ => &mut self.facts,
        };
        let numbered = Arc::new(E::from(Numbered { seq: self.last, event }));
        segment.push(Arc::clone(&numbered));
        numbered
    }

    /// All that is held but log records, in order, and whether nothing was dropped.
    #[must_use]
    pub fn facts(&self) -> (Vec<Arc<E>>, bool) {
        let segments = [&self.facts, &self.audits];
        let held = segments.iter().flat_map(|segment| segment.after(Seq(0))).collect();
        let is_whole = segments.iter().all(|segment| segment.dropped == Seq(0));
        (in_order(held), is_whole)
    }

    /// The number of the last event; 0 before the first.
    #[must_use]
    pub fn last(&self) -> Seq {
        self.last
    }

    /// The events after `seq`, with those of the kinds that are held apart as far as they
    /// are wanted. Nothing can be replayed after 0, which is no event's number.
    #[must_use]
    pub fn after(&self, seq: Seq, wanted: Selection) -> Replay<E> {
        let segments = [
            Some(&self.facts),
            wanted.records.then_some(&self.records),
            wanted.audits.then_some(&self.audits),
        ];
        let segments: Vec<_> = segments.into_iter().flatten().collect();
        let Some(since) = self.last.0.checked_sub(seq.0).filter(|_| seq.0 > 0) else {
            return Replay::Lost(self.last.0);
        };
        if segments.iter().any(|segment| segment.dropped > seq) {
            return Replay::Lost(since);
        }
        let events = segments.iter().flat_map(|segment| segment.after(seq)).collect();
        Replay::Whole(in_order(events))
    }
}

fn in_order<E: AsRef<Numbered>>(mut events: Vec<Arc<E>>) -> Vec<Arc<E>> {
    events.sort_unstable_by_key(|event| (**event).as_ref().seq);
    events
}

impl<E: AsRef<Numbered>> HistorySegment<E> {
    fn new(capacity: usize) -> Self {
        Self { held: VecDeque::new(), capacity, dropped: Seq(0) }
    }

    fn push(&mut self, event: Arc<E>) {
        self.held.push_back(event);
        if self.held.len() > self.capacity
            && let Some(oldest) = self.held.pop_front()
        {
            self.dropped = (*oldest).as_ref().seq;
        }
    }

    fn after(&self, seq: Seq) -> impl Iterator<Item = Arc<E>> {
        let first = self.held.partition_point(|event| (**event).as_ref().seq <= seq);
        self.held.range(first..).cloned()
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::domain::events::{
        AuditOutcome, AuditRecord, DataplaneChange, DataplaneKind, LogLevel, LogRecord,
    };
    use crate::domain::rights::Role;

    fn fact() -> Event {
        let (frontend, kind) = (None, DataplaneKind::Connected);
        let (detail, at) = (String::new(), SystemTime::UNIX_EPOCH);
        Event::Dataplane(DataplaneChange { frontend, kind, server: None, detail, at }.into())
    }

    fn record() -> Event {
        let (message, fields) = Default::default();
        let at = SystemTime::UNIX_EPOCH;
        Event::Log(LogRecord { at, level: LogLevel::Info, message, fields }.into())
    }

    /// The numbers that are replayed, or how many were lost.
    fn after(ring: &Ring<Numbered>, seq: u64, records: bool) -> Result<Vec<u64>, u64> {
        match ring.after(Seq(seq), Selection { records, audits: false }) {
            Replay::Whole(events) => Ok(events.iter().map(|event| event.seq.0).collect()),
            Replay::Lost(since) => Err(since),
        }
    }

    #[test]
    fn a_ring_replays_what_it_holds_and_counts_what_it_lost() {
        let mut ring = Ring::<Numbered>::new(3);
        for number in 1..=5 {
            assert_eq!(ring.push(fact()).seq, Seq(number));
        }
        for (seq, expected) in [
            (0, Err(5)),
            (1, Err(4)),
            (2, Ok(vec![3, 4, 5])),
            (4, Ok(vec![5])),
            (5, Ok(vec![])),
            (6, Err(5)),
        ] {
            assert_eq!(after(&ring, seq, true), expected, "after {seq}");
        }
    }

    #[test]
    fn facts_are_all_that_is_held_but_records() {
        let mut ring = Ring::<Numbered>::new(3);
        ring.push(record());
        let numbers = |ring: &Ring<Numbered>| {
            let (facts, is_whole) = ring.facts();
            (facts.iter().map(|event| event.seq.0).collect::<Vec<_>>(), is_whole)
        };
        assert_eq!(numbers(&ring), (vec![], true));
        for _ in 0..3 {
            ring.push(fact());
        }
        assert_eq!(numbers(&ring), (vec![2, 3, 4], true));
        ring.push(fact());
        assert_eq!(numbers(&ring), (vec![3, 4, 5], false));
    }

    #[test]
    fn log_records_drive_out_no_other_event() {
        let mut ring = Ring::<Numbered>::new(3);
        for _ in 0..10 {
            ring.push(record());
        }
        ring.push(fact());
        ring.push(record());
        assert_eq!(after(&ring, 1, false), Ok(vec![11]));
        assert_eq!(after(&ring, 1, true), Err(11));
        assert_eq!(after(&ring, 9, true), Ok(vec![10, 11, 12]));
    }

    #[test]
    fn audit_records_drive_out_no_other_event_and_are_facts() {
        let audit = || {
            let record = AuditRecord {
                who: String::new(),
                identity: None,
                listener: None,
                peer: String::new(),
                role: Role::Nobody,
                method: "PauseBackend",
                what: String::new(),
                why: String::new(),
                outcome: AuditOutcome::Denied,
                detail: String::new(),
                backend: None,
                frontend: None,
                began: SystemTime::UNIX_EPOCH,
                at: SystemTime::UNIX_EPOCH,
                withheld: 0,
            };
            Event::Audit(record.into())
        };
        let mut ring = Ring::<Numbered>::new(2);
        ring.push(fact());
        for _ in 0..10 {
            ring.push(audit());
        }
        let (facts, is_whole) = ring.facts();
        let facts: Vec<_> = facts.iter().map(|event| event.seq.0).collect();
        assert_eq!((facts, is_whole), (vec![1, 10, 11], false));
        assert_eq!(after(&ring, 1, false), Ok(vec![]));
        let wanted = Selection { records: false, audits: true };
        assert!(matches!(ring.after(Seq(1), wanted), Replay::Lost(10)));
        ring.push(fact());
        let Replay::Whole(events) = ring.after(Seq(10), wanted) else { panic!() };
        assert_eq!(events.iter().map(|event| event.seq.0).collect::<Vec<_>>(), [11, 12]);
    }

    #[test]
    fn a_ring_without_places_remembers_nothing() {
        let mut ring = Ring::<Numbered>::new(0);
        ring.push(fact());
        ring.push(fact());
        assert_eq!(after(&ring, 1, true), Err(1));
        assert_eq!(after(&ring, 2, true), Ok(vec![]));
    }
}
