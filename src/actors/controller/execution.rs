//! Executes what the [`ControllerState`](crate::domain::controller::ControllerState) decides:
//! starts, stops and tells probers, sends the desired state to the Reconciler, and publishes
//! events.

use std::time::{Instant, SystemTime};

use actix::prelude::*;
use tracing::{info, warn};

use super::{Controller, log};
use crate::actors::announcer::AnnounceFactsChanged;
use crate::actors::clock::moment;
use crate::actors::prober;
use crate::actors::reconciler::DesiredChanged;
use crate::domain::controller::ControllerEffect;
use crate::domain::events::Event;
use crate::domain::evidence::doubts::DoubtOrder;
use crate::domain::reconcile::DesiredUpdate;

impl Controller {
    /// Executes the effects of a verdict. What follows a new desired state waits until the
    /// Reconciler, which shares this thread, has had its turn: neither an event nor a
    /// message to a peer of the backend delays its weight.
    pub(super) fn execute_verdict(
        &mut self,
        effects: Vec<ControllerEffect>,
        decided: Instant,
        ctx: &mut Context<Self>,
    ) {
        self.execute_deferred(ctx);
        let mut effects = effects.into_iter();
        for effect in effects.by_ref() {
            let is_desired = matches!(effect, ControllerEffect::Desire(_));
            self.execute_one(effect, Some(decided), ctx);
            if is_desired {
                break;
            }
        }
        self.deferred = effects.collect();
        if !self.deferred.is_empty() {
            let turn = async { tokio::task::yield_now().await }.into_actor(self);
            ctx.spawn(turn.map(|(), this, ctx| {
                this.execute_deferred(ctx);
                this.tell_announcer();
            }));
        } else {
            self.tell_announcer();
        }
    }

    fn execute_deferred(&mut self, ctx: &mut Context<Self>) {
        for effect in std::mem::take(&mut self.deferred) {
            self.execute_one(effect, None, ctx);
        }
    }

    pub(super) fn tell_announcer(&mut self) {
        if let Some(announcer) = &self.announcer
            && let Some(update) = self.state.announce_update()
        {
            announcer.do_send(AnnounceFactsChanged(update));
        }
    }

    /// Executes effects, after those that were deferred.
    pub(super) fn execute(&mut self, effects: Vec<ControllerEffect>, ctx: &mut Context<Self>) {
        self.execute_deferred(ctx);
        for effect in effects {
            self.execute_one(effect, None, ctx);
        }
        self.tell_announcer();
    }

    fn execute_one(
        &mut self,
        effect: ControllerEffect,
        decided: Option<Instant>,
        ctx: &mut Context<Self>,
    ) {
        match effect {
            ControllerEffect::StartProber { id, backend, settings } => {
                self.probers.start(id, backend, settings, (&ctx.address()).into());
            }
            ControllerEffect::StopProber(backend) => self.probers.stop(&backend),
            ControllerEffect::CopyVerdict { from, to, with_stats } => {
                self.probers.copy_verdict(&from, to, with_stats);
            }
            ControllerEffect::CheckChanged(backend, check) => {
                if let Some(prober) = self.state.prober(&backend) {
                    let to = (&ctx.address()).into();
                    self.probers.change_check(&backend, check, prober, to);
                }
            }
            ControllerEffect::Administer { backend, admin, why, within } => {
                self.probers.tell(&backend, prober::Administer { admin, why, within });
            }
            ControllerEffect::PeerChanged(backend, to) => {
                self.probers.tell(&backend, prober::PeerChanged(to));
            }
            ControllerEffect::PeerTrend { backend, to, within } => {
                self.probers.tell(&backend, prober::PeerTrend { to, within });
            }
            ControllerEffect::EndDamping { backend, why } => {
                self.probers.tell(&backend, prober::EndDamping(why));
            }
            ControllerEffect::Served(backend, served) => {
                self.probers.tell(&backend, prober::Served(served));
            }
            ControllerEffect::SetGraceTimer(reload) => {
                let after = self.state.config().lb.startup_max_delay;
                ctx.run_later(after, move |this, ctx| {
                    let effects = this.state.expire_reload_grace(reload, SystemTime::now());
                    this.execute(effects, ctx);
                });
            }
            ControllerEffect::Readdress(backend, address) => {
                self.probers.tell(&backend, prober::Readdressed(address));
            }
            ControllerEffect::AddressShared { backend, other, address } => warn!(
                %backend, %other, %address,
                "backend-address-shared: they are one server, with the greater weight of the two"
            ),
            ControllerEffect::Publish(event) => self.publish(event),
            ControllerEffect::Ask { group, question, since, backends, witnesses } => {
                self.ask(prober::Ask { group, question, since }, &backends, witnesses, ctx);
            }
            ControllerEffect::Doubt(DoubtOrder::Witness { backend, doubt, by, began }) => {
                self.probers.tell(&backend, prober::NoteWitness { doubt, by, began });
            }
            ControllerEffect::Doubt(DoubtOrder::Judge { backend, doubt, judgement }) => {
                self.probers.tell(&backend, prober::Judge(doubt, judgement));
            }
            ControllerEffect::Doubt(DoubtOrder::SetTimer { group, timer, after }) => {
                ctx.run_later(after, move |this, ctx| {
                    let effects = this.state.doubt_timer_fired(group, timer, moment());
                    this.execute(effects, ctx);
                });
            }
            ControllerEffect::ProbingChanged { impossible } => {
                log::probing(impossible.as_ref());
            }
            ControllerEffect::PlanRamp(id, request) => self.plan_ramp(id, request, ctx),
            ControllerEffect::SetRampTimer(id, after) => Self::set_ramp_timer(id, after, ctx),
            ControllerEffect::SetFlowTimer(timer, after) => {
                Self::set_flow_timer(timer, after, ctx);
            }
            ControllerEffect::ReadFlows { packets_of } => self.read_flows(packets_of, ctx),
            ControllerEffect::SetDrainTimer(drain, after) => {
                Self::set_drain_timer(drain, after, ctx);
            }
            ControllerEffect::Desire(frontends) => {
                if let Some(outboxes) = &self.outboxes {
                    let generation = self.state.generation();
                    let update = DesiredUpdate { frontends, decided, generation };
                    outboxes.changed.send(DesiredChanged(update));
                }
            }
            ControllerEffect::OverrideBegan(entry) => log::override_began(&entry),
            ControllerEffect::OverrideEnded { entry, end, who, why } => {
                log::override_ended(&entry, end, &who, why.as_ref());
            }
        }
    }

    pub(super) fn publish(&self, event: Event) {
        match &event {
            Event::Backend(name, change) => info!(
                backend = %name, from = %change.from, to = %change.to, why = &*change.why,
                "backend-transition"
            ),
            Event::Frontend(name, change) => info!(
                frontend = %name, from = %change.from, to = %change.to, why = &*change.why,
                "frontend-transition"
            ),
            Event::FailOpen(change) => log::fail_open(change),
            Event::Hold(change) => log::hold(change),
            Event::Drain(change) => log::drain(change),
            Event::Log(_)
            | Event::Dataplane(_)
            | Event::Change(_)
            | Event::Audit(_)
            | Event::Announcement(_) => {}
        }
        self.events.publish(event);
    }
}
