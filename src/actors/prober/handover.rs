//! Hands a prober's state over to another one, on another thread or for another backend.

use std::time::Instant;

use actix::prelude::*;
use tokio::sync::oneshot;

use super::{CopyState, Handover, HandoverState, Prober, Stop};
use crate::domain::health::{HealthInput, StateChange};

impl Prober {
    /// Waits for the state of the prober from which this one continues, before any
    /// message. The health check may have changed.
    pub fn take_over(&self, handover: oneshot::Receiver<HandoverState>, ctx: &mut Context<Self>) {
        let handover = handover.into_actor(self);
        ctx.wait(handover.map(|handover, this, ctx| {
            // There is no handover if the daemon is stopping.
            let Ok(HandoverState { health, last, history, kind, stats }) = handover else { return };
            let (counter, is_doubted) = (health.counter, health.doubt.is_some());
            (this.health, this.last) = (health, last);
            if kind == this.kind() {
                (this.stats, this.history) = (stats, history);
            }
            let Some(inherited) = this.settings.inherited else {
                this.step(HealthInput::CheckChanged, ctx);
                return;
            };
            let (from, to) = (inherited.state, this.health.state);
            if from != to {
                // The other prober has reported it, but not for this backend.
                let why = this.last.as_ref().map(ToString::to_string).unwrap_or_default();
                this.report(StateChange { from, to, why }, Instant::now());
            }
            this.step(HealthInput::CheckChanged, ctx);
            // A doubt is not inherited, and neither are its failures.
            if inherited.has_same_check && !is_doubted {
                this.health.counter = counter;
            }
        }));
    }
}

impl Handler<Handover> for Prober {
    type Result = ();

    fn handle(&mut self, Handover(to): Handover, ctx: &mut Self::Context) {
        let kind = self.kind();
        let (health, last) = (self.health.clone(), self.last.take());
        let (stats, history) = (std::mem::take(&mut self.stats), std::mem::take(&mut self.history));
        // The receiver is gone if the daemon is stopping.
        let _ = to.send(HandoverState { health, last, history, kind, stats });
        self.handle(Stop, ctx);
    }
}

impl Handler<CopyState> for Prober {
    type Result = ();

    fn handle(&mut self, CopyState { to, with_stats }: CopyState, _: &mut Self::Context) {
        let (health, last, kind) = (self.health.clone(), self.last.clone(), self.kind());
        let stats = if with_stats { self.stats.clone() } else { Box::default() };
        let history = self.history.clone();
        // The receiver is gone if the daemon is stopping.
        let _ = to.send(HandoverState { health, last, history, kind, stats });
    }
}
