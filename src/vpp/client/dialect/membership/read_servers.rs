//! Reading the servers of VIPs by dumps, VIP by VIP. A row tells neither its protocol
//! nor whether its VIP was removed: what was asked for tells the first, and no server
//! of a removed VIP is in use.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::super::server_dumps::read_batches;
use super::messages::MembershipDialect;
use crate::domain::dataplane::net::{Vip, Weight};
use crate::domain::dataplane::observed::{ObservedServer, ObservedServers, RetiredServer};
use crate::vpp::client::batches::{DumpBatch, DumpScope, can_be_asked_alone, group};
use crate::vpp::client::budget;
use crate::vpp::client::connection::Connection;
use crate::vpp::client::error::CallError;
use crate::vpp::wire::{LegacyAsDetails, LegacyAsDump, VipKey};

/// See [`VppClient::read_servers`](crate::vpp::client::VppClient::read_servers). Buckets
/// are 0, for no row has them.
pub(super) async fn read_servers(
    connection: &Connection<MembershipDialect>,
    expected: &BTreeMap<Vip, usize>,
) -> Result<BTreeMap<Vip, ObservedServers>, CallError> {
    let limit = budget::of_bulk(connection.state().budget);
    let batches = unambiguous_batches(expected, limit);
    let mut found = BTreeMap::new();
    for (asked, rows) in read_batches::<_, LegacyAsDump>(connection, batches).await? {
        if let DumpScope::Vips(vips) = asked {
            found.extend(rows_by_vip(&vips, &rows));
        }
    }
    Ok(found)
}

/// Batches in which no two VIPs have one address and port: their rows would look alike,
/// or answer to both.
pub(super) fn unambiguous_batches(expected: &BTreeMap<Vip, usize>, limit: usize) -> Vec<DumpBatch> {
    let mut rounds: Vec<Vec<(Vip, usize)>> = Vec::new();
    let mut seen: BTreeMap<(IpAddr, u16), usize> = BTreeMap::new();
    for (&vip, &rows) in expected.iter().filter(|(vip, _)| can_be_asked_alone(**vip)) {
        let count = seen.entry((vip.prefix().addr(), vip.service().port())).or_default();
        if *count == rounds.len() {
            rounds.push(Vec::new());
        }
        if let Some(round) = rounds.get_mut(*count) {
            round.push((vip, rows));
        }
        *count += 1;
    }
    rounds.into_iter().flat_map(|round| group(round.into_iter(), limit)).collect()
}

/// The servers of each of these VIPs, of which no two have one address and port; rows of
/// VIPs with other lengths are not theirs.
fn rows_by_vip(vips: &[Vip], rows: &[LegacyAsDetails]) -> BTreeMap<Vip, ObservedServers> {
    let key = |vip: &Vip| (VipKey::from(*vip).prefix, vip.service().port());
    let mut found: BTreeMap<Vip, ObservedServers> =
        vips.iter().map(|vip| (*vip, ObservedServers::default())).collect();
    let meant: std::collections::HashMap<_, _> = vips.iter().map(|vip| (key(vip), *vip)).collect();
    for row in rows {
        let vip = meant.get(&(row.prefix, row.port));
        if let (Some(seen), Some(address)) =
            (vip.and_then(|vip| found.get_mut(vip)), row.app_srv.to_ip())
        {
            sort(row, address, seen);
        }
    }
    // A server may be in use, and retired in the row of a VIP that was removed before.
    for seen in found.values_mut() {
        let mut listed = BTreeSet::new();
        seen.retired
            .retain(|row| !seen.servers.contains_key(&row.address) && listed.insert(row.address));
    }
    found
}

/// A row is of a server in use or of a retired one.
fn sort(row: &LegacyAsDetails, address: IpAddr, seen: &mut ObservedServers) {
    let weight = Weight::MEMBER.get();
    if row.flags & LegacyAsDetails::USED != 0 {
        seen.servers.insert(address, ObservedServer { weight, buckets: 0 });
    } else {
        let removed_at_s = Some(row.in_use_since);
        seen.retired.push(RetiredServer { address, removed_at_s, weight, flows: None });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::dataplane::net::Service;

    fn vip(prefix: &str, protocol: u8) -> Vip {
        let service = Service::Port { protocol, port: 53.try_into().unwrap() };
        Vip::new(prefix.parse().unwrap(), service)
    }

    fn row(prefix: &str, server: &str, flags: u8) -> LegacyAsDetails {
        LegacyAsDetails {
            prefix: VipKey::from(vip(prefix, 6)).prefix,
            port: 53,
            app_srv: server.parse::<IpAddr>().unwrap().into(),
            flags,
            in_use_since: 7,
        }
    }

    #[test]
    fn vips_that_rows_cannot_tell_apart_are_asked_for_in_different_batches() {
        let prefixes = ["192.0.2.0/32", "192.0.2.0/24", "192.0.2.1/32", "0.0.0.0/0"];
        let vips = prefixes.iter().flat_map(|prefix| [(vip(prefix, 6), 1), (vip(prefix, 17), 1)]);
        let batches = unambiguous_batches(&vips.collect(), 100_000);
        let mut asked = Vec::new();
        for batch in &batches {
            let DumpScope::Vips(vips) = &batch.of else { panic!("{batch:?}") };
            let keys: BTreeSet<_> = vips.iter().map(|vip| vip.prefix().addr()).collect();
            assert_eq!(keys.len(), vips.len(), "{batch:?}");
            asked.extend(vips.iter().copied());
        }
        assert_eq!((batches.len(), asked.len()), (4, 6), "{batches:?}");
    }

    #[test]
    fn rows_go_to_the_vip_that_was_asked_for() {
        let (one, net) = (vip("192.0.2.0/32", 17), vip("192.0.2.0/24", 17));
        let rows = [
            row("192.0.2.0/32", "10.0.0.1", 1),
            row("192.0.2.0/24", "10.0.0.2", 1),
            row("192.0.2.0/32", "10.0.0.1", 0),
            row("192.0.2.0/32", "10.0.0.3", 0),
            row("192.0.2.0/32", "10.0.0.3", 0),
        ];
        let found = rows_by_vip(&[one], &rows);
        assert_eq!(found.len(), 1);
        let seen = &found[&one];
        let addresses = |seen: &ObservedServers| seen.servers.keys().copied().collect::<Vec<_>>();
        assert_eq!(addresses(seen), ["10.0.0.1".parse::<IpAddr>().unwrap()]);
        assert_eq!(seen.retired.len(), 1, "{:?}", seen.retired);
        assert_eq!(
            addresses(&rows_by_vip(&[net], &rows)[&net]),
            ["10.0.0.2".parse::<IpAddr>().unwrap()]
        );
    }
}
