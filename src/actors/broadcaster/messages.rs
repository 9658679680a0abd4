//! The messages of the Broadcaster.

use std::sync::Arc;
use std::time::SystemTime;

use actix::prelude::*;
use thiserror::Error;

use super::filter::EventFilter;
use super::reader::Subscription;
use super::shared_event::SharedEvent;
use crate::domain::controller::States;
use crate::domain::events::{Event, Seq};

/// Publish these events, in this order.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Publish(pub Vec<Event>);

/// All backends and frontends at the start of the daemon, with their states.
/// Later changes are published as events.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct SetSnapshot {
    pub states: States,
    /// When the states were these.
    pub at: SystemTime,
}

#[derive(Message, Debug)]
#[rtype(result = "Result<Subscription, SubscribeError>")]
pub struct Subscribe {
    pub filter: EventFilter,
    /// `None`: begin with a snapshot.
    pub resume: Option<ResumePoint>,
}

/// The last event that a client received on an earlier subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResumePoint {
    pub boot_id: u64,
    pub seq: Seq,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SubscribeError {
    #[error("all {0} event streams are taken: close one and try again")]
    TooMany(usize),
    #[error("maglevd is stopping")]
    Stopping,
}

/// The events that are held, but for records of the log.
#[derive(Message, Debug)]
#[rtype(result = "HeldEvents")]
pub struct GetHeldEvents;

#[derive(Debug, MessageResponse)]
pub struct HeldEvents {
    /// Changes when the daemon restarts.
    pub boot_id: u64,
    /// In order.
    pub events: Vec<Arc<SharedEvent>>,
    /// There were no others since the daemon started.
    pub is_whole: bool,
}

/// End every subscription and accept no more: the daemon is stopping.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Shutdown;

#[derive(Message, Debug)]
#[rtype(result = "BroadcasterStats")]
pub struct GetBroadcasterStats;

#[derive(Debug, Clone, Copy, PartialEq, Eq, MessageResponse)]
pub struct BroadcasterStats {
    /// Open subscriptions.
    pub subscribers: usize,
    /// Events that subscriptions missed, since the start and over all.
    pub missed: u64,
}
