//! Settings and VIPs: set, added, deleted, counted. Time is an argument, in
//! whole seconds of uptime, as the plugin itself reads its clock.

use std::collections::{BTreeSet, HashMap};

use super::address::PluginVipKey;
use super::api::PluginApi;
use super::fault::{PluginFault, PluginRefusal};
use super::state::{COLLECTION_PERIOD, Conf, NewVip, Plugin, VipKind};
use crate::vpp::embedded::pool::SlotPool;

/// Table lengths from here on do not fit into VPP's default heap of 1 GiB.
const HUGE_TABLE: u32 = 1 << 28;

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
        // One is enough: all of a prefix have the same kind, and one without a port is alone.
        if let Some(sibling) = self.index.live_of(key.prefix) {
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
        let (index, vip) = self.vips.take();
        vip.key = key;
        vip.kind = kind;
        vip.used = true;
        vip.src_ip_sticky = new.src_ip_sticky;
        vip.table_length = new.table_length;
        vip.last_collection = now;
        vip.servers = SlotPool::default();
        vip.by_address = HashMap::new();
        vip.table_is_stale = false;
        vip.counters = [0; 4];
        if kind == VipKind::Ip4L3dsr {
            vip.argument = new.dscp & 0x3f;
        } else if kind.is_nat() {
            vip.argument = new.srv_type;
            vip.target_port = new.target_port;
        }
        self.index.add(key, index);
        self.changed_counters.insert(index);
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
        self.index.delete(self.vips[index].key);
        Ok(())
    }

    /// Lets time pass until `now`: the collector runs every minute of uptime, where it
    /// runs of its own.
    pub fn advance(&mut self, now: u32) {
        if self.api == PluginApi::V1_1 {
            return;
        }
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

    /// The slots whose counters changed since the last call, new slots among them.
    pub(crate) fn take_changed_counters(&mut self) -> BTreeSet<u32> {
        std::mem::take(&mut self.changed_counters)
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
        self.changed_counters.insert(index);
        Ok(())
    }

    /// Whether a VIP in use has this prefix.
    pub(crate) fn has_prefix(&self, key: PluginVipKey) -> bool {
        self.index.live_of(key.prefix).is_some()
    }

    /// The slot of a VIP in use.
    pub(crate) fn find(&self, key: PluginVipKey) -> Option<u32> {
        self.index.live(key.normalised())
    }
}

/// VPP's test for a power of two, which 0 passes.
fn is_pow2(number: u32) -> bool {
    number & number.wrapping_sub(1) == 0
}
