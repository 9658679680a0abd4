//! From rows and listings to what VPP holds. Nothing that a row can contain is
//! an error: what cannot be ours is reported as strange and left alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use crate::domain::config::LbConf;
use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::dataplane::net::{Encap, TableLength, Vip};
use crate::domain::dataplane::observed::{
    Observed, ObservedEncap, ObservedServer, ObservedServers, ObservedVip, RetiredServer,
};
use crate::vpp::cli_text::VipTexts;
use crate::vpp::wire::lb::{ENCAP_GRE4, ENCAP_GRE6};
use crate::vpp::wire::{LbAsV2Details, LbVipDetails};

/// The answers of one conversation.
pub(super) struct StateRows {
    pub(super) conf: LbConf,
    /// `show lb vips`
    pub(super) listing: VipTexts,
    /// `None`: not asked for, the listing stands for them.
    pub(super) vips: Option<Vec<LbVipDetails>>,
    pub(super) servers: Vec<LbAsV2Details>,
    /// `show lb vips verbose`; `None`: not asked for.
    pub(super) verbose: Option<VipTexts>,
}

impl StateRows {
    pub(super) fn observe(self) -> Observed {
        let mut builder = ObservedBuilder::default();
        match &self.vips {
            Some(rows) => builder.take_vips(rows, &self.listing),
            None => builder.take_listing(&self.listing),
        }
        for row in &self.servers {
            builder.take_server(row);
        }
        if let Some(verbose) = &self.verbose {
            builder.take_verbose(verbose);
        }
        Observed {
            vips: builder.vips,
            unexpected_rows: builder.unexpected_rows,
            ..Observed::empty(LbDialect::Weights, self.conf)
        }
    }
}

#[derive(Default)]
struct ObservedBuilder {
    vips: BTreeMap<Vip, ObservedVip>,
    /// The VIP that rows mean when they name a VIP.
    names: HashMap<Vip, Vip>,
    /// Names that several VIPs share in the dumps.
    ambiguous: BTreeSet<Vip>,
    unexpected_rows: Vec<String>,
}

impl ObservedBuilder {
    fn take_vips(&mut self, rows: &[LbVipDetails], listing: &VipTexts) {
        for row in rows {
            let Some(name) = row.vip.to_vip() else {
                self.unexpected_rows.push(format!("VIP of no valid prefix: {:?}", row.vip));
                continue;
            };
            let Some(vip) = meant(name, listing) else {
                // VPP lists an IPv6 VIP inside ::/96 as if it were IPv4.
                self.unexpected_rows
                    .push(format!("VIP {name} of the dump is not in `show lb vips`"));
                continue;
            };
            let table_length = TableLength::try_from(u64::from(row.flow_table_length)).ok();
            self.add(name, vip, observed_encap(row.encap), table_length);
        }
        self.drop_ambiguous();
    }

    fn take_listing(&mut self, listing: &VipTexts) {
        for entry in listing.entries.iter().filter(|entry| !entry.removed) {
            let table_length = TableLength::try_from(u64::from(entry.table_length)).ok();
            self.add(dumped_as(entry.vip), entry.vip, entry.encap, table_length);
        }
        self.drop_ambiguous();
    }

    fn add(&mut self, name: Vip, vip: Vip, encap: ObservedEncap, length: Option<TableLength>) {
        if self.names.insert(name, vip).is_some() {
            self.ambiguous.insert(name);
        }
        let fresh = ObservedVip {
            encap,
            table_length: length,
            src_ip_sticky: None,
            servers: BTreeMap::new(),
            retired: Vec::new(),
        };
        self.vips.insert(vip, fresh);
    }

    /// Drops the VIPs whose rows cannot be told apart.
    fn drop_ambiguous(&mut self) {
        for name in &self.ambiguous {
            self.names.remove(name);
            self.vips.retain(|vip, _| dumped_as(*vip) != *name);
            self.unexpected_rows.push(format!("several VIPs that VPP lists as {name}"));
        }
    }

    fn take_server(&mut self, row: &LbAsV2Details) {
        let used = row.flags & LbAsV2Details::USED != 0;
        let name = row.vip.to_vip();
        let vip = name.and_then(|name| self.names.get(&name));
        let Some(seen) = vip.and_then(|vip| self.vips.get_mut(vip)) else {
            // Removed servers outlive their VIP: nothing strange.
            let reported = name.is_some_and(|name| self.ambiguous.contains(&name));
            if used && !reported {
                self.unexpected_rows.push(format!("server of a VIP that is not listed: {row:?}"));
            }
            return;
        };
        let Some(address) = row.app_srv.to_ip() else {
            self.unexpected_rows.push(format!("server of no valid address: {row:?}"));
            return;
        };
        sort(row, address, &mut seen.servers, &mut seen.retired);
    }

    fn take_verbose(&mut self, verbose: &VipTexts) {
        for entry in verbose.entries.iter().filter(|entry| !entry.removed) {
            if let (Some(extra), Some(seen)) = (&entry.verbose, self.vips.get_mut(&entry.vip)) {
                seen.src_ip_sticky = Some(extra.src_ip_sticky);
            }
        }
    }
}

/// The servers of each of these VIPs; rows of other VIPs are not theirs.
pub(super) fn rows_by_vip(
    vips: impl Iterator<Item = Vip>,
    rows: &[LbAsV2Details],
) -> BTreeMap<Vip, ObservedServers> {
    let mut found: BTreeMap<_, _> = vips.map(|vip| (vip, ObservedServers::default())).collect();
    for row in rows {
        let seen = row.vip.to_vip().and_then(|vip| found.get_mut(&vip));
        if let (Some(seen), Some(address)) = (seen, row.app_srv.to_ip()) {
            sort(row, address, &mut seen.servers, &mut seen.retired);
        }
    }
    found
}

/// A row is of a server in use or of a retired one.
fn sort(
    row: &LbAsV2Details,
    address: IpAddr,
    servers: &mut BTreeMap<IpAddr, ObservedServer>,
    retired: &mut Vec<RetiredServer>,
) {
    let weight = row.weight;
    if row.flags & LbAsV2Details::USED != 0 {
        servers.insert(address, ObservedServer { weight, buckets: row.num_buckets });
    } else {
        let removed_at_s = Some(row.in_use_since);
        retired.push(RetiredServer { address, removed_at_s, weight, flows: None });
    }
}

fn observed_encap(number: u32) -> ObservedEncap {
    match number {
        ENCAP_GRE4 => ObservedEncap::Gre(Encap::Gre4),
        ENCAP_GRE6 => ObservedEncap::Gre(Encap::Gre6),
        other => ObservedEncap::Other(other),
    }
}

/// What a dump calls a VIP: `::/0` looks like `0.0.0.0/0` there.
fn dumped_as(vip: Vip) -> Vip {
    match vip.prefix() {
        IpNet::V6(net) if net.prefix_len() == 0 => {
            Vip::new(Ipv4Net::default().into(), vip.service())
        }
        _ => vip,
    }
}

/// The VIP that a dump's name means, given what the listing shows. A listing
/// of which nothing was understood contradicts nothing.
fn meant(name: Vip, listing: &VipTexts) -> Option<Vip> {
    if listing.entries.is_empty() && !listing.complete {
        return Some(name);
    }
    let live = || listing.entries.iter().filter(|entry| !entry.removed).map(|entry| entry.vip);
    live().find(|vip| *vip == name).or_else(|| live().find(|vip| dumped_as(*vip) == name))
}
