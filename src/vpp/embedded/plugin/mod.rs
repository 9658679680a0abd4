//! VPP's `lb` plugin as a state without packets: what its API can set, ask and
//! be refused, faults included. Time is an argument, in whole seconds of
//! uptime, as the plugin itself reads its clock.
//!
//! Modelled on lb.api 1.2.0 (VPP 26.10) and checked against a running one.

mod address;
mod fault;
mod rows;
mod servers;
#[cfg(test)]
mod tests;
mod text;

use std::net::{Ipv4Addr, Ipv6Addr};

pub use self::address::{
    PluginPrefix, PluginVipKey, address_from_wire, address_to_wire, from_ip, to_ip,
};
pub use self::fault::{PluginFault, PluginRefusal};
pub(super) use self::rows::ServerFilter;
pub use self::rows::{ServerRow, VipRow};
pub use self::text::COUNTER_NAMES;
use super::pool::SlotPool;
use servers::PluginServer;

/// Seconds between two runs of the collector, and between two collections of
/// one VIP.
const COLLECTION_PERIOD: u32 = 60;

/// Table lengths from here on do not fit into VPP's default heap of 1 GiB.
const HUGE_TABLE: u32 = 1 << 28;

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

/// What a VIP is added with.
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

/// The combination of VIP family and encapsulation that VPP stores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum VipKind {
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
    /// What VPP makes of `encap`; what it does not know becomes its number 0.
    fn of(encap: u32, prefix: PluginPrefix) -> Self {
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

    fn is_for_ip4_vips(self) -> bool {
        matches!(self, Self::Ip4Gre6 | Self::Ip4Gre4 | Self::Ip4L3dsr | Self::Ip4Nat4)
    }

    fn takes_ip4_servers(self) -> bool {
        matches!(self, Self::Ip6Gre4 | Self::Ip4Gre4 | Self::Ip4L3dsr | Self::Ip4Nat4)
    }

    fn is_nat(self) -> bool {
        matches!(self, Self::Ip4Nat4 | Self::Ip6Nat6)
    }
}

/// A slot of the VIP pool.
#[derive(Clone, Debug, Default)]
struct PluginVip {
    key: PluginVipKey,
    kind: VipKind,
    used: bool,
    src_ip_sticky: bool,
    table_length: u32,
    /// First byte of the encapsulation's arguments: DSCP or service type. VPP
    /// leaves the last user's in a GRE VIP.
    argument: u8,
    target_port: u16,
    last_collection: u32,
    /// Indices of the server pool.
    servers: SlotPool<u32>,
    /// The servers' `buckets` are older than the servers.
    table_is_stale: bool,
    counters: [u64; 4],
}

/// The whole state of the plugin.
#[derive(Clone, Debug)]
pub struct Plugin {
    conf: Conf,
    /// Slot 0 is the plugin's own, so the first VIP has index 1.
    vips: SlotPool<PluginVip>,
    /// Slot 0 is the plugin's own.
    servers: SlotPool<PluginServer>,
    /// The bucket count that the sticky table was made with, by the first
    /// packet after a change.
    sticky_table: Option<u32>,
    next_collection: u32,
    counters_version: u64,
}

