//! `frontends`: VIPs with their pools.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use super::announce;
use super::backend::Addresses;
use super::values::{duration, number, optional, or_default, percent, port, power_of_two};
use crate::config::fault::{Problem, taken_for_ipv4};
use crate::config::raw;
use crate::config::report::{ConfigPath, FaultReport};
use crate::config::warnings::WarningKind;
use crate::domain::announce::AnnounceSettings;
use crate::domain::balancing::fail_open::FailOpenThreshold;
use crate::domain::config::{Frontend, Pool};
use crate::domain::dataplane::net::{Encap, Service, TableLength, Transport, Vip, Weight};
use crate::domain::names::{BackendName, PoolName};
use crate::domain::resolution::IpFamily;

/// Longer than it makes sense to wait for.
const LONGEST_SLOW_START: Duration = Duration::from_secs(24 * 3600);

/// The parts of a frontend that have no fault: the rules between frontends are
/// checked even where another part of one has a fault.
pub(super) struct PartialFrontend {
    pub(super) vip: Option<Vip>,
    pub(super) encap: Option<Encap>,
    pub(super) announce: Option<AnnounceSettings>,
    pub(super) frontend: Option<Frontend>,
}

pub(super) fn frontend(
    raw: &raw::RawFrontend,
    addresses: &Addresses<'_>,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> PartialFrontend {
    let prefix = prefix(raw, &at.key("address"), report);
    let service = service(raw, at, report);
    let vip = prefix.zip(service).map(|(prefix, service)| Vip::new(prefix, service));
    let table_length = table_length(raw, &at.key("new-flows-table-length"), report);
    let fail_open =
        optional(raw.fail_open.as_deref(), |given| fail_open(given, &at.key("fail-open"), report));
    let announce = optional(raw.announce.as_ref(), |given| {
        announce::of_frontend(given, prefix, &at.key("announce"), report)
    });
    let mut servers = FrontendServers::new(addresses);
    let pools = pools(&raw.pools, &mut servers, &at.key("pools"), report);
    let encap = servers.first.map(|family| match family {
        IpFamily::V4 => Encap::Gre4,
        IpFamily::V6 => Encap::Gre6,
    });
    let whole = || {
        Some(Frontend {
            description: raw.description.clone().unwrap_or_default(),
            vip: vip?,
            encap: encap?,
            src_ip_sticky: raw.src_ip_sticky.unwrap_or(false),
            flush_on_down: raw.flush_on_down.unwrap_or(true),
            fail_open: fail_open?,
            announce: announce?,
            table_length: table_length?,
            pools: pools?,
        })
    };
    PartialFrontend { vip, encap, announce: announce.flatten(), frontend: whole() }
}

fn prefix(raw: &raw::RawFrontend, at: &ConfigPath<'_>, report: &mut FaultReport) -> Option<IpNet> {
    let give = "the VIP, an address or a prefix, such as 192.0.2.80 or 2001:db8::/64";
    let given = report.require(at, raw.address.as_deref(), give)?;
    let Ok(prefix) = given.parse::<IpNet>().or_else(|_| given.parse::<IpAddr>().map(IpNet::from))
    else {
        return report.refuse(at, Problem::NotAVip { given: given.to_owned() });
    };
    match prefix {
        IpNet::V6(v6) if taken_for_ipv4(v6.network()) => {
            report.refuse(at, Problem::VipTakenForIpv4 { prefix })
        }
        _ => {
            if prefix.addr() != prefix.network() {
                report.warn(at, WarningKind::HostBits { prefix });
            }
            Some(prefix)
        }
    }
}

