//! All drains of a daemon, and the reading of VPP's flows that serves them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use super::pace::ReadingPace;
use super::{Drain, DrainId};
use crate::domain::names::BackendName;

/// Numbers the waits for a reading; of several only the last counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlowTimer(u64);

#[derive(Debug, Default)]
pub struct FollowedDrains {
    pub by_backend: BTreeMap<BackendName, FollowedDrain>,
    last_id: DrainId,
    timer: FlowTimer,
    reading: FlowReading,
    pub pace: ReadingPace,
}

/// A drain, and where its flows were counted last.
#[derive(Debug)]
pub struct FollowedDrain {
    pub drain: Drain,
    pub address: Option<IpAddr>,
}

#[derive(Debug, Default)]
enum FlowReading {
    #[default]
    Idle,
    Waiting,
    /// Under way, for these drains.
    UnderWay(BTreeSet<DrainId>),
}

impl FollowedDrains {
    #[must_use]
    pub fn has(&self, backend: &str) -> bool {
        self.by_backend.contains_key(backend)
    }

    pub fn next_id(&mut self) -> DrainId {
        self.last_id = self.last_id.next();
        self.last_id
    }

    /// Whether VPP's flows have to be read again.
    #[must_use]
    pub fn are_followed(&self) -> bool {
        self.by_backend.values().any(|it| it.drain.is_followed())
    }

    /// Has VPP's flows read after this time, and not at the time that was set before.
    /// `None`: a reading is under way, which has to end first.
    pub fn read_in(&mut self, after: Duration) -> Option<(FlowTimer, Duration)> {
        if matches!(self.reading, FlowReading::UnderWay(_)) {
            return None;
        }
        self.reading = FlowReading::Waiting;
        self.timer.0 += 1;
        Some((self.timer, after))
    }

    /// Whether this is the wait that was set last, and nothing is under way.
    #[must_use]
    pub fn is_due(&self, timer: FlowTimer) -> bool {
        self.timer == timer && matches!(self.reading, FlowReading::Waiting)
    }

    /// Begins a reading for these drains.
    pub fn begin(&mut self, drains: BTreeSet<DrainId>) {
        self.reading = FlowReading::UnderWay(drains);
    }

    /// Nothing is to be read.
    pub fn rest(&mut self) {
        self.reading = FlowReading::Idle;
    }

    /// Ends the reading that is under way, and returns the drains that it is for.
    pub fn end(&mut self) -> Option<BTreeSet<DrainId>> {
        match std::mem::take(&mut self.reading) {
            FlowReading::UnderWay(drains) => Some(drains),
            other => {
                self.reading = other;
                None
            }
        }
    }
}
