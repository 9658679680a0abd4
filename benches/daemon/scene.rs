//! What the daemon is given: a configuration, and backends that answer.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU16;
use std::time::Duration;

use vpp_maglev::domain::dataplane::dialect::LbDialect;
use vpp_maglev::domain::dataplane::net::{Encap, Service, TableLength, Vip, Weight};
use vpp_maglev::domain::dataplane::step::{Step, VipSpec};

use super::backends::Backends;

pub(super) const VIPS: usize = 1000;
pub(super) const SERVERS: usize = 10;
pub(super) const SERVER_COUNT: usize = VIPS * SERVERS;

/// The VIP whose first server flips, and the one for bare writes.
const FLIP: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 80);
const BARE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 81);
pub(super) const BARE_NAME: &str = "bare";
/// The address of the backend that flips.
const FLIPPER: Ipv4Addr = Ipv4Addr::new(127, 2, 0, 1);

/// See the module's description.
pub(super) struct Scene {
    /// Backends that do not flip.
    pub(super) backends: usize,
    /// Time between two probes of one of these.
    pub(super) interval: Duration,
    /// Failures that take down the one that flips.
    fall: u32,
    pub(super) server: Backends,
}

impl Scene {
    /// As with `fall: 3` by default, others have passed between the first failure of the
    /// backend that flips and the deciding one, so that nobody has to be asked.
    pub(super) fn witnessed(backends: usize) -> Self {
        let interval = Duration::from_secs(if backends > 1000 { 5 } else { 1 });
        Self { backends, interval, fall: 2, server: Backends::start(2) }
    }

    /// Others are probed so seldom, and one failure decides, that they have to be asked.
    pub(super) fn asking() -> Self {
        let interval = Duration::from_secs(30);
        Self { backends: SERVERS, interval, fall: 1, server: Backends::start(1) }
    }

    /// The configuration file.
    pub(super) fn config(&self) -> String {
        let (steady, flipping) = self.server.ports();
        let (interval, fall) = (self.interval.as_secs(), self.fall);
        let mut text = format!(
            "maglev:\n  vpp:\n    lb:\n      ipv4-src-address: 192.0.2.1\n      \
             ipv6-src-address: 2001:db8::1\n      sync-interval: 1h\n      \
             startup-max-delay: 1h\n  healthchecks:\n    steady: {{type: http, port: {steady}, \
             interval: {interval}s, timeout: 5s}}\n    flip: {{type: http, port: {flipping}, \
             interval: 10ms, timeout: 5s, rise: 1, fall: {fall}}}\n  backends:\n    flip: {{address: \
             {FLIPPER}, healthcheck: flip}}\n"
        );
        for number in 0..self.backends {
            let address = server(number);
            writeln!(text, "    b{number}: {{address: {address}, healthcheck: steady}}").unwrap();
        }
        text.push_str("  frontends:\n");
        let mut frontend = |name: &str, vip: Ipv4Addr, backends: &[String]| {
            let backends = backends.join(": {weight: 100}, ");
            writeln!(
                text,
                "    {name}: {{address: {vip}, protocol: tcp, port: 80, pools: [{{name: pool, \
                 backends: {{{backends}: {{weight: 100}}}}}}]}}"
            )
            .unwrap();
        };
        let name = |number: usize| format!("b{number}");
        let flipping = std::iter::once("flip".to_owned()).chain((1..SERVERS).map(name));
        frontend("flip", FLIP, &flipping.collect::<Vec<_>>());
        frontend(BARE_NAME, BARE, &(0..SERVERS).map(name).collect::<Vec<_>>());
        for number in 0..VIPS {
            let members: Vec<_> = self.members(number).map(name).collect();
            frontend(&format!("v{number:04}"), address(number), &members);
        }
        text
    }

    /// The backends of a VIP, by number.
    fn members(&self, vip: usize) -> impl Iterator<Item = usize> {
        let first = vip * SERVERS % self.backends;
        first..first + SERVERS
    }

    /// What makes an empty VPP hold all of it, in the daemon's order.
    pub(super) fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut frontend = |address: Ipv4Addr, servers: &mut dyn Iterator<Item = IpAddr>| {
            let vip = vip(address);
            let (encap, table_length) = (Encap::Gre4, TableLength::DEFAULT);
            steps.push(Step::AddVip(VipSpec { vip, encap, src_ip_sticky: false, table_length }));
            let weight = Weight::FULL;
            steps.extend(servers.map(|server| Step::AddServer { vip, server, weight }));
        };
        frontend(BARE, &mut (0..SERVERS).map(server));
        frontend(FLIP, &mut (1..SERVERS).map(server).chain([FLIPPER.into()]));
        for number in 0..VIPS {
            frontend(address(number), &mut self.members(number).map(server));
        }
        steps
    }

    /// What gives every server of the thousand VIPs something to mend.
    pub(super) fn spoil(&self, dialect: LbDialect) -> Vec<Step> {
        let weight = Weight::try_from(50).unwrap();
        let all = (0..VIPS).flat_map(|number| {
            let vip = vip(address(number));
            self.members(number).map(move |member| (vip, server(member)))
        });
        all.map(|(vip, server)| match dialect {
            LbDialect::Weights => Step::SetWeight { vip, server, weight, flush: false },
            LbDialect::Membership => Step::RemoveServer { vip, server, flush: false },
        })
        .collect()
    }
}

/// Flips a server of the VIP for bare writes, as the daemon does.
pub(super) fn bare_flip(dialect: LbDialect, up: bool) -> Step {
    let (vip, server) = (vip(BARE), server(0));
    let weight = if up { Weight::FULL } else { Weight::ZERO };
    match dialect {
        LbDialect::Weights => Step::SetWeight { vip, server, weight, flush: !up },
        LbDialect::Membership if up => Step::AddServer { vip, server, weight },
        LbDialect::Membership => Step::RemoveServer { vip, server, flush: true },
    }
}

fn server(number: usize) -> IpAddr {
    let number = number as u16 + 1;
    let [high, low] = number.to_be_bytes();
    IpAddr::from([127, 1, high, low])
}

fn address(number: usize) -> Ipv4Addr {
    let [high, low] = (number as u16).to_be_bytes();
    Ipv4Addr::new(198, 18, high, low)
}

fn vip(address: Ipv4Addr) -> Vip {
    let port = NonZeroU16::new(80).unwrap();
    Vip::new(IpAddr::V4(address).into(), Service::Port { protocol: 6, port })
}