fn service(
    raw: &raw::RawFrontend,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<Service> {
    let at_port = at.key("port");
    match (raw.protocol, raw.port) {
        (None, None) => Some(Service::All),
        (None, Some(_)) => report.refuse(&at_port, Problem::PortWithoutProtocol),
        (Some(_), None) => report.refuse(&at.key("protocol"), Problem::ProtocolWithoutPort),
        (Some(protocol), Some(given)) => {
            let transport = match protocol {
                raw::RawTransport::Tcp => Transport::Tcp,
                raw::RawTransport::Udp => Transport::Udp,
            };
            let port = port(given, &at_port, report)?;
            Some(Service::Port { protocol: transport.number(), port })
        }
    }
}

fn table_length(
    raw: &raw::RawFrontend,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<TableLength> {
    or_default(raw.new_flows_table_length, TableLength::DEFAULT, |given| {
        let most = u32::from(TableLength::MAX.get());
        let power = power_of_two(given, most, 1024, at, report)?;
        TableLength::try_from(u64::from(power)).ok()
    })
}

/// `20%`, in whole per cent.
fn fail_open(
    given: &str,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<FailOpenThreshold> {
    let threshold = percent(given).and_then(FailOpenThreshold::new);
    threshold.or_else(|| report.refuse(at, Problem::BadShare { given: given.to_owned() }))
}

fn pools(
    raw: &[raw::RawPool],
    servers: &mut FrontendServers<'_>,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<Vec<Pool>> {
    if raw.is_empty() {
        return report.refuse(at, Problem::Missing { give: "a list of one pool or more" });
    }
    let mut named = HashMap::new();
    let pools: Vec<_> = raw
        .iter()
        .enumerate()
        .map(|(index, raw)| {
            let at = at.index(index);
            let name = pool_name(raw, index, &mut named, &at.key("name"), report);
            let backends = members(raw, index, servers, &at.key("backends"), report);
            let slow_start = optional(raw.slow_start.as_deref(), |given| {
                slow_start(given, &at.key("slow-start"), report)
            });
            let slow_start = slow_start?.filter(|span| !span.is_zero());
            Some(Pool { name: name?, slow_start, backends: backends? })
        })
        .collect();
    pools.into_iter().collect()
}

/// `60s`; a day at most, and 0 for none.
fn slow_start(given: &str, at: &ConfigPath<'_>, report: &mut FaultReport) -> Option<Duration> {
    let span = duration(given, at, report)?;
    if span > LONGEST_SLOW_START {
        return report.refuse(at, Problem::LongSlowStart { given: given.to_owned() });
    }
    Some(span)
}

/// The pool's name, unless an earlier pool has it: `named` holds their indices.
fn pool_name<'a>(
    raw: &'a raw::RawPool,
    index: usize,
    named: &mut HashMap<&'a str, usize>,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<PoolName> {
    let given = report.require(at, raw.name.as_deref(), "a name, such as primary")?;
    report.name(at, given);
    let name = PoolName::from(given);
    match *named.entry(given).or_insert(index) {
        first if first == index => Some(name),
        first => report.refuse(at, Problem::DuplicatePool { name, first }),
    }
}

fn members(
    raw: &raw::RawPool,
    pool: usize,
    servers: &mut FrontendServers<'_>,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) -> Option<BTreeMap<BackendName, Weight>> {
    if raw.backends.is_empty() {
        return report.refuse(at, Problem::EmptyPool);
    }
    let members: Vec<_> = raw
        .backends
        .iter()
        .map(|(name, member)| {
            let at = at.key(name);
            servers.add(name, pool, &at, report);
            let weight = or_default(member.weight, Weight::FULL, |given| {
                number(given, 0..=100, &at.key("weight"), report)
            });
            Some((BackendName::from(name.as_str()), weight?))
        })
        .collect();
    members.into_iter().collect()
}

/// The servers of one frontend over all its pools: VPP holds them as one set.
struct FrontendServers<'a> {
    known: &'a Addresses<'a>,
    /// The first server decides the family.
    first: Option<IpFamily>,
    /// By address: the name, and the index of the pool.
    seen: HashMap<String, (String, usize)>,
}

impl<'a> FrontendServers<'a> {
    fn new(known: &'a Addresses<'a>) -> Self {
        Self { known, first: None, seen: HashMap::new() }
    }

    /// Adds a server, or the fault that it has in this frontend.
    fn add(&mut self, name: &str, pool: usize, at: &ConfigPath<'_>, report: &mut FaultReport) {
        let address = match self.known.get(name) {
            None => return report.fault(at, Problem::UnknownBackend),
            Some(None) => return,
            Some(Some(address)) => address,
        };
        let other = *self.first.get_or_insert(address.family());
        if address.family() != other {
            report.fault(at, Problem::MixedFamilies { address: address.clone(), other });
        }
        // The address of a DNS name can change any time: the controller checks
        // those.
        let key = address.to_string();
        match self.seen.get(&key) {
            None => drop(self.seen.insert(key, (name.to_owned(), pool))),
            Some((same, pool)) if same == name => {
                report.fault(at, Problem::BackendTwice { pool: *pool });
            }
            Some((other, _)) => {
                let other = BackendName::from(other.as_str());
                report.fault(at, Problem::SharedAddress { address: address.clone(), other });
            }
        }
    }
}
