//! The random parts of a simulation: its configuration with edits, and its servers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;

use crate::actors::prober::FakeProbe;
use crate::domain::health::probe_result::{ProbeResult, ResultCode};

/// A configuration.
#[derive(Clone, Debug)]
pub(super) struct Scenario {
    backends: BTreeMap<String, SimulatedBackend>,
    frontends: BTreeMap<String, SimulatedFrontend>,
    flow_timeout: u32,
    sticky_buckets: u32,
    min_delay: u64,
    next_address: u16,
}

#[derive(Clone, Debug)]
struct SimulatedBackend {
    six: bool,
    address: IpAddr,
    checked: bool,
    enabled: bool,
}

#[derive(Clone, Debug)]
struct SimulatedFrontend {
    address: String,
    all_ports: bool,
    sticky: bool,
    flush: bool,
    length: u32,
    announced: bool,
    /// The name of each pool, and its weights by backend.
    pools: Vec<(String, BTreeMap<String, u8>)>,
}

impl Scenario {
    pub(super) fn new(rng: &mut Rng) -> Self {
        let mut scenario = Self {
            backends: BTreeMap::new(),
            frontends: BTreeMap::new(),
            flow_timeout: 40,
            sticky_buckets: 1024,
            min_delay: if rng.bool() { 0 } else { 3 },
            next_address: 0,
        };
        for number in 0..8 {
            let six = number % 2 == 1;
            let address = scenario.address(six);
            let checked = rng.u8(..5) > 0;
            let backend = SimulatedBackend { six, address, checked, enabled: rng.u8(..6) > 0 };
            scenario.backends.insert(format!("b{number}"), backend);
        }
        for _ in 0..rng.u8(1..5) {
            scenario.add_frontend(rng);
        }
        scenario
    }

    fn address(&mut self, six: bool) -> IpAddr {
        self.next_address += 1;
        let [high, low] = self.next_address.to_be_bytes();
        if six {
            IpAddr::from([0x2001, 0xdb8, 1, 0, 0, 0, 0, self.next_address])
        } else {
            IpAddr::from([10, 0, high, low])
        }
    }

    fn add_frontend(&mut self, rng: &mut Rng) {
        let number = rng.u8(1..9);
        let six_vip = rng.bool();
        let address =
            if six_vip { format!("2001:db8:9::{number}") } else { format!("192.0.2.{number}") };
        let six = rng.bool();
        let mut names: Vec<_> =
            self.backends.iter().filter(|(_, b)| b.six == six).map(|(n, _)| n.clone()).collect();
        rng.shuffle(&mut names);
        let first = rng.usize(1..names.len());
        let pool = |names: &[String], rng: &mut Rng| {
            let weight = |rng: &mut Rng| if rng.u8(..6) == 0 { 0 } else { rng.u8(1..=100) };
            names.iter().map(|name| (name.clone(), weight(rng))).collect()
        };
        let mut pools = vec![("main".to_owned(), pool(&names[..first], rng))];
        if rng.bool() {
            pools.push(("spare".to_owned(), pool(&names[first..], rng)));
        }
        let frontend = SimulatedFrontend {
            address: address.clone(),
            all_ports: rng.bool(),
            sticky: rng.u8(..4) == 0,
            flush: rng.bool(),
            length: 16 << rng.u8(..3),
            announced: rng.u8(..4) > 0,
            pools,
        };
        // One frontend per address; the plan's tests cover frontends that share one.
        self.frontends.insert(format!("f{}", address.replace([':', '.'], "-")), frontend);
    }

