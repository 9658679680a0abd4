//! Operators' commands that wait until they are kept over restarts.

use actix::prelude::*;
use tokio::sync::oneshot;

use super::OverrideFailed;
use crate::actors::prober::{self, Prober};
use crate::domain::controller::{CommandRefused, OperatorCommand};
use crate::domain::overrides::OverrideWrites;
use crate::domain::reconcile::Generation;

pub(super) type CommandWrites = OverrideWrites<PendingCommand, CommandRefused>;

/// A command that has no effect yet.
pub(super) struct PendingCommand {
    pub(super) command: OperatorCommand,
    pub(super) reply: oneshot::Sender<Result<TakenEffect, OverrideFailed>>,
}

/// A command has taken effect.
pub(super) struct TakenEffect {
    /// That of the desired state.
    pub(super) generation: Generation,
    /// The answers of the probers that execute it.
    pub(super) probers: Vec<Request<Prober, prober::Administer>>,
}
