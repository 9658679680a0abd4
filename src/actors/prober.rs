//! Probes one backend, however many frontends use it. What a result means is
//! [`health::step`]'s to say; the actor keeps the time and makes the probe.

use std::cell::RefCell;
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use actix::prelude::*;
use tracing::debug;

use super::Outbox;
use super::checker::Transitioned;
use crate::domain::config::{HealthCheck, Timing};
use crate::domain::events::Transition;
use crate::domain::health::{self, Admin, Effect, Health, Input, Run};
use crate::domain::names::BackendName;
use crate::domain::probe::{Code, Finding};
use crate::domain::roster::{ProberId, ProberSettings};
use crate::domain::tally::Tally;
use crate::probe::{Ground, Probe, Shared};

/// Put the backend into this administrative state. Answered when it is.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Administer {
    /// What is wanted.
    pub admin: Admin,
    /// Who wants it.
    pub why: String,
}

/// The backend has another health check from now on; `None`: always up.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct CheckChanged(pub Option<Arc<HealthCheck>>);

/// The backend is at another address from now on.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Readdressed(pub IpAddr);

/// Probes leave from another namespace from now on.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Relocated(pub Ground);

/// What did all the probes find?
#[derive(Message, Debug)]
#[rtype(result = "Counted")]
pub struct GetTally;

/// The probes of one backend, counted.
#[derive(Clone, Debug, MessageResponse)]
pub struct Counted {
    /// The backend.
    pub backend: BackendName,
    /// The type of its check; `None`: it is not probed.
    pub kind: Option<&'static str>,
    /// Since it has that type.
    pub tally: Tally,
}

/// End, with no probe under way and no socket open.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Stop;

/// Where does the counter stand, and what did the last probe find?
#[derive(Message, Debug)]
#[rtype(result = "Reading")]
pub struct GetReading;

/// What a prober knows beyond the verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq, MessageResponse)]
pub struct Reading {
    /// 0 to rise+fall-1.
    pub counter: u32,
    /// What the last probe found; `None` before the first.
    pub last: Option<Finding>,
}

/// How backends are probed.
#[derive(Clone)]
pub enum Way {
    /// Over the network; the prober's thread shares what probes need.
    Network(Shared),
    /// As a simulation has it.
    Script(Script),
}

/// What a probe of an address finds, in place of a network.
pub type Script =
    Arc<dyn Fn(IpAddr) -> Pin<Box<dyn Future<Output = Finding> + Send>> + Send + Sync>;

/// The actor. See the module's description.
pub struct Prober {
    id: ProberId,
    name: BackendName,
    settings: ProberSettings,
    way: Way,
    probe: Option<Rc<Prepared>>,
    health: Health,
    last: Option<Finding>,
    tally: Box<Tally>,
    /// When the next probe is to start, or the last was.
    due: Instant,
    /// The wait or the probe that is under way.
    under_way: Option<SpawnHandle>,
    /// `None`: nobody is told any more.
    checker: Option<Rc<Outbox<Transitioned>>>,
}

thread_local! {
    /// The way out that the probers of one thread share.
    static OUTBOX: RefCell<Option<Rc<Outbox<Transitioned>>>> = const { RefCell::new(None) };
}

/// This thread's way to `to`.
fn outbox(to: Recipient<Transitioned>) -> Rc<Outbox<Transitioned>> {
    OUTBOX.with_borrow_mut(|outbox| match outbox {
        Some(outbox) if outbox.leads_to(&to) => Rc::clone(outbox),
        _ => Rc::clone(outbox.insert(Rc::new(Outbox::new(to)))),
    })
}

/// A probe made ready.
enum Prepared {
    Probe(Probe),
    Script(Script, IpAddr),
    /// It cannot be made, and that is what it finds.
    Cannot(Finding),
}