    /// Makes one random change.
    pub(super) fn edit(&mut self, rng: &mut Rng) {
        let backend = rng.choice(self.backends.keys().cloned().collect::<Vec<_>>());
        let frontend = rng.choice(self.frontends.keys().cloned().collect::<Vec<_>>());
        match rng.u8(..9) {
            0 => self.add_frontend(rng),
            1 if self.frontends.len() > 1 => {
                frontend.map(|name| self.frontends.remove(&name));
            }
            2 => {
                let Some(name) = backend else { return };
                let address = self.address(self.backends[&name].six);
                self.backends.get_mut(&name).expect("chosen").address = address;
            }
            3 | 4 => {
                let backend = backend.and_then(|name| self.backends.get_mut(&name));
                let backend = backend.expect("chosen");
                if rng.bool() {
                    backend.enabled ^= true;
                } else {
                    backend.checked ^= true;
                }
            }
            5 => self.flow_timeout = rng.u32(10..60),
            6 => self.sticky_buckets = 512 << rng.u8(..3),
            _ => {
                let frontend = frontend.and_then(|name| self.frontends.get_mut(&name));
                let frontend = frontend.expect("chosen");
                match rng.u8(..7) {
                    6 => frontend.announced ^= true,
                    0 => frontend.sticky ^= true,
                    1 => frontend.flush ^= true,
                    2 => frontend.length = 16 << rng.u8(..3),
                    3 => frontend.pools[0].0.push('x'),
                    4 => frontend.pools.reverse(),
                    _ => {
                        let weights = frontend.pools[0].1.values_mut();
                        weights.for_each(|weight| *weight = rng.u8(..=100));
                    }
                }
            }
        }
    }

    pub(super) fn backend(&self, rng: &mut Rng) -> String {
        rng.choice(self.backends.keys().cloned().collect::<Vec<_>>()).expect("not empty")
    }

    /// The addresses that are to be announced.
    pub(super) fn announced(&self) -> BTreeSet<IpAddr> {
        let frontends = self.frontends.values().filter(|frontend| frontend.announced);
        frontends.map(|frontend| frontend.address.parse().expect("an address")).collect()
    }

    /// How many of the servers of the frontend with this address are up, and of how many that
    /// are in use.
    pub(super) fn servers_of(&self, address: IpAddr, servers: &SimulatedServers) -> (usize, usize) {
        let is_its = |frontend: &&SimulatedFrontend| frontend.address.parse() == Ok(address);
        let pools = self.frontends.values().filter(is_its).flat_map(|frontend| &frontend.pools);
        let members = pools.flat_map(|(_, members)| members);
        let used = members.filter(|(_, weight)| **weight > 0).map(|(name, _)| &self.backends[name]);
        let used: Vec<_> = used.filter(|backend| backend.enabled).collect();
        let up = used.iter().filter(|it| !it.checked || servers.is_up(it.address)).count();
        (up, used.len())
    }

    /// The frontend, pool, backend and configured weight of every backend in a pool.
    pub(super) fn pool_members(&self) -> Vec<(String, String, String, u8)> {
        let mut members = Vec::new();
        for (name, frontend) in &self.frontends {
            for (pool, weights) in &frontend.pools {
                for (backend, weight) in weights {
                    members.push((name.clone(), pool.clone(), backend.clone(), *weight));
                }
            }
        }
        members
    }

    /// Each backend, and whether it is configured as enabled.
    pub(super) fn backends(&self) -> impl Iterator<Item = (&str, bool)> {
        self.backends.iter().map(|(name, backend)| (name.as_str(), backend.enabled))
    }

