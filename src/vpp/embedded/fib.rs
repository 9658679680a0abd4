//! The FIB as lookups show it: the entries of `lb`, of interfaces, and of last resort.
//! VPP's own entries for multicast and link-local addresses are left out.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::interfaces::longest;
use super::plugin::{PluginVipKey, to_ip};
use super::process::Process;
use crate::vpp::wire::fib::{NO_INTERFACE, PATH_DROP, PATH_LOCAL};
use crate::vpp::wire::{
    FibPath, FibSourceDetails, FixedText, IpRouteLookupV2, IpRouteLookupV2Reply, VipKey,
    WireAddress, WirePrefix,
};

/// VPP's "no such FIB".
const NO_SUCH_FIB: i32 = -3;
/// VPP's "no such entry".
const NO_SUCH_ENTRY: i32 = -6;

const INTERFACE: u8 = 4;
const RECURSIVE_RESOLUTION: u8 = 18;
const DEFAULT_ROUTE: u8 = 20;
const LB: u8 = 23;

/// The sources, in the order of their ids, with their priorities.
const SOURCES: [(&str, u8); 24] = [
    ("invalid", 255),
    ("special", 0),
    ("classify", 1),
    ("proxy", 2),
    ("interface", 3),
    ("SR", 16),
    ("BIER", 32),
    ("6RD", 48),
    ("API", 128),
    ("CLI", 129),
    ("LISP", 144),
    ("MAP", 160),
    ("DHCP", 176),
    ("IPv6-proxy-nd", 192),
    ("IPv6-nd", 193),
    ("adjacency", 208),
    ("mpls", 224),
    ("attached_export", 240),
    ("recursive-resolution", 251),
    ("urpf-exempt", 252),
    ("default-route", 253),
    ("interpose", 254),
    ("path-mtu", 16),
    ("lb", 16),
];

/// The rows of a dump of sources.
pub(super) fn sources() -> impl Iterator<Item = FibSourceDetails> {
    SOURCES.iter().zip(0..).map(|((name, priority), id)| FibSourceDetails {
        priority: *priority,
        id,
        name: FixedText::new(name),
    })
}

/// An entry: the source that VPP follows, and its one path.
#[derive(Clone, Copy)]
struct Entry {
    source: u8,
    path: FibPath,
}

/// The reply to a lookup.
pub(super) fn lookup(process: &mut Process, query: &IpRouteLookupV2) -> IpRouteLookupV2Reply {
    if query.table_id != 0 {
        return refused(NO_SUCH_FIB);
    }
    let Some(wanted) = query.prefix.to_net() else { return refused(NO_SUCH_ENTRY) };
    let found = if query.exact {
        exact(process, wanted.trunc())
    } else {
        longest(entries(process, wanted.addr()).into_iter(), wanted.addr())
    };
    let Some((prefix, entry)) = found else { return refused(NO_SUCH_ENTRY) };
    IpRouteLookupV2Reply {
        retval: 0,
        table_id: 0,
        stats_index: 0,
        prefix: prefix.into(),
        source: entry.source,
        paths: vec![entry.path],
    }
}

fn refused(retval: i32) -> IpRouteLookupV2Reply {
    IpRouteLookupV2Reply {
        retval,
        table_id: 0,
        stats_index: 0,
        prefix: WirePrefix::ZERO,
        source: 0,
        paths: Vec::new(),
    }
}

/// The entry of this very prefix. A VIP of thousands is found without a list of all.
fn exact(process: &mut Process, wanted: IpNet) -> Option<(IpNet, Entry)> {
    let is_on_interface = process.interfaces.routes().any(|route| route.prefix == wanted);
    let vip = VipKey { prefix: wanted.into(), ..VipKey::ZERO };
    if !is_on_interface && process.plugin.has_prefix(PluginVipKey::from_wire(vip)) {
        let path = FibPath::new(NO_INTERFACE, 0, u32::from(wanted.addr().is_ipv6()));
        return Some((wanted, Entry { source: LB, path }));
    }
    entries(process, wanted.addr()).into_iter().find(|(prefix, _)| *prefix == wanted)
}

/// The entries of the address's family. Of two of one prefix, that which VPP follows
/// is first.
fn entries(process: &mut Process, address: IpAddr) -> Vec<(IpNet, Entry)> {
    let protocol = u32::from(address.is_ipv6());
    let path = |sw_if_index, kind| FibPath::new(sw_if_index, kind, protocol);
    let next_hop =
        |path: FibPath, hop: IpAddr| FibPath { next_hop: WireAddress::from(hop).bytes, ..path };
    let mut entries: Vec<(IpNet, Entry)> = Vec::new();
    for route in process.interfaces.routes() {
        let path = if route.is_local {
            next_hop(path(route.sw_if_index, PATH_LOCAL), route.prefix.addr())
        } else {
            path(route.sw_if_index, 0)
        };
        entries.push((route.prefix, Entry { source: INTERFACE, path }));
    }
    let networks = entries.clone();
    for row in process.plugin.vip_rows() {
        let path = path(NO_INTERFACE, 0);
        let prefix = row.key.to_wire().prefix.to_net();
        entries.extend(prefix.map(|prefix| (prefix, Entry { source: LB, path })));
    }
    for row in process.plugin.server_rows() {
        let server = to_ip(row.address);
        // It has the path of the network that it is in.
        let through = longest(networks.iter().copied(), server);
        let path = match through {
            Some((_, network)) => next_hop(path(network.path.sw_if_index, 0), server),
            None => path(NO_INTERFACE, PATH_DROP),
        };
        entries.push((server.into(), Entry { source: RECURSIVE_RESOLUTION, path }));
    }
    let default = if address.is_ipv4() {
        IpNet::V4(Ipv4Net::default())
    } else {
        IpNet::V6(Ipv6Net::default())
    };
    entries.push((default, Entry { source: DEFAULT_ROUTE, path: path(NO_INTERFACE, PATH_DROP) }));
    entries.retain(|(prefix, _)| prefix.addr().is_ipv4() == address.is_ipv4());
    entries
}
