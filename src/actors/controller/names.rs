//! Name resolution: sends the backends' names to the Resolver, and handles its reports.

use std::time::SystemTime;

use actix::prelude::*;
use tracing::{info, warn};

use super::Controller;
use crate::actors::resolver::{Resolved, SetNames};
use crate::domain::resolution::Resolution;

impl Controller {
    /// Sends the Resolver all names, after a start or a reload.
    pub(super) fn send_names_to_resolver(&self) {
        if let Some(resolver) = &self.resolver {
            let nameservers = self.state.config().healthchecker.nameservers.clone();
            resolver.do_send(SetNames { names: self.state.names(), nameservers });
        }
    }
}

impl Handler<Resolved> for Controller {
    type Result = ();

    fn handle(&mut self, resolved: Resolved, ctx: &mut Self::Context) {
        let Resolved { backend, host, resolution } = resolved;
        let Ok(view) = self.state.backend(backend.as_str()) else { return };
        if view.settings.address.name() != Some(&host) {
            // A reload has changed the name meanwhile.
            return;
        }
        let from = view.address.map(|address| address.to_string()).unwrap_or_default();
        match &resolution {
            Resolution::At(to) => info!(%backend, name = host.name, from, %to, "backend-resolved"),
            Resolution::Failing(why) => {
                warn!(%backend, name = host.name, kept = from, why, "backend-resolve-failed");
            }
        }
        let effects = self.state.resolved(&backend, &host, resolution, SystemTime::now());
        self.execute(effects, ctx);
    }
}
