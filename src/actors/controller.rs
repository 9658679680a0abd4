//! Owns the accepted configuration, the operators' overrides and every
//! backend's verdict, and tells the Reconciler what each frontend should look
//! like. What follows from what is the [`ControllerState`]'s to say; the actor carries
//! out its orders.

mod environment;
mod messages;
mod names;
mod probers;
mod queries;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use actix::prelude::*;
use tracing::{info, warn};

pub use messages::*;
use probers::Placed;
pub use queries::log_warnings;

use super::Outbox;
use super::prober::{self, FakeProbe, Transitioned};
use super::reconciler::{
    DesiredChanged, DesiredReplaced, ProgressChanged, Reconciler, SubscribeProgress,
};
use super::resolver::{self, Resolver};
use crate::actors::event_batcher::EventBatcher;
use crate::config::ConfigSource;
use crate::domain::config::Config;
use crate::domain::controller::{CommandRefused, ControllerEffect, ControllerState};
use crate::domain::events::Event;
use crate::domain::names::BackendName;
use crate::domain::reconcile::{DesiredSnapshot, DesiredUpdate};
use crate::host::placement::Placement;
use crate::probe::ProbeEnvironment;

/// Mailbox places: a transition of every backend at once fits.
const MAILBOX: usize = 65_536;

/// The actor. See the module's description.
pub struct Controller {
    source: Arc<dyn ConfigSource>,
    state: ControllerState,
    probers: BTreeMap<BackendName, Placed>,
    arbiters: Vec<ArbiterHandle>,
    placement: Placement,
    environment: ProbeEnvironment,
    events: EventBatcher,
    links: Option<Links>,
    reconciler: Recipients,
    first_effects: Vec<ControllerEffect>,
    fake_probe: Option<FakeProbe>,
    fake_resolver: Option<resolver::FakeResolver>,
    resolver: Option<Addr<Resolver>>,
}

/// Who hears of what should be.
#[derive(Clone)]
pub struct Recipients {
    /// Of single frontends.
    pub changed: Recipient<DesiredChanged>,
    /// Of everything at once.
    pub replaced: Recipient<DesiredReplaced>,
    /// Takes who is to be told what VPP holds.
    pub progress: Recipient<SubscribeProgress>,
}

impl From<&Addr<Reconciler>> for Recipients {
    fn from(reconciler: &Addr<Reconciler>) -> Self {
        Self {
            changed: reconciler.clone().recipient(),
            replaced: reconciler.clone().recipient(),
            progress: reconciler.clone().recipient(),
        }
    }
}

struct Links {
    changed: Outbox<DesiredChanged>,
    replaced: Outbox<DesiredReplaced>,
}

impl Controller {
    /// A Controller of `config`, which was loaded from `source`. Probers run on as many
    /// of the `arbiters` as it takes, or beside the Controller if there are none.
    #[must_use]
    pub fn new(
        source: Arc<dyn ConfigSource>,
        config: Config,
        arbiters: Vec<ArbiterHandle>,
        events: EventBatcher,
        reconciler: Recipients,
    ) -> Self {
        let (state, first_effects) = ControllerState::new(Arc::new(config), SystemTime::now());
        Self {
            source,
            state,
            probers: BTreeMap::new(),
            placement: Placement::over(arbiters.len()),
            arbiters,
            environment: ProbeEnvironment::default(),
            events,
            links: None,
            reconciler,
            first_effects,
            fake_probe: None,
            fake_resolver: None,
            resolver: None,
        }
    }

    /// Has probes made on `environment`, and not without a bound from the daemon's
    /// own namespace.
    #[must_use]
    pub fn on(mut self, environment: ProbeEnvironment) -> Self {
        self.environment = environment;
        self
    }

    /// The same, and its probes find what `fake_probe` says: no network is used.
    #[must_use]
    pub fn with_fake_probe(self, fake_probe: FakeProbe) -> Self {
        Self { fake_probe: Some(fake_probe), ..self }
    }

    /// The same, and its backends' names lead where `fake_resolver` says.
    #[must_use]
    pub fn with_fake_resolver(self, fake_resolver: resolver::FakeResolver) -> Self {
        Self { fake_resolver: Some(fake_resolver), ..self }
    }

    fn execute(
        &mut self,
        effects: Vec<ControllerEffect>,
        decided: Option<Instant>,
        ctx: &Context<Self>,
    ) {
        for effect in effects {
            match effect {
                ControllerEffect::StartProber { id, backend, settings } => {
                    self.start_prober(id, backend, settings, ctx);
                }
                ControllerEffect::StopProber(backend) => self.stop_prober(&backend),
                ControllerEffect::CheckChanged(backend, check) => {
                    self.change_check(&backend, check, ctx);
                }
                ControllerEffect::Administer { backend, admin, why } => {
                    if let Some(prober) = self.prober(backend.as_str()) {
                        prober.do_send(prober::Administer { admin, why });
                    }
                }
                ControllerEffect::Readdress(backend, address) => {
                    if let Some(prober) = self.prober(backend.as_str()) {
                        prober.do_send(prober::Readdressed(address));
                    }
                }
                ControllerEffect::AddressShared { backend, other, address } => warn!(
                    %backend, %other, %address,
                    "backend-address-shared: they are one server, with the greater weight of the two"
                ),
                ControllerEffect::Publish(event) => self.publish(event),
                ControllerEffect::Desire(frontends) => {
                    if let Some(links) = &self.links {
                        let generation = self.state.generation();
                        let update = DesiredUpdate { frontends, decided, generation };
                        links.changed.send(DesiredChanged(update));
                    }
                }
                ControllerEffect::OverrideDropped(what) => {
                    warn!(
                        dropped = what,
                        "override-dropped: the file now says something else, or has no such item"
                    );
                }
            }
        }
    }

