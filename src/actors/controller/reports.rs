//! Receives what probers report of their backends, and the Reconciler of VPP. What probers
//! doubt is in [`evidence`](super::evidence).

use actix::prelude::*;

use super::{Controller, log};
use crate::actors::clock::moment;
use crate::actors::prober::{CertificateSeen, Damped, Transitioned, TrendChanged};
use crate::actors::reconciler::{ProgressChanged, ServedObserved};

impl Handler<Transitioned> for Controller {
    type Result = ();

    fn handle(&mut self, message: Transitioned, ctx: &mut Self::Context) {
        let Transitioned { prober, backend, transition, decided } = message;
        let now = moment().monotonic;
        let effects = self.state.transitioned(prober, &backend, transition, now);
        self.execute_verdict(effects, decided, ctx);
    }
}

impl Handler<TrendChanged> for Controller {
    type Result = ();

    fn handle(&mut self, message: TrendChanged, ctx: &mut Self::Context) {
        let TrendChanged { prober, backend, trend } = message;
        let effects = self.state.trend_changed(prober, &backend, trend, moment());
        self.execute(effects, ctx);
    }
}

impl Handler<Damped> for Controller {
    type Result = ();

    fn handle(&mut self, message: Damped, ctx: &mut Self::Context) {
        let Damped { prober, backend, damped } = message;
        if let Some(damped) = &damped {
            log::damped(&backend, damped);
        }
        let effects = self.state.damped(prober, &backend, damped, moment());
        self.execute(effects, ctx);
    }
}

impl Handler<CertificateSeen> for Controller {
    type Result = ();

    fn handle(&mut self, message: CertificateSeen, _: &mut Self::Context) {
        let CertificateSeen { prober, backend, certificate } = message;
        if let Some(news) = self.state.certificate_seen(prober, &backend, certificate) {
            log::certificate(&backend, news, certificate);
        }
    }
}

impl Handler<ProgressChanged> for Controller {
    type Result = ();

    fn handle(&mut self, message: ProgressChanged, _: &mut Self::Context) {
        self.state.progressed(message.generation, message.changes);
        self.tell_announcer();
    }
}

impl Handler<ServedObserved> for Controller {
    type Result = ();

    fn handle(&mut self, ServedObserved(served): ServedObserved, ctx: &mut Self::Context) {
        let effects = self.state.vpp_serves(served);
        self.execute(effects, ctx);
    }
}
