//! What the fields of messages mean in each version of `lb.api`.
//!
//! The checksums of the messages that both have are equal; what the plugin makes of
//! their bytes is not. 1.1.0 takes the length of a prefix, the encapsulation and
//! some ports as they stand on the wire, and fills rows in as it holds them.

use super::address::PluginVipKey;
use super::api::PluginApi;
use super::index::ServerFilter;
use super::rows::VipRow;
use super::state::VipKind;
use crate::vpp::wire::{
    LbAddDelAsV2, LbAddDelAsV2Reply, LbAsSetWeight, LbAsSetWeightReply, LbAsV2Details, LbAsV2Dump,
    LbConfGet, LbConfGetReply, Message, VipKey, WirePrefix,
};

impl PluginApi {
    /// The messages of the other version that this one lacks.
    pub(crate) fn lacks(self) -> &'static [&'static str] {
        match self {
            Self::V1_1 => &[
                LbConfGet::NAME,
                LbConfGetReply::NAME,
                LbAddDelAsV2::NAME,
                LbAddDelAsV2Reply::NAME,
                LbAsSetWeight::NAME,
                LbAsSetWeightReply::NAME,
                LbAsV2Dump::NAME,
                LbAsV2Details::NAME,
            ],
            Self::V1_2 => &[],
        }
    }

    /// The weight of a server that was added with this one.
    pub(crate) fn weight(self, asked: u8) -> u8 {
        match self {
            Self::V1_1 => 1,
            Self::V1_2 => asked,
        }
    }

    /// What a message about a VIP means.
    pub(crate) fn key_from_wire(self, key: VipKey) -> PluginVipKey {
        let meant = PluginVipKey::from_wire(key);
        self.with_length(meant, key)
    }

    /// The same for messages about servers.
    pub(crate) fn server_key_from_wire(self, key: VipKey) -> PluginVipKey {
        let meant = PluginVipKey::of_server_from_wire(key);
        self.with_length(meant, key)
    }

    /// The same for `lb_flush_vip`, of which 1.1.0 takes all 16 bytes.
    pub(crate) fn flush_key_from_wire(self, key: VipKey) -> PluginVipKey {
        let mut meant = self.server_key_from_wire(key);
        if self == Self::V1_1 {
            meant.prefix.bits = u128::from_be_bytes(key.prefix.address.bytes);
        }
        meant
    }

    fn with_length(self, mut meant: PluginVipKey, key: VipKey) -> PluginVipKey {
        if self == Self::V1_1 {
            meant.prefix.len = key.prefix.length;
        }
        meant
    }

    /// The filter of a server dump. VPP compares the bytes as they came.
    pub(crate) fn filter_from_wire(self, key: VipKey) -> ServerFilter {
        ServerFilter {
            address: u128::from_be_bytes(key.prefix.address.bytes),
            protocol: key.protocol,
            port: match self {
                Self::V1_1 => key.port.swap_bytes(),
                Self::V1_2 => key.port,
            },
        }
    }

    /// The key in a row of a dump.
    pub(crate) fn key_to_wire(self, key: PluginVipKey) -> VipKey {
        let cured = key.to_wire();
        match self {
            Self::V1_1 => VipKey {
                prefix: WirePrefix { length: key.prefix.len, ..cured.prefix },
                protocol: 0,
                port: cured.port,
            },
            Self::V1_2 => cured,
        }
    }

    /// The encapsulation of a new VIP.
    pub(crate) fn encap_from_wire(self, encap: u32) -> u32 {
        match self {
            Self::V1_1 => encap.swap_bytes(),
            Self::V1_2 => encap,
        }
    }

    /// The encapsulation in a row: 1.1.0 gives the kind of the VIP instead.
    pub(crate) fn encap_to_wire(self, row: &VipRow) -> u32 {
        match self {
            Self::V1_1 => VipKind::of(row.encap, row.key.prefix) as u32,
            Self::V1_2 => row.encap,
        }
    }

    /// The length of the table in a row, which has 16 bits: 1.1.0 gives the upper ones.
    pub(crate) fn table_length_to_wire(self, length: u32) -> u16 {
        let [high, low] = [length >> 16, length & 0xffff];
        let shown = if self == Self::V1_1 { high } else { low };
        u16::try_from(shown).unwrap_or(u16::MAX)
    }
}
