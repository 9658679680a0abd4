//! Runs the daemon through one day of random actions, asserts that VPP converges to the
//! desired state, and restarts the daemon, which must then write nothing.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix::prelude::*;
use fastrand::Rng;
use tokio::time::sleep;

use crate::actors::announcer::Announcer;
use crate::actors::broadcaster::{Broadcaster, Limits};
use crate::actors::controller::{
    AdministerBackend, CommandOrigin, Controller, GetDesired, Recipients, Reload, SetWeight,
};
use crate::actors::event_batcher::EventBatcher;
use crate::actors::prober::FakeProbe;
use crate::actors::reconciler::{Reconciler, Sync};
use crate::actors::simulation::announcements::{AnnouncementLog, assert_announced};
use crate::actors::simulation::counts::SimulationCounts;
use crate::actors::simulation::routes::SimulatedRoutes;
use crate::actors::simulation::scenario::{Scenario, SimulatedServers};
use crate::actors::simulation::vpp_fake::{Relay, SharedVpp};
use crate::config::{self, FileSource};
use crate::domain::config::LbConf;
use crate::domain::controller::AdminCommand;
use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::dataplane::net::{Encap, Service, TableLength, Vip, Weight};
use crate::domain::dataplane::observed::Observed;
use crate::domain::dataplane::plan::{Flushed, Scope, plan};
use crate::domain::dataplane::step::{Step, VipSpec};
use crate::domain::reconcile::DesiredSnapshot;
use crate::host::logging::LogDemand;
use crate::vpp::embedded::plugin::{Plugin, PluginApi};

/// The value in the scenario's file.
const SYNC_INTERVAL: Duration = Duration::from_secs(10);

/// Runs one seed: the first day, and the restart after it.
pub(super) fn run(seed: u64, counts: &mut SimulationCounts) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("maglev.yaml");
    let servers = SimulatedServers::new(seed);
    fastrand::seed(seed);
    let (plugin, routes, of_this_day) = System::new().block_on(first_day(seed, &path, &servers));
    counts.add(of_this_day);
    System::new().block_on(restart(plugin, routes, &path, &servers));
}

pub(super) struct Daemon {
    pub(super) controller: Addr<Controller>,
    reconciler: Addr<Reconciler>,
}

impl Daemon {
    pub(super) fn start(
        vpp: &SharedVpp,
        path: &Path,
        servers: &Arc<Mutex<SimulatedServers>>,
    ) -> Self {
        Self::start_with(vpp, path, SimulatedServers::fake_probe(servers))
    }

    pub(super) fn start_with(vpp: &SharedVpp, path: &Path, fake_probe: FakeProbe) -> Self {
        let config = config::load(path).unwrap_or_else(|fault| panic!("{fault}")).config;
        let broadcaster = Broadcaster::new(1, Limits::default(), LogDemand::default()).start();
        let batcher = EventBatcher::new(&broadcaster);
        let reconciler = Reconciler::new(vpp.handle(), batcher.clone()).start();
        let (changed, replaced) = (reconciler.clone().recipient(), reconciler.clone().recipient());
        let progress = reconciler.clone().recipient();
        let relay = Relay { vpp: vpp.clone(), changed, replaced }.start();
        let recipients = Recipients {
            changed: relay.clone().recipient(),
            replaced: relay.recipient(),
            progress,
        };
        let source = Arc::new(FileSource::new(path));
        let routes = vpp.get().routes.clone();
        let make_driver = Box::new(move |_: &_| routes.driver());
        let announcer = Announcer::new(make_driver, Arbiter::current(), batcher.clone());
        let announcer = announcer.telling(reconciler.clone().recipient()).start();
        let controller = Controller::new(source, config, vec![], batcher, recipients)
            .with_fake_probe(fake_probe)
            .with_announcer(announcer.recipient())
            .start();
        Self { controller, reconciler }
    }

    pub(super) async fn administer(&self, backend: &str, command: AdminCommand) {
        let (backend, given) = (backend.into(), origin());
        // It may be refused: a disabled backend cannot be paused.
        let _ = self
            .controller
            .send(AdministerBackend { backend, command, given })
            .await
            .expect("the actor runs");
    }

    async fn set_weight(&self, (frontend, pool, backend): (&str, &str, &str), weight: u8) {
        let (frontend, pool, backend) = (frontend.into(), pool.into(), backend.into());
        let weight = Weight::try_from(i64::from(weight)).expect("at most 100");
        let (weight, given) = (Some(weight), origin());
        let set = SetWeight { frontend, pool, backend, weight, given };
        self.controller.send(set).await.expect("the actor runs").expect("the pool has the backend");
    }

