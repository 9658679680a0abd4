//! The connection to the simulated VPP: a [`DataplaneHandle`] that delays and loses
//! replies, and the recorder of the desired state.

use std::cell::{RefCell, RefMut};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use actix::prelude::*;
use tokio::time::{Instant, sleep};

use crate::actors::reconciler::{DesiredChanged, DesiredReplaced};
use crate::actors::simulation::vpp_model::VppModel;
use crate::actors::vpp_connection::{
    Apply, Collect, DataplaneError, DataplaneHandle, Epoch, Lost, Observe, ObservedAt, Outcome,
    ReadServers, SubscribeConnection,
};
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::ObservedServers;
use crate::domain::dataplane::step::Step;
use crate::vpp::embedded::plugin::Plugin;

/// The simulated VPP, shared by the driver, the connection and the recorder.
#[derive(Clone)]
pub(super) struct SharedVpp(Rc<RefCell<VppModel>>);

struct FakeConnection(SharedVpp);

impl Actor for FakeConnection {
    type Context = Context<Self>;
}

impl SharedVpp {
    pub(super) fn new(plugin: Plugin, seed: u64) -> Self {
        Self(Rc::new(RefCell::new(VppModel::new(plugin, seed))))
    }

    pub(super) fn get(&self) -> RefMut<'_, VppModel> {
        self.0.borrow_mut()
    }

    pub(super) fn handle(&self) -> DataplaneHandle {
        let connection = FakeConnection(self.clone()).start();
        let (subscribe, observe) = (connection.clone().recipient(), connection.clone().recipient());
        DataplaneHandle {
            subscribe,
            observe,
            read_servers: connection.clone().recipient(),
            apply: connection.clone().recipient(),
            collect: connection.recipient(),
        }
    }

    /// Restarts VPP, which is back after this time and empty.
    pub(super) async fn restart(&self, back_after: Duration) {
        {
            let mut vpp = self.get();
            if !vpp.is_up {
                return;
            }
            vpp.crash();
            vpp.counts.restarts += 1;
        }
        sleep(back_after).await;
        let mut vpp = self.get();
        vpp.is_up = true;
        vpp.epoch = vpp.epoch.next();
        vpp.notify_connected();
        if vpp.rng.u8(..3) == 0 {
            // A repeated or late notification must have no effect.
            vpp.notify_connected();
            if let Some(subscriber) = &vpp.subscriber {
                subscriber.lost.do_send(Lost { epoch: Epoch(vpp.epoch.0 - 1), why: "late".into() });
            }
        }
    }

    /// Delays an answer by a random time below `max_ms`.
    async fn delay(&self, max_ms: u64) {
        let wait = {
            let mut vpp = self.get();
            if vpp.faults && vpp.rng.bool() { vpp.rng.u64(..max_ms) } else { 0 }
        };
        if wait > 0 {
            sleep(Duration::from_millis(wait)).await;
        }
    }

    async fn apply(
        self,
        Apply { epoch, steps, urgent }: Apply,
    ) -> Result<Vec<Outcome>, DataplaneError> {
        self.get().answers(epoch)?;
        let arrived = Instant::now();
        let torn_down: BTreeSet<_> = steps
            .iter()
            .filter_map(|step| match step {
                Step::RemoveVip(vip) => Some(*vip),
                _ => None,
            })
            .collect();
        let mut outcomes = Vec::with_capacity(steps.len());
        // The first step whose reply is lost, and the first that is not done.
        let lost_from = {
            let vpp = &mut *self.get();
            (vpp.faults && vpp.rng.u8(..20) == 0).then(|| {
                vpp.counts.lost += 1;
                let replies = vpp.rng.usize(..steps.len());
                (replies, vpp.rng.usize(replies..=steps.len()))
            })
        };
        let lost = || Outcome::Unknown("the reply was lost".into());
        for (index, step) in steps.iter().enumerate() {
            if !urgent {
                self.delay(4).await;
            }
            let vpp = &mut *self.get();
            if vpp.answers(epoch).is_err() || lost_from.is_some_and(|(_, steps)| index >= steps) {
                outcomes.push(lost());
                continue;
            }
            let outcome = vpp.perform(step, arrived, &torn_down);
            let is_lost = lost_from.is_some_and(|(replies, _)| index >= replies);
            outcomes.push(if is_lost { lost() } else { outcome });
        }
        self.delay(40).await;
        Ok(outcomes)
    }
}

