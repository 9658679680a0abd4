//! VPP's load-balance objects through which packets to servers go, and what each counts.
//! One serves all VIPs that have the server.

use std::collections::HashMap;
use std::fmt::Write;

use super::address::is_ip4;

/// VPP makes others at its start.
const FIRST: u32 = 12;

#[derive(Clone, Debug, Default)]
pub(super) struct LoadBalances {
    /// The server of each, and its packets, by its index from [`FIRST`] on.
    counters: Vec<(u128, u64)>,
    places: HashMap<u128, usize>,
}

impl LoadBalances {
    /// Makes one for a server, if it has none.
    pub(super) fn make(&mut self, server: u128) {
        let counters = &mut self.counters;
        self.places.entry(server).or_insert_with(|| {
            counters.push((server, 0));
            counters.len() - 1
        });
    }

    pub(super) fn index_of(&self, server: u128) -> Option<u32> {
        let place = u32::try_from(*self.places.get(&server)?).ok()?;
        FIRST.checked_add(place)
    }

    /// Counts packets to a server that has one.
    pub(super) fn count(&mut self, server: u128, packets: u64) {
        if let Some(&place) = self.places.get(&server) {
            self.counters[place].1 += packets;
        }
    }

    /// `show load-balance INDEX`
    pub(super) fn show(&self, index: u32) -> String {
        let place = index.checked_sub(FIRST).and_then(|place| usize::try_from(place).ok());
        let counter = place.and_then(|place| self.counters.get(place));
        let Some(&(server, packets)) = counter else {
            return format!("no such load-balance:{index}\n");
        };
        let proto = if is_ip4(server) { "ip4" } else { "ip6" };
        let mut text = format!(
            "dpo-load-balance: [proto:{proto} index:{index} buckets:1 uRPF:{} to:[0:0]",
            index + 1
        );
        if packets > 0 {
            // Writing to a string cannot fail. Packets have 124 bytes.
            let _ = write!(text, " via:[{packets}:{}]", packets * 124);
        }
        text.push_str("]\n    [0] [@0]: dpo-drop ip4\n");
        text
    }
}
