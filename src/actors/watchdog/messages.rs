//! The messages of the Watchdog, the ping that it sends, and the actor that answers
//! it for a thread.

use actix::prelude::*;

use crate::domain::readiness::{Readiness, ReloadRefusal};

/// Is answered by every actor that is alive.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Ping;

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

/// Answers pings for the thread that it runs on. The actors of a thread run in turn,
/// so one that hangs keeps this one from answering.
pub struct HeartbeatResponder;

impl Actor for HeartbeatResponder {
    type Context = Context<Self>;
}

impl Handler<Ping> for HeartbeatResponder {
    type Result = ();

    fn handle(&mut self, _: Ping, _: &mut Self::Context) {}
}
