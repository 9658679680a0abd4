//! Writes operators' overrides to where they are kept over restarts. It has a thread of its
//! own: a disk that is slow, or hangs, delays no weight.

use actix::prelude::*;

use crate::domain::overrides::OverrideSet;
use crate::state::{KeepError, StateDir};

/// See the module's description.
pub struct OverrideKeeper {
    dir: StateDir,
}

/// Replaces what is kept. Answered when it lasts.
#[derive(Message, Debug)]
#[rtype(result = "Result<(), KeepError>")]
pub struct StoreOverrides(pub OverrideSet);

impl OverrideKeeper {
    #[must_use]
    pub fn new(dir: StateDir) -> Self {
        Self { dir }
    }
}

impl Actor for OverrideKeeper {
    type Context = Context<Self>;
}

impl Handler<StoreOverrides> for OverrideKeeper {
    type Result = Result<(), KeepError>;

    fn handle(&mut self, message: StoreOverrides, _: &mut Self::Context) -> Self::Result {
        self.dir.store(&message.0)
    }
}
