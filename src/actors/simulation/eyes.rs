//! Simulates a daemon whose eyes fail while all servers live: the probes' way is cut,
//! descriptors run out, or VPP is away. And one whose servers really die, all at once.
//!
//! `MAGLEV_TEST_SEEDS` sets the number of seeds (default: 50).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix::prelude::*;
use fastrand::Rng;
use tokio::time::{Instant, sleep};

use crate::actors::controller::{Controller, GetBackends};
use crate::actors::prober::FakeProbe;
use crate::actors::simulation::driver::{Daemon, write};
use crate::actors::simulation::number;
use crate::actors::simulation::vpp_fake::SharedVpp;
use crate::domain::announce::placement::VipPrefix;
use crate::domain::dataplane::observed::Observed;
use crate::domain::health::State;
use crate::domain::health::probe_result::{ProbeResult, ResultCode};
use crate::domain::names::BackendName;
use crate::vpp::embedded::plugin::Plugin;

const BACKENDS: [&str; 8] = ["a1", "a2", "a3", "a4", "b1", "b2", "b3", "b4"];

/// The probes' timeout.
const TIMEOUT: Duration = Duration::from_millis(400);
/// `doubt-limit`
const LIMIT: Duration = Duration::from_secs(5);

fn file() -> String {
    let mut text = String::from(
        "maglev:\n  healthchecker: {doubt-limit: 5s}\n  announce: {command: [/bin/false], \
         hold-vpp: 30s}\n  vpp: {lb: {ipv4-src-address: 192.0.2.254, \
         ipv6-src-address: \"2001:db8::fe\", sync-interval: 10s, startup-max-delay: 8s}}\n  \
         healthchecks: {c: {type: icmp, interval: 500ms, fast-interval: 200ms, timeout: 400ms, \
         rise: 2, fall: 2}}\n  backends:\n",
    );
    for number in 1..=4 {
        text += &format!("    a{number}: {{address: 10.0.0.{number}, healthcheck: c}}\n");
        text += &format!("    b{number}: {{address: \"2001:db8:1::{number}\", healthcheck: c}}\n");
    }
    text += "  frontends:\n";
    for family in ["a", "b"] {
        text += &format!(
            "    {family}:\n      address: 192.0.2.{}\n      announce: {{min-healthy: 50%, \
             hold-down: 200ms, hold-up: 1s}}\n      pools:\n        - {{name: main, \
             backends: {{{family}1: {{}}, {family}2: {{}}, {family}3: {{}}}}}}\n        \
             - {{name: spare, backends: {{{family}4: {{}}}}}}\n",
            if family == "a" { 1 } else { 2 }
        );
    }
    text
}

/// What probes meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    Clear,
    /// Nothing comes back.
    Silent,
    /// This machine cannot probe.
    Unable,
    /// The servers are dead: they refuse connections.
    Dead,
    /// Three of the four IPv4 servers are.
    MostOfOneDead,
}

struct World {
    sight: Sight,
    rng: Rng,
}

/// Three quarters of the weight of one frontend.
fn is_of_most(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(address) if address.octets()[3] <= 3)
}

/// A packet is lost if the way is cut when it leaves or when it should arrive.
fn fake_probe(world: &Arc<Mutex<World>>) -> FakeProbe {
    let world = Arc::clone(world);
    Arc::new(move |address: IpAddr| {
        let world = Arc::clone(&world);
        Box::pin(async move {
            let begun = Instant::now();
            let look = || {
                let mut world = world.lock().expect("no holder panics");
                (world.sight, Duration::from_micros(world.rng.u64(100..20_000)))
            };
            let (left, round_trip) = look();
            if left == Sight::Unable {
                return ProbeResult::new(ResultCode::SocketError, "no descriptors");
            }
            sleep(round_trip).await;
            match (left, look().0) {
                (Sight::Silent, _) | (_, Sight::Silent) => {
                    sleep(TIMEOUT.saturating_sub(begun.elapsed())).await;
                    ProbeResult::new(ResultCode::L4Timeout, "timeout")
                }
                (Sight::Dead, _) | (_, Sight::Dead) => {
                    ProbeResult::new(ResultCode::L4Connect, "connection refused")
                }
                (_, Sight::MostOfOneDead) if is_of_most(address) => {
                    ProbeResult::new(ResultCode::L4Connect, "connection refused")
                }
                _ => ProbeResult::new(ResultCode::L3Ok, ""),
            }
        })
    })
}

pub(super) struct EyesTestBed {
    world: Arc<Mutex<World>>,
    pub(super) vpp: SharedVpp,
    controller: Addr<Controller>,
    rng: Rng,
}

