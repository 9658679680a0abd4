//! Turns each message into an input of the state machine, or into new settings.

use std::time::Duration;

use actix::prelude::*;

use super::{
    Administer, CheckChanged, EndDamping, GetProbeStats, GetReading, PeerChanged, PeerTrend,
    ProbeCount, ProbeReading, ProbeTransport, Prober, Readdressed, Relocated, RenewRoots, Served,
    Stop, TrendChanged,
};
use crate::domain::evidence::doubts::Suspicion;
use crate::domain::health::HealthInput;
use crate::domain::health::probe_history::ProbeHistory;
use crate::domain::health::probe_stats::ProbeStats;
use crate::probe::thread_resources;

impl Handler<Administer> for Prober {
    type Result = ();

    fn handle(&mut self, message: Administer, ctx: &mut Self::Context) {
        let Administer { admin, why, within } = message;
        self.step(HealthInput::Administer { admin, why, within }, ctx);
    }
}

impl Handler<PeerChanged> for Prober {
    type Result = ();

    fn handle(&mut self, PeerChanged(to): PeerChanged, ctx: &mut Self::Context) {
        self.step(HealthInput::PeerChanged(to), ctx);
    }
}

impl Handler<PeerTrend> for Prober {
    type Result = ();

    fn handle(&mut self, PeerTrend { to, within }: PeerTrend, ctx: &mut Self::Context) {
        let now = super::now();
        let since_last =
            self.begun.map_or(Duration::MAX, |begun| now.saturating_duration_since(begun));
        let left = self.due.saturating_duration_since(now);
        self.step(HealthInput::PeerTrend { to, within, since_last, left }, ctx);
    }
}

impl Handler<EndDamping> for Prober {
    type Result = ();

    fn handle(&mut self, EndDamping(why): EndDamping, ctx: &mut Self::Context) {
        self.step(HealthInput::EndDamping { why }, ctx);
    }
}

impl Handler<Served> for Prober {
    type Result = ();

    fn handle(&mut self, Served(served): Served, ctx: &mut Self::Context) {
        self.step(HealthInput::Served(served), ctx);
    }
}

impl Handler<RenewRoots> for Prober {
    type Result = ();

    fn handle(&mut self, RenewRoots(renewal): RenewRoots, _: &mut Self::Context) {
        let uses_tls = self.settings.check.as_ref().is_some_and(|check| check.kind.tls().is_some());
        if let (true, ProbeTransport::Network(resources)) = (uses_tls, &self.transport) {
            resources.renew_roots(renewal);
            // A probe in progress ends with the roots that it began with.
            self.prepare();
        }
    }
}

impl Handler<CheckChanged> for Prober {
    type Result = ();

    fn handle(&mut self, CheckChanged(check): CheckChanged, ctx: &mut Self::Context) {
        let kind = self.kind();
        self.settings.check = check;
        if self.kind() != kind {
            *self.stats = ProbeStats::default();
            self.history = ProbeHistory::default();
        }
        self.prepare();
        self.step(HealthInput::CheckChanged, ctx);
    }
}

impl Handler<Readdressed> for Prober {
    type Result = ();

    fn handle(&mut self, Readdressed(address): Readdressed, ctx: &mut Self::Context) {
        self.settings.address = Some(address);
        self.prepare();
        // The new server keeps the old one's verdict until its own probes say otherwise,
        // as if the check had changed.
        self.step(HealthInput::CheckChanged, ctx);
    }
}

impl Handler<Relocated> for Prober {
    type Result = ();

    fn handle(&mut self, Relocated(environment): Relocated, ctx: &mut Self::Context) {
        if let ProbeTransport::Network(resources) = &mut self.transport {
            *resources = thread_resources(&environment);
        }
        self.prepare();
        self.step(HealthInput::CheckChanged, ctx);
    }
}

impl Handler<GetProbeStats> for Prober {
    type Result = ProbeCount;

    fn handle(&mut self, _: GetProbeStats, _: &mut Self::Context) -> ProbeCount {
        let (backend, stats) = (self.name.clone(), ProbeStats::clone(&self.stats));
        ProbeCount { backend, kind: self.kind(), stats }
    }
}

impl Handler<Stop> for Prober {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Self::Context) {
        self.leave_questions();
        self.suspect(Suspicion::Over { passed: None });
        if let Some(shared) = &self.shared {
            let (prober, backend) = (self.id, self.name.clone());
            shared.trends.send(TrendChanged { prober, backend, trend: None });
        }
        // The Controller has already published the transition.
        self.shared = None;
        self.step(HealthInput::Remove, ctx);
        ctx.stop();
    }
}

impl Handler<GetReading> for Prober {
    type Result = ProbeReading;

    fn handle(&mut self, message: GetReading, _: &mut Self::Context) -> ProbeReading {
        let history = if message.with_history { self.history.outcomes() } else { Vec::new() };
        ProbeReading { counter: self.health.counter, last: self.last.clone(), history }
    }
}
