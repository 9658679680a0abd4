//! The kinds of event, and the numbers that they are given.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use super::announcement_news::AnnouncementNews;
use super::audit_record::AuditRecord;
use super::change::Change;
use super::dataplane_change::DataplaneChange;
use super::drain_change::DrainChange;
use super::fail_open_change::FailOpenChange;
use super::log_record::LogRecord;
use crate::domain::balancing::weights::FrontendState;
use crate::domain::evidence::hold::HoldChange;
use crate::domain::health::State;
use crate::domain::names::{BackendName, FrontendName};

/// Transitions stand in the event, since one is held for each of thousands of
/// backends; what is larger is boxed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Log(Box<LogRecord>),
    Backend(BackendName, Transition<State>),
    Frontend(FrontendName, Transition<FrontendState>),
    /// A frontend begins or ceases to fail open.
    FailOpen(Box<FailOpenChange>),
    /// A write to VPP, or a change of its connection.
    Dataplane(Box<DataplaneChange>),
    /// An operator or the configuration asks for something else.
    Change(Box<Change>),
    /// The verdicts of a group of probes wait for evidence, or do so no longer.
    Hold(Box<HoldChange>),
    /// The drain of a backend begins, comes further, or is followed no longer.
    Drain(Box<DrainChange>),
    /// Somebody changed something, or tried to.
    Audit(Box<AuditRecord>),
    /// An announcement changes, or how a driver fares.
    Announcement(Box<AnnouncementNews>),
}

/// A change of state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition<S> {
    pub from: S,
    pub to: S,
    pub at: SystemTime,
    /// The cause, for people. Shared by the history, the ring and the snapshot.
    pub why: Arc<str>,
}

/// The number of an event since the daemon started, from 1 on; 0 is before all
/// events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(pub u64);

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[derive(Debug, PartialEq)]
pub struct Numbered {
    pub seq: Seq,
    pub event: Event,
}

impl AsRef<Self> for Numbered {
    fn as_ref(&self) -> &Self {
        self
    }
}
