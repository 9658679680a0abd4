//! What can be watched, numbered, and the ring that remembers the last of it.

mod change;
mod ring;

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

pub use change::{Change, Changed};
pub use ring::{Replay, Ring};

use super::health::State;
use super::names::{BackendName, FrontendName};
use crate::domain::balancing::weights::FrontendState;
use crate::domain::dataplane::step::Step;

/// Something that happened. Thousands of backends have a transition each that is
/// kept; what is larger is boxed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A log record.
    Log(Box<LogRecord>),
    /// A backend changed its state.
    Backend(BackendName, Transition<State>),
    /// A frontend changed its state.
    Frontend(FrontendName, Transition<FrontendState>),
    /// Something was written to VPP, or its connection changed.
    Dataplane(Box<DataplaneChange>),
    /// Something else is asked for, by an operator or by the file.
    Change(Box<Change>),
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
    /// What brought it about, for people. Several hold each transition: the
    /// history, the ring, the present state.
    pub why: Arc<str>,
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
    /// VPP holds what was last desired of a frontend.
    Programmed,
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
            Self::Programmed => "programmed",
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

/// The place of an event among all of one daemon's life, from 1 on; 0 is before
/// all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(pub u64);

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An event with its number.
#[derive(Debug)]
pub struct Numbered {
    /// Its number.
    pub seq: Seq,
    /// What happened.
    pub event: Event,
    /// The event as it goes over the wire: made by the first who needs it, for
    /// all others.
    pub encoded: OnceLock<Box<[u8]>>,
}

impl Numbered {
    /// An event that nobody has encoded yet.
    #[must_use]
    pub fn new(seq: Seq, event: Event) -> Self {
        Self { seq, event, encoded: OnceLock::new() }
    }
}

impl PartialEq for Numbered {
    fn eq(&self, other: &Self) -> bool {
        (self.seq, &self.event) == (other.seq, &other.event)
    }
}
