//! Probes one backend, however many frontends use it. What a result means is
//! [`health::step`]'s to say; the actor keeps the time and makes the probe.

mod messages;

use std::cell::RefCell;
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use actix::prelude::*;
use tokio::sync::oneshot;
use tracing::debug;

pub use messages::*;

use super::Outbox;
use crate::domain::config::Timing;
use crate::domain::controller::{ProberId, ProberSettings};
use crate::domain::events::Transition;
use crate::domain::health::probe_result::{ProbeResult, ResultCode};
use crate::domain::health::probe_stats::ProbeStats;
use crate::domain::health::{self, Health, HealthInput, NextProbe, Run, StateChange};
use crate::domain::names::BackendName;
use crate::probe::{Probe, ThreadResources, thread_resources};

/// How backends are probed.
#[derive(Clone)]
pub enum ProbeTransport {
    /// Over the network; the prober's thread shares what probes need.
    Network(ThreadResources),
    /// As a simulation has it.
    Script(FakeProbe),
}

/// What a probe of an address finds, in place of a network.
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
    /// When the next probe is to start, or the last was.
    due: Instant,
    /// The wait or the probe that is under way.
    under_way: Option<SpawnHandle>,
    /// `None`: nobody is told any more.
    controller: Option<Rc<Outbox<Transitioned>>>,
}

thread_local! {
    /// The way out that the probers of one thread share.
    static OUTBOX: RefCell<Option<Rc<Outbox<Transitioned>>>> = const { RefCell::new(None) };
    /// Why a backend of this thread last changed its state.
    static LAST_WORDS: RefCell<Arc<str>> = RefCell::new(Arc::from(""));
}

/// This thread's way to `to`.
fn outbox(to: Recipient<Transitioned>) -> Rc<Outbox<Transitioned>> {
    OUTBOX.with_borrow_mut(|outbox| match outbox {
        Some(outbox) if outbox.leads_to(&to) => Rc::clone(outbox),
        _ => Rc::clone(outbox.insert(Rc::new(Outbox::new(to)))),
    })
}

/// The words of a transition, shared with the one before where they are the same:
/// when thousands of backends change at once, it is for one reason.
fn common(words: String) -> Arc<str> {
    LAST_WORDS.with_borrow_mut(|last| {
        if **last != *words {
            *last = words.into();
        }
        Arc::clone(last)
    })
}

/// A probe made ready.
enum PreparedProbe {
    Probe(Probe),
    Script(FakeProbe, IpAddr),
    /// It cannot be made, and that is what it finds.
    Cannot(ProbeResult),
}

impl PreparedProbe {
    async fn run(&self) -> ProbeResult {
        match self {
            Self::Probe(probe) => probe.run().await,
            Self::Script(fake, address) => fake(*address).await,
            Self::Cannot(why) => why.clone(),
        }
    }
}

