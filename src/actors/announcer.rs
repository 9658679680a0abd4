//! Has routing daemons announce the VIPs that serve. [`AnnounceState`] decides by what the
//! Controller tells; a [`RouteKeeper`] for each driver makes its routes what is wanted.

mod keeper;
mod leaving;
mod log;
mod messages;
mod placed;
mod queries;
mod telling;
mod waiter;
mod withdraw_all;

use std::collections::BTreeMap;
use std::sync::Arc;

use actix::prelude::*;

pub use keeper::{RouteKeeper, RoutesReported, StopKeeping, WantRoutes};
use leaving::Leaving;
pub use messages::*;
use waiter::SettlingWaiter;

use crate::actors::Outbox;
use crate::actors::clock::moment;
use crate::actors::event_batcher::EventBatcher;
use crate::actors::reconciler::RoutesPlaced;
use crate::announce::RouteDriver;
use crate::domain::announce::placement::{PlacedRoutes, VipPrefix, WantedRoutes};
use crate::domain::announce::{
    AnnounceFacts, AnnounceState, AnnounceUpdate, DriverAddresses, DriverRecord, DriverReport,
    DriverSettings,
};
use crate::domain::reconcile::PlacedAddresses;

/// Makes a driver of its settings.
pub type MakeDriver = Box<dyn Fn(&DriverSettings) -> RouteDriver>;

/// The actor. See the module's description.
pub struct Announcer {
    make_driver: MakeDriver,
    /// The thread of the keepers: a daemon that is slow delays no weight.
    keeping: ArbiterHandle,
    state: AnnounceState,
    facts: AnnounceFacts,
    keepers: BTreeMap<DriverSettings, Keeper>,
    /// Those that withdraw everything and end.
    ending: BTreeMap<DriverSettings, Keeper>,
    wanted: Option<Arc<WantedRoutes>>,
    again: Option<SpawnHandle>,
    events: EventBatcher,
    waiters: Vec<SettlingWaiter>,
    /// It is told what is placed; `None`: no VIP is removed.
    reconciler: Option<Outbox<RoutesPlaced>>,
    told_placed: PlacedAddresses,
    /// `None`: the daemon does not stop, or leaves everything as it is.
    leaving: Option<Leaving>,
}

struct Keeper {
    address: Addr<RouteKeeper>,
    record: DriverRecord,
    addresses: DriverAddresses,
}

impl Announcer {
    #[must_use]
    pub fn new(make_driver: MakeDriver, keeping: ArbiterHandle, events: EventBatcher) -> Self {
        Self {
            make_driver,
            keeping,
            state: AnnounceState::default(),
            facts: AnnounceFacts::default(),
            keepers: BTreeMap::new(),
            ending: BTreeMap::new(),
            wanted: None,
            again: None,
            events,
            waiters: Vec::new(),
            reconciler: None,
            told_placed: None,
            leaving: None,
        }
    }

    /// Tells this actor what is placed.
    #[must_use]
    pub fn telling(self, reconciler: Recipient<RoutesPlaced>) -> Self {
        Self { reconciler: Some(Outbox::new(reconciler)), ..self }
    }

    /// Starts a keeper for each driver that is new, and has those that are not configured
    /// any more withdraw what they have placed, and end.
    fn use_drivers(&mut self, drivers: &[DriverSettings], ctx: &mut Context<Self>) {
        let (used, unused): (BTreeMap<_, _>, BTreeMap<_, _>) = std::mem::take(&mut self.keepers)
            .into_iter()
            .partition(|(settings, _)| drivers.contains(settings));
        self.keepers = used;
        unused.values().for_each(|keeper| keeper.address.do_send(StopKeeping));
        self.ending.extend(unused);
        for settings in drivers {
            if self.keepers.contains_key(settings) {
                continue;
            }
            let driver = (self.make_driver)(settings);
            let (reports, of) = (ctx.address().recipient(), settings.clone());
            let address = RouteKeeper::start_in_arbiter(&self.keeping, move |_| {
                RouteKeeper::new(driver, of, reports)
            });
            if let Some(wanted) = &self.wanted {
                address.do_send(WantRoutes(Arc::clone(wanted)));
            }
            let (record, addresses) = (DriverRecord::default(), DriverAddresses::default());
            self.keepers.insert(settings.clone(), Keeper { address, record, addresses });
        }
        self.tell_placed();
    }

