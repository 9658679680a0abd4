//! What can be watched, numbered, and the ring that remembers the last of it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use super::health::State;
use super::names::{BackendName, FrontendName};
use super::step::Step;
use super::weights::FrontendState;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A log record.
    Log(LogRecord),
    /// A backend changed its state.
    Backend(BackendName, Transition<State>),
    /// A frontend changed its state.
    Frontend(FrontendName, Transition<FrontendState>),
    /// Something was written to VPP, or its connection changed.
    Dataplane(DataplaneChange),
}

/// A change of state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition<S> {
    /// The state until then.
    pub from: S,
    /// The state from then on.
    pub to: S,
    /// When.
    pub at: SystemTime,
    /// What brought it about, for people.
    pub why: String,
}

/// A record of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// When.
    pub at: SystemTime,
    /// How bad.
    pub level: LogLevel,
    /// The event's name.
    pub message: String,
    /// Its fields.
    pub fields: Vec<(&'static str, String)>,
}

/// The level of a log record; a lower one is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// Something is broken.
    Error,
    /// Something wants a look.
    Warn,
    /// What an operator follows.
    Info,
    /// Every probe and every message.
    Debug,
}

impl LogLevel {
    /// The word of flags, requests and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }

    /// The level of this word, if it is one.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Error, Self::Warn, Self::Info, Self::Debug]
            .into_iter()
            .find(|level| level.as_str() == word)
    }
}

/// What changed in VPP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataplaneChange {
    /// The frontend concerned; `None` for VPP as a whole and for VIPs of no
    /// frontend.
    pub frontend: Option<FrontendName>,
    /// What kind of change.
    pub kind: DataplaneKind,
    /// The values, for people.
    pub detail: String,
    /// When.
    pub at: SystemTime,
}

/// The kinds of change in VPP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum DataplaneKind {
    VipAdded,
    VipRemoved,
    AsAdded,
    AsRemoved,
    AsWeightUpdated,
    ConfSet,
    Connected,
    Disconnected,
    Cured,
    ModelMismatch,
}

impl DataplaneKind {
    /// The word of the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VipAdded => "vip_added",
            Self::VipRemoved => "vip_removed",
            Self::AsAdded => "as_added",
            Self::AsRemoved => "as_removed",
            Self::AsWeightUpdated => "as_weight_updated",
            Self::ConfSet => "conf_set",
            Self::Connected => "connected",
            Self::Disconnected => "disconnected",
            Self::Cured => "cured",
            Self::ModelMismatch => "model_mismatch",
        }
    }
}

impl From<&Step> for DataplaneKind {
    fn from(step: &Step) -> Self {
        match step {
            Step::SetConf(_) => Self::ConfSet,
            Step::AddVip(_) => Self::VipAdded,
            Step::RemoveVip(_) => Self::VipRemoved,
            Step::AddServer { .. } => Self::AsAdded,
            Step::SetWeight { .. } => Self::AsWeightUpdated,
            Step::RemoveServer { .. } => Self::AsRemoved,
        }
    }
}

/// The place of an event among all of one daemon's life, from 1 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(pub u64);

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An event with its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered {
    /// Its number.
    pub seq: Seq,
    /// What happened.
    pub event: Event,
}

/// Numbers events and remembers the last of them.
#[derive(Debug)]
pub struct Ring {
    held: VecDeque<Arc<Numbered>>,
    capacity: usize,
    last: Seq,
}

/// What a ring knows of the events after a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// How many are no longer held.
    pub missed: u64,
    /// The others, in order.
    pub events: Vec<Arc<Numbered>>,
}

impl Ring {
    /// An empty ring that remembers the last `capacity` events.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { held: VecDeque::new(), capacity, last: Seq(0) }
    }

    /// Numbers an event and remembers it.
    pub fn push(&mut self, event: Event) -> Arc<Numbered> {
        self.last.0 += 1;
        let numbered = Arc::new(Numbered { seq: self.last, event });
        if self.held.len() == self.capacity {
            self.held.pop_front();
        }
        if self.capacity > 0 {
            self.held.push_back(Arc::clone(&numbered));
        }
        numbered
    }

    /// The number of the last event; 0 before the first.
    #[must_use]
    pub fn last(&self) -> Seq {
        self.last
    }

    /// The events after `seq`; `None` if `seq` has not come yet, so that it
    /// cannot be of this ring.
    #[must_use]
    pub fn after(&self, seq: Seq) -> Option<Replay> {
        let behind = usize::try_from(self.last.0.checked_sub(seq.0)?).unwrap_or(usize::MAX);
        let held = behind.min(self.held.len());
        let events = self.held.range(self.held.len() - held..).cloned().collect();
        Some(Replay { missed: (behind - held) as u64, events })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(number: usize) -> Event {
        Event::Dataplane(DataplaneChange {
            frontend: None,
            kind: DataplaneKind::Connected,
            detail: number.to_string(),
            at: SystemTime::UNIX_EPOCH,
        })
    }

    #[test]
    fn a_ring_replays_what_it_holds_and_counts_what_it_lost() {
        let mut ring = Ring::new(3);
        for number in 1..=5 {
            assert_eq!(ring.push(event(number)).seq, Seq(number as u64));
        }
        for (after, missed, first, count) in
            [(0, 2, 3, 3), (1, 1, 3, 3), (2, 0, 3, 3), (4, 0, 5, 1), (5, 0, 0, 0)]
        {
            let replay = ring.after(Seq(after)).unwrap();
            assert_eq!((replay.missed, replay.events.len()), (missed, count), "after {after}");
            assert!(replay.events.first().is_none_or(|event| event.seq == Seq(first)));
        }
        assert_eq!(ring.after(Seq(6)), None);
    }
}
