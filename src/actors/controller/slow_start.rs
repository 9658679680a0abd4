//! Plans slow starts on a thread that may take some milliseconds for it.

use std::time::Duration;

use actix::prelude::*;

use super::Controller;
use crate::actors::clock::moment;
use crate::domain::balancing::slow_start::{RampId, RampRequest, plan};

impl Controller {
    /// Plans a ramp, and begins it.
    pub(super) fn plan_ramp(&self, id: RampId, request: RampRequest, ctx: &mut Context<Self>) {
        let planning = tokio::task::spawn_blocking(move || plan(&request));
        ctx.spawn(planning.into_actor(self).map(move |steps, this, ctx| {
            // It fails only when the daemon ends.
            let Ok(steps) = steps else { return };
            let effects = this.state.ramp_planned(id, steps, moment());
            this.execute(effects, ctx);
        }));
    }

    pub(super) fn set_ramp_timer(id: RampId, after: Duration, ctx: &mut Context<Self>) {
        ctx.run_later(after, move |this, ctx| {
            let effects = this.state.ramp_due(id, moment());
            this.execute(effects, ctx);
        });
    }
}