impl Default for Plugin {
    fn default() -> Self {
        let mut plugin = Self {
            conf: Conf::default(),
            vips: SlotPool::default(),
            servers: SlotPool::default(),
            sticky_table: None,
            next_collection: COLLECTION_PERIOD,
            counters_version: 0,
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
}

impl Plugin {
    /// `lb_conf_get`
    #[must_use]
    pub fn conf(&self) -> Conf {
        self.conf
    }

    /// `lb_conf`: `u32::MAX` keeps the number; the addresses are always taken.
    ///
    /// # Errors
    /// Refuses a bucket count that is not a power of two; 0 passes for one.
    pub fn set_conf(&mut self, conf: Conf) -> Result<(), PluginFault> {
        let keep = |new, old| if new == u32::MAX { old } else { new };
        let buckets = keep(conf.sticky_buckets_per_core, self.conf.sticky_buckets_per_core);
        if !is_pow2(buckets) {
            return Err(PluginRefusal::InvalidMemorySize.into());
        }
        self.conf = Conf {
            sticky_buckets_per_core: buckets,
            flow_timeout: keep(conf.flow_timeout, self.conf.flow_timeout),
            ..conf
        };
        Ok(())
    }

    /// `lb_add_del_vip_v2` without `is_del`.
    ///
    /// # Errors
    /// With VPP's codes, in VPP's order of checks; a table that VPP has no
    /// memory for is a crash.
    pub fn add_vip(&mut self, key: PluginVipKey, new: NewVip, now: u32) -> Result<(), PluginFault> {
        // The encapsulation is read before the host bits are cleared.
        let kind = VipKind::of(new.encap, key.prefix);
        let key = key.normalised();
        if self.find(key).is_some() {
            return Err(PluginRefusal::ValueExist.into());
        }
        if let Some(sibling) = self.live_vips_of(key.prefix).next() {
            if key.port == 0 || self.vips[sibling].key.port == 0 {
                return Err(PluginRefusal::ValueExist.into());
            }
            if self.vips[sibling].kind != kind {
                return Err(PluginRefusal::InvalidArgument.into());
            }
        }
        if !is_pow2(new.table_length) {
            return Err(PluginRefusal::InvalidMemorySize.into());
        }
        if key.prefix.is_ip4() != kind.is_for_ip4_vips() {
            return Err(PluginRefusal::InvalidAddressFamily.into());
        }
        if new.table_length == 0 || new.table_length >= HUGE_TABLE {
            return Err(PluginFault::Crash("out of memory for the new-flow table"));
        }
        let vip = self.vips.take().1;
        vip.key = key;
        vip.kind = kind;
        vip.used = true;
        vip.src_ip_sticky = new.src_ip_sticky;
        vip.table_length = new.table_length;
        vip.last_collection = now;
        vip.servers = SlotPool::default();
        vip.table_is_stale = false;
        vip.counters = [0; 4];
        if kind == VipKind::Ip4L3dsr {
            vip.argument = new.dscp & 0x3f;
        } else if kind.is_nat() {
            vip.argument = new.srv_type;
            vip.target_port = new.target_port;
        }
        self.counters_version += 1;
        Ok(())
    }

    /// `lb_add_del_vip_v2` with `is_del`: the servers are retired without a
    /// flush; the slot goes when the last of them is collected.
    ///
    /// # Errors
    /// Refuses an unknown VIP.
    pub fn delete_vip(&mut self, key: PluginVipKey, now: u32) -> Result<(), PluginFault> {
        let index = self.find(key).ok_or(PluginRefusal::NoSuchEntry)?;
        let servers: Vec<u32> =
            self.vips[index].servers.iter().map(|(_, &server)| server).collect();
        if !servers.is_empty() {
            self.retire(index, &servers, false, now);
        }
        self.vips[index].used = false;
        Ok(())
    }

    /// Lets time pass until `now`: the collector runs every minute of uptime.
    pub fn advance(&mut self, now: u32) {
        while self.next_collection <= now {
            let at = self.next_collection;
            self.next_collection += COLLECTION_PERIOD;
            self.collect_all(at);
        }
    }

    /// Slots of the VIP pool that were ever used, slot 0 included: the length
    /// of VPP's counter vectors. 1: no VIP was ever added.
    #[must_use]
    pub fn vip_slots(&self) -> usize {
        self.vips.capacity()
    }

    /// Next, first, untracked and no-server packets of a VIP slot.
    #[must_use]
    pub fn counters(&self, slot: u32) -> [u64; 4] {
        self.vips[slot].counters
    }

    /// Changes with every change of a counter or of the number of slots.
    #[must_use]
    pub fn counters_version(&self) -> u64 {
        self.counters_version
    }

    /// Adds to the counters of a VIP, as packets would.
    ///
    /// # Errors
    /// Refuses an unknown VIP.
    pub fn count_packets(
        &mut self,
        key: PluginVipKey,
        packets: [u64; 4],
    ) -> Result<(), PluginFault> {
        let index = self.find(key).ok_or(PluginRefusal::NoSuchEntry)?;
        for (counter, more) in self.vips[index].counters.iter_mut().zip(packets) {
            *counter += more;
        }
        self.counters_version += 1;
        Ok(())
    }

    /// The slot of a VIP in use.
    fn find(&self, key: PluginVipKey) -> Option<u32> {
        let key = key.normalised();
        self.vips.iter().find(|(_, vip)| vip.used && vip.key == key).map(|(index, _)| index)
    }

    fn live_vips_of(&self, prefix: PluginPrefix) -> impl Iterator<Item = u32> + '_ {
        self.vips
            .iter()
            .filter(move |(_, vip)| vip.used && vip.key.prefix == prefix)
            .map(|(index, _)| index)
    }
}

/// VPP's test for a power of two, which 0 passes.
fn is_pow2(number: u32) -> bool {
    number & number.wrapping_sub(1) == 0
}
