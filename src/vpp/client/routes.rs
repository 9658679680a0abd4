//! VPP's forwarding table, as far as the load balancer depends on it: the entry of each
//! VIP, and the interfaces through which packets to servers leave. Every VPP of these
//! years has the messages, with the `lb` plugin or without.
//!
//! Asked in pages, so that a weight that is due overtakes them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use super::budget;
use super::connection::{Connection, SpokenIn};
use super::error::{CallError, Retval};
use crate::domain::dataplane::fib::{Egress, Egresses, FibEntry};
use crate::vpp::wire::fib::{NO_INTERFACE, PATH_DROP};
use crate::vpp::wire::{
    FibPath, FibSourceDump, IpRouteLookupV2, IpRouteLookupV2Reply, Message, SwInterfaceDetails,
    SwInterfaceDump,
};

impl<D> SpokenIn<D> for IpRouteLookupV2 {}
impl<D> SpokenIn<D> for FibSourceDump {}
impl<D> SpokenIn<D> for SwInterfaceDump {}

/// Lookups, or interfaces, that are asked for at a time.
const PAGE: usize = 16;

/// Bytes that the reply to a lookup may take: two dozen paths.
const LOOKUP: usize = 4 << 10;

/// Sources that VPP may have: their ids are bytes.
const SOURCES: usize = 64;

/// Next hops of next hops that are followed.
const DEPTH: usize = 4;

/// VPP's "no such entry".
const NO_SUCH_ENTRY: i32 = -6;

/// Number of `local0`, through which nothing leaves, and of which VPP cannot be asked
/// alone.
const LOCAL0: u32 = 0;

/// The entries of these prefixes.
pub(super) async fn entries<D>(
    connection: &Connection<D>,
    prefixes: &[IpNet],
) -> Result<BTreeMap<IpNet, FibEntry>, CallError> {
    if prefixes.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sources = sources(connection).await?;
    let replies = lookup(connection, prefixes, true).await?;
    let shadowing =
        |reply: &&IpRouteLookupV2Reply| sources.get(&reply.source).is_some_and(|name| name != "lb");
    let present = replies.values().flatten();
    let used = present.filter(shadowing).filter_map(|reply| first_interface(&reply.paths));
    let interfaces = interfaces(connection, used.collect()).await?;
    let entry = |reply: IpRouteLookupV2Reply| FibEntry::Present {
        source: match sources.get(&reply.source) {
            Some(name) => name.clone(),
            None => format!("number {}", reply.source),
        },
        interface: first_interface(&reply.paths)
            .and_then(|index| interfaces.get(&index))
            .map(|interface| interface.name.to_string()),
    };
    let entries = replies.into_iter();
    Ok(entries.map(|(prefix, reply)| (prefix, reply.map_or(FibEntry::Absent, entry))).collect())
}

/// The interfaces through which packets to these servers leave.
pub(super) async fn egresses<D>(
    connection: &Connection<D>,
    servers: &BTreeSet<IpAddr>,
) -> Result<BTreeMap<IpAddr, Egresses>, CallError> {
    let mut through: BTreeMap<IpAddr, BTreeSet<u32>> = BTreeMap::new();
    // Each hop that is to be looked up, with the servers that are behind it.
    let mut hops: BTreeMap<IpAddr, BTreeSet<IpAddr>> = BTreeMap::new();
    for server in servers {
        through.insert(*server, BTreeSet::new());
        hops.insert(*server, [*server].into());
    }
    for _ in 0..DEPTH {
        let prefixes: Vec<IpNet> = hops.keys().map(|hop| IpNet::from(*hop)).collect();
        let replies = lookup(connection, &prefixes, false).await?;
        let mut next: BTreeMap<IpAddr, BTreeSet<IpAddr>> = BTreeMap::new();
        for (hop, behind) in hops {
            let reply = replies.get(&IpNet::from(hop)).and_then(Option::as_ref);
            for path in reply.into_iter().flat_map(|reply| &reply.paths) {
                if path.sw_if_index != NO_INTERFACE {
                    for server in &behind {
                        through.entry(*server).or_default().insert(path.sw_if_index);
                    }
                } else if let Some(hop) = path.next_hop().filter(|_| path.kind != PATH_DROP) {
                    next.entry(hop).or_default().extend(&behind);
                }
            }
        }
        hops = next;
        if hops.is_empty() {
            break;
        }
    }
    let used = through.values().flatten().copied().collect();
    let interfaces = interfaces(connection, used).await?;
    let parents = interfaces.values().filter(|interface| interface.mtu == [0; 4]);
    let parents = parents.map(|interface| interface.sup_sw_if_index).collect();
    let parents = self::interfaces(connection, parents).await?;
    let egress = |server: IpAddr, index: u32| {
        let interface = interfaces.get(&index)?;
        let parent = parents.get(&interface.sup_sw_if_index);
        let mtu = mtu(interface, server).or_else(|| mtu(parent?, server));
        Some(Egress { interface: interface.name.to_string(), mtu })
    };
    let of = |(server, through): (IpAddr, BTreeSet<u32>)| {
        let egresses = through.into_iter().filter_map(|index| egress(server, index)).collect();
        (server, egresses)
    };
    Ok(through.into_iter().map(of).collect())
}

