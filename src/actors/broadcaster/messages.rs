//! What the Broadcaster can be told and asked, and what subscriptions bring.

use std::time::SystemTime;

use actix::prelude::*;
use thiserror::Error;

pub use super::reader::{StreamItem, Subscription};
use crate::domain::controller::States;
use crate::domain::events::{Event, LogLevel, Seq};

/// This happened, in this order.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Publish(pub Vec<Event>);

/// All backends and frontends that there are when the daemon starts, with their
/// states. From then on events tell of every change.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct SetSnapshot {
    /// Everything there is.
    pub states: States,
    /// When this was so.
    pub at: SystemTime,
}

/// Start a subscription.
#[derive(Message, Debug)]
#[rtype(result = "Result<Subscription, SubscribeError>")]
pub struct Subscribe {
    /// What is wanted.
    pub filter: EventFilter,
    /// Where an earlier subscription ended.
    pub resume: Option<ResumePoint>,
}

/// End every subscription, and take no more: the daemon stops.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Shutdown;

/// How many events were lost to subscribers so far, and how many there are.
#[derive(Message, Debug)]
#[rtype(result = "BroadcasterStats")]
pub struct GetBroadcasterStats;

/// The Broadcaster in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, MessageResponse)]
pub struct BroadcasterStats {
    /// Present subscriptions.
    pub subscribers: usize,
    /// Events that a subscription lost because it fell behind, over all.
    pub missed: u64,
}

/// The kinds of event that a subscription wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventFilter {
    /// Log records of this level and worse.
    pub log: Option<LogLevel>,
    /// Transitions of backends.
    pub backend: bool,
    /// Transitions of frontends.
    pub frontend: bool,
    /// Changes in VPP.
    pub dataplane: bool,
    /// Changes of what is asked for.
    pub change: bool,
}

impl EventFilter {
    /// Whether this event is of a wanted kind.
    #[must_use]
    pub fn wants(&self, event: &Event) -> bool {
        match event {
            Event::Log(record) => self.log.is_some_and(|level| record.level <= level),
            Event::Backend(..) => self.backend,
            Event::Frontend(..) => self.frontend,
            Event::Dataplane(_) => self.dataplane,
            Event::Change(_) => self.change,
        }
    }
}

/// The last event of an earlier subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResumePoint {
    /// The daemon's life it was of.
    pub boot_id: u64,
    /// Its number.
    pub seq: Seq,
}

/// Why a subscription did not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SubscribeError {
    /// There are as many subscriptions as are allowed.
    #[error("all {0} event streams are taken: close one and try again")]
    TooMany(usize),
    /// The daemon stops.
    #[error("maglevd is stopping")]
    Stopping,
}
