//! Numbers the connections to VPP, and defines the results of reading and writing
//! over one.

use std::collections::BTreeMap;

use thiserror::Error;

use super::net::Vip;
use super::observed::Observed;
use crate::domain::balancing::maglev::Mismatch;

/// The number of a connection to VPP, from 1 on; 0 is before the first. What was
/// read over one connection is not valid for the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);

impl Epoch {
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// All of VPP's load balancer, read over one connection.
#[derive(Clone, Debug)]
pub struct Observation {
    pub epoch: Epoch,
    pub observed: Observed,
    /// The tables that differ from the model's.
    pub mismatches: BTreeMap<Vip, Mismatch>,
}

/// The outcome of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// VPP refused it for this reason and changed nothing.
    Refused(String),
    /// VPP did not answer, for this reason: it may or may not have done it.
    Unknown(String),
}

/// Why VPP could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DataplaneError {
    #[error("no VPP is configured: start maglevd with --vpp-api-addr")]
    Off,
    #[error("VPP is not connected: {0}")]
    NotConnected(String),
    #[error("this VPP lacks API messages of the lb plugin: {}", .0.join(" "))]
    Missing(Vec<String>),
    #[error("VPP: {0}")]
    Failed(String),
}

impl DataplaneError {
    /// The actor that owns the connection has ended.
    #[must_use]
    pub fn ended() -> Self {
        Self::NotConnected("the daemon is stopping".into())
    }

    /// The caller's connection has been replaced by another one.
    #[must_use]
    pub fn reconnected() -> Self {
        Self::NotConnected("VPP was reconnected in between".into())
    }
}