    fn decide(&mut self, ctx: &mut Context<Self>) {
        if self.leaving.is_some() {
            return;
        }
        self.adopt();
        let now = moment();
        let decision = self.state.decide(&self.facts, now);
        for change in &decision.changes {
            log::change(change);
            self.tell_of_change(change);
        }
        if let Some(wanted) = decision.wanted
            && self.wanted.as_deref() != Some(&wanted)
        {
            self.want(wanted);
        }
        if let Some(timer) = self.again.take() {
            ctx.cancel_future(timer);
        }
        self.again = decision.again.map(|again| {
            let wait = again.saturating_duration_since(now.monotonic);
            ctx.run_later(wait, |this, ctx| {
                this.again = None;
                this.decide(ctx);
            })
        });
        self.end_waits();
    }

    fn want(&mut self, wanted: WantedRoutes) {
        let wanted = Arc::new(wanted);
        self.wanted = Some(Arc::clone(&wanted));
        self.keepers.values_mut().for_each(|keeper| keeper.addresses.want(&wanted));
        // Before a route is placed.
        self.tell_placed();
        for keeper in self.keepers.values() {
            keeper.address.do_send(WantRoutes(Arc::clone(&wanted)));
        }
    }

    /// Begins with what is placed, when every driver has been asked once. One that could
    /// not say is a daemon that is away: its routes are judged when it is back.
    fn adopt(&mut self) {
        if self.keepers.values().any(|keeper| keeper.record.report().is_none()) {
            return;
        }
        let reports = self.keepers.values().filter_map(|keeper| keeper.record.report());
        let placed = reports.filter_map(|report| report.placed.as_ref());
        self.state.adopt(ours(placed));
    }
}

/// What is ours by any of these readings. Where they differ, a prefix is taken for
/// announced.
fn ours<'a>(readings: impl Iterator<Item = &'a PlacedRoutes>) -> WantedRoutes {
    let mut ours: BTreeMap<VipPrefix, _> = BTreeMap::new();
    for (prefix, route) in readings.flatten() {
        if let Some(placement) = route.placement() {
            let known = ours.entry(*prefix).or_insert(placement);
            *known = placement.min(*known);
        }
    }
    ours
}

impl Actor for Announcer {
    type Context = Context<Self>;
}

impl Handler<AnnounceFactsChanged> for Announcer {
    type Result = ();

    fn handle(
        &mut self,
        AnnounceFactsChanged(update): AnnounceFactsChanged,
        ctx: &mut Self::Context,
    ) {
        let AnnounceUpdate { settings, .. } = &update;
        self.use_drivers(&settings.drivers, ctx);
        self.facts.update(update);
        self.decide(ctx);
    }
}

impl Handler<VipsRouted> for Announcer {
    type Result = ();

    fn handle(&mut self, VipsRouted(routed): VipsRouted, ctx: &mut Self::Context) {
        for (address, is_routed) in routed {
            if let Some(facts) = self.facts.prefixes.get_mut(&VipPrefix::new(address)) {
                facts.is_routed = Some(is_routed);
            }
        }
        self.decide(ctx);
    }
}

impl Handler<RoutesReported> for Announcer {
    type Result = ();

    fn handle(&mut self, message: RoutesReported, ctx: &mut Self::Context) {
        let RoutesReported { settings, report, is_last } = message;
        let wanted = self.wanted.as_deref();
        let (keeper, wanted) = match self.keepers.get_mut(&settings) {
            Some(keeper) if !is_last => (keeper, wanted),
            // One that is not configured any more ends its work.
            _ => match self.ending.get_mut(&settings) {
                Some(keeper) => (keeper, None),
                None => return,
            },
        };
        let driver = settings.name();
        if let Some(placed) = &report.placed {
            keeper.addresses.read(placed, wanted);
        }
        let is_first = keeper.record.report().is_none();
        // One that had nothing left to withdraw has nothing to tell.
        if !is_last || report != DriverReport::default() {
            log::report(driver, keeper.record.report(), &report);
            let news = keeper.record.note(report, moment());
            self.tell_of_driver(driver, news);
        }
        if is_last {
            self.ending.remove(&settings);
        }
        self.tell_placed();
        self.answer_leaving(false);
        if is_first {
            self.decide(ctx);
        }
        self.end_waits();
    }
}
