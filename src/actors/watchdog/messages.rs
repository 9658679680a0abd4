//! The messages of the Watchdog.

use actix::prelude::*;

use crate::domain::readiness::{Readiness, ReloadRefusal};

/// A reload has begun.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Reloading {
    /// `CLOCK_MONOTONIC` when it began, in microseconds.
    pub monotonic_us: u64,
}

/// A reload has ended.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Reloaded {
    /// Why the configuration was not used; `None`: it is in use.
    pub refusal: Option<ReloadRefusal>,
}

/// The daemon is stopping.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Stopping;

/// Is answered with the readiness of the last complete round.
#[derive(Message, Debug)]
#[rtype(result = "Readiness")]
pub struct GetReadiness;

/// Is answered once the daemon has started: true; or false, if it ends before.
#[derive(Message, Debug)]
#[rtype(result = "bool")]
pub struct AwaitStart;
