//! From VPP's listings, and from dumps where the long one would not fit, to what VPP
//! holds. Nothing that they can contain is an error: what is not understood is reported
//! as strange and left alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::balancing::maglev;
use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::dataplane::net::{TableLength, Vip, Weight};
use crate::domain::dataplane::observed::{
    Observed, ObservedConf, ObservedServer, ObservedServers, ObservedVip, PartialConf,
    RetiredServer,
};
use crate::domain::dataplane::plan::assign_buckets;
use crate::vpp::cli_text::{ServerText, Verbose, VipText, VipTexts};

/// The answers of one conversation.
pub(super) struct LegacyState {
    pub(super) conf: PartialConf,
    pub(super) servers: ServerSource,
}

/// Where the servers were read.
pub(super) enum ServerSource {
    /// `show lb vips verbose`
    Verbose(VipTexts),
    /// The short listing, and dumps of the servers of the VIPs that can be asked for
    /// alone.
    Dumps(VipTexts, BTreeMap<Vip, ObservedServers>),
}

impl LegacyState {
    pub(super) fn observe(self) -> Observed {
        let conf = ObservedConf::Partial(self.conf);
        let mut observed = Observed::empty(LbDialect::Membership, conf);
        let is_complete = match self.servers {
            ServerSource::Verbose(verbose) => {
                for entry in &verbose.entries {
                    take_verbose(&mut observed, entry);
                }
                verbose.complete
            }
            ServerSource::Dumps(listing, mut dumped) => {
                let removed = listing.entries.iter().filter(|entry| entry.removed);
                let removed: BTreeSet<Vip> = removed.map(|entry| entry.vip).collect();
                for entry in &listing.entries {
                    // One that was removed has the key of one that came after it.
                    let servers = if entry.removed { None } else { dumped.remove(&entry.vip) };
                    take_dumped(&mut observed, entry, servers, &removed);
                }
                listing.complete
            }
        };
        if !is_complete {
            let row = "a line of `show lb vips` that is not understood";
            observed.unexpected_rows.push(row.into());
        }
        observed
    }
}

/// A VIP in use, still without servers.
fn vip(entry: &VipText) -> ObservedVip {
    ObservedVip {
        encap: entry.encap,
        table_length: TableLength::try_from(u64::from(entry.table_length)).ok(),
        src_ip_sticky: None,
        servers: BTreeMap::new(),
        retired: Vec::new(),
    }
}

fn take_verbose(observed: &mut Observed, entry: &VipText) {
    let Some((verbose, servers)) = entry.verbose.as_ref().and_then(with_servers) else { return };
    let weight = Weight::MEMBER.get();
    let (used, retired): (Vec<&ServerText>, Vec<&ServerText>) =
        servers.iter().partition(|row| row.used);
    // Of a removed VIP only the slot waits, once it has no rows.
    observed.is_uncollected |=
        retired.iter().any(|row| row.flows == 0) || entry.removed && retired.is_empty();
    if entry.removed {
        return;
    }
    let in_use = |row: &&ServerText| (row.address, ObservedServer { weight, buckets: row.buckets });
    let retired = retired.iter().map(|row| RetiredServer {
        address: row.address,
        removed_at_s: None,
        weight,
        flows: Some(row.flows),
    });
    let seen = ObservedVip {
        src_ip_sticky: Some(verbose.src_ip_sticky),
        servers: used.iter().map(in_use).collect(),
        retired: retired.collect(),
        ..vip(entry)
    };
    observed.vips.insert(entry.vip, seen);
}

/// The listing with its servers, if all of them are understood.
pub(super) fn with_servers(verbose: &Verbose) -> Option<(&Verbose, &[ServerText])> {
    Some((verbose, verbose.servers.as_deref()?))
}

fn take_dumped(
    observed: &mut Observed,
    entry: &VipText,
    servers: Option<ObservedServers>,
    removed: &BTreeSet<Vip>,
) {
    if entry.removed {
        observed.is_uncollected = true;
        return;
    }
    let Some(servers) = servers else {
        observed.unexpected_rows.push(format!("VIP {}, whose servers cannot be read", entry.vip));
        return;
    };
    let mut seen = ObservedVip { servers: servers.servers, ..vip(entry) };
    // The rows of a VIP that was removed cannot be told from those of the present one.
    if !removed.contains(&entry.vip) {
        seen.retired = servers.retired;
    }
    observed.is_uncollected |= !seen.retired.is_empty();
    assign_buckets(&mut seen);
    if seen.table_length.is_none() {
        let held = maglev::buckets(&seen.weights(), entry.table_length);
        for (server, buckets) in seen.servers.values_mut().zip(held) {
            server.buckets = buckets;
        }
    }
    observed.vips.insert(entry.vip, seen);
}