impl Prober {
    /// A prober that tells `to` of transitions. Must be called on the thread
    /// that it is to run on.
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
            health: Health::new(timing.as_ref(), settings.admin),
            probe: None,
            settings,
            transport,
            last: None,
            stats: Box::default(),
            due: Instant::now(),
            under_way: None,
            controller: Some(outbox(to)),
        }
    }

    /// Waits for what another leaves, whatever it is told meanwhile, and goes on
    /// from there. Its settings may have changed on the way.
    pub fn take_over(&self, left: oneshot::Receiver<HandoverState>, ctx: &mut Context<Self>) {
        let left = left.into_actor(self);
        ctx.wait(left.map(|left, this, ctx| {
            // Nothing comes when the daemon stops.
            let Ok(HandoverState { health, last, kind, stats }) = left else { return };
            (this.health, this.last) = (health, last);
            if kind == this.kind() {
                this.stats = stats;
            }
            this.feed(HealthInput::CheckChanged, ctx);
        }));
    }

    fn kind(&self) -> Option<&'static str> {
        self.settings.check.as_ref().map(|check| check.kind.type_name())
    }

    fn timing(&self) -> Option<&Timing> {
        self.settings.check.as_ref().map(|check| &check.timing)
    }

    fn prepare(&mut self) {
        let ProberSettings { backend, address, check, .. } = &self.settings;
        // Without an address nothing is probed: the probe that is due waits
        // for `Readdressed`.
        self.probe = address.zip(check.as_ref()).map(|(address, check)| {
            let named = backend.address.name().map(|host| check.of_host(host));
            let check = named.as_ref().unwrap_or(check);
            Rc::new(match &self.transport {
                ProbeTransport::Script(fake) => PreparedProbe::Script(Arc::clone(fake), address),
                ProbeTransport::Network(shared) => match Probe::prepare(check, address, shared) {
                    Ok(probe) => PreparedProbe::Probe(probe),
                    Err(why) => PreparedProbe::Cannot(ProbeResult::new(
                        ResultCode::SocketError,
                        why.to_string(),
                    )),
                },
            })
        });
    }

    fn feed(&mut self, input: HealthInput, ctx: &mut Context<Self>) {
        let decided = Instant::now();
        let health = self.health.clone();
        let (health, effects) = health::step(self.timing(), health, input, fastrand::f64());
        self.health = health;
        if effects.cancel
            && let Some(handle) = self.under_way.take()
        {
            ctx.cancel_future(handle);
        }
        if let Some(StateChange { from, to, why }) = effects.change {
            let transition = Transition { from, to, at: SystemTime::now(), why: common(why) };
            let backend = self.name.clone();
            if let Some(controller) = &self.controller {
                controller.send(Transitioned { prober: self.id, backend, transition, decided });
            }
        }
        match effects.next {
            Some(NextProbe::Wait(run, delay)) => self.wait(run, delay, decided, ctx),
            Some(NextProbe::Probe(run)) => self.probe(run, ctx),
            None => {}
        }
    }

    fn wait(&mut self, run: Run, delay: Duration, now: Instant, ctx: &mut Context<Self>) {
        self.due = now + delay;
        // Not `run_later`, which makes three allocations of it.
        let over = tokio::time::sleep(delay).into_actor(self);
        let over = over.map(move |(), this, ctx| this.feed(HealthInput::Due(run), ctx));
        self.under_way = Some(ctx.spawn(over));
    }

    fn probe(&mut self, run: Run, ctx: &mut Context<Self>) {
        let Some(probe) = self.probe.clone() else { return };
        let (transport, name, due) = (self.transport.clone(), self.name.clone(), self.due);
        let found = async move {
            // Neither the timeout nor the next interval counts the time in line.
            let _slot = match &transport {
                ProbeTransport::Network(shared) => Some(shared.slots().take().await),
                ProbeTransport::Script(_) => None,
            };
            let begun = Instant::now();
            debug!(backend = %name, "probe-start");
            let result = probe.run().await;
            (result, begun.elapsed(), begun.saturating_duration_since(due))
        };
        let told = found.into_actor(self).map(move |found, this, ctx| {
            let (result, took, late): (ProbeResult, Duration, Duration) = found;
            this.stats.add(result.code, took);
            if let ProbeTransport::Network(shared) = &this.transport {
                shared.late().record(late);
            }
            debug!(backend = %this.name, passed = result.passed(), code = %result.code, detail = %result.detail, ?took, ?late, "probe-done");
            this.last = Some(result.clone());
            this.feed(HealthInput::Found { run, result, took }, ctx);
        });
        self.under_way = Some(ctx.spawn(told));
    }
}

impl Actor for Prober {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.prepare();
        self.feed(HealthInput::Start { within: self.settings.within }, ctx);
    }
}

impl Handler<Administer> for Prober {
    type Result = ();

    fn handle(&mut self, Administer { admin, why }: Administer, ctx: &mut Self::Context) {
        self.feed(HealthInput::Administer { admin, why }, ctx);
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
        self.feed(HealthInput::CheckChanged, ctx);
    }
}

impl Handler<Readdressed> for Prober {
    type Result = ();

    fn handle(&mut self, Readdressed(address): Readdressed, ctx: &mut Self::Context) {
        self.settings.address = Some(address);
        self.prepare();
        // The new server has the old one's verdict until its own probes say
        // otherwise, as with another check of the same one.
        self.feed(HealthInput::CheckChanged, ctx);
    }
}

impl Handler<Relocated> for Prober {
    type Result = ();

    fn handle(&mut self, Relocated(environment): Relocated, ctx: &mut Self::Context) {
        if let ProbeTransport::Network(shared) = &mut self.transport {
            *shared = thread_resources(&environment);
        }
        self.prepare();
        self.feed(HealthInput::CheckChanged, ctx);
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
        // Its transition is told by the one who removed it; here it only ends.
        self.controller = None;
        self.feed(HealthInput::Remove, ctx);
        ctx.stop();
    }
}

impl Handler<Handover> for Prober {
    type Result = ();

    fn handle(&mut self, Handover(to): Handover, ctx: &mut Self::Context) {
        let kind = self.kind();
        let (health, last) = (self.health.clone(), self.last.take());
        let stats = std::mem::take(&mut self.stats);
        // Nobody takes it when the daemon stops.
        let _ = to.send(HandoverState { health, last, kind, stats });
        self.handle(Stop, ctx);
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
