//! Executes operators' commands.

use std::time::SystemTime;

use actix::prelude::*;
use tracing::info;

use super::{AdministerBackend, Controller, SetWeight};
use crate::actors::prober;
use crate::domain::controller::{CommandRefused, ControllerEffect};

impl Handler<AdministerBackend> for Controller {
    type Result = ResponseFuture<Result<(), CommandRefused>>;

    fn handle(&mut self, message: AdministerBackend, _: &mut Self::Context) -> Self::Result {
        let AdministerBackend { backend, command, who } = message;
        let effects = self.state.administer(&backend, command, (&who, SystemTime::now()));
        let mut probers = Vec::new();
        for effect in effects.iter().flatten() {
            match effect {
                ControllerEffect::Administer { backend, admin, why, within } => {
                    let (admin, within) = (*admin, *within);
                    let message = prober::Administer { admin, why: why.clone(), within };
                    let prober = self.probers.get(backend.as_str());
                    probers.extend(prober.map(|prober| (prober.clone(), message)));
                }
                // The change is published before the transition that it causes.
                ControllerEffect::Publish(event) => self.publish(event.clone()),
                _ => {}
            }
        }
        Box::pin(async move {
            effects?;
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
