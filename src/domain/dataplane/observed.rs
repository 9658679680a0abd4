//! What VPP was seen to hold.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::domain::config::LbConf;
use crate::domain::dataplane::net::{Encap, TableLength, Vip, Weight};

/// The load balancer's whole state, as one conversation read it.
///
/// There is no `Default`: what was not read is not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// The global settings.
    pub conf: LbConf,
    /// Live VIPs.
    pub vips: BTreeMap<Vip, ObservedVip>,
    /// Rows that no VIP of ours can look like, as text: they are told of and
    /// left alone.
    pub strange: Vec<String>,
}

/// A live VIP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedVip {
    /// How flows are carried.
    pub encap: ObservedEncap,
    /// `None`: longer than VPP can report.
    pub table_length: Option<TableLength>,
    /// `None`: not read; no dump tells it.
    pub src_ip_sticky: Option<bool>,
    /// Servers in use.
    pub servers: BTreeMap<IpAddr, ObservedServer>,
    /// Servers that were removed and that VPP has not collected yet.
    pub retired: Vec<RetiredServer>,
}

impl ObservedVip {
    /// The servers in use with their weights, as the model of the table takes
    /// them.
    #[must_use]
    pub fn weights(&self) -> Vec<(IpAddr, u8)> {
        self.servers.iter().map(|(&address, server)| (address, server.weight)).collect()
    }
}

/// The servers of one VIP, read alone. That there are none may also mean that
/// there is no such VIP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObservedServers {
    /// Servers in use.
    pub servers: BTreeMap<IpAddr, ObservedServer>,
    /// Servers that were removed and that VPP has not collected yet.
    pub retired: Vec<RetiredServer>,
}

/// An encapsulation that VPP reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObservedEncap {
    /// One that we use.
    Gre(Encap),
    /// L3DSR, NAT4 or NAT6, by VPP's number: somebody else's VIP.
    Other(u32),
}

/// A server in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObservedServer {
    /// As VPP has it: a stranger may have set more than 100.
    pub weight: u8,
    /// Entries of the new-flow table that lead to it: as VPP reported them or,
    /// since a write of ours, as the model has them.
    pub buckets: u32,
}

impl ObservedServer {
    /// Whether it has exactly this weight.
    #[must_use]
    pub fn has(&self, weight: Weight) -> bool {
        self.weight == weight.get()
    }
}

/// A server that was removed and that VPP has not collected yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetiredServer {
    /// Its address.
    pub address: IpAddr,
    /// Seconds of VPP's uptime at which it was removed.
    pub removed_at_s: u32,
    /// The weight it last had.
    pub weight: u8,
}
