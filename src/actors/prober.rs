//! Probes one backend, however many frontends use it. [`health::step`] decides when it
//! is probed and what its results mean; the actor waits, probes, and reports
//! transitions to the Controller.

mod handover;
mod messages;
mod thread;

use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use actix::prelude::*;
use tracing::debug;

pub use messages::*;

use super::Outbox;
use crate::domain::config::Timing;
use crate::domain::controller::{ProberId, ProberSettings};
use crate::domain::events::Transition;
use crate::domain::health::probe_result::{ProbeResult, ResultCode};
use crate::domain::health::probe_stats::ProbeStats;
use crate::domain::health::{self, Health, HealthInput, NextProbe, RunId, StateChange};
use crate::domain::names::BackendName;
use crate::probe::{Probe, ThreadResources, thread_resources};

/// How backends are probed.
#[derive(Clone)]
pub enum ProbeTransport {
    /// Over the network, with the resources that the prober's thread shares.
    Network(ThreadResources),
    Fake(FakeProbe),
}

/// Returns the result of probing an address, without a network.
pub type FakeProbe =
    Arc<dyn Fn(IpAddr) -> Pin<Box<dyn Future<Output = ProbeResult> + Send>> + Send + Sync>;

/// The actor. See the module's description.
pub struct Prober {
    id: ProberId,
    name: BackendName,
    settings: ProberSettings,
    transport: ProbeTransport,
    probe: Option<Rc<PreparedProbe>>,
    health: Health,
    last: Option<ProbeResult>,
    stats: Box<ProbeStats>,
    /// When the next probe should start, or the last should have.
    due: Instant,
    /// The wait or the probe in progress.
    in_progress: Option<SpawnHandle>,
    /// `None` once the prober is stopped.
    controller: Option<Rc<Outbox<Transitioned>>>,
}

enum PreparedProbe {
    Network(Probe),
    Fake(FakeProbe, IpAddr),
    /// The probe cannot be made; this is its result.
    Impossible(ProbeResult),
}

impl PreparedProbe {
    async fn run(&self) -> ProbeResult {
        match self {
            Self::Network(probe) => probe.run().await,
            Self::Fake(fake, address) => fake(*address).await,
            Self::Impossible(result) => result.clone(),
        }
    }
}

impl Prober {
    /// A prober that reports transitions to `to`. Must be called on the thread on which
    /// it runs.
    #[must_use]
    pub fn new(
        id: ProberId,
        name: BackendName,
        settings: ProberSettings,
        transport: ProbeTransport,
        to: Recipient<Transitioned>,
    ) -> Self {
        let timing = settings.check.as_ref().map(|check| check.timing);
        Self {
            id,
            name,
            health: Health::new(timing.as_ref(), settings.admin, settings.served),
            probe: None,
            settings,
            transport,
            last: None,
            stats: Box::default(),
            due: Instant::now(),
            in_progress: None,
            controller: Some(thread::outbox(to)),
        }
    }

    fn kind(&self) -> Option<&'static str> {
        self.settings.check.as_ref().map(|check| check.kind.type_name())
    }

    fn timing(&self) -> Option<&Timing> {
        self.settings.check.as_ref().map(|check| &check.timing)
    }

    fn prepare(&mut self) {
        let ProberSettings { backend, address, check, .. } = &self.settings;
        // Without an address nothing is probed until `Readdressed` restarts probing.
        self.probe = address.zip(check.as_ref()).map(|(address, check)| {
            let with_host = backend.address.name().map(|host| check.of_host(host));
            let check = with_host.as_ref().unwrap_or(check);
            Rc::new(match &self.transport {
                ProbeTransport::Fake(fake) => PreparedProbe::Fake(Arc::clone(fake), address),
                ProbeTransport::Network(resources) => {
                    match Probe::prepare(check, address, resources) {
                        Ok(probe) => PreparedProbe::Network(probe),
                        Err(error) => PreparedProbe::Impossible(ProbeResult::new(
                            ResultCode::SocketError,
                            error.to_string(),
                        )),
                    }
                }
            })
        });
    }

    fn step(&mut self, input: HealthInput, ctx: &mut Context<Self>) {
        let decided = Instant::now();
        let health = self.health.clone();
        let (health, effects) = health::step(self.timing(), health, input, fastrand::f64());
        self.health = health;
        if effects.cancel
            && let Some(handle) = self.in_progress.take()
        {
            ctx.cancel_future(handle);
        }
        if let Some(change) = effects.change {
            self.report(change, decided);
        }
        match effects.next {
            Some(NextProbe::Wait(run, delay)) => self.wait(run, delay, decided, ctx),
            Some(NextProbe::Probe(run)) => self.probe(run, ctx),
            None => {}
        }
    }

    fn report(&self, StateChange { from, to, why }: StateChange, decided: Instant) {
        let why = thread::shared_reason(why);
        let transition = Transition { from, to, at: SystemTime::now(), why };
        let backend = self.name.clone();
        if let Some(controller) = &self.controller {
            controller.send(Transitioned { prober: self.id, backend, transition, decided });
        }
    }

    fn wait(&mut self, run: RunId, delay: Duration, now: Instant, ctx: &mut Context<Self>) {
        self.due = now + delay;
        // `run_later` would allocate three times.
        let over = tokio::time::sleep(delay).into_actor(self);
        let over = over.map(move |(), this, ctx| this.step(HealthInput::Due(run), ctx));
        self.in_progress = Some(ctx.spawn(over));
    }

    fn probe(&mut self, run: RunId, ctx: &mut Context<Self>) {
        let Some(probe) = self.probe.clone() else { return };
        let (transport, name, due) = (self.transport.clone(), self.name.clone(), self.due);
        let done = async move {
            // The wait for a slot counts neither for the timeout nor for the interval.
            let _slot = match &transport {
                ProbeTransport::Network(resources) => Some(resources.slots().take().await),
                ProbeTransport::Fake(_) => None,
            };
            let begun = Instant::now();
            debug!(backend = %name, "probe-start");
            let result = probe.run().await;
            (result, begun.elapsed(), begun.saturating_duration_since(due))
        };
        let done = done.into_actor(self).map(move |done, this, ctx| {
            let (result, took, late): (ProbeResult, Duration, Duration) = done;
            this.stats.add(result.code, took);
            if let ProbeTransport::Network(resources) = &this.transport {
                resources.late().record(late);
            }
            debug!(backend = %this.name, passed = result.passed(), code = %result.code, detail = %result.detail, ?took, ?late, "probe-done");
            this.last = Some(result.clone());
            this.step(HealthInput::ProbeDone { run, result, took }, ctx);
        });
        self.in_progress = Some(ctx.spawn(done));
    }
}

impl Actor for Prober {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.prepare();
        self.step(HealthInput::Start { within: self.settings.within }, ctx);
    }
}

impl Handler<Administer> for Prober {
    type Result = ();

    fn handle(&mut self, message: Administer, ctx: &mut Self::Context) {
        let Administer { admin, why, within } = message;
        self.step(HealthInput::Administer { admin, why, within }, ctx);
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
        let uses_tls = self.settings.check.as_ref().is_some_and(|check| check.kind.uses_tls());
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
        // The Controller has already published the transition.
        self.controller = None;
        self.step(HealthInput::Remove, ctx);
        ctx.stop();
    }
}

impl Handler<GetReading> for Prober {
    type Result = ProbeReading;

    fn handle(&mut self, _: GetReading, _: &mut Self::Context) -> ProbeReading {
        ProbeReading { counter: self.health.counter, last: self.last.clone() }
    }
}

#[cfg(test)]
mod tests;
