//! VPP's word against the model's: the bucket counts that it reports beside
//! those that follow from its servers and weights.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use super::buckets;
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::{Observed, ObservedVip};

/// A VIP whose table is not what its servers and weights make of it: VPP
/// computes it in another way than this model, or has not done so yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Whose table.
    pub vip: Vip,
    /// The servers that are counted in another way, by address.
    pub servers: Vec<Miscount>,
}

/// A server that holds another number of entries than expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Miscount {
    /// Its address.
    pub server: IpAddr,
    /// What VPP reports.
    pub reported: u32,
    /// What follows from the servers and weights that VPP reports.
    pub expected: u32,
}

/// `10.0.0.1 holds 500 buckets and should hold 512`, with commas.
impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, server) in self.servers.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            let Miscount { server, reported, expected } = server;
            write!(f, "{comma}{server} holds {reported} buckets and should hold {expected}")?;
        }
        Ok(())
    }
}

/// Compares each look at VPP with the model, and tells of each difference once.
#[derive(Debug, Default)]
pub struct ModelCheck {
    /// What was told and still stands.
    told: BTreeMap<Vip, Mismatch>,
    total: u64,
}

impl ModelCheck {
    /// Those of a look's differences that the last look did not show.
    pub fn look(&mut self, found: BTreeMap<Vip, Mismatch>) -> Vec<Mismatch> {
        let is_new = |(vip, mismatch): &(&Vip, &Mismatch)| self.told.get(vip) != Some(*mismatch);
        let fresh: Vec<_> = found.iter().filter(is_new).map(|(_, found)| found.clone()).collect();
        self.total += fresh.len() as u64;
        self.told = found;
        fresh
    }

    /// The difference that one VIP shows and that the last look did not.
    pub fn look_at(&mut self, vip: Vip, seen: &ObservedVip) -> Option<Mismatch> {
        let servers = miscounts(seen);
        if servers.is_empty() {
            self.told.remove(&vip);
            return None;
        }
        let mismatch = Mismatch { vip, servers };
        if self.told.get(&vip) == Some(&mismatch) {
            return None;
        }
        self.told.insert(vip, mismatch.clone());
        self.total += 1;
        Some(mismatch)
    }

    /// Differences told since the start.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }
}

/// The tables of `observed` that are not those of the model. It takes about a
/// microsecond a VIP.
#[must_use]
pub fn mismatches(observed: &Observed) -> BTreeMap<Vip, Mismatch> {
    let of_vip = |(&vip, seen)| {
        let servers = miscounts(seen);
        (!servers.is_empty()).then_some((vip, Mismatch { vip, servers }))
    };
    observed.vips.iter().filter_map(of_vip).collect()
}

/// Nothing can be said of a table whose length VPP cannot report.
fn miscounts(seen: &ObservedVip) -> Vec<Miscount> {
    let Some(length) = seen.table_length else { return Vec::new() };
    let servers = seen.weights();
    let expected = buckets(&servers, length.get().into());
    let counted = seen.servers.iter().zip(expected);
    counted
        .filter(|((_, server), expected)| server.buckets != *expected)
        .map(|((&server, seen), expected)| Miscount { server, reported: seen.buckets, expected })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::config::LbConf;
    use crate::domain::dataplane::net::{Encap, Service, TableLength};
    use crate::domain::dataplane::observed::{ObservedEncap, ObservedServer};

    fn observed(servers: &[(&str, u8, u32)]) -> Observed {
        let server = |&(address, weight, buckets): &(&str, u8, u32)| {
            (address.parse().unwrap(), ObservedServer { weight, buckets })
        };
        let vip = ObservedVip {
            encap: ObservedEncap::Gre(Encap::Gre4),
            table_length: Some(TableLength::DEFAULT),
            src_ip_sticky: None,
            servers: servers.iter().map(server).collect(),
            retired: Vec::new(),
        };
        Observed {
            conf: LbConf {
                ip4_src: [192, 0, 2, 1].into(),
                ip6_src: [0; 16].into(),
                sticky_buckets_per_core: 1024,
                flow_timeout_s: 40,
            },
            vips: [(Vip::new("192.0.2.80/32".parse().unwrap(), Service::All), vip)].into(),
            strange: Vec::new(),
        }
    }

    #[test]
    fn a_difference_is_told_once_and_again_when_it_changes() {
        let right = observed(&[("10.1.0.1", 100, 812), ("10.1.0.2", 25, 212)]);
        let wrong = observed(&[("10.1.0.1", 100, 810), ("10.1.0.2", 25, 214)]);
        let other = observed(&[("10.1.0.1", 100, 811), ("10.1.0.2", 25, 213)]);
        let none = observed(&[]);
        let mut check = ModelCheck::default();
        for (looks_like, told) in
            [(&right, 0), (&wrong, 1), (&wrong, 0), (&other, 1), (&right, 0), (&other, 1)]
        {
            assert_eq!(check.look(mismatches(looks_like)).len(), told);
        }
        assert_eq!(check.look(mismatches(&none)), []);
        assert_eq!(
            check.look(mismatches(&wrong))[0].to_string(),
            "10.1.0.1 holds 810 buckets and should hold 812, \
             10.1.0.2 holds 214 buckets and should hold 212"
        );
        assert_eq!(check.total(), 4);
    }
}
