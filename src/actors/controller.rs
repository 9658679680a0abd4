//! Owns the configuration, the operators' overrides and the state of every backend.
//! [`ControllerState`] decides; the actor executes its effects: it starts and stops
//! probers, sends the desired state to the Reconciler, and publishes events.

mod commands;
mod draining;
mod evidence;
mod execution;
mod log;
mod messages;
mod names;
mod overrides;
mod pending;
mod probers;
mod queries;
mod reload;
mod reports;
mod situations;
mod slow_start;

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use actix::prelude::*;

pub use messages::*;
use pending::CommandWrites;
use probers::Probers;
pub use reload::log_warnings;

use super::Outbox;
use super::announcer::AnnounceFactsChanged;
use super::override_keeper::StoreOverrides;
use super::prober::FakeProbe;
use super::reconciler::{DesiredChanged, DesiredReplaced, Reconciler, SubscribeProgress};
use super::resolver::{self, Resolver};
use super::vpp_connection::ReadFlows;
use crate::actors::clock::moment;
use crate::actors::event_batcher::EventBatcher;
use crate::config::ConfigSource;
use crate::domain::config::Config;
use crate::domain::controller::{ControllerEffect, ControllerState, ReloadQueue};
use crate::domain::overrides::OverrideSet;
use crate::domain::reconcile::DesiredSnapshot;
use crate::probe::ProbeEnvironment;

/// The mailbox's capacity: a transition of every backend at once fits.
const MAILBOX: usize = 65_536;

/// The actor. See the module's description.
pub struct Controller {
    source: Arc<dyn ConfigSource>,
    state: ControllerState,
    reloads: ReloadQueue<ReloadRequest>,
    probers: Probers,
    events: EventBatcher,
    outboxes: Option<Outboxes>,
    reconciler: Recipients,
    initial_effects: Vec<ControllerEffect>,
    fake_resolver: Option<resolver::FakeResolver>,
    /// Reads VPP's flows; `None`: there is no VPP.
    flow_counter: Option<Recipient<ReadFlows>>,
    /// `None`: nothing is announced.
    announcer: Option<Recipient<AnnounceFactsChanged>>,
    resolver: Option<Addr<Resolver>>,
    writes: CommandWrites,
    /// `None`: overrides are not kept over restarts.
    keeper: Option<Recipient<StoreOverrides>>,
    /// When the next override ends, with its timer.
    expiry: Option<(Instant, SpawnHandle)>,
    /// The timer after a write that failed.
    retry: Option<SpawnHandle>,
    write_stats: OverrideWriteStats,
    /// The effects that wait until a new weight is on its way to VPP.
    deferred: Vec<ControllerEffect>,
}

/// The Reconciler, as far as the Controller sends to it.
#[derive(Clone)]
pub struct Recipients {
    pub changed: Recipient<DesiredChanged>,
    pub replaced: Recipient<DesiredReplaced>,
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

struct Outboxes {
    changed: Outbox<DesiredChanged>,
    replaced: Outbox<DesiredReplaced>,
}

impl Controller {
    /// A Controller of `config`, which was loaded from `source`. Probers run on as many of
    /// the `arbiters` as needed, or on the Controller's thread if there are none.
    #[must_use]
    pub fn new(
        source: Arc<dyn ConfigSource>,
        config: Config,
        arbiters: Vec<ArbiterHandle>,
        events: EventBatcher,
        reconciler: Recipients,
    ) -> Self {
        let (state, initial_effects) = ControllerState::new(Arc::new(config), SystemTime::now());
        Self {
            source,
            state,
            reloads: ReloadQueue::default(),
            probers: Probers::new(arbiters),
            events,
            outboxes: None,
            reconciler,
            initial_effects,
            fake_resolver: None,
            flow_counter: None,
            announcer: None,
            resolver: None,
            writes: CommandWrites::new(Some(OverrideSet::default())),
            keeper: None,
            expiry: None,
            retry: None,
            write_stats: OverrideWriteStats::default(),
            deferred: Vec::new(),
        }
    }

