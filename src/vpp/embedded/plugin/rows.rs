//! The rows of dumps, and their filters.

use super::address::{PluginPrefix, PluginVipKey};
use super::api::PluginApi;
use super::index::ServerFilter;
use super::state::{Plugin, PluginVip, VipKind};

/// A VIP that is in use, or deleted and not collected yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VipRow {
    /// Its slot; no message shows it, only the CLI.
    pub slot: u32,
    /// `false`: deleted and not collected yet.
    pub used: bool,
    /// Prefix, protocol and port.
    pub key: PluginVipKey,
    /// 0 gre4, 1 gre6, 2 l3dsr, 3 nat4, 4 nat6.
    pub encap: u32,
    /// DSCP or service type, of the slot's last user in a GRE VIP.
    pub argument: u8,
    /// NAT's inner port; of the slot's last user in another VIP.
    pub target_port: u16,
    /// Its low 16 bits are all that a message shows.
    pub table_length: u32,
    /// Shown by the CLI alone.
    pub src_ip_sticky: bool,
}

/// A row of `lb_as_v2_dump`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerRow {
    /// The VIP, which may be deleted.
    pub vip: PluginVipKey,
    /// The slot of the VIP.
    pub slot: u32,
    /// Its address, 16 bytes.
    pub address: u128,
    /// `false`: removed and not collected yet.
    pub used: bool,
    /// Uptime at which it was removed; meaningless while in use.
    pub removed_at: u32,
    /// Its share of new flows.
    pub weight: u8,
    /// Entries of the new-flow table that lead to it.
    pub buckets: u32,
    /// Sticky entries that lead to it; shown by the CLI alone.
    pub flows: u64,
}

impl Plugin {
    /// The VIPs in use, in slot order.
    #[must_use]
    pub fn vip_rows(&self) -> Vec<VipRow> {
        self.all_vip_rows().filter(|row| row.used).collect()
    }

    /// The VIPs that `lb_vip_dump` gives, in slot order: 1.1.0 does not leave deleted
    /// ones out.
    pub(crate) fn dumped_vip_rows(&self) -> Vec<VipRow> {
        self.all_vip_rows().filter(|row| row.used || self.api == PluginApi::V1_1).collect()
    }

    fn all_vip_rows(&self) -> impl Iterator<Item = VipRow> {
        let visible = self.vips.iter().filter(|(slot, _)| *slot != 0);
        visible.map(|(slot, vip)| vip.row(slot))
    }

    /// The servers of every VIP, retired ones and those of deleted VIPs too.
    pub fn server_rows(&mut self) -> Vec<ServerRow> {
        self.filtered_server_rows(ServerFilter::ALL)
    }

    pub(crate) fn filtered_server_rows(&mut self, filter: ServerFilter) -> Vec<ServerRow> {
        let slots = self.index.admitted(filter);
        self.refresh(&slots);
        slots.iter().flat_map(|slot| self.rows_of(*slot)).collect()
    }

    pub(super) fn rows_of<'a>(&'a self, slot: u32) -> impl Iterator<Item = ServerRow> + 'a {
        let vip = &self.vips[slot];
        vip.servers.iter().map(move |(_, &index)| {
            let server = &self.servers[index];
            ServerRow {
                vip: vip.key,
                slot,
                address: server.address,
                used: server.used,
                removed_at: server.removed_at,
                weight: server.weight,
                buckets: server.buckets,
                flows: server.flows,
            }
        })
    }
}

impl PluginVip {
    fn row(&self, slot: u32) -> VipRow {
        VipRow {
            slot,
            used: self.used,
            key: self.key,
            encap: match self.kind {
                VipKind::Ip4Gre4 | VipKind::Ip6Gre4 => 0,
                VipKind::Ip4Gre6 | VipKind::Ip6Gre6 => 1,
                VipKind::Ip4L3dsr => 2,
                VipKind::Ip4Nat4 => 3,
                VipKind::Ip6Nat6 => 4,
            },
            argument: self.argument,
            target_port: self.target_port,
            table_length: self.table_length,
            src_ip_sticky: self.src_ip_sticky,
        }
    }
}

/// `192.0.2.1/32`, as VPP's CLI writes it.
impl std::fmt::Display for PluginPrefix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_ip4() {
            return write!(f, "{}/{}", super::address::to_ip(self.bits), self.wire_len());
        }
        write!(f, "{}/{}", super::text::Ip6(self.bits), self.len)
    }
}