    fn publish(&self, event: Event) {
        match &event {
            Event::Backend(name, change) => info!(
                backend = %name, from = %change.from, to = %change.to, why = &*change.why,
                "backend-transition"
            ),
            Event::Frontend(name, change) => info!(
                frontend = %name, from = %change.from, to = %change.to, why = &*change.why,
                "frontend-transition"
            ),
            Event::Log(_) | Event::Dataplane(_) | Event::Change(_) => {}
        }
        self.events.publish(event);
    }

    /// Tells watchers what there is at the start. A reload is told by events:
    /// to replace what they start with would have the events come after what
    /// they lead to.
    fn set_snapshot(&self) {
        self.events.set_snapshot(self.state.states(), SystemTime::now());
    }

    /// Tells the Reconciler all that should be: after a start and a reload.
    fn replace_desired(&self) {
        let Some(links) = &self.links else { return };
        links.replaced.send(DesiredReplaced(self.desired()));
    }

    fn desired(&self) -> DesiredSnapshot {
        DesiredSnapshot {
            desired: Arc::new(self.state.desired()),
            settings: Arc::new(self.state.config().lb.clone()),
            generation: self.state.generation(),
        }
    }
}

impl Actor for Controller {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
        self.links = Some(Links {
            changed: Outbox::new(self.reconciler.changed.clone()),
            replaced: Outbox::new(self.reconciler.replaced.clone()),
        });
        self.reconciler.progress.do_send(SubscribeProgress(ctx.address().recipient()));
        let resolver = Resolver::new(self.fake_resolver.take(), ctx.address().recipient());
        self.resolver = Some(resolver.start());
        let effects = std::mem::take(&mut self.first_effects);
        self.set_snapshot();
        self.replace_desired();
        self.execute(effects, None, ctx);
        self.look_up_names();
        ctx.run_later(self.state.config().lb.startup_max_delay, |this, ctx| {
            let effects = this.state.expire_startup_grace(SystemTime::now());
            this.execute(effects, None, ctx);
        });
    }
}

impl Handler<Transitioned> for Controller {
    type Result = ();

    fn handle(&mut self, message: Transitioned, ctx: &mut Self::Context) {
        let Transitioned { prober, backend, transition, decided } = message;
        let effects = self.state.transitioned(prober, &backend, transition);
        self.execute(effects, Some(decided), ctx);
    }
}

impl Handler<ProgressChanged> for Controller {
    type Result = ();

    fn handle(&mut self, message: ProgressChanged, _: &mut Self::Context) {
        self.state.progressed(message.generation, message.changes);
    }
}

impl Handler<AdministerBackend> for Controller {
    type Result = ResponseFuture<Result<(), CommandRefused>>;

    fn handle(&mut self, message: AdministerBackend, _: &mut Self::Context) -> Self::Result {
        let AdministerBackend { backend, command, who } = message;
        let effects = self.state.administer(&backend, command, (&who, SystemTime::now()));
        let mut probers = Vec::new();
        for effect in effects.iter().flatten() {
            match effect {
                ControllerEffect::Administer { backend, admin, why } => {
                    let message = prober::Administer { admin: *admin, why: why.clone() };
                    let prober = self.prober(backend.as_str());
                    probers.extend(prober.map(|prober| (prober.clone(), message)));
                }
                // What was asked for is told before what comes of it.
                ControllerEffect::Publish(event) => self.publish(event.clone()),
                _ => {}
            }
        }
        Box::pin(async move {
            effects?;
            for (prober, message) in probers {
                // Its transition is in our mailbox before this answer is.
                if prober.send(message).await.is_err() {
                    // A reload took it away in between.
                    return Err(CommandRefused::NoBackend(backend));
                }
            }
            Ok(())
        })
    }
}

impl Handler<SetWeight> for Controller {
    type Result = MessageResult<SetWeight>;

    fn handle(&mut self, message: SetWeight, ctx: &mut Self::Context) -> Self::Result {
        let SetWeight { frontend, pool, backend, weight, who } = message;
        let now = SystemTime::now();
        let effects = self.state.set_weight(&frontend, &pool, &backend, weight, (&who, now));
        MessageResult(effects.map(|effects| {
            info!(frontend, pool, backend, %weight, who, "weight-set");
            self.execute(effects, None, ctx);
            self.state.generation()
        }))
    }
}

#[cfg(test)]
mod tests;