    /// Asserts that VPP holds the desired state, and that a sync has nothing to do.
    async fn assert_converged(&self, vpp: &SharedVpp) {
        assert_eq!(vpp.get().violations, Vec::<String>::new());
        let DesiredSnapshot { desired, .. } =
            self.controller.send(GetDesired).await.expect("the actor runs");
        let mut desired = Arc::unwrap_or_clone(desired);
        // Flushes cannot be observed in VPP; the dry run below includes them.
        for frontend in desired.frontends.values_mut() {
            let servers = &mut Arc::make_mut(frontend).servers;
            servers.values_mut().for_each(|server| server.flush = None);
        }
        let observed: Observed = vpp.get().observed();
        let due = plan(&desired, &observed, &Flushed::new(), &Scope::All);
        assert_eq!(due, [], "VPP does not hold the desired state");
        let sync = Sync { scope: Scope::All, dry_run: true, force: false };
        let report =
            self.reconciler.send(sync).await.expect("the actor runs").expect("VPP is connected");
        assert_eq!(report.results, [], "the daemon would still write something");
    }
}

fn origin() -> CommandOrigin {
    CommandOrigin { who: "the simulation".into(), why: None, lasts: None }
}

struct SimulationDriver {
    rng: Rng,
    scenario: Scenario,
    path: PathBuf,
    servers: Arc<Mutex<SimulatedServers>>,
    vpp: SharedVpp,
    daemon: Daemon,
    counts: SimulationCounts,
    /// The addresses that some configuration had announced.
    once_announced: BTreeSet<IpAddr>,
}

impl SimulationDriver {
    /// Does one random action, without waiting for its effects.
    async fn next_action(&mut self) {
        match self.rng.u8(..20) {
            0..7 => self.change_servers(),
            7 | 8 => {
                let commands = [
                    AdminCommand::Pause,
                    AdminCommand::Resume,
                    AdminCommand::Enable,
                    AdminCommand::Disable,
                ];
                let command = self.rng.choice(commands).expect("not empty");
                let backend = self.scenario.backend(&mut self.rng);
                self.daemon.administer(&backend, command).await;
                self.counts.commands += 1;
            }
            9 | 10 => {
                let members = self.scenario.pool_members();
                let (frontend, pool, backend, _) = self.rng.choice(members).expect("not empty");
                let weight = self.rng.u8(..=100);
                self.daemon.set_weight((&frontend, &pool, &backend), weight).await;
                self.counts.commands += 1;
            }
            11..14 => {
                for _ in 0..self.rng.u8(1..4) {
                    self.scenario.edit(&mut self.rng);
                }
                write(&self.path, &self.scenario.yaml());
                self.once_announced.extend(self.scenario.announced());
                // An edit may remove most of what serves.
                let reload = Reload { force: true };
                let reloaded = self.daemon.controller.send(reload).await.expect("the actor runs");
                reloaded.unwrap_or_else(|fault| panic!("{fault}\n{}", self.scenario.yaml()));
                self.counts.reloads += 1;
            }
            14 => {
                let back_after = Duration::from_millis(self.rng.u64(..2000));
                let vpp = self.vpp.clone();
                actix_rt::spawn(async move { vpp.restart(back_after).await });
            }
            15..18 => {
                self.write_as_other();
                if self.rng.u8(..4) == 0 {
                    self.vpp.get().routes.get().lose_one();
                }
            }
            _ => {
                let scope = match self.rng.choice(self.scenario.pool_members()) {
                    Some((frontend, ..)) if self.rng.bool() => Scope::One(frontend.as_str().into()),
                    _ => Scope::All,
                };
                let sync = Sync { scope, dry_run: self.rng.u8(..4) == 0, force: false };
                self.daemon.reconciler.do_send(sync);
            }
        }
    }

    /// Some servers begin to answer, and some stop.
    fn change_servers(&mut self) {
        let mut servers = self.servers.lock().expect("no holder panics");
        for address in self.scenario.addresses() {
            if self.rng.u8(..3) == 0 {
                servers.set(address, self.rng.u8(..3) > 0);
            }
        }
    }

    /// Writes to VPP what the daemon does not know of.
    fn write_as_other(&mut self) {
        let rng = &mut self.rng;
        let observed = self.vpp.get().observed();
        let vip = rng.choice(observed.vips.keys().copied());
        let server = vip.and_then(|vip| rng.choice(observed.vips[&vip].servers.keys().copied()));
        let weight = Weight::try_from(rng.i64(0..=100)).expect("at most 100");
        let step = match (rng.u8(..6), vip, server) {
            // Without weights another server is added, or one that was removed.
            (0 | 1, Some(vip), _) if observed.dialect == LbDialect::Membership => {
                let retired = rng.choice(observed.vips[&vip].retired.iter().map(|row| row.address));
                let server = retired.unwrap_or_else(|| [10, 9, 9, rng.u8(1..9)].into());
                Step::AddServer { vip, server, weight: Weight::MEMBER }
            }
            (0 | 1, Some(vip), Some(server)) => {
                Step::SetWeight { vip, server, weight, flush: rng.bool() }
            }
            (2, Some(vip), Some(server)) => Step::RemoveServer { vip, server, flush: rng.bool() },
            (3, Some(vip), _) => Step::RemoveVip(vip),
            (4, ..) => {
                let conf = observed.conf.known().expect("the model tells it");
                Step::SetConf(LbConf { flow_timeout_s: rng.u32(1..120), ..conf })
            }
            _ => {
                // The prefix may be that of a configured frontend.
                let prefix = format!("192.0.2.{}/32", rng.u8(1..40)).parse().expect("a prefix");
                let port = 80.try_into().expect("not 0");
                let ports = [Service::All, Service::Port { protocol: 6, port }];
                let service = rng.choice(ports).expect("not empty");
                Step::AddVip(VipSpec {
                    vip: Vip::new(prefix, service),
                    encap: if rng.bool() { Encap::Gre4 } else { Encap::Gre6 },
                    src_ip_sticky: rng.bool(),
                    table_length: TableLength::DEFAULT,
                })
            }
        };
        self.vpp.get().write_as_other(&step);
    }
}

