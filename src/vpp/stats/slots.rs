//! The slot of each VIP in VPP's pool.

use std::collections::BTreeMap;

use crate::domain::dataplane::net::Vip;
use crate::vpp::cli_text::VipTexts;

/// The slot of each live VIP, from `show lb vips verbose`. A VIP whose slot is
/// not certain is left out: it would be given another's numbers.
#[must_use]
pub fn slots(listing: &VipTexts) -> BTreeMap<Vip, u32> {
    let mut claims: BTreeMap<u32, usize> = BTreeMap::new();
    // Deleted VIPs hold their slots too.
    for verbose in listing.entries.iter().filter_map(|entry| entry.verbose.as_ref()) {
        *claims.entry(verbose.pool_index).or_default() += 1;
    }
    let mut slots: BTreeMap<Vip, Option<u32>> = BTreeMap::new();
    for entry in listing.entries.iter().filter(|entry| !entry.removed) {
        let slot = entry.verbose.as_ref().map(|verbose| verbose.pool_index);
        let slot = slot.filter(|slot| claims.get(slot) == Some(&1));
        // Of two live VIPs of one name neither is certain.
        slots.entry(entry.vip).and_modify(|known| *known = None).or_insert(slot);
    }
    slots.into_iter().filter_map(|(vip, slot)| Some((vip, slot?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vpp::cli_text::parse_vips;

    fn listing(vips: &[(&str, &str)]) -> VipTexts {
        let block = |(slot, prefix): &(&str, &str)| {
            format!(" ip4-gre4 [{slot}] {prefix}\n  new_size:16\n  counters:\n  #as:0\n")
        };
        parse_vips(&vips.iter().map(block).collect::<String>())
    }

    fn of(vips: &[(&str, &str)]) -> Vec<(String, u32)> {
        slots(&listing(vips))
            .into_iter()
            .map(|(vip, slot)| (vip.prefix().to_string(), slot))
            .collect()
    }

    fn want(slots: &[(&str, u32)]) -> Vec<(String, u32)> {
        slots.iter().map(|(prefix, slot)| ((*prefix).to_owned(), *slot)).collect()
    }

    #[test]
    fn a_live_vip_has_its_own_slot_and_a_deleted_one_none() {
        let vips = [("3", "192.0.2.1/32 removed"), ("1", "192.0.2.2/32"), ("7", "192.0.2.1/32")];
        assert_eq!(of(&vips), want(&[("192.0.2.1/32", 7), ("192.0.2.2/32", 1)]));
    }

    #[test]
    fn what_is_not_certain_is_left_out() {
        let same_name = [("1", "192.0.2.1/32"), ("2", "192.0.2.1/32"), ("3", "192.0.2.3/32")];
        assert_eq!(of(&same_name), want(&[("192.0.2.3/32", 3)]));
        let same_slot = [("1", "192.0.2.1/32"), ("1", "192.0.2.2/32 removed")];
        assert_eq!(of(&same_slot), want(&[]));
        let not_understood = [("one", "192.0.2.1/32"), ("2", "192.0.2.2/32")];
        assert_eq!(of(&not_understood), want(&[("192.0.2.2/32", 2)]));
        assert!(slots(&parse_vips("ip4-gre4 192.0.2.1/32 new_size:16 #as:0\n")).is_empty());
    }
}