impl EyesTestBed {
    pub(super) fn start(path: &Path, seed: u64) -> Self {
        write(path, &file());
        let world = World { sight: Sight::Clear, rng: Rng::with_seed(seed) };
        let world = Arc::new(Mutex::new(world));
        let vpp = SharedVpp::new(Plugin::default(), seed);
        vpp.get().faults = false;
        let daemon = Daemon::start_with(&vpp, path, fake_probe(&world));
        Self { world, vpp, controller: daemon.controller, rng: Rng::with_seed(seed) }
    }

    pub(super) fn see(&self, sight: Sight) {
        self.world.lock().expect("no holder panics").sight = sight;
    }

    async fn states(&self) -> BTreeMap<String, State> {
        let names = BACKENDS.map(BackendName::from).into();
        let backends = self.controller.send(GetBackends(names)).await.expect("the actor runs");
        backends.into_iter().map(|(view, _)| (view.name.to_string(), view.state)).collect()
    }

    /// Lets this time pass, in which no backend may go down.
    async fn pass(&self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            sleep(Duration::from_millis(50)).await;
            for (backend, state) in self.states().await {
                let spent = time + (Instant::now() - end);
                assert_eq!(state, State::Up, "{backend} after {spent:?} of {time:?}");
            }
        }
    }

    pub(super) fn millis(&mut self, range: std::ops::Range<u64>) -> Duration {
        Duration::from_millis(self.rng.u64(range))
    }

    /// The announcements and withdraws since the last call.
    pub(super) fn route_changes(&self) -> Vec<(VipPrefix, bool)> {
        let vpp = self.vpp.get();
        let mut routes = vpp.routes.get();
        assert_eq!(routes.violations, Vec::<String>::new());
        std::mem::take(&mut routes.changes)
    }

    fn observed(&self) -> Observed {
        self.vpp.get().observed()
    }

    /// One time of bad sight, and a time to recover.
    async fn episode(&mut self) {
        let before = self.observed();
        match self.rng.u8(..3) {
            0 => {
                self.see(Sight::Silent);
                // By the end some backend has failed for so long; less than the limit.
                let time = self.millis(50..4500);
                self.pass(time).await;
            }
            1 => {
                self.see(Sight::Unable);
                let time = self.millis(50..30_000);
                self.pass(time).await;
            }
            _ => {
                self.see(Sight::Silent);
                let away = self.millis(50..20_000);
                let vpp = self.vpp.clone();
                actix_rt::spawn(async move { vpp.restart(away).await });
                // Interfaces come up a while after VPP.
                let time = away + self.millis(0..3000);
                self.pass(time).await;
            }
        }
        self.see(Sight::Clear);
        let time = self.millis(1500..5000);
        self.pass(time).await;
        assert_eq!(self.observed(), before, "VPP was written to");
    }
}

async fn eyes_fail(path: &Path, seed: u64) {
    tokio::time::pause();
    let mut bed = EyesTestBed::start(path, seed);
    // Into which a second pass fits: what no read-back has confirmed is confirmed, and
    // announced, after that.
    sleep(Duration::from_secs(25)).await;
    let weight = |vpp: &Observed| -> u32 {
        let servers = vpp.vips.values().flat_map(|vip| vip.servers.values());
        servers.map(|server| u32::from(server.weight)).sum()
    };
    assert_eq!(weight(&bed.observed()), 600, "both frontends serve");
    assert_eq!(bed.route_changes().len(), 2, "both are announced");
    for _ in 0..8 {
        bed.episode().await;
    }
    assert_eq!(bed.route_changes(), [], "routers were told something");
}

#[test]
fn no_frontend_is_emptied_or_withdrawn_while_its_servers_live() {
    for seed in 0..number("MAGLEV_TEST_SEEDS").unwrap_or(50) {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("maglev.yaml");
        fastrand::seed(seed);
        eprintln!("seed {seed}");
        System::new().block_on(eyes_fail(&path, seed));
    }
}

async fn all_die(path: &Path, seed: u64) {
    tokio::time::pause();
    let bed = EyesTestBed::start(path, seed);
    sleep(Duration::from_secs(10)).await;
    bed.see(Sight::Dead);
    // Two failures in a row take 200 ms at least, and then the limit begins.
    bed.pass(LIMIT).await;
    // They began within 500 ms, and failed twice within 300 ms more.
    sleep(Duration::from_secs(1)).await;
    for (backend, state) in bed.states().await {
        assert_eq!(state, State::Down, "{backend}");
    }
    // Nobody has witnessed it.
    sleep(Duration::from_secs(60)).await;
    assert!(bed.route_changes().iter().all(|(_, is_announced)| *is_announced));
}

#[test]
fn a_death_of_all_servers_is_believed_at_the_limit_and_not_before() {
    for seed in 0..number("MAGLEV_TEST_SEEDS").unwrap_or(50) {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("maglev.yaml");
        fastrand::seed(seed);
        System::new().block_on(all_die(&path, seed));
    }
}
