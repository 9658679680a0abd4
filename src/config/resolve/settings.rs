//! `healthchecker` and `vpp.lb`: the settings of the daemon as a whole.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::time::Duration;

use super::values::{address, duration, number, optional, or_default, power_of_two, some_time};
use crate::config::fault::{AddressFlaw, Problem};
use crate::config::raw;
use crate::config::report::{ConfigPath, FaultReport};
use crate::domain::config::{HealthCheckerSettings, LbConf, LbSettings, WitnessAddress};

const DOUBT_LIMIT: Duration = Duration::from_secs(5);
const TRANSITION_HISTORY: usize = 5;
const SYNC_INTERVAL: Duration = Duration::from_secs(30);
const STARTUP_MIN_DELAY: Duration = Duration::ZERO;
const STARTUP_MAX_DELAY: Duration = Duration::from_secs(30);
const STICKY_BUCKETS: u32 = 65_536;
const FLOW_TIMEOUT_S: u32 = 40;

/// VPP allocates the sticky table at once, for each worker: a larger one is taken
/// for a mistake.
const MOST_STICKY_BUCKETS: u32 = 1 << 24;

pub(super) fn healthchecker(
    raw: &raw::RawHealthChecker,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<HealthCheckerSettings> {
    let transition_history = or_default(raw.transition_history, TRANSITION_HISTORY, |given| {
        number(given, 1..=10_000, &at.key("transition-history"), report)
    });
    let netns = optional(raw.netns.as_deref(), |given| netns(given, &at.key("netns"), report));
    let max_probes = optional(raw.max_probes_in_flight, |given| {
        number(given, 1..=1_000_000, &at.key("max-probes-in-flight"), report)
    });
    let nameservers = raw
        .nameservers
        .iter()
        .enumerate()
        .map(|(index, given)| nameserver(given, &at.key("nameservers").index(index), report));
    let nameservers: Vec<_> = nameservers.collect();
    let doubt_limit = or_default(raw.doubt_limit.as_deref(), DOUBT_LIMIT, |given| {
        duration(given, &at.key("doubt-limit"), report)
    });
    let witnesses = raw
        .witnesses
        .iter()
        .enumerate()
        .map(|(index, given)| witness(given, &at.key("witnesses").index(index), report));
    let witnesses: Vec<_> = witnesses.collect();
    Some(HealthCheckerSettings {
        transition_history: transition_history?,
        netns: netns?,
        max_probes: max_probes?,
        nameservers: nameservers.into_iter().collect::<Option<_>>()?,
        doubt_limit: doubt_limit?,
        witnesses: witnesses.into_iter().collect::<Option<_>>()?,
    })
}

/// An IP address with an optional port.
fn witness(given: &str, at: &ConfigPath<'_>, report: &mut FaultReport) -> Option<WitnessAddress> {
    let plain = given.parse().map(|address| (address, None));
    let parsed = plain.or_else(|_| given.parse().map(|at: SocketAddr| (at.ip(), Some(at.port()))));
    let witness = parsed.ok().and_then(|(address, port)| {
        let port = match port {
            None => None,
            Some(port) => Some(NonZeroU16::new(port)?),
        };
        AddressFlaw::of_source(address).is_none().then_some(WitnessAddress { address, port })
    });
    let usable = witness.filter(|witness| !witness.address.is_unspecified());
    usable.or_else(|| report.refuse(at, Problem::BadWitness { given: given.to_owned() }))
}

/// An IP address with an optional port.
fn nameserver(given: &str, at: &ConfigPath<'_>, report: &mut FaultReport) -> Option<SocketAddr> {
    let address = given.parse().or_else(|_| given.parse().map(|ip| SocketAddr::new(ip, 53)));
    let needs_zone = |address: &SocketAddr| match address {
        SocketAddr::V6(v6) => v6.ip().is_unicast_link_local() && v6.scope_id() == 0,
        SocketAddr::V4(_) => false,
    };
    let is_usable = |address: &SocketAddr| {
        address.port() > 0 && !address.ip().is_multicast() && !needs_zone(address)
    };
    address
        .ok()
        .filter(is_usable)
        .or_else(|| report.refuse(at, Problem::BadNameserver { given: given.to_owned() }))
}

/// A name that `ip netns` accepts: that of a file in `/run/netns`.
pub(super) fn netns(given: &str, at: &ConfigPath<'_>, report: &mut FaultReport) -> Option<String> {
    let is_name = !matches!(given, "" | "." | "..") && !given.contains(['/', '\0']);
    if is_name && given.len() <= 255 {
        return Some(given.to_owned());
    }
    report.refuse(at, Problem::BadNetns { given: given.to_owned() })
}

pub(super) fn lb(
    raw: &raw::RawLb,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<LbSettings> {
    let conf = conf(raw, at, report);
    let sync_interval = or_default(raw.sync_interval.as_deref(), SYNC_INTERVAL, |given| {
        some_time(given, "30s", &at.key("sync-interval"), report)
    });
    let min = or_default(raw.startup_min_delay.as_deref(), STARTUP_MIN_DELAY, |given| {
        duration(given, &at.key("startup-min-delay"), report)
    });
    let max_at = at.key("startup-max-delay");
    let max = or_default(raw.startup_max_delay.as_deref(), STARTUP_MAX_DELAY, |given| {
        duration(given, &max_at, report)
    });
    let (min, max) = (min?, max?);
    if max < min {
        return report.refuse(&max_at, Problem::DelaysCross { min, max });
    }
    Some(LbSettings {
        sync_interval: sync_interval?,
        startup_min_delay: min,
        startup_max_delay: max,
        conf: conf?,
    })
}

fn conf(raw: &raw::RawLb, at: &ConfigPath<'_>, report: &mut FaultReport) -> Option<LbConf> {
    let v4_at = at.key("ipv4-src-address");
    let ip4_src = report
        .require(
            &v4_at,
            raw.ipv4_src_address.as_deref(),
            "the IPv4 address that VPP tunnels from (GRE4), such as 192.0.2.1",
        )
        .and_then(|given| address(given, &v4_at, report));
    let v6_at = at.key("ipv6-src-address");
    let ip6_src = report
        .require(
            &v6_at,
            raw.ipv6_src_address.as_deref(),
            "the IPv6 address that VPP tunnels from (GRE6), such as 2001:db8::1",
        )
        .and_then(|given| address(given, &v6_at, report));
    let sticky_buckets_per_core =
        or_default(raw.sticky_buckets_per_core, STICKY_BUCKETS, |given| {
            let at = at.key("sticky-buckets-per-core");
            power_of_two(given, MOST_STICKY_BUCKETS, 65_536, &at, report)
        });
    let flow_timeout_s = or_default(raw.flow_timeout.as_deref(), FLOW_TIMEOUT_S, |given| {
        flow_timeout(given, &at.key("flow-timeout"), report)
    });
    Some(LbConf {
        ip4_src: ip4_src?,
        ip6_src: ip6_src?,
        sticky_buckets_per_core: sticky_buckets_per_core?,
        flow_timeout_s: flow_timeout_s?,
    })
}

fn flow_timeout(given: &str, at: &ConfigPath<'_>, report: &mut FaultReport) -> Option<u32> {
    let given = duration(given, at, report)?;
    match u32::try_from(given.as_secs()) {
        Ok(seconds @ 1..=120) if given.subsec_nanos() == 0 => Some(seconds),
        _ => report.refuse(at, Problem::BadFlowTimeout { given }),
    }
}
