//! How VPP's state is read without filling its send buffer: decided from its
//! own short listing of VIPs, which tells how many rows each dump will have.

use std::collections::BTreeMap;

use super::budget;
use crate::domain::dataplane::net::Vip;
use crate::vpp::cli_text::{VipText, VipTexts};
use crate::vpp::wire::{LbAsV2Dump, VipKey};

/// Rows that others may add between the listing and the dump.
const SLACK: usize = 8;

/// Rows that one answer brings, about: a weight that is due meanwhile stands
/// behind them. VPP sends a hundred in half a millisecond.
const ROWS: usize = 24;

/// Bytes of `show lb vips verbose` for a VIP, and for a server, rounded up.
const VERBOSE_VIP: usize = 400;
const VERBOSE_SERVER: usize = 140;

/// What to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Portions {
    /// Bytes of the dump of every VIP; `None`: it would not fit, and the
    /// listing tells the same.
    pub(super) vips: Option<usize>,
    /// Dumps of servers, each group closed by one fence.
    pub(super) servers: Vec<Portion>,
    /// Bytes of the verbose listing; `None`: it would not fit.
    pub(super) verbose: Option<usize>,
    /// Something of this may fill VPP's send buffer all the same.
    pub(super) unsafe_size: bool,
}

/// Dumps that go out together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Portion {
    /// The dumps.
    pub(super) dumps: Vec<LbAsV2Dump>,
    /// Bytes of their rows.
    pub(super) cost: usize,
}

/// Divides the reading of everything that `listing` shows, for a VPP whose
/// send buffer takes `limit` bytes.
pub(super) fn divide(listing: &VipTexts, limit: usize) -> Portions {
    let live = listing.entries.iter().filter(|entry| !entry.removed).count();
    let rows: usize = listing.entries.iter().map(|entry| entry.servers).sum();
    if !listing.complete {
        // How many rows there are is not known. Dumps of everything go alone,
        // and the cure behind them.
        return Portions {
            vips: Some(limit),
            servers: vec![Portion { dumps: vec![LbAsV2Dump::ALL], cost: limit }],
            verbose: None,
            unsafe_size: true,
        };
    }
    let vip_bytes = budget::rows(live + SLACK);
    let server_bytes = budget::rows(rows + SLACK);
    let verbose_bytes = budget::text(listing.entries.len() * VERBOSE_VIP + rows * VERBOSE_SERVER);
    let servers = if server_bytes <= limit {
        vec![Portion { dumps: vec![LbAsV2Dump::ALL], cost: server_bytes }]
    } else {
        by_vip(&listing.entries, limit)
    };
    Portions {
        vips: (vip_bytes <= limit).then_some(vip_bytes),
        unsafe_size: servers.iter().any(|portion| portion.cost > limit),
        servers,
        verbose: (verbose_bytes <= limit).then_some(verbose_bytes),
    }
}

/// The dump of one VIP's servers.
pub(super) fn of_vip(listing: &VipTexts, vip: Vip) -> Portion {
    let rows = |entries: &mut dyn Iterator<Item = &VipText>| -> usize {
        entries.map(|entry| entry.servers).sum::<usize>() + SLACK
    };
    match VipKey::filter_for(vip) {
        Some(key) => Portion {
            dumps: vec![LbAsV2Dump { vip: key }],
            cost: budget::rows(rows(&mut listing.entries.iter().filter(|e| e.vip == vip))),
        },
        // The zero address stands for every VIP.
        None => Portion {
            dumps: vec![LbAsV2Dump::ALL],
            cost: budget::rows(rows(&mut listing.entries.iter())),
        },
    }
}

/// VIP by VIP, in groups of few rows.
fn by_vip(entries: &[VipText], limit: usize) -> Vec<Portion> {
    // A deleted VIP's servers answer to the same key as a live one's.
    let mut rows: BTreeMap<Vip, (bool, usize)> = BTreeMap::new();
    for entry in entries {
        let (live, count) = rows.entry(entry.vip).or_default();
        *live |= !entry.removed;
        *count += entry.servers;
    }
    let live = || rows.iter().filter(|(_, (live, _))| *live);
    if live().any(|(vip, _)| VipKey::filter_for(*vip).is_none()) {
        // Its servers can be listed only together with all others.
        let all = entries.iter().map(|entry| entry.servers).sum::<usize>() + SLACK;
        return vec![Portion { dumps: vec![LbAsV2Dump::ALL], cost: budget::rows(all) }];
    }
    group(live().filter_map(|(vip, (_, count))| Some((VipKey::filter_for(*vip)?, *count))), limit)
}

