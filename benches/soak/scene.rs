//! What the daemon is given, and how it is edited between reloads.

use std::fmt::Write;
use std::net::IpAddr;

use fastrand::Rng;

/// Backends in a frontend.
const POOL: usize = 50;
/// Of them, those in its second pool.
const SPARE: usize = 10;
/// Backends that an edit takes out of the file; the next brings them back.
const ABSENT: usize = 100;

/// A configuration in the making.
pub(super) struct Scene {
    backends: usize,
    port: u16,
    /// The first of those that are not in the file at present.
    absent: usize,
    /// The weight of the first backend of each frontend.
    weights: Vec<u8>,
}

impl Scene {
    pub(super) fn new(backends: usize, port: u16) -> Self {
        assert!((2 * ABSENT..60_000).contains(&backends), "MAGLEV_SOAK_BACKENDS: 200 to 60000");
        Self { backends, port, absent: 0, weights: vec![10; backends.div_ceil(POOL)] }
    }

    pub(super) fn frontends(&self) -> usize {
        self.weights.len()
    }

    /// As somebody with an editor would: some backends go, those that went
    /// before are back, and some weights change.
    pub(super) fn edit(&mut self, rng: &mut Rng) {
        self.absent = rng.usize(..self.backends - ABSENT);
        for _ in 0..10 {
            let place = rng.usize(..self.weights.len());
            self.weights[place] = rng.u8(1..=20);
        }
    }

    pub(super) fn any_address(&self, rng: &mut Rng) -> IpAddr {
        address(rng.usize(..self.backends))
    }

    fn is_absent(&self, number: usize) -> bool {
        // The first of a pool stays, so that no pool is empty.
        (self.absent..self.absent + ABSENT).contains(&number)
            && !(number % POOL).is_multiple_of(SPARE)
    }

    /// The file.
    pub(super) fn config(&self) -> String {
        let mut text = format!(
            "maglev:\n  vpp:\n    lb:\n      ipv4-src-address: 192.0.2.1\n      \
             ipv6-src-address: 2001:db8::1\n      sync-interval: 30s\n      \
             startup-max-delay: 30s\n  healthchecks:\n    web: {{type: http, port: {}, interval: \
             5s, fast-interval: 1s, timeout: 2s, rise: 2, fall: 2}}\n  backends:\n",
            self.port
        );
        let present = |number: &usize| !self.is_absent(*number);
        for number in (0..self.backends).filter(present) {
            let address = address(number);
            writeln!(text, "    b{number}: {{address: {address}, healthcheck: web}}").unwrap();
        }
        text.push_str("  frontends:\n");
        for (frontend, weight) in self.weights.iter().enumerate() {
            let [high, low] = u16::try_from(frontend).unwrap().to_be_bytes();
            writeln!(
                text,
                "    v{frontend}:\n      address: 198.18.{high}.{low}\n      protocol: tcp\n      \
                 port: 80\n      pools:"
            )
            .unwrap();
            let first = frontend * POOL;
            let last = (first + POOL).min(self.backends);
            let spare = last - SPARE.min((last - first) / 2);
            for (pool, members) in [("main", first..spare), ("spare", spare..last)] {
                writeln!(text, "        - name: {pool}\n          backends:").unwrap();
                for number in members.filter(present) {
                    let weight = if number == first { *weight } else { 10 };
                    writeln!(text, "            b{number}: {{weight: {weight}}}").unwrap();
                }
            }
        }
        text
    }
}

fn address(number: usize) -> IpAddr {
    let [high, low] = u16::try_from(number + 1).unwrap().to_be_bytes();
    IpAddr::from([127, 1, high, low])
}
