//! Compares the bucket counts that VPP reports with those that the model computes
//! from VPP's servers and weights.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use super::buckets;
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::{Observed, ObservedVip};

/// A VIP whose table does not follow from its servers and weights: VPP computes
/// it in another way than this model, or has not computed it yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    pub vip: Vip,
    /// The servers whose counts differ, by address.
    pub servers: Vec<Miscount>,
}

/// A server whose number of entries differs from the model's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Miscount {
    pub server: IpAddr,
    pub reported: u32,
    /// Computed from the servers and weights that VPP reports.
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

/// Reports each mismatch between VPP and the model once, however often it is
/// observed.
#[derive(Debug, Default)]
pub struct ModelCheck {
    /// Mismatches that were reported and are still observed.
    reported: BTreeMap<Vip, Mismatch>,
    total: u64,
}

impl ModelCheck {
    /// Takes all mismatches of an observation; returns those that were not
    /// reported yet.
    pub fn compare(&mut self, found: BTreeMap<Vip, Mismatch>) -> Vec<Mismatch> {
        let is_new =
            |(vip, mismatch): &(&Vip, &Mismatch)| self.reported.get(vip) != Some(*mismatch);
        let new: Vec<_> = found.iter().filter(is_new).map(|(_, found)| found.clone()).collect();
        self.total += new.len() as u64;
        self.reported = found;
        new
    }

    /// Compares one VIP; returns its mismatch if it was not reported yet.
    pub fn compare_one(&mut self, vip: Vip, observed: &ObservedVip) -> Option<Mismatch> {
        let servers = miscounts(observed);
        if servers.is_empty() {
            self.reported.remove(&vip);
            return None;
        }
        let mismatch = Mismatch { vip, servers };
        if self.reported.get(&vip) == Some(&mismatch) {
            return None;
        }
        self.reported.insert(vip, mismatch.clone());
        self.total += 1;
        Some(mismatch)
    }

    /// Mismatches reported since the start.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }
}

/// The tables of `observed` that differ from the model's. This takes about a
/// microsecond per VIP.
#[must_use]
pub fn mismatches(observed: &Observed) -> BTreeMap<Vip, Mismatch> {
    let of_vip = |(&vip, observed)| {
        let servers = miscounts(observed);
        (!servers.is_empty()).then_some((vip, Mismatch { vip, servers }))
    };
    observed.vips.iter().filter_map(of_vip).collect()
}

/// The servers whose counts differ. A table whose length VPP cannot report
/// cannot be compared.
fn miscounts(observed: &ObservedVip) -> Vec<Miscount> {
    let Some(length) = observed.table_length else { return Vec::new() };
    let expected = buckets(&observed.weights(), length.get().into());
    let servers = observed.servers.iter().zip(expected);
    servers
        .filter(|((_, server), expected)| server.buckets != *expected)
        .map(|((&address, server), expected)| Miscount {
            server: address,
            reported: server.buckets,
            expected,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::config::LbConf;
    use crate::domain::dataplane::dialect::LbDialect;
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
        let conf = LbConf {
            ip4_src: [192, 0, 2, 1].into(),
            ip6_src: [0; 16].into(),
            sticky_buckets_per_core: 1024,
            flow_timeout_s: 40,
        };
        let vips = [(Vip::new("192.0.2.80/32".parse().unwrap(), Service::All), vip)].into();
        Observed { vips, ..Observed::empty(LbDialect::Weights, conf) }
    }

    #[test]
    fn a_mismatch_is_reported_once_and_again_when_it_changes() {
        let right = observed(&[("10.1.0.1", 100, 812), ("10.1.0.2", 25, 212)]);
        let wrong = observed(&[("10.1.0.1", 100, 810), ("10.1.0.2", 25, 214)]);
        let other = observed(&[("10.1.0.1", 100, 811), ("10.1.0.2", 25, 213)]);
        let none = observed(&[]);
        let mut check = ModelCheck::default();
        for (observed, reported) in
            [(&right, 0), (&wrong, 1), (&wrong, 0), (&other, 1), (&right, 0), (&other, 1)]
        {
            assert_eq!(check.compare(mismatches(observed)).len(), reported);
        }
        assert_eq!(check.compare(mismatches(&none)), []);
        assert_eq!(
            check.compare(mismatches(&wrong))[0].to_string(),
            "10.1.0.1 holds 810 buckets and should hold 812, \
             10.1.0.2 holds 214 buckets and should hold 212"
        );
        assert_eq!(check.total(), 4);
    }
}
