//! Where a VIP is in the pool, by its key, so that no request looks at every VIP.
//! VPP looks at all of them; only the order of the slots shows.

use std::collections::{BTreeMap, BTreeSet};

use super::address::{PluginPrefix, PluginVipKey};

/// The filter of a server dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServerFilter {
    /// The 16 bytes as they came: VPP does not look at the family.
    pub(crate) address: u128,
    pub(crate) protocol: u8,
    pub(crate) port: u16,
}

impl ServerFilter {
    /// An address of zeroes asks for all servers, whatever else is sent.
    pub(crate) const ALL: Self = Self { address: 0, protocol: 0, port: 0 };

    fn is_all(self) -> bool {
        self.address == 0
    }
}

/// The slots of the pool, without slot 0.
#[derive(Clone, Debug, Default)]
pub(super) struct VipIndex {
    /// VIPs in use. A deleted one may have the same key.
    live: BTreeMap<PluginVipKey, u32>,
    /// All VIPs, by the fields that a server dump compares: address, protocol, port.
    all: BTreeSet<(u128, u8, u16, u32)>,
}

impl VipIndex {
    /// A VIP was added.
    pub(super) fn add(&mut self, key: PluginVipKey, slot: u32) {
        self.live.insert(key, slot);
        self.all.insert((key.prefix.bits, key.protocol, key.port, slot));
    }

    /// A VIP was deleted. Its slot stays until its servers are collected.
    pub(super) fn delete(&mut self, key: PluginVipKey) {
        self.live.remove(&key);
    }

    /// The slot of a deleted VIP was freed.
    pub(super) fn free(&mut self, key: PluginVipKey, slot: u32) {
        self.all.remove(&(key.prefix.bits, key.protocol, key.port, slot));
    }

    /// The slot of the VIP in use with this key.
    pub(super) fn live(&self, key: PluginVipKey) -> Option<u32> {
        self.live.get(&key).copied()
    }

    /// The slot of a VIP in use with this prefix.
    pub(super) fn live_of(&self, prefix: PluginPrefix) -> Option<u32> {
        let first = PluginVipKey { prefix, protocol: 0, port: 0 };
        let last = PluginVipKey { prefix, protocol: u8::MAX, port: u16::MAX };
        self.live.range(first..=last).next().map(|(_, slot)| *slot)
    }

    /// The slots that a server dump shows, in their order.
    pub(super) fn admitted(&self, filter: ServerFilter) -> Vec<u32> {
        if filter.is_all() {
            let mut slots: Vec<u32> = self.all.iter().map(|(.., slot)| *slot).collect();
            slots.sort_unstable();
            return slots;
        }
        let ServerFilter { address, protocol, port } = filter;
        let named =
            self.all.range((address, protocol, port, 0)..=(address, protocol, port, u32::MAX));
        named.map(|(.., slot)| *slot).collect()
    }
}
