//! Executes operators' commands.

use std::time::SystemTime;

use actix::prelude::*;
use tracing::info;

use super::{AdministerBackend, Controller, SetWeight};
use crate::actors::prober;
use crate::domain::controller::{CommandRefused, ControllerEffect};

impl Handler<AdministerBackend> for Controller {
    type Result = ResponseFuture<Result<(), CommandRefused>>;

    fn handle(&mut self, message: AdministerBackend, ctx: &mut Self::Context) -> Self::Result {
        let AdministerBackend { backend, command, who } = message;
        let effects = self.state.administer(&backend, command, (&who, SystemTime::now()));
        self.command(backend, effects, ctx)
    }
}

impl Controller {
    /// Executes a command for a backend. It is done when the backend's prober has executed
    /// its part.
    pub(super) fn command(
        &mut self,
        backend: String,
        effects: Result<Vec<ControllerEffect>, CommandRefused>,
        ctx: &mut Context<Self>,
    ) -> ResponseFuture<Result<(), CommandRefused>> {
        let effects = match effects {
            Ok(effects) => effects,
            Err(refused) => return Box::pin(async move { Err(refused) }),
        };
        let mut probers = Vec::new();
        let mut others = Vec::with_capacity(effects.len());
        for effect in effects {
            match effect {
                ControllerEffect::Administer { backend, admin, why, within } => {
                    let message = prober::Administer { admin, why, within };
                    let prober = self.probers.get(backend.as_str());
                    probers.extend(prober.map(|prober| (prober.clone(), message)));
                }
                other => others.push(other),
            }
        }
        // The change is published before the transition that it causes.
        self.execute(others, None, ctx);
        Box::pin(async move {
            for (prober, message) in probers {
                // The prober's transition is in the mailbox before its answer.
                if prober.send(message).await.is_err() {
                    // A reload has removed the backend meanwhile.
                    return Err(CommandRefused::NoBackend(backend));
                }
            }
            Ok(())
        })
    }
}

impl Handler<SetWeight> for Controller {
    type Result = MessageResult<SetWeight>;

    fn handle(&mut self, message: SetWeight, ctx: &mut Self::Context) -> Self::Result {
        let SetWeight { frontend, pool, backend, weight, who } = message;
        let now = SystemTime::now();
        let effects = self.state.set_weight(&frontend, &pool, &backend, weight, (&who, now));
        MessageResult(effects.map(|effects| {
            info!(frontend, pool, backend, %weight, who, "weight-set");
            self.execute(effects, None, ctx);
            self.state.generation()
        }))
    }
}