    pub(super) fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.backends.values().map(|backend| backend.address)
    }

    pub(super) fn yaml(&self) -> String {
        let mut text = format!(
            "maglev:\n  vpp:\n    lb:\n      ipv4-src-address: 192.0.2.254\n      \
             ipv6-src-address: 2001:db8::fe\n      sync-interval: 10s\n      \
             startup-min-delay: {}s\n      startup-max-delay: 8s\n      flow-timeout: {}s\n      \
             sticky-buckets-per-core: {}\n  announce: {{command: [/bin/false], hold-vpp: 3s, \
             leave: 500ms}}\n  healthchecks:\n    c: {{type: icmp, interval: 2s, \
             fast-interval: 500ms, timeout: 1s, rise: 2, fall: 3}}\n  backends:\n",
            self.min_delay, self.flow_timeout, self.sticky_buckets
        );
        for (name, SimulatedBackend { address, checked, enabled, .. }) in &self.backends {
            let check = if *checked { ", healthcheck: c" } else { "" };
            writeln!(text, "    {name}: {{address: \"{address}\"{check}, enabled: {enabled}}}")
                .expect("a String takes all");
        }
        text.push_str("  frontends:\n");
        for (name, frontend) in &self.frontends {
            let SimulatedFrontend { address, all_ports, sticky, flush, length, announced, pools } =
                frontend;
            let port = if *all_ports { "" } else { "      protocol: tcp\n      port: 80\n" };
            let announce = match announced {
                true => {
                    "      announce: {min-healthy: 20%, recover: 40%, hold-down: 500ms, \
                         hold-up: 1s}\n"
                }
                false => "",
            };
            write!(
                text,
                "    {name}:\n      address: \"{address}\"\n{port}{announce}      src-ip-sticky: {sticky}\n      \
                 flush-on-down: {flush}\n      new-flows-table-length: {length}\n      pools:\n"
            )
            .expect("a String takes all");
            for (pool, weights) in pools {
                write!(text, "        - name: {pool}\n          backends:\n")
                    .expect("a String takes all");
                for (backend, weight) in weights {
                    writeln!(text, "            {backend}: {{weight: {weight}}}")
                        .expect("a String takes all");
                }
            }
        }
        text
    }
}

/// The servers, as probes see them.
#[derive(Debug)]
pub(super) struct SimulatedServers {
    /// Whether each address answers.
    up: BTreeMap<IpAddr, bool>,
    /// Answers are late, some of them after the timeout.
    pub(super) faults: bool,
    rng: Rng,
    /// Each probe in progress holds a clone.
    probes: Arc<()>,
}

impl SimulatedServers {
    pub(super) fn new(seed: u64) -> Arc<Mutex<Self>> {
        let rng = Rng::with_seed(seed);
        Arc::new(Mutex::new(Self {
            up: BTreeMap::new(),
            faults: true,
            rng,
            probes: Arc::default(),
        }))
    }

    pub(super) fn set(&mut self, address: IpAddr, up: bool) {
        self.up.insert(address, up);
    }

    pub(super) fn is_up(&self, address: IpAddr) -> bool {
        self.up.get(&address).copied().unwrap_or(true)
    }

    /// Makes all servers answer.
    pub(super) fn reset(&mut self) {
        self.up.clear();
    }

    /// The number of probes in progress.
    pub(super) fn probes(&self) -> usize {
        Arc::strong_count(&self.probes) - 1
    }

    /// Probes that take a random time, and whose result is the server's state at their end.
    pub(super) fn fake_probe(servers: &Arc<Mutex<Self>>) -> FakeProbe {
        let servers = Arc::clone(servers);
        Arc::new(move |address| {
            let servers = Arc::clone(&servers);
            Box::pin(async move {
                let (wait, _probe) = {
                    let mut servers = servers.lock().expect("no holder panics");
                    let most = if servers.faults { 1100 } else { 20 };
                    (servers.rng.u64(..most), Arc::clone(&servers.probes))
                };
                tokio::time::sleep(Duration::from_millis(wait.min(1000))).await;
                let servers = servers.lock().expect("no holder panics");
                // Servers that were never set are up.
                let up = servers.up.get(&address).copied().unwrap_or(true);
                match (up, wait < 1000) {
                    (true, true) => ProbeResult::new(ResultCode::L3Ok, ""),
                    (false, true) => ProbeResult::new(ResultCode::L3Unreachable, ""),
                    (_, false) => ProbeResult::new(ResultCode::L3Timeout, ""),
                }
            })
        })
    }
}
