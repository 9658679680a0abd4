//! Servers of a VIP: added, weighed, flushed, retired and at last collected.

use super::address::{PluginVipKey, is_ip4, to_ip};
use super::api::PluginApi;
use super::fault::{PluginFault, PluginRefusal};
use super::state::{COLLECTION_PERIOD, Conf, Plugin};
use crate::domain::balancing::maglev;

/// Seconds for which a removed server stays, whatever else.
const CONCURRENCY_TIMEOUT: u32 = 10;

impl Plugin {
    /// `lb_add_del_as_v2` without `is_del`. A retired server is revived.
    ///
    /// # Errors
    /// With VPP's codes; a new server of an all-port NAT VIP crashes VPP.
    pub fn add_server(
        &mut self,
        vip: PluginVipKey,
        server: u128,
        weight: u8,
        flush: bool,
        now: u32,
    ) -> Result<(), PluginFault> {
        // 1.1.0 does not look at it.
        let flush = flush && self.api == PluginApi::V1_2;
        self.add_servers(vip, &[server], weight, flush, now)
    }

    /// Adds several servers with one computation of the table, as `lb as` does; none of
    /// them, if one cannot be added. New ones take slots from the last to the first.
    ///
    /// # Errors
    /// As [`Plugin::add_server`].
    pub(crate) fn add_servers(
        &mut self,
        vip: PluginVipKey,
        servers: &[u128],
        weight: u8,
        flush: bool,
        now: u32,
    ) -> Result<(), PluginFault> {
        let vip_index = self.find(vip).ok_or(PluginRefusal::NoSuchEntry)?;
        let (mut revived, mut new) = (Vec::new(), Vec::new());
        let kind = self.vips[vip_index].kind;
        // VPP goes from the last to the first: so it chooses what it refuses a line for.
        for (place, &server) in servers.iter().enumerate().rev() {
            if let Some(known) = self.find_server(vip_index, server) {
                if self.servers[known].used {
                    return Err(PluginRefusal::ValueExist.into());
                }
                revived.push(known);
            } else if is_ip4(server) != kind.takes_ip4_servers() {
                return Err(PluginRefusal::InvalidAddressFamily.into());
            } else if !servers[..place].contains(&server) {
                new.push(server);
            }
        }
        if !new.is_empty() && kind.is_nat() && self.vips[vip_index].key.port == 0 {
            return Err(PluginFault::Crash("a server of an all-port NAT VIP"));
        }
        for known in revived {
            let revived = &mut self.servers[known];
            revived.used = true;
            revived.weight = weight;
            if flush {
                revived.flows = 0;
            }
        }
        for server in new {
            self.load_balances.make(server);
            let (index, slot) = self.servers.take();
            slot.address = server;
            slot.used = true;
            slot.weight = weight;
            slot.flows = 0;
            slot.buckets = 0;
            let vip = &mut self.vips[vip_index];
            *vip.servers.take().1 = index;
            vip.by_address.insert(server, index);
        }
        self.vips[vip_index].table_is_stale = true;
        self.collect(vip_index, now);
        Ok(())
    }

    /// `lb_add_del_as_v2` with `is_del`. A retired server is removed once more.
    ///
    /// # Errors
    /// Refuses an unknown VIP or server.
    pub fn delete_server(
        &mut self,
        vip: PluginVipKey,
        server: u128,
        flush: bool,
        now: u32,
    ) -> Result<(), PluginFault> {
        self.delete_servers(vip, &[server], flush, now)
    }

    /// Removes several servers with one computation of the table, as `lb as` does; none
    /// of them, if one is unknown.
    ///
    /// # Errors
    /// Refuses an unknown VIP or server.
    pub(crate) fn delete_servers(
        &mut self,
        vip: PluginVipKey,
        servers: &[u128],
        flush: bool,
        now: u32,
    ) -> Result<(), PluginFault> {
        let vip_index = self.find(vip).ok_or(PluginRefusal::NoSuchEntry)?;
        let known = servers.iter().map(|server| self.find_server(vip_index, *server));
        let known: Option<Vec<u32>> = known.collect();
        let known = known.ok_or(PluginRefusal::NoSuchEntry)?;
        self.retire(vip_index, &known, flush, now);
        Ok(())
    }

    /// `lb_as_set_weight`
    ///
    /// # Errors
    /// Refuses an unknown VIP, and a server that is unknown or retired.
    pub fn set_weight(
        &mut self,
        vip: PluginVipKey,
        server: u128,
        weight: u8,
        flush: bool,
    ) -> Result<(), PluginFault> {
        let vip_index = self.find(vip).ok_or(PluginRefusal::NoSuchEntry)?;
        let server = self.find_server(vip_index, server).ok_or(PluginRefusal::NoSuchEntry)?;
        let server = &mut self.servers[server];
        if !server.used {
            return Err(PluginRefusal::NoSuchEntry.into());
        }
        server.weight = weight;
        if flush {
            server.flows = 0;
        }
        self.vips[vip_index].table_is_stale = true;
        Ok(())
    }

    /// `lb_flush_vip`, which never refuses. For an unknown VIP VPP flushes
    /// whatever its uninitialised index says; here, nothing.
    pub fn flush_vip(&mut self, vip: PluginVipKey) {
        let Some(index) = self.find(vip) else { return };
        for (_, &server) in self.vips[index].servers.iter() {
            self.servers[server].flows = 0;
        }
    }

