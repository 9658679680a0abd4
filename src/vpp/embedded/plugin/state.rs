//! The state of the plugin: settings, and the pools of VIPs and servers.

use std::collections::{BTreeSet, HashMap};
use std::net::{Ipv4Addr, Ipv6Addr};

use super::address::{PluginPrefix, PluginVipKey};
use super::api::PluginApi;
use super::index::VipIndex;
use super::load_balances::LoadBalances;
use crate::vpp::embedded::pool::SlotPool;

/// Seconds between two runs of the collector, and between two collections of
/// one VIP.
pub(super) const COLLECTION_PERIOD: u32 = 60;

/// The global settings (`lb_conf`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conf {
    /// Outer source of GRE over IPv4.
    pub ip4_src: Ipv4Addr,
    /// Outer source of GRE over IPv6.
    pub ip6_src: Ipv6Addr,
    /// Sticky flow entries of each worker.
    pub sticky_buckets_per_core: u32,
    /// Idle seconds after which a flow is forgotten.
    pub flow_timeout: u32,
}

impl Default for Conf {
    fn default() -> Self {
        Self {
            ip4_src: Ipv4Addr::BROADCAST,
            ip6_src: Ipv6Addr::from_bits(u128::MAX),
            sticky_buckets_per_core: 1024,
            flow_timeout: 40,
        }
    }
}

/// The attributes of a new VIP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewVip {
    /// As the message has it: 0 gre4, 1 gre6, 2 l3dsr, 3 nat4, 4 nat6.
    pub encap: u32,
    /// For L3DSR; VPP cuts it to six bits.
    pub dscp: u8,
    /// For NAT: the first byte of the field, the only one that VPP looks at.
    pub srv_type: u8,
    /// For NAT.
    pub target_port: u16,
    /// Entries of the new-flow table.
    pub table_length: u32,
    /// Choose the server by the client's address alone.
    pub src_ip_sticky: bool,
}

/// The combination of VIP family and encapsulation that VPP stores, by its numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum VipKind {
    #[default]
    Ip6Gre6,
    Ip6Gre4,
    Ip4Gre6,
    Ip4Gre4,
    Ip4L3dsr,
    Ip4Nat4,
    Ip6Nat6,
}

impl VipKind {
    /// What VPP makes of `encap`: an unknown one becomes its number 0.
    pub(super) fn of(encap: u32, prefix: PluginPrefix) -> Self {
        match (prefix.is_ip4(), encap) {
            (true, 0) => Self::Ip4Gre4,
            (true, 1) => Self::Ip4Gre6,
            (true, 2) => Self::Ip4L3dsr,
            (true, 3) => Self::Ip4Nat4,
            (false, 0) => Self::Ip6Gre4,
            (false, 4) => Self::Ip6Nat6,
            _ => Self::Ip6Gre6,
        }
    }

    pub(super) fn is_for_ip4_vips(self) -> bool {
        matches!(self, Self::Ip4Gre6 | Self::Ip4Gre4 | Self::Ip4L3dsr | Self::Ip4Nat4)
    }

    pub(super) fn takes_ip4_servers(self) -> bool {
        matches!(self, Self::Ip6Gre4 | Self::Ip4Gre4 | Self::Ip4L3dsr | Self::Ip4Nat4)
    }

    pub(super) fn is_nat(self) -> bool {
        matches!(self, Self::Ip4Nat4 | Self::Ip6Nat6)
    }
}

/// A slot of the VIP pool.
#[derive(Clone, Debug, Default)]
pub(super) struct PluginVip {
    pub(super) key: PluginVipKey,
    pub(super) kind: VipKind,
    pub(super) used: bool,
    pub(super) src_ip_sticky: bool,
    pub(super) table_length: u32,
    /// First byte of the encapsulation's arguments: DSCP or service type. VPP
    /// leaves the last user's in a GRE VIP.
    pub(super) argument: u8,
    pub(super) target_port: u16,
    pub(super) last_collection: u32,
    /// Indices of the server pool.
    pub(super) servers: SlotPool<u32>,
    /// The same indices, by the servers' addresses.
    pub(super) by_address: HashMap<u128, u32>,
    /// The servers' `buckets` are older than the servers.
    pub(super) table_is_stale: bool,
    pub(super) counters: [u64; 4],
}

/// The whole state of the plugin.
#[derive(Clone, Debug)]
pub struct Plugin {
    pub(super) api: PluginApi,
    pub(super) conf: Conf,
    /// Slot 0 is the plugin's own, so the first VIP has index 1.
    pub(super) vips: SlotPool<PluginVip>,
    pub(super) index: VipIndex,
    /// Slot 0 is the plugin's own.
    pub(super) servers: SlotPool<PluginServer>,
    /// The bucket count and the timeout that the sticky table was used with, by the
    /// last packet.
    pub(super) sticky_table: Option<(u32, u32)>,
    pub(super) load_balances: LoadBalances,
    pub(super) next_collection: u32,
    /// VIP slots whose counters changed since they were taken.
    pub(super) changed_counters: BTreeSet<u32>,
}

impl Default for Plugin {
    fn default() -> Self {
        Self::new(PluginApi::default())
    }
}

impl Plugin {
    /// A plugin that was never configured.
    #[must_use]
    pub fn new(api: PluginApi) -> Self {
        let mut plugin = Self {
            api,
            conf: Conf::default(),
            vips: SlotPool::default(),
            index: VipIndex::default(),
            servers: SlotPool::default(),
            sticky_table: None,
            load_balances: LoadBalances::default(),
            next_collection: COLLECTION_PERIOD,
            changed_counters: BTreeSet::new(),
        };
        // Neither can be reached: no prefix of length 0 has bits.
        let own = plugin.vips.take().1;
        own.key = PluginVipKey {
            prefix: PluginPrefix { bits: u128::MAX, len: 0 },
            protocol: 255,
            port: 0,
        };
        own.used = true;
        plugin.servers.take();
        plugin
    }

    /// The version of `lb.api` that it has.
    #[must_use]
    pub fn api(&self) -> PluginApi {
        self.api
    }
}

/// A slot of the server pool.
#[derive(Clone, Debug, Default)]
pub(super) struct PluginServer {
    pub(super) address: u128,
    pub(super) used: bool,
    pub(super) weight: u8,
    /// Uptime at which it was removed; of the slot's last user on a live one.
    pub(super) removed_at: u32,
    /// Sticky entries that lead to it.
    pub(super) flows: u64,
    /// Entries of the new-flow table, as of its last computation.
    pub(super) buckets: u32,
}
