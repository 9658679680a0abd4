//! The kinds of event that a subscription is for.

use crate::domain::events::{Event, LogLevel, Selection};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventFilter {
    /// Log records of this level and worse; `None`: no records.
    pub log: Option<LogLevel>,
    /// Transitions of backends.
    pub backend: bool,
    /// Transitions of frontends, and which of them fail open.
    pub frontend: bool,
    /// Writes to VPP, and changes of its connection.
    pub dataplane: bool,
    /// Changes of what operators and the configuration ask for.
    pub change: bool,
    /// That verdicts wait for evidence, or do so no longer.
    pub hold: bool,
    /// How far drains are.
    pub drain: bool,
    /// What changes something, or was to.
    pub audit: bool,
    /// Announcements, and how drivers fare.
    pub announcement: bool,
}

impl EventFilter {
    #[must_use]
    pub fn matches(&self, event: &Event) -> bool {
        match event {
            Event::Log(record) => self.log.is_some_and(|level| record.level <= level),
            Event::Backend(..) => self.backend,
            Event::Frontend(..) | Event::FailOpen(_) => self.frontend,
            Event::Dataplane(_) => self.dataplane,
            Event::Change(_) => self.change,
            Event::Hold(_) => self.hold,
            Event::Drain(_) => self.drain,
            Event::Audit(_) => self.audit,
            Event::Announcement(_) => self.announcement,
        }
    }

    /// The kinds of event that the ring holds apart.
    pub(super) fn held_apart(&self) -> Selection {
        Selection { records: self.log.is_some(), audits: self.audit }
    }
}
