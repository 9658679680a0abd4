//! One connection to a VPP, as those see it who read and write over it.

use std::collections::BTreeMap;

use thiserror::Error;

use super::net::Vip;
use super::observed::Observed;
use crate::domain::balancing::maglev::Mismatch;

/// Numbers the connections to VPP, from 1 on; 0 is before the first. What was
/// read over one connection says nothing about the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);

impl Epoch {
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// All of VPP's load balancer as one connection read it.
#[derive(Clone, Debug)]
pub struct Observation {
    pub epoch: Epoch,
    pub observed: Observed,
    /// The tables in it that are not those of the model.
    pub mismatches: BTreeMap<Vip, Mismatch>,
}

/// The outcome of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// VPP did it.
    Done,
    /// VPP refused it, with the reason, and holds what it held before.
    Refused(String),
    /// There was no answer: VPP may or may not have done it.
    Unknown(String),
}

/// Why VPP could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DataplaneError {
    /// The daemon runs without a VPP.
    #[error("no VPP is configured: start maglevd with --vpp-api-addr")]
    Off,
    #[error("VPP is not connected: {0}")]
    NotConnected(String),
    /// VPP lacks messages that programming needs.
    #[error("this VPP lacks API messages of the lb plugin 1.2.0: {}", .0.join(" "))]
    Missing(Vec<String>),
    /// A call failed half-way.
    #[error("VPP: {0}")]
    Failed(String),
}

impl DataplaneError {
    /// The actor that holds the connection has ended.
    #[must_use]
    pub fn ended() -> Self {
        Self::NotConnected("the daemon is stopping".into())
    }

    /// The present connection is another one than the caller meant.
    #[must_use]
    pub fn reconnected() -> Self {
        Self::NotConnected("VPP was reconnected in between".into())
    }
}
