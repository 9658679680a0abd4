//! What VPP holds, as it was read.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::domain::config::LbConf;
use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::dataplane::net::{Encap, TableLength, Vip, Weight};

/// The load balancer's whole state.
///
/// There is no `Default`: a state that was not read is not an empty one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    pub dialect: LbDialect,
    pub conf: ObservedConf,
    /// VIPs in use.
    pub vips: BTreeMap<Vip, ObservedVip>,
    /// Removed VIPs or servers, to which no flow leads as far as is known, wait for a
    /// collector that VPP does not run of its own.
    pub is_uncollected: bool,
    /// Rows of VPP's dumps that cannot be a VIP or server of ours, as text. They
    /// are logged and otherwise ignored.
    pub unexpected_rows: Vec<String>,
}

impl Observed {
    /// A VPP without VIPs.
    #[must_use]
    pub fn empty(dialect: LbDialect, conf: impl Into<ObservedConf>) -> Self {
        Self {
            dialect,
            conf: conf.into(),
            vips: BTreeMap::new(),
            is_uncollected: false,
            unexpected_rows: Vec::new(),
        }
    }
}

/// The global settings, as far as they are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObservedConf {
    /// They were read, or written over this connection.
    Known(LbConf),
    /// This VPP does not tell all of them.
    Partial(PartialConf),
}

/// What a VPP tells of its global settings that cannot be asked for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartialConf {
    /// The source addresses; `None`: the text that has them is not understood.
    pub sources: Option<(Ipv4Addr, Ipv6Addr)>,
    /// The sizes of the threads' tables of sticky flows, as of the last packet of each;
    /// empty: no thread has seen a packet, and there are no flows.
    pub sticky_buckets: BTreeSet<u32>,
}

impl From<LbConf> for ObservedConf {
    fn from(conf: LbConf) -> Self {
        Self::Known(conf)
    }
}

impl ObservedConf {
    #[must_use]
    pub fn known(&self) -> Option<LbConf> {
        match self {
            Self::Known(conf) => Some(*conf),
            Self::Partial(_) => None,
        }
    }

    /// The source addresses, if VPP tells them.
    #[must_use]
    pub fn sources(&self) -> Option<(Ipv4Addr, Ipv6Addr)> {
        match self {
            Self::Known(conf) => Some((conf.ip4_src, conf.ip6_src)),
            Self::Partial(partial) => partial.sources,
        }
    }

    /// Completes what VPP tells with what was written before over the same connection.
    #[must_use]
    pub fn completed(self, before: &Self) -> Self {
        match (self, before) {
            (Self::Partial(partial), Self::Known(written)) => {
                let (ip4_src, ip6_src) =
                    partial.sources.unwrap_or((written.ip4_src, written.ip6_src));
                Self::Known(LbConf { ip4_src, ip6_src, ..*written })
            }
            (now, _) => now,
        }
    }

    /// The number of sticky buckets of a table that would be replaced by one of
    /// `buckets`, and its flows lost.
    #[must_use]
    pub fn sticky_buckets_before(&self, buckets: u32) -> Option<u32> {
        match self {
            Self::Known(conf) => Some(conf.sticky_buckets_per_core).filter(|had| *had != buckets),
            Self::Partial(partial) => {
                partial.sticky_buckets.iter().copied().find(|had| *had != buckets)
            }
        }
    }
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
    /// Above 100 if something else than the daemon has set it; 1 if VPP has no weights.
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
    /// VPP's uptime when it was removed, in seconds; `None`: not known.
    pub removed_at_s: Option<u32>,
    /// The last weight.
    pub weight: u8,
    /// The established flows that lead to it; `None`: not known.
    pub flows: Option<u64>,
}
