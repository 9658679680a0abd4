//! What the Watchdog can be told and asked, what it asks of everybody, and the
//! actor that answers for a thread.

use actix::prelude::*;

use crate::actors::broadcaster::Broadcaster;
use crate::domain::readiness::Readiness;

/// Answer, to show that you can.
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

/// The reload is over, whatever came of it.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Reloaded;

/// The daemon stops.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Stopping;

/// How far is the daemon? As the last complete round found it.
#[derive(Message, Debug)]
#[rtype(result = "Readiness")]
pub struct GetReadiness;

/// Answered once the daemon has started: true; or false, if it ends before.
#[derive(Message, Debug)]
#[rtype(result = "bool")]
pub struct AwaitStart;

/// Answers for the thread it runs on: actors of one thread run in turn, so one
/// that hangs silences this one, too.
pub struct HeartbeatResponder;

impl Actor for HeartbeatResponder {
    type Context = Context<Self>;
}

impl Handler<Ping> for HeartbeatResponder {
    type Result = ();

    fn handle(&mut self, _: Ping, _: &mut Self::Context) {}
}

impl Handler<Ping> for Broadcaster {
    type Result = ();

    fn handle(&mut self, _: Ping, _: &mut Self::Context) {}
}
