//! Probes one backend, however many frontends use it. [`health::step`] decides when it
//! is probed and what its results mean; the actor waits, probes, and reports
//! transitions to the Controller.

mod certificate;
mod handlers;
mod handover;
mod messages;
mod thread;
mod witness;
mod witness_prober;

use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use actix::prelude::*;
use tracing::debug;

pub use messages::*;
pub use witness_prober::WitnessProber;

use crate::actors::clock::now;
use crate::domain::config::{HealthCheck, Timing};
use crate::domain::controller::ProberSettings;
use crate::domain::events::Transition;
use crate::domain::evidence::doubts::Suspicion;
use crate::domain::evidence::group::ProbeGroup;
use crate::domain::evidence::passes::Witness;
use crate::domain::health::certificate::CertificateView;
use crate::domain::health::doubt::Doubt;
use crate::domain::health::probe_history::{ProbeHistory, ProbeOutcome};
use crate::domain::health::probe_result::{ProbeResult, ResultCode};
use crate::domain::health::probe_stats::ProbeStats;
use crate::domain::health::{self, Health, HealthInput, NextProbe, RunId, StateChange};
use crate::domain::names::BackendName;
use crate::domain::prober_id::ProberId;
use crate::probe::{Probe, ThreadResources};
use thread::SharedByThread;

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
    /// When the last probe began.
    begun: Option<Instant>,
    history: ProbeHistory,
    /// When the last probe began, if it passed.
    passed: Option<Instant>,
    stats: Box<ProbeStats>,
    /// When the next probe should start, or the last should have.
    due: Instant,
    /// The wait or the probe in progress.
    in_progress: Option<SpawnHandle>,
    /// The way that its probes take; `None` if it is not probed.
    group: Option<ProbeGroup>,
    /// What its next results answer.
    questions: Vec<Ask>,
    /// What was reported of the server's certificate.
    certificate: Option<Box<CertificateView>>,
    /// `None` once the prober is stopped.
    shared: Option<Rc<SharedByThread>>,
}

enum PreparedProbe {
    Network(Probe),
    Fake(FakeProbe, IpAddr),
    /// The probe cannot be made; this is its result.
    Impossible(ProbeResult),
}

impl PreparedProbe {
    fn new(check: &HealthCheck, address: IpAddr, transport: &ProbeTransport) -> Self {
        match transport {
            ProbeTransport::Fake(fake) => Self::Fake(Arc::clone(fake), address),
            ProbeTransport::Network(resources) => Probe::prepare(check, address, resources)
                .map_or_else(
                    |error| {
                        let code = ResultCode::SocketError;
                        Self::Impossible(ProbeResult::new(code, error.to_string()))
                    },
                    Self::Network,
                ),
        }
    }

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
        to: ProberRecipients,
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
            begun: None,
            history: ProbeHistory::default(),
            passed: None,
            stats: Box::default(),
            due: now(),
            in_progress: None,
            group: None,
            questions: Vec::new(),
            certificate: None,
            shared: Some(thread::shared(to)),
        }
    }

    fn kind(&self) -> Option<&'static str> {
        self.settings.check.as_ref().map(|check| check.kind.type_name())
    }

    fn timing(&self) -> Option<&Timing> {
        self.settings.check.as_ref().map(|check| &check.timing)
    }

    fn prepare(&mut self) {
        let ProberSettings { address, check, .. } = &self.settings;
        let way = address.zip(check.as_ref());
        let group = way.map(|(address, check)| check.group(address));
        if group != self.group {
            self.leave_group();
            self.group = group;
        }
        let ProberSettings { backend, address, check, .. } = &self.settings;
        // Without an address nothing is probed until `Readdressed` restarts probing.
        self.probe = address.zip(check.as_ref()).map(|(address, check)| {
            let with_host = backend.address.name().map(|host| check.of_host(host));
            let check = with_host.as_ref().unwrap_or(check);
            Rc::new(PreparedProbe::new(check, address, &self.transport))
        });
    }

    fn step(&mut self, input: HealthInput, ctx: &mut Context<Self>) {
        let decided = now();
        let health = self.health.clone();
        let held_since = health.doubt.as_ref().and_then(Doubt::held_since);
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
        if let Some(since) = effects.ask {
            self.suspect(Suspicion::Ahead(since));
        }
        if let (Some(trend), Some(shared)) = (effects.trend, &self.shared) {
            let (prober, backend) = (self.id, self.name.clone());
            shared.trends.send(TrendChanged { prober, backend, trend });
        }
        if let (Some(damped), Some(shared)) = (effects.damped, &self.shared) {
            let (prober, backend) = (self.id, self.name.clone());
            shared.damped.send(Damped { prober, backend, damped });
        }
        match effects.doubt {
            Some(Some(doubt)) => self.suspect(Suspicion::Doubted(doubt)),
            Some(None) => {
                let passed = self.pass_that_ended_it(held_since);
                self.suspect(Suspicion::Over { passed });
            }
            None => {}
        }
        if effects.cancel && !self.health.is_probed() {
            self.leave_questions();
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
        if let Some(shared) = &self.shared {
            let transitioned = Transitioned { prober: self.id, backend, transition, decided };
            shared.transitions.send(transitioned);
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
        let (shared, group, id) = (self.shared.clone(), self.group, self.id);
        let done = async move {
            // The wait for a slot counts neither for the timeout nor for the interval.
            let _slot = match &transport {
                ProbeTransport::Network(resources) => Some(resources.slots().take().await),
                ProbeTransport::Fake(_) => None,
            };
            let begun = now();
            let before = group.zip(shared).and_then(|(group, it)| it.pass_of_another(group, id));
            debug!(backend = %name, "probe-start");
            let result = probe.run().await;
            let late = begun.saturating_duration_since(due);
            DoneProbe { result, begun, ended: now(), late, before }
        };
        let done = done.into_actor(self).map(move |done, this, ctx| this.done(run, done, ctx));
        self.in_progress = Some(ctx.spawn(done));
    }

    fn done(&mut self, run: RunId, done: DoneProbe, ctx: &mut Context<Self>) {
        let DoneProbe { result, begun, ended, late, before } = done;
        let took = ended.saturating_duration_since(begun);
        self.stats.add(result.code, took);
        if let ProbeTransport::Network(resources) = &self.transport {
            resources.late().record(late);
        }
        debug!(backend = %self.name, passed = result.passed(), code = %result.code, detail = %result.detail, ?took, ?late, "probe-done");
        self.history.add(ProbeOutcome::new(result.code, took, SystemTime::now()));
        self.last = Some(result.clone());
        let witness = Witness { before, latest: self.pass_of_another() };
        self.begun = Some(begun);
        self.passed = result.passed().then_some(begun);
        self.answer(&result, begun);
        self.note_certificate();
        self.step(HealthInput::ProbeDone { run, result, took, ended, witness }, ctx);
    }
}

/// A probe that ended.
struct DoneProbe {
    result: ProbeResult,
    begun: Instant,
    ended: Instant,
    /// How much later than due it began.
    late: Duration,
    /// When the last passed probe of another backend began, of those known at the begin.
    before: Option<Instant>,
}

impl Actor for Prober {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.prepare();
        self.step(HealthInput::Start { within: self.settings.within }, ctx);
    }
}

#[cfg(test)]
mod tests;