/// The dumps of VIPs with so many rows each, in groups of few rows, and of half
/// the limit at most, so that VPP fills one while another is on its way.
pub(super) fn group(vips: impl Iterator<Item = (VipKey, usize)>, limit: usize) -> Vec<Portion> {
    let most = budget::rows(ROWS + SLACK).min(limit / 2);
    let mut portions: Vec<Portion> = Vec::new();
    let mut count_of_last = 0;
    for (vip, count) in vips {
        let dump = LbAsV2Dump { vip };
        match portions.last_mut() {
            Some(last) if budget::rows(count_of_last + count + SLACK) <= most => {
                count_of_last += count;
                last.dumps.push(dump);
                last.cost = budget::rows(count_of_last + SLACK);
            }
            _ => {
                count_of_last = count;
                portions.push(Portion { dumps: vec![dump], cost: budget::rows(count + SLACK) });
            }
        }
    }
    portions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vpp::cli_text::parse_vips;

    const LIMIT: usize = 139_776;

    fn listing(vips: usize, servers: usize) -> VipTexts {
        let lines: String = (0..vips)
            .map(|n| {
                format!("ip4-gre4 10.0.{}.{}/32 new_size:1024 #as:{servers}\n", n / 256, n % 256)
            })
            .collect();
        parse_vips(&lines)
    }

    #[test]
    fn a_small_state_is_read_by_whole_dumps() {
        let portions = divide(&listing(10, 10), LIMIT);
        assert_eq!(portions.servers.len(), 1);
        assert_eq!(portions.servers[0].dumps, [LbAsV2Dump::ALL]);
        assert!(portions.vips.is_some() && portions.verbose.is_some());
        assert!(!portions.unsafe_size);
    }

    #[test]
    fn a_large_state_is_read_in_small_portions_that_fit_twice() {
        let portions = divide(&listing(1000, 10), LIMIT);
        assert_eq!((portions.vips, portions.verbose), (None, None));
        assert!(!portions.unsafe_size);
        assert_eq!(portions.servers.iter().map(|p| p.dumps.len()).sum::<usize>(), 1000);
        for portion in &portions.servers {
            assert!(2 * portion.cost <= LIMIT, "{portion:?}");
            assert!(portion.cost >= budget::rows(10 * portion.dumps.len()));
        }
        assert_eq!(portions.servers.len(), 500);
    }

    #[test]
    fn one_vip_that_fits_in_no_portion_is_known_to_be_unsafe() {
        let portions = divide(&listing(1, 300), LIMIT);
        assert!(portions.unsafe_size);
    }

    #[test]
    fn rows_of_a_deleted_vip_count_for_the_live_one_of_the_same_key() {
        let mut listing = listing(2, 150);
        let mut old = listing.entries[0].clone();
        old.removed = true;
        listing.entries.push(old);
        let vip = listing.entries[0].vip;
        assert_eq!(of_vip(&listing, vip).cost, budget::rows(300 + SLACK));
        let portions = divide(&listing, LIMIT);
        assert_eq!(portions.servers.len(), 2);
        assert_eq!(portions.servers[0].cost, budget::rows(300 + SLACK));
    }

    #[test]
    fn the_zero_address_is_asked_for_with_everything() {
        let mut listing = listing(50, 10);
        listing.entries.extend(parse_vips("ip6-gre6 ::/0 new_size:16 #as:3\n").entries);
        let portions = divide(&listing, LIMIT);
        assert_eq!(portions.servers.len(), 1);
        assert_eq!(portions.servers[0].dumps, [LbAsV2Dump::ALL]);
        assert!(portions.unsafe_size);
    }

    #[test]
    fn a_listing_that_was_not_understood_is_followed_by_the_cure() {
        let portions = divide(&parse_vips("what is this"), LIMIT);
        assert!(portions.unsafe_size);
        assert_eq!(portions.servers[0].dumps, [LbAsV2Dump::ALL]);
    }
}
