//! Reads how many established flows VPP has for each server.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use actix::prelude::*;

use super::messages::{FlowsError, ReadFlows, call_failed};
use super::{DataplaneError, VppConnection};
use crate::domain::dataplane::net::Vip;
use crate::domain::drain::{FlowCounts, SentPackets};
use crate::vpp::cli_text::{ServerText, VipTexts};

impl Handler<ReadFlows> for VppConnection {
    type Result = ResponseFuture<Result<FlowCounts, FlowsError>>;

    fn handle(&mut self, message: ReadFlows, _: &mut Self::Context) -> Self::Result {
        let ReadFlows { packets_of } = message;
        let client = self.client();
        Box::pin(async move {
            let (_, client) = client?;
            let listing = client.read_verbose().await.map_err(call_failed)?;
            let listing = listing.ok_or(FlowsError::TooManyVips)?;
            if listing.entries.is_empty() && !listing.complete {
                return Err(FlowsError::NotUnderstood);
            }
            let counts = tokio::task::spawn_blocking(move || {
                let objects = load_balances(&listing, &packets_of);
                (counts(&listing), objects)
            });
            // It fails only when the daemon ends.
            let (counts, objects) = counts.await.map_err(|_| DataplaneError::ended())?;
            let all = objects.values().flatten().copied().collect();
            let packets = client.read_packets(&all).await.map_err(call_failed)?;
            Ok(counts.with_packets(by_address(objects, &packets)))
        })
    }
}

/// The load-balance objects through which packets to these servers go. A server that
/// VPP does not have, or of which one is not understood, is left out.
fn load_balances(
    listing: &VipTexts,
    packets_of: &BTreeSet<IpAddr>,
) -> BTreeMap<IpAddr, BTreeSet<u32>> {
    let verbose = listing.entries.iter().filter_map(|entry| entry.verbose.as_ref());
    let servers = verbose.filter_map(|verbose| verbose.servers.as_deref()).flatten();
    let mut objects: BTreeMap<IpAddr, Option<BTreeSet<u32>>> = BTreeMap::new();
    for server in servers.filter(|server| packets_of.contains(&server.address)) {
        let of_server = objects.entry(server.address).or_insert_with(|| Some(BTreeSet::new()));
        match (&mut *of_server, server.load_balance) {
            (Some(known), Some(index)) => drop(known.insert(index)),
            _ => *of_server = None,
        }
    }
    objects.into_iter().filter_map(|(address, objects)| Some((address, objects?))).collect()
}

/// The packets of each server; one whose packets are not all known is left out.
fn by_address(
    objects: BTreeMap<IpAddr, BTreeSet<u32>>,
    packets: &BTreeMap<u32, u64>,
) -> BTreeMap<IpAddr, SentPackets> {
    let of = |index: u32| Some((index, *packets.get(&index)?));
    let known = objects.into_iter().map(|(address, objects)| {
        let counters: Option<SentPackets> = objects.into_iter().map(of).collect();
        Some((address, counters?))
    });
    known.flatten().collect()
}

/// The flows of live VIPs; one with a server whose line is not understood is left out.
/// Removed servers count: a VPP without weights is drained of a server by its removal,
/// and the flows stay.
fn counts(listing: &VipTexts) -> FlowCounts {
    let mut is_complete = listing.complete;
    let mut vips: BTreeMap<Vip, BTreeMap<IpAddr, u64>> = BTreeMap::new();
    for entry in listing.entries.iter().filter(|entry| !entry.removed) {
        match entry.verbose.as_ref().and_then(|verbose| verbose.servers.as_deref()) {
            Some(servers) => drop(vips.insert(entry.vip, by_server(servers))),
            None => is_complete = false,
        }
    }
    FlowCounts::new(vips, is_complete)
}

fn by_server(servers: &[ServerText]) -> BTreeMap<IpAddr, u64> {
    let mut flows = BTreeMap::new();
    for server in servers {
        *flows.entry(server.address).or_default() += server.flows;
    }
    flows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vpp::cli_text::parse_vips;

    const VERBOSE: &str = include_str!("../../../tests/data/cli/show_lb_vips_verbose.txt");

    #[test]
    fn a_vip_whose_flows_are_not_understood_has_no_count() {
        let text = VERBOSE.replace("buckets:65536 flows:0", "buckets:65536 flows:6");
        let listing = parse_vips(&text);
        let [web, dns, six] = [0, 1, 2].map(|place: usize| listing.entries[place].vip);
        let [one, two] = ["10.1.0.1", "2001:db8:a::1"].map(|it| it.parse::<IpAddr>().unwrap());
        let of_web = |text: &str| counts(&parse_vips(text)).of(web, one);
        let known = counts(&listing);
        assert_eq!((known.of(web, one), known.of(six, two)), (Some(0), Some(6)));
        assert_eq!(known.of(dns, one), Some(0), "a VIP that is removed takes no packets");
        let odd = "buckets:1024 flows:many";
        assert_eq!(of_web(&text.replace("buckets:1024 flows:0", odd)), None);
        assert_eq!(of_web(&text.replace("[1]", "[one]")), None);
    }

    #[test]
    fn packets_are_those_of_every_object_of_a_server_or_not_known() {
        let listing = parse_vips(VERBOSE);
        let one: IpAddr = "10.1.0.1".parse().unwrap();
        let asked = BTreeSet::from([one, [10, 9, 9, 9].into()]);
        let objects = load_balances(&listing, &asked);
        assert_eq!(objects.keys().copied().collect::<Vec<_>>(), [one]);
        let indices: Vec<_> = objects[&one].iter().copied().collect();
        let packets: BTreeMap<_, _> = indices.iter().map(|index| (*index, 7)).collect();
        let known = by_address(objects.clone(), &packets);
        assert_eq!(known[&one], packets);
        assert_eq!(by_address(objects, &BTreeMap::new()), BTreeMap::new());
        let odd = VERBOSE.replace("dpo:", "dpo:x");
        assert_eq!(load_balances(&parse_vips(&odd), &asked), BTreeMap::new());
    }

    #[test]
    fn flows_to_a_removed_server_of_a_vip_in_use_count() {
        let with_weights = VERBOSE.replace("buckets:0 flows:0", "buckets:0 flows:3");
        let line = "10.1.0.2 weight:100 buckets:0 flows:3 dpo:13  removed";
        let without = with_weights.replace(line, "10.1.0.2 0 buckets   3 flows  dpo:13  removed");
        assert!(with_weights.contains(line) && with_weights != without);
        for text in [with_weights, without] {
            let listing = parse_vips(&text);
            let web = listing.entries[0].vip;
            assert_eq!(counts(&listing).of(web, [10, 1, 0, 2].into()), Some(3), "{text}");
        }
    }
}
