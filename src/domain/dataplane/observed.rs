//! What VPP holds, as it was read.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::domain::config::LbConf;
use crate::domain::dataplane::net::{Encap, TableLength, Vip, Weight};

/// The load balancer's whole state.
///
/// There is no `Default`: a state that was not read is not an empty one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    pub conf: LbConf,
    /// VIPs in use.
    pub vips: BTreeMap<Vip, ObservedVip>,
    /// Rows of VPP's dumps that cannot be a VIP or server of ours, as text. They
    /// are logged and otherwise ignored.
    pub unexpected_rows: Vec<String>,
}

/// A VIP in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedVip {
    pub encap: ObservedEncap,
    /// `None`: too long for VPP to report.
    pub table_length: Option<TableLength>,
    /// `None`: not known; VPP's dumps do not contain it.
    pub src_ip_sticky: Option<bool>,
    pub servers: BTreeMap<IpAddr, ObservedServer>,
    pub retired: Vec<RetiredServer>,
}

impl ObservedVip {
    /// The servers in use with their weights, as [`maglev::table`] takes them.
    ///
    /// [`maglev::table`]: crate::domain::balancing::maglev::table
    #[must_use]
    pub fn weights(&self) -> Vec<(IpAddr, u8)> {
        self.servers.iter().map(|(&address, server)| (address, server.weight)).collect()
    }
}

/// The servers of one VIP, read by themselves. If there are none, the VIP may not
/// exist either.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObservedServers {
    pub servers: BTreeMap<IpAddr, ObservedServer>,
    pub retired: Vec<RetiredServer>,
}

/// The encapsulation that VPP reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObservedEncap {
    /// One that the daemon uses.
    Gre(Encap),
    /// L3DSR, NAT4 or NAT6, by VPP's number: not a VIP of ours.
    Other(u32),
}

/// A server in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObservedServer {
    /// Above 100 if something else than the daemon has set it.
    pub weight: u8,
    /// The number of its entries in the new-flow table: as VPP reported it or,
    /// after a write of ours, as the model computes it.
    pub buckets: u32,
}

impl ObservedServer {
    #[must_use]
    pub fn has(&self, weight: Weight) -> bool {
        self.weight == weight.get()
    }
}

/// A server that was removed and that VPP has not collected yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetiredServer {
    pub address: IpAddr,
    /// VPP's uptime when it was removed, in seconds.
    pub removed_at_s: u32,
    /// The last weight.
    pub weight: u8,
}