async fn first_day(
    seed: u64,
    path: &Path,
    servers: &Arc<Mutex<SimulatedServers>>,
) -> (Plugin, SimulatedRoutes, SimulationCounts) {
    tokio::time::pause();
    let log = AnnouncementLog::default();
    let _logging = log.begin();
    let mut rng = Rng::with_seed(seed);
    let scenario = Scenario::new(&mut rng);
    write(path, &scenario.yaml());
    let api = if seed.is_multiple_of(2) { PluginApi::V1_2 } else { PluginApi::V1_1 };
    let vpp = SharedVpp::new(Plugin::new(api), rng.u64(..));
    vpp.get().changes_release = true;
    vpp.get().routes.get().faults = true;
    let daemon = Daemon::start(&vpp, path, servers);
    let (servers, path) = (Arc::clone(servers), path.to_owned());
    let counts = SimulationCounts::default();
    let once_announced = scenario.announced();
    let mut driver =
        SimulationDriver { rng, scenario, path, servers, vpp, daemon, counts, once_announced };
    for _ in 0..driver.rng.u8(15..40) {
        let wait = if driver.rng.u8(..3) == 0 { 0 } else { driver.rng.u64(..2500) };
        sleep(Duration::from_millis(wait)).await;
        driver.next_action().await;
    }

    // At the end there are no more faults, and operators revert their overrides.
    driver.vpp.get().faults = false;
    driver.vpp.get().routes.get().faults = false;
    driver.servers.lock().expect("no holder panics").faults = false;
    for (backend, enabled) in driver.scenario.backends() {
        if enabled {
            driver.daemon.administer(backend, AdminCommand::Enable).await;
            driver.daemon.administer(backend, AdminCommand::Resume).await;
        } else {
            driver.daemon.administer(backend, AdminCommand::Disable).await;
        }
    }
    for (frontend, pool, backend, weight) in driver.scenario.pool_members() {
        driver.daemon.set_weight((&frontend, &pool, &backend), weight).await;
    }
    sleep(Duration::from_secs(15)).await;
    // The VIPs of others may be held.
    let force = Sync { scope: Scope::All, dry_run: false, force: true };
    driver.daemon.reconciler.do_send(force);
    // The last action.
    match driver.rng.u8(..4) {
        0 => driver.change_servers(),
        1 => driver.write_as_other(),
        2 => driver.vpp.restart(Duration::from_millis(500)).await,
        _ => {}
    }
    // Time for verdicts, and two drift passes.
    sleep(Duration::from_secs(5) + 2 * SYNC_INTERVAL).await;
    driver.daemon.assert_converged(&driver.vpp).await;
    log.assert_reasons(|address| driver.once_announced.contains(&address));
    assert_announced(&driver.vpp, &driver.scenario, &driver.servers);
    let vpp = &mut *driver.vpp.get();
    let (mut counts, routes) = (driver.counts, vpp.routes.clone());
    counts.add(vpp.counts);
    for (_, is_announced) in routes.get().changes.drain(..) {
        if is_announced { counts.announced += 1 } else { counts.withdrawn += 1 }
    }
    (vpp.plugin.clone(), routes, counts)
}

async fn restart(
    plugin: Plugin,
    routes: SimulatedRoutes,
    path: &Path,
    servers: &Arc<Mutex<SimulatedServers>>,
) {
    tokio::time::pause();
    let vpp = SharedVpp::new(plugin, 0);
    vpp.get().faults = false;
    vpp.get().routes = routes.clone();
    vpp.get().tell_serving();
    let daemon = Daemon::start(&vpp, path, servers);
    sleep(3 * SYNC_INTERVAL).await;
    daemon.assert_converged(&vpp).await;
    assert_eq!(vpp.get().writes, 0, "a restart of the daemon wrote to VPP");
    assert_eq!(routes.get().changes, [], "a restart of the daemon moved a route");
}

/// Replaces the file atomically, so that a reader never sees part of it.
pub(super) fn write(path: &Path, text: &str) {
    let new = path.with_extension("new");
    std::fs::write(&new, text).expect("a file can be written");
    std::fs::rename(&new, path).expect("a file can be renamed");
}
