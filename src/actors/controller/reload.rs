//! Loads and checks the configuration, and adopts it.

use std::sync::Arc;
use std::time::SystemTime;

use actix::prelude::*;
use tokio::sync::oneshot;
use tracing::{info, warn};

use super::{CheckConfig, Controller, LoadFailed, Reload, ReloadRequest};
use crate::config::{ConfigSource, Loaded, Warning};
use crate::domain::events::{Change, Event};

impl Handler<CheckConfig> for Controller {
    type Result = ResponseFuture<Result<Loaded, LoadFailed>>;

    fn handle(&mut self, _: CheckConfig, _: &mut Self::Context) -> Self::Result {
        let source = Arc::clone(&self.source);
        Box::pin(async move {
            info!(path = %source, "config-check-start");
            load(&*source).await.inspect(|_| info!("config-check-done"))
        })
    }
}

impl Handler<Reload> for Controller {
    type Result = ResponseFuture<Result<(), LoadFailed>>;

    fn handle(&mut self, Reload { force }: Reload, ctx: &mut Self::Context) -> Self::Result {
        let (reply, replied) = oneshot::channel();
        if self.reloads.request(ReloadRequest { force, reply }) {
            self.load(ctx);
        }
        Box::pin(async move { replied.await.unwrap_or(Err(LoadFailed::Stopping)) })
    }
}

impl Controller {
    /// Loads the configuration and adopts it, then goes on with the requests that came
    /// meanwhile.
    fn load(&self, ctx: &mut Context<Self>) {
        let source = Arc::clone(&self.source);
        info!(path = %source, "config-reload-start");
        let loading = async move { load(&*source).await };
        ctx.spawn(loading.into_actor(self).map(|loaded, this, ctx| {
            let force = this.reloads.in_progress().iter().any(|request| request.force);
            let outcome = loaded.and_then(|loaded| this.adopt(loaded, force, ctx));
            if let Err(failed) = &outcome {
                this.state.reload_refused(failed.into());
            }
            let (answered, begins) = this.reloads.loaded();
            for ReloadRequest { reply, .. } in answered {
                // The client may have gone.
                let _ = reply.send(outcome.clone());
            }
            if begins {
                this.load(ctx);
            }
        }));
    }

    fn adopt(
        &mut self,
        loaded: Loaded,
        force: bool,
        ctx: &mut Context<Self>,
    ) -> Result<(), LoadFailed> {
        let Loaded { config, warnings } = loaded;
        log_warnings(&warnings);
        if let Err(excess) = self.state.judge_reload(&config) {
            let (path, what) = (&self.source, excess.to_string());
            if !force {
                warn!(%path, what, "config-reload-refused");
                return Err(LoadFailed::Excessive(Arc::new(excess)));
            }
            warn!(%path, what, "config-reload-forced");
        }
        let settings = config.healthchecker.clone();
        let namespace = self.probers.enter_namespace(&settings)?;
        self.probers.set_environment(namespace, &settings);
        let effects = self.state.reload(Arc::new(config), SystemTime::now());
        self.replace_desired(force);
        self.execute(effects, ctx);
        self.keep_overrides(ctx);
        self.probers.renew_roots();
        self.publish(Event::Change(Change::of_config(SystemTime::now()).into()));
        self.send_names_to_resolver();
        info!(
            backends = self.state.backend_names().len(),
            frontends = self.state.frontend_names().len(),
            "config-reload-done"
        );
        Ok(())
    }
}

/// The most warnings of one file that are logged: ten thousand backends with the same
/// mistake would displace everything else in the log.
const WARNINGS: usize = 20;

/// Logs the warnings of a configuration.
pub fn log_warnings(warnings: &[Warning]) {
    for warning in warnings.iter().take(WARNINGS) {
        warn!(%warning, "config-warning");
    }
    if let Some(more) = warnings.len().checked_sub(WARNINGS).filter(|more| *more > 0) {
        warn!(more, "config-warnings-not-shown: config check tells them all");
    }
}

/// Loads the configuration and logs why it cannot be used.
async fn load(source: &dyn ConfigSource) -> Result<Loaded, LoadFailed> {
    let failed = match source.load().await {
        Ok(loaded) => return Ok(loaded),
        Err(error) => LoadFailed::Refused(Arc::new(error)),
    };
    warn!(path = %source, fault = %failed, "config-check-failed");
    Err(failed)
}