    /// Begins with what an earlier daemon has `stored`, and keeps overrides over restarts by
    /// `keeper`. Comes first.
    #[must_use]
    pub fn keeping(mut self, stored: OverrideSet, keeper: Recipient<StoreOverrides>) -> Self {
        let (config, now) = (Arc::clone(self.state.config()), moment());
        (self.state, self.initial_effects) = ControllerState::restored(config, &stored, now);
        self.writes = CommandWrites::new(Some(stored));
        self.keeper = Some(keeper);
        self
    }

    /// Sets the namespace of probes and the limit of probes in flight. Without it they
    /// use the daemon's own namespace, without a limit.
    #[must_use]
    pub fn on(mut self, environment: ProbeEnvironment) -> Self {
        self.probers.environment = environment;
        self
    }

    /// Backends may be served by a VPP that was not read yet.
    #[must_use]
    pub fn awaiting_vpp(mut self) -> Self {
        self.initial_effects.extend(self.state.await_vpp());
        self
    }

    /// Has this actor read VPP's flows, for drains.
    #[must_use]
    pub fn with_flow_counter(self, flow_counter: Recipient<ReadFlows>) -> Self {
        Self { flow_counter: Some(flow_counter), ..self }
    }

    /// Tells this actor what announcements are decided by.
    #[must_use]
    pub fn with_announcer(self, announcer: Recipient<AnnounceFactsChanged>) -> Self {
        Self { announcer: Some(announcer), ..self }
    }

    /// Replaces all probes by `fake_probe`, which uses no network.
    #[must_use]
    pub fn with_fake_probe(mut self, fake_probe: FakeProbe) -> Self {
        self.probers.fake_probe = Some(fake_probe);
        self
    }

    /// Replaces all DNS lookups by `fake_resolver`.
    #[must_use]
    pub fn with_fake_resolver(self, fake_resolver: resolver::FakeResolver) -> Self {
        Self { fake_resolver: Some(fake_resolver), ..self }
    }

    /// Sets the snapshot with which subscribers start. A reload publishes events instead:
    /// a snapshot would already contain what the events after it lead to.
    fn set_snapshot(&self) {
        self.events.set_snapshot(self.state.states(), SystemTime::now());
    }

    /// Sends the Reconciler the whole desired state, after a start or a reload.
    fn replace_desired(&self, force: bool) {
        let Some(outboxes) = &self.outboxes else { return };
        outboxes.replaced.send(DesiredReplaced(DesiredSnapshot { force, ..self.desired() }));
    }

    fn desired(&self) -> DesiredSnapshot {
        DesiredSnapshot {
            desired: Arc::new(self.state.desired()),
            settings: Arc::new(self.state.config().lb.clone()),
            generation: self.state.generation(),
            announced: self.state.announced_vips(),
            force: false,
        }
    }
}

impl Actor for Controller {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
        self.outboxes = Some(Outboxes {
            changed: Outbox::new(self.reconciler.changed.clone()),
            replaced: Outbox::new(self.reconciler.replaced.clone()),
        });
        let (progress, served) = (ctx.address().recipient(), ctx.address().recipient());
        let presence = ctx.address().recipient();
        self.reconciler.progress.do_send(SubscribeProgress { progress, served, presence });
        let resolver = Resolver::new(self.fake_resolver.take(), ctx.address().recipient());
        self.resolver = Some(resolver.start());
        let effects = std::mem::take(&mut self.initial_effects);
        self.set_snapshot();
        self.replace_desired(false);
        self.execute(effects, ctx);
        self.keep_overrides(ctx);
        self.send_names_to_resolver();
        ctx.run_later(self.state.config().lb.startup_max_delay, |this, ctx| {
            let effects = this.state.expire_startup_grace(SystemTime::now());
            this.execute(effects, ctx);
        });
    }
}

#[cfg(test)]
mod tests;
