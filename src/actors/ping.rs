//! The message that tells whether an actor is alive, and the actor that answers it for a
//! thread.

use actix::prelude::*;

/// Is answered by every actor that is alive.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Ping;

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