impl Handler<SubscribeConnection> for FakeConnection {
    type Result = ();

    fn handle(&mut self, subscribe: SubscribeConnection, _: &mut Self::Context) {
        let mut vpp = self.0.get();
        vpp.subscriber = Some(subscribe);
        vpp.notify_connected();
    }
}

impl Handler<Observe> for FakeConnection {
    type Result = ResponseFuture<Result<ObservedAt, DataplaneError>>;

    fn handle(&mut self, _: Observe, _: &mut Self::Context) -> Self::Result {
        let shared = self.0.clone();
        Box::pin(async move {
            let epoch = shared.get().epoch;
            shared.delay(40).await;
            shared.get().answers(epoch)?;
            let (observed, changes) = {
                let vpp = &mut *shared.get();
                (vpp.observed(), vpp.changes)
            };
            shared.delay(40).await;
            shared.get().answers(epoch)?;
            // A flip at this moment has not received the answer yet, which is compared with
            // the model on another thread first.
            actix_rt::spawn(async move {
                sleep(Duration::from_millis(50)).await;
                shared.get().uncertain.retain(|_, change| *change > changes);
                shared.get().tell_serving();
            });
            Ok(ObservedAt { epoch, observed })
        })
    }
}

impl Handler<ReadServers> for FakeConnection {
    type Result = ResponseFuture<Result<BTreeMap<Vip, ObservedServers>, DataplaneError>>;

    fn handle(
        &mut self,
        ReadServers { epoch, vips }: ReadServers,
        _: &mut Self::Context,
    ) -> Self::Result {
        let shared = self.0.clone();
        Box::pin(async move {
            shared.delay(40).await;
            shared.get().answers(epoch)?;
            let observed = {
                let vpp = &mut *shared.get();
                vpp.counts.read_backs += 1;
                vpp.observed()
            };
            shared.delay(40).await;
            let servers = |vip: &Vip| match observed.vips.get(vip) {
                Some(vip) => {
                    ObservedServers { servers: vip.servers.clone(), retired: vip.retired.clone() }
                }
                None => ObservedServers::default(),
            };
            Ok(vips.keys().map(|vip| (*vip, servers(vip))).collect())
        })
    }
}

impl Handler<Collect> for FakeConnection {
    type Result = ResponseFuture<Result<(), DataplaneError>>;

    fn handle(
        &mut self,
        Collect { epoch, ip4_src }: Collect,
        _: &mut Self::Context,
    ) -> Self::Result {
        let shared = self.0.clone();
        Box::pin(async move {
            shared.delay(4).await;
            shared.get().answers(epoch)?;
            shared.get().collect(ip4_src);
            Ok(())
        })
    }
}

impl Handler<Apply> for FakeConnection {
    type Result = ResponseFuture<Result<Vec<Outcome>, DataplaneError>>;

    fn handle(&mut self, apply: Apply, _: &mut Self::Context) -> Self::Result {
        Box::pin(self.0.clone().apply(apply))
    }
}

/// Forwards the desired state from the Controller to the Reconciler, and records it.
pub(super) struct Relay {
    pub(super) vpp: SharedVpp,
    pub(super) changed: Recipient<DesiredChanged>,
    pub(super) replaced: Recipient<DesiredReplaced>,
}

impl Actor for Relay {
    type Context = Context<Self>;
}

impl Handler<DesiredChanged> for Relay {
    type Result = ();

    fn handle(&mut self, message: DesiredChanged, _: &mut Self::Context) {
        message.0.frontends.iter().for_each(|(_, frontend)| self.vpp.get().desire(frontend));
        self.changed.do_send(message);
    }
}

impl Handler<DesiredReplaced> for Relay {
    type Result = ();

    fn handle(&mut self, message: DesiredReplaced, _: &mut Self::Context) {
        self.vpp.get().desire_all(&message.0.desired);
        self.replaced.do_send(message);
    }
}