    /// Puts established flows on a server, as packets would; the first of
    /// them after a change of the sticky table's size drops all others.
    ///
    /// # Errors
    /// Refuses an unknown VIP or server.
    pub fn put_flows(
        &mut self,
        vip: PluginVipKey,
        server: u128,
        flows: u64,
    ) -> Result<(), PluginFault> {
        let vip_index = self.find(vip).ok_or(PluginRefusal::NoSuchEntry)?;
        let index = self.find_server(vip_index, server).ok_or(PluginRefusal::NoSuchEntry)?;
        let Conf { sticky_buckets_per_core: size, flow_timeout, .. } = self.conf;
        let before = self.sticky_table.replace((size, flow_timeout));
        if before.is_none_or(|(before, _)| before != size) {
            let all: Vec<u32> = self.servers.iter().map(|(index, _)| index).collect();
            for server in all {
                self.servers[server].flows = 0;
            }
        }
        self.servers[index].flows += flows;
        // Each has its first packet.
        self.send_packets(server, flows);
        Ok(())
    }

    /// Sends packets of established flows to a server.
    pub fn send_packets(&mut self, server: u128, packets: u64) {
        self.load_balances.count(server, packets);
    }

    /// Has new flows to one server of a VIP take the places of another's entries. That is
    /// how a count falls in VPP without a flush: the entry of a flow that has ended stays
    /// until a new flow takes its place.
    ///
    /// # Errors
    /// Refuses an unknown VIP or server.
    pub fn reuse_entries(
        &mut self,
        vip: PluginVipKey,
        (from, to): (u128, u128),
        flows: u64,
    ) -> Result<(), PluginFault> {
        let vip_index = self.find(vip).ok_or(PluginRefusal::NoSuchEntry)?;
        let from = self.find_server(vip_index, from).ok_or(PluginRefusal::NoSuchEntry)?;
        let taken = self.servers[from].flows.min(flows);
        self.put_flows(vip, to, taken)?;
        self.servers[from].flows = self.servers[from].flows.saturating_sub(taken);
        Ok(())
    }

    /// Brings the `buckets` of the servers of these VIPs up to date. VPP does so
    /// at each change; the difference cannot be seen before they are listed.
    pub(super) fn refresh(&mut self, slots: &[u32]) {
        for &index in slots {
            let vip = &mut self.vips[index];
            if !std::mem::take(&mut vip.table_is_stale) {
                continue;
            }
            let length = vip.table_length;
            let servers: Vec<u32> = vip.servers.iter().map(|(_, &server)| server).collect();
            let weights: Vec<_> = servers
                .iter()
                .map(|&server| &self.servers[server])
                .map(|server| (to_ip(server.address), if server.used { server.weight } else { 0 }))
                .collect();
            for (server, held) in servers.into_iter().zip(maglev::buckets(&weights, length)) {
                self.servers[server].buckets = held;
            }
        }
    }

    /// Removes servers of a VIP. The collector may run first, and then takes
    /// even one that is named here, when it was retired long ago.
    pub(super) fn retire(&mut self, vip: u32, servers: &[u32], flush: bool, now: u32) {
        self.collect(vip, now);
        for &index in servers {
            let server = &mut self.servers[index];
            server.used = false;
            server.removed_at = now;
            if flush {
                server.flows = 0;
            }
        }
        self.vips[vip].table_is_stale = true;
    }

    /// One run of the collector over every VIP, retired ones included.
    pub(crate) fn collect_all(&mut self, now: u32) {
        let vips: Vec<u32> = self.vips.iter().map(|(index, _)| index).collect();
        for &vip in &vips {
            self.collect(vip, now);
        }
        for &vip in &vips {
            if !self.vips[vip].used && self.vips[vip].servers.len() == 0 {
                self.index.free(self.vips[vip].key, vip);
                self.vips.put(vip);
            }
        }
    }

    /// Frees a VIP's retired servers: at most once a minute, ten seconds after
    /// their removal, and only those that no flow leads to.
    fn collect(&mut self, vip: u32, now: u32) {
        if !reached(now, self.vips[vip].last_collection, COLLECTION_PERIOD) {
            return;
        }
        self.vips[vip].last_collection = now;
        let gone: Vec<(u32, u32)> = self.vips[vip]
            .servers
            .iter()
            .map(|(slot, &server)| (slot, server))
            .filter(|&(_, server)| {
                let server = &self.servers[server];
                !server.used
                    && server.flows == 0
                    && reached(now, server.removed_at, CONCURRENCY_TIMEOUT)
            })
            .collect();
        for (slot, server) in gone {
            let vip = &mut self.vips[vip];
            vip.servers.put(slot);
            vip.by_address.remove(&self.servers[server].address);
            self.servers.put(server);
        }
    }

    /// The pool index of a server of a VIP, in use or retired.
    fn find_server(&self, vip: u32, address: u128) -> Option<u32> {
        self.vips[vip].by_address.get(&address).copied()
    }
}

/// Whether `now` is at least `wait` after `since`, on a clock that wraps.
fn reached(now: u32, since: u32, wait: u32) -> bool {
    now.wrapping_sub(since.wrapping_add(wait)) < 0x7fff_ffff
}
