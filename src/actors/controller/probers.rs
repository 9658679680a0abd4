//! The probers, and the threads that they are on.

use std::sync::Arc;

use actix::prelude::*;
use tokio::sync::oneshot;

use super::Controller;
use crate::actors::prober::{self, HandoverState, ProbeTransport, Prober};
use crate::domain::config::HealthCheck;
use crate::domain::controller::{ProberId, ProberSettings};
use crate::domain::names::BackendName;
use crate::host::placement::Load;
use crate::probe::thread_resources;

/// A prober, where it is, and what it has to do there.
pub(super) struct Placed {
    prober: Addr<Prober>,
    thread: u32,
    load: Load,
}

impl Controller {
    /// The prober of a backend.
    pub(super) fn prober(&self, backend: &str) -> Option<&Addr<Prober>> {
        self.probers.get(backend).map(|placed| &placed.prober)
    }

    /// Every prober, in the order of the backends' names.
    pub(super) fn all_probers(&self) -> impl Iterator<Item = &Addr<Prober>> {
        self.probers.values().map(|placed| &placed.prober)
    }

    pub(super) fn start_prober(
        &mut self,
        id: ProberId,
        backend: BackendName,
        settings: ProberSettings,
        ctx: &Context<Self>,
    ) {
        let load = Load::of(settings.check.as_deref());
        let thread = self.placement.place(load);
        let prober = self.prober_on(thread, (id, &backend, settings), None, ctx);
        self.probers.insert(backend, Placed { prober, thread, load });
    }

    pub(super) fn stop_prober(&mut self, backend: &BackendName) {
        if let Some(Placed { prober, thread, load }) = self.probers.remove(backend) {
            self.placement.remove(thread, load);
            prober.do_send(prober::Stop);
        }
    }

    /// A backend has another check. Where its thread has too much to do with
    /// that, another prober goes on for it on another thread.
    pub(super) fn change_check(
        &mut self,
        backend: &BackendName,
        check: Option<Arc<HealthCheck>>,
        ctx: &Context<Self>,
    ) {
        let (Some(placed), Some((id, settings))) =
            (self.probers.get_mut(backend), self.state.prober(backend))
        else {
            return;
        };
        let before = std::mem::replace(&mut placed.load, Load::of(check.as_deref()));
        let thread = self.placement.change(placed.thread, before, placed.load);
        if thread == placed.thread {
            placed.prober.do_send(prober::CheckChanged(check));
            return;
        }
        placed.thread = thread;
        let (left, handover) = oneshot::channel();
        placed.prober.do_send(prober::Handover(left));
        // What it is told from now on it takes in after what was left to it.
        let prober = self.prober_on(thread, (id, backend, settings), Some(handover), ctx);
        if let Some(placed) = self.probers.get_mut(backend) {
            placed.prober = prober;
        }
    }

    fn prober_on(
        &self,
        thread: u32,
        (id, backend, settings): (ProberId, &BackendName, ProberSettings),
        handover: Option<oneshot::Receiver<HandoverState>>,
        ctx: &Context<Self>,
    ) -> Addr<Prober> {
        let (to, name) = (ctx.address().recipient(), backend.clone());
        let (environment, fake_probe) = (self.environment.clone(), self.fake_probe.clone());
        let start = move |ctx: &mut Context<Prober>| {
            let network = || ProbeTransport::Network(thread_resources(&environment));
            let transport = fake_probe.map_or_else(network, ProbeTransport::Script);
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
}