impl Prepared {
    async fn run(&self) -> Finding {
        match self {
            Self::Probe(probe) => probe.run().await,
            Self::Script(script, address) => script(*address).await,
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
        way: Way,
        to: Recipient<Transitioned>,
    ) -> Self {
        let timing = settings.check.as_ref().map(|check| check.timing);
        Self {
            id,
            name,
            health: Health::new(timing.as_ref(), settings.admin),
            probe: None,
            settings,
            way,
            last: None,
            tally: Box::default(),
            due: Instant::now(),
            under_way: None,
            checker: Some(outbox(to)),
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
        // Without an address nothing is probed: the probe that is due waits
        // for `Readdressed`.
        self.probe = address.zip(check.as_ref()).map(|(address, check)| {
            let named = backend.address.name().map(|host| check.of_host(host));
            let check = named.as_ref().unwrap_or(check);
            Rc::new(match &self.way {
                Way::Script(script) => Prepared::Script(Arc::clone(script), address),
                Way::Network(shared) => match Probe::prepare(check, address, shared) {
                    Ok(probe) => Prepared::Probe(probe),
                    Err(why) => Prepared::Cannot(Finding::new(Code::SocketError, why.to_string())),
                },
            })
        });
    }

    fn feed(&mut self, input: Input, ctx: &mut Context<Self>) {
        let decided = Instant::now();
        let health = self.health.clone();
        let (health, effects) = health::step(self.timing(), health, input, fastrand::f64());
        self.health = health;
        for effect in effects {
            self.perform(effect, decided, ctx);
        }
    }

    fn perform(&mut self, effect: Effect, decided: Instant, ctx: &mut Context<Self>) {
        match effect {
            Effect::Cancel => {
                if let Some(handle) = self.under_way.take() {
                    ctx.cancel_future(handle);
                }
            }
            Effect::Wait(run, delay) => {
                let due = move |this: &mut Self, ctx: &mut Context<Self>| {
                    this.feed(Input::Due(run), ctx);
                };
                self.due = decided + delay;
                self.under_way = Some(ctx.run_later(delay, due));
            }
            Effect::Probe(run) => self.probe(run, ctx),
            Effect::Transition { from, to, why } => {
                let why = why.into();
                let transition = Transition { from, to, at: SystemTime::now(), why };
                let backend = self.name.clone();
                if let Some(checker) = &self.checker {
                    checker.send(Transitioned { prober: self.id, backend, transition, decided });
                }
            }
        }
    }

    fn probe(&mut self, run: Run, ctx: &mut Context<Self>) {
        let Some(probe) = self.probe.clone() else { return };
        let (way, name, due) = (self.way.clone(), self.name.clone(), self.due);
        let found = async move {
            // Neither the timeout nor the next interval counts the time in line.
            let _slot = match &way {
                Way::Network(shared) => Some(shared.slots().take().await),
                Way::Script(_) => None,
            };
            let begun = Instant::now();
            debug!(backend = %name, "probe-start");
            let finding = probe.run().await;
            (finding, begun.elapsed(), begun.saturating_duration_since(due))
        };
        let told = found.into_actor(self).map(move |found, this, ctx| {
            let (finding, took, late): (Finding, Duration, Duration) = found;
            this.tally.add(finding.code, took);
            if let Way::Network(shared) = &this.way {
                shared.late().record(late);
            }
            debug!(backend = %this.name, passed = finding.passed(), code = %finding.code, detail = %finding.detail, ?took, ?late, "probe-done");
            this.last = Some(finding.clone());
            this.feed(Input::Found { run, finding, took }, ctx);
        });
        self.under_way = Some(ctx.spawn(told));
    }
}

impl Actor for Prober {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.prepare();
        self.feed(Input::Start { within: self.settings.within }, ctx);
    }
}

impl Handler<Administer> for Prober {
    type Result = ();

    fn handle(&mut self, Administer { admin, why }: Administer, ctx: &mut Self::Context) {
        self.feed(Input::Administer { admin, why }, ctx);
    }
}

impl Handler<CheckChanged> for Prober {
    type Result = ();

    fn handle(&mut self, CheckChanged(check): CheckChanged, ctx: &mut Self::Context) {
        let kind = self.kind();
        self.settings.check = check;
        if self.kind() != kind {
            *self.tally = Tally::default();
        }
        self.prepare();
        self.feed(Input::CheckChanged, ctx);
    }
}

impl Handler<Readdressed> for Prober {
    type Result = ();

    fn handle(&mut self, Readdressed(address): Readdressed, ctx: &mut Self::Context) {
        self.settings.address = Some(address);
        self.prepare();
        // The new server has the old one's verdict until its own probes say
        // otherwise, as with another check of the same one.
        self.feed(Input::CheckChanged, ctx);
    }
}

impl Handler<Relocated> for Prober {
    type Result = ();

    fn handle(&mut self, Relocated(ground): Relocated, ctx: &mut Self::Context) {
        if let Way::Network(shared) = &mut self.way {
            *shared = super::checker::shared_on(&ground);
        }
        self.prepare();
        self.feed(Input::CheckChanged, ctx);
    }
}

impl Handler<GetTally> for Prober {
    type Result = Counted;

    fn handle(&mut self, _: GetTally, _: &mut Self::Context) -> Counted {
        let (backend, tally) = (self.name.clone(), Tally::clone(&self.tally));
        Counted { backend, kind: self.kind(), tally }
    }
}

impl Handler<Stop> for Prober {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Self::Context) {
        // Its transition is told by the one who removed it; here it only ends.
        self.checker = None;
        self.feed(Input::Remove, ctx);
        ctx.stop();
    }
}

impl Handler<GetReading> for Prober {
    type Result = Reading;

    fn handle(&mut self, _: GetReading, _: &mut Self::Context) -> Reading {
        Reading { counter: self.health.counter, last: self.last.clone() }
    }
}

#[cfg(test)]
mod tests;
