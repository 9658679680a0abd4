//! The routes of the simulated routing daemon, and what is known of VPP when they change:
//! nothing is announced that VPP does not serve.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use fastrand::Rng;
use tokio::time::{Instant, sleep};

use crate::announce::{ApplyReport, DriverError, FakeDriver, RouteDriver};
use crate::domain::announce::placement::{
    Carrier, PlacedRoute, PlacedRoutes, RouteStep, VipPrefix, WantedRoutes, changes,
};

/// How long ago VPP may have ceased to serve what is announced: a run of the driver takes
/// time, and so does a look at VPP.
const SLACK: Duration = Duration::from_secs(2);

/// Shared by the driver, the simulated VPP and the test. A clone is the same.
#[derive(Clone, Default)]
pub(super) struct SimulatedRoutes(Arc<Mutex<RoutesModel>>);

#[derive(Default)]
pub(super) struct RoutesModel {
    placed: WantedRoutes,
    /// Those that the daemon has put; others may have removed them since.
    put: BTreeSet<VipPrefix>,
    rng: Rng,
    /// Runs take long, and fail.
    pub(super) faults: bool,
    /// When VPP served each address last; `None`: it does now.
    served: BTreeMap<IpAddr, Option<Instant>>,
    /// What others have written to VPP the daemon learns later.
    pub(super) uncertain: BTreeSet<IpAddr>,
    /// Announcements and withdraws by the daemon, in order.
    pub(super) changes: Vec<(VipPrefix, bool)>,
    /// Announcements of what VPP does not serve, and removals of what is announced.
    pub(super) violations: Vec<String>,
}

impl SimulatedRoutes {
    pub(super) fn new(seed: u64) -> Self {
        let rng = Rng::with_seed(seed);
        Self(Arc::new(Mutex::new(RoutesModel { rng, ..RoutesModel::default() })))
    }

    pub(super) fn get(&self) -> MutexGuard<'_, RoutesModel> {
        self.0.lock().expect("no holder panics")
    }

    pub(super) fn driver(&self) -> RouteDriver {
        let routes = self.clone();
        RouteDriver::Fake(FakeDriver::new(move |wanted| {
            let routes = routes.clone();
            Box::pin(async move { routes.run(wanted).await })
        }))
    }

    async fn run(&self, wanted: Option<WantedRoutes>) -> Result<ApplyReport, DriverError> {
        let (wait, fails) = self.get().draw();
        sleep(wait).await;
        if fails {
            let (attempt, reason) = ("talking to the daemon".into(), "at random".into());
            return Err(DriverError::Failed { attempt, reason });
        }
        let report = self.get().apply(wanted);
        sleep(wait).await;
        Ok(report)
    }
}

impl RoutesModel {
    fn draw(&mut self) -> (Duration, bool) {
        let most = if self.faults { 500 } else { 5 };
        (Duration::from_millis(self.rng.u64(..most)), self.faults && self.rng.u8(..6) == 0)
    }

    fn read(&self) -> PlacedRoutes {
        let routes = self.placed.iter();
        routes.map(|(prefix, placement)| (*prefix, PlacedRoute::ours(*placement))).collect()
    }

    fn apply(&mut self, wanted: Option<WantedRoutes>) -> ApplyReport {
        let before = self.read();
        let steps = wanted.as_ref().map(|wanted| changes(wanted, &before, Carrier::OneRoute).steps);
        let steps = steps.unwrap_or_default();
        for step in &steps {
            match *step {
                RouteStep::Put { prefix, placement } => {
                    self.placed.insert(prefix, placement);
                    if self.put.insert(prefix) {
                        self.announced(prefix);
                    }
                }
                RouteStep::Remove { prefix, .. } => {
                    self.placed.remove(&prefix);
                    self.put.remove(&prefix);
                    self.changes.push((prefix, false));
                }
            }
        }
        let wanted = wanted.unwrap_or_default();
        // What somebody else has removed is no longer put.
        self.put.retain(|prefix| wanted.contains_key(prefix) || before.contains_key(prefix));
        ApplyReport::of(&wanted, &before, Some(self.read()), &BTreeMap::new(), steps.len())
    }

    fn announced(&mut self, prefix: VipPrefix) {
        self.changes.push((prefix, true));
        let address = prefix.address();
        let is_served = match self.served.get(&address) {
            None => false,
            Some(None) => true,
            Some(Some(last)) => last.elapsed() <= SLACK,
        };
        if !is_served && !self.uncertain.contains(&address) {
            self.violations.push(format!("{prefix} is announced and VPP does not serve it"));
        }
    }

    /// Notes what VPP serves now.
    pub(super) fn serves(&mut self, addresses: &BTreeSet<IpAddr>) {
        for (address, last) in &mut self.served {
            if !addresses.contains(address) {
                last.get_or_insert_with(Instant::now);
            }
        }
        self.served.extend(addresses.iter().map(|address| (*address, None)));
    }

    pub(super) fn is_announced(&self, address: IpAddr) -> bool {
        self.placed.contains_key(&VipPrefix::new(address))
    }

    /// Somebody removes a route behind the daemon's back.
    pub(super) fn lose_one(&mut self) {
        let prefixes: Vec<_> = self.placed.keys().copied().collect();
        if let Some(prefix) = self.rng.choice(prefixes) {
            self.placed.remove(&prefix);
        }
    }

    pub(super) fn placed(&self) -> BTreeSet<IpAddr> {
        self.placed.keys().map(|prefix| prefix.address()).collect()
    }
}