/// The longest packet of the address's family, as VPP takes it.
fn mtu(interface: &SwInterfaceDetails, address: IpAddr) -> Option<u32> {
    let [layer3, v4, v6, _] = interface.mtu;
    let own = if address.is_ipv4() { v4 } else { v6 };
    [own, layer3].into_iter().find(|mtu| *mtu > 0)
}

fn first_interface(paths: &[FibPath]) -> Option<u32> {
    paths.iter().map(|path| path.sw_if_index).find(|index| *index != NO_INTERFACE)
}

/// The names of the sources of entries, by their ids.
async fn sources<D>(connection: &Connection<D>) -> Result<BTreeMap<u8, String>, CallError> {
    let (call, rows) = connection.dumps(&[FibSourceDump], budget::rows(SOURCES))?;
    connection.submit(vec![call]).await;
    let rows = rows.rows().await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name.to_string())).collect())
}

/// Looks prefixes up; `None`: VPP has no such entry.
async fn lookup<D>(
    connection: &Connection<D>,
    prefixes: &[IpNet],
    exact: bool,
) -> Result<BTreeMap<IpNet, Option<IpRouteLookupV2Reply>>, CallError> {
    let mut found = BTreeMap::new();
    for page in prefixes.chunks(PAGE) {
        let mut calls = Vec::with_capacity(page.len());
        let mut replies = Vec::with_capacity(page.len());
        for prefix in page {
            let message = IpRouteLookupV2 { table_id: 0, exact, prefix: (*prefix).into() };
            let (call, reply) = connection.single(&message, LOOKUP)?;
            calls.push(call);
            replies.push((*prefix, reply));
        }
        connection.submit(calls).await;
        for (prefix, reply) in replies {
            let reply = reply.any().await?;
            let entry = match reply.retval {
                NO_SUCH_ENTRY => None,
                0.. => Some(reply),
                other => {
                    let retval = Retval(other);
                    return Err(CallError::Refused { call: IpRouteLookupV2::NAME, retval });
                }
            };
            found.insert(prefix, entry);
        }
    }
    Ok(found)
}

/// Interfaces by their numbers. One that is gone meanwhile is missing.
async fn interfaces<D>(
    connection: &Connection<D>,
    wanted: BTreeSet<u32>,
) -> Result<BTreeMap<u32, SwInterfaceDetails>, CallError> {
    let wanted = wanted.into_iter().filter(|index| ![LOCAL0, NO_INTERFACE].contains(index));
    let dumps: Vec<_> = wanted.map(SwInterfaceDump::one).collect();
    let mut found = BTreeMap::new();
    for page in dumps.chunks(PAGE) {
        let (call, rows) = connection.dumps(page, budget::rows(page.len()))?;
        connection.submit(vec![call]).await;
        found.extend(rows.rows().await?.into_iter().map(|row| (row.sw_if_index, row)));
    }
    Ok(found)
}
