//! Starts and stops the probers, moves them between threads, and gives them their
//! environment.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix::prelude::*;
use tokio::sync::oneshot;

use crate::actors::prober::{
    self, FakeProbe, HandoverState, ProbeTransport, Prober, ProberRecipients, WitnessProber,
};
use crate::domain::config::{HealthCheck, HealthCheckerSettings, WitnessAddress};
use crate::domain::controller::ProberSettings;
use crate::domain::names::BackendName;
use crate::domain::prober_id::ProberId;
use crate::host::placement::{Load, Placement};
use crate::probe::{Namespace, NamespaceError, ProbeEnvironment, Slots, thread_resources};

/// The probers of all backends.
pub(super) struct Probers {
    by_backend: BTreeMap<BackendName, PlacedProber>,
    arbiters: Vec<ArbiterHandle>,
    placement: Placement,
    pub(super) environment: ProbeEnvironment,
    pub(super) fake_probe: Option<FakeProbe>,
    renewals: u64,
    /// The states from which probers that are about to be started continue.
    handovers: BTreeMap<BackendName, oneshot::Receiver<HandoverState>>,
}

/// A prober, its thread, and the load that it puts on it.
struct PlacedProber {
    address: Addr<Prober>,
    thread: u32,
    load: Load,
}

impl Probers {
    /// Probers run on as many of the `arbiters` as needed, or on the Controller's thread
    /// if there are none.
    pub(super) fn new(arbiters: Vec<ArbiterHandle>) -> Self {
        Self {
            by_backend: BTreeMap::new(),
            placement: Placement::over(arbiters.len()),
            arbiters,
            environment: ProbeEnvironment::default(),
            fake_probe: None,
            renewals: 0,
            handovers: BTreeMap::new(),
        }
    }

    pub(super) fn get(&self, backend: &str) -> Option<&Addr<Prober>> {
        self.by_backend.get(backend).map(|prober| &prober.address)
    }

    /// Sends a message to the prober of a backend, if it has one.
    pub(super) fn tell<M>(&self, backend: &BackendName, message: M)
    where
        M: Message + Send + 'static,
        M::Result: Send,
        Prober: Handler<M>,
    {
        if let Some(prober) = self.get(backend.as_str()) {
            prober.do_send(message);
        }
    }

    /// In the order of the backends' names.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Addr<Prober>> {
        self.by_backend.values().map(|prober| &prober.address)
    }

    pub(super) fn start(
        &mut self,
        id: ProberId,
        backend: BackendName,
        settings: ProberSettings,
        to: ProberRecipients,
    ) {
        let load = Load::of(settings.check.as_deref());
        let thread = self.placement.place(load);
        let handover = self.handovers.remove(&backend);
        let address = self.start_on(thread, (id, &backend, settings), handover, to);
        self.by_backend.insert(backend, PlacedProber { address, thread, load });
    }

    /// Copies the state of a prober for another one that is about to be started.
    pub(super) fn copy_verdict(&mut self, from: &BackendName, to: BackendName, with_stats: bool) {
        if let Some(prober) = self.by_backend.get(from) {
            let (sender, handover) = oneshot::channel();
            prober.address.do_send(prober::CopyState { to: sender, with_stats });
            self.handovers.insert(to, handover);
        }
    }

    pub(super) fn stop(&mut self, backend: &BackendName) {
        if let Some(PlacedProber { address, thread, load }) = self.by_backend.remove(backend) {
            self.placement.remove(thread, load);
            address.do_send(prober::Stop);
        }
    }

    /// Changes the health check of a backend. If its thread would be overloaded, another
    /// prober takes over on another thread.
    pub(super) fn change_check(
        &mut self,
        backend: &BackendName,
        check: Option<Arc<HealthCheck>>,
        (id, settings): (ProberId, ProberSettings),
        to: ProberRecipients,
    ) {
        let Some(prober) = self.by_backend.get_mut(backend) else { return };
        let before = std::mem::replace(&mut prober.load, Load::of(check.as_deref()));
        let thread = self.placement.change(prober.thread, before, prober.load);
        if thread == prober.thread {
            prober.address.do_send(prober::CheckChanged(check));
            return;
        }
        prober.thread = thread;
        let (sender, handover) = oneshot::channel();
        prober.address.do_send(prober::Handover(sender));
        // The new prober handles messages only after it has received the handover.
        let address = self.start_on(thread, (id, backend, settings), Some(handover), to);
        if let Some(prober) = self.by_backend.get_mut(backend) {
            prober.address = address;
        }
    }

    fn start_on(
        &self,
        thread: u32,
        (id, backend, settings): (ProberId, &BackendName, ProberSettings),
        handover: Option<oneshot::Receiver<HandoverState>>,
        to: ProberRecipients,
    ) -> Addr<Prober> {
        let name = backend.clone();
        let (environment, fake_probe) = (self.environment.clone(), self.fake_probe.clone());
        let start = move |ctx: &mut Context<Prober>| {
            let network = || ProbeTransport::Network(thread_resources(&environment));
            let transport = fake_probe.map_or_else(network, ProbeTransport::Fake);
            let prober = Prober::new(id, name, settings, transport, to);
            if let Some(handover) = handover {
                prober.take_over(handover, ctx);
            }
            prober
        };
        match self.arbiters.get(thread as usize) {
            Some(arbiter) => Prober::start_in_arbiter(arbiter, start),
            None => Prober::create(start),
        }
    }

    /// Probes a configured witness, to answer `ask`.
    pub(super) fn ask_witness(
        &self,
        witness: WitnessAddress,
        ask: prober::Ask,
        to: Recipient<prober::Answered>,
    ) {
        let (environment, fake_probe) = (self.environment.clone(), self.fake_probe.clone());
        let start = move |_: &mut Context<WitnessProber>| {
            let network = || ProbeTransport::Network(thread_resources(&environment));
            let transport = fake_probe.map_or_else(network, ProbeTransport::Fake);
            WitnessProber::new(witness, ask, transport, to)
        };
        match self.arbiters.first() {
            Some(arbiter) => WitnessProber::start_in_arbiter(arbiter, start),
            None => WitnessProber::create(start),
        };
    }

    /// Has all probes read the trusted certificates again.
    pub(super) fn renew_roots(&mut self) {
        self.renewals += 1;
        for prober in self.iter() {
            prober.do_send(prober::RenewRoots(self.renewals));
        }
    }

    /// Enters the namespace of `settings`, unless it is the present one.
    pub(super) fn enter_namespace(
        &self,
        settings: &HealthCheckerSettings,
    ) -> Result<Option<Namespace>, NamespaceError> {
        let present = self.environment.namespace.as_ref();
        match settings.netns.as_deref() {
            None => Ok(None),
            wanted if wanted == present.map(Namespace::name) => Ok(present.cloned()),
            Some(name) => Namespace::enter(name).map(Some),
        }
    }

    /// Makes all probers probe from `namespace`, with the limit of `settings`.
    pub(super) fn set_environment(
        &mut self,
        namespace: Option<Namespace>,
        settings: &HealthCheckerSettings,
    ) {
        self.environment.slots.resize(Slots::bound(settings.max_probes));
        let name =
            |namespace: &Option<Namespace>| namespace.as_ref().map(|it| it.name().to_owned());
        if name(&namespace) != name(&self.environment.namespace) {
            self.environment.namespace = namespace;
            for prober in self.iter() {
                prober.do_send(prober::Relocated(self.environment.clone()));
            }
        }
    }
}
