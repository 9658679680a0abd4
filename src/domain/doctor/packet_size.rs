//! Whether packets fit into GRE on their way to the servers.
//!
//! `lb` puts a client's packet whole into an outer one. Where that is longer than the
//! interface takes, VPP 26.10 cuts an outer IPv4 packet into fragments that all have
//! the identification 0, so that a server may join parts of two; and it drops an outer
//! IPv6 packet without a word to the client. Servers avoid both with the maximum
//! segment size (MSS) that they advertise.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{ConnectedVpp, FrontendFacts};
use super::finding::{Finding, Severity, some};
use crate::domain::dataplane::fib::Egress;
use crate::domain::dataplane::net::Encap;

/// The longest packet of a client, as Ethernet has it.
const FULL: u32 = 1500;

/// Servers without a route that are named.
const NAMED: usize = 5;

/// The family of a VIP: that of its clients' packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    V4,
    V6,
}

impl Family {
    /// Bytes of an IP header and a TCP header without options.
    fn headers(self) -> u32 {
        match self {
            Self::V4 => 20 + 20,
            Self::V6 => 40 + 20,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        }
    }
}

/// Bytes of the outer IP header and of GRE.
fn overhead(encap: Encap) -> u32 {
    match encap {
        Encap::Gre4 => 20 + 4,
        Encap::Gre6 => 40 + 4,
    }
}

/// The MSS with which packets of clients pass an MTU; 0: none does.
#[must_use]
pub fn largest_segment(mtu: u32, encap: Encap, vip: Family) -> u32 {
    mtu.saturating_sub(overhead(encap) + vip.headers())
}

pub(super) fn examine(vpp: &ConnectedVpp, frontends: &[FrontendFacts]) -> Vec<Finding> {
    let Ok(fib) = &vpp.fib else { return Vec::new() };
    let mut used: BTreeMap<(&Egress, Encap), BTreeSet<Family>> = BTreeMap::new();
    let mut unreachable = BTreeSet::new();
    for frontend in frontends {
        let v4 = frontend.vip.prefix().addr().is_ipv4();
        let family = if v4 { Family::V4 } else { Family::V6 };
        for server in &frontend.servers {
            let Some(egresses) = fib.servers.get(server) else { continue };
            if egresses.is_empty() {
                unreachable.insert(*server);
            }
            for egress in egresses {
                used.entry((egress, frontend.encap)).or_default().insert(family);
            }
        }
    }
    let mut findings: Vec<Finding> = used
        .iter()
        .filter_map(|((egress, encap), families)| {
            Some(interface(&egress.interface, egress.mtu?, *encap, families))
        })
        .collect();
    if !unreachable.is_empty() {
        let servers: Vec<_> = unreachable.iter().map(ToString::to_string).collect();
        findings.push(Finding::new(
            Severity::Fault,
            "routes to servers",
            format!("VPP has none to {}: packets to them are dropped", some(&servers, NAMED)),
            "add a route or an interface in VPP's FIB 0, from which lb sends",
        ));
    }
    findings
}

fn interface(name: &str, mtu: u32, encap: Encap, families: &BTreeSet<Family>) -> Finding {
    let subject = format!("MTU of {name} ({encap})");
    let added = overhead(encap);
    let wanted = FULL + added;
    let segments = |mtu: u32| {
        let each = families.iter().map(|family| {
            format!("{} for {} VIPs", largest_segment(mtu, encap, *family), family.as_str())
        });
        each.collect::<Vec<_>>().join(" and ")
    };
    if mtu >= wanted {
        return Finding {
            remedy: format!(
                "where the network behind takes {FULL}, have servers advertise an MSS of at most {}",
                segments(FULL)
            ),
            ..Finding::ok(
                subject,
                format!("{mtu}: clients' packets of {FULL} fit, with {added} more for GRE"),
            )
        };
    }
    let fate = match encap {
        Encap::Gre4 => "VPP cuts longer ones into fragments, all of identification 0",
        Encap::Gre6 => "VPP drops longer ones, and no client is told",
    };
    Finding::new(
        if mtu < FULL { Severity::Fault } else { Severity::Warning },
        subject,
        format!(
            "{mtu}, of which GRE takes {added}: clients' packets of {} fit; {fate}",
            mtu.saturating_sub(added)
        ),
        format!(
            "have servers advertise an MSS of at most {}, or `set interface mtu packet {wanted} {name}` where the network behind takes that",
            segments(mtu)
        ),
    )
}
