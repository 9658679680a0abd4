//! How VPP's state is read without filling its send buffer: decided from its
//! own short listing of VIPs, which gives the number of rows that each dump
//! will have.

use std::collections::BTreeMap;

use super::budget;
use crate::domain::dataplane::net::Vip;
use crate::vpp::cli_text::{VipText, VipTexts};

/// Rows that others may add between the listing and the dump.
const SLACK: usize = 8;

/// Rows of one answer, about: a weight that is due meanwhile waits for them. VPP
/// sends a hundred in half a millisecond.
const ROWS: usize = 24;

/// Bytes of `show lb vips verbose` for a VIP, and for a server, rounded up.
const VERBOSE_VIP: usize = 400;
const VERBOSE_SERVER: usize = 140;

/// What to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReadPlan {
    /// Bytes of the dump of every VIP; `None`: it would not fit, and the
    /// listing has the same content.
    pub(super) vips: Option<usize>,
    /// Dumps of servers.
    pub(super) servers: Vec<DumpBatch>,
    /// Bytes of the verbose listing; `None`: it would not fit.
    pub(super) verbose: Option<usize>,
    /// Something of this may fill VPP's send buffer all the same.
    pub(super) may_overflow: bool,
}

/// Dumps of servers that go out together, closed by one fence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DumpBatch {
    pub(super) of: DumpScope,
    /// Bytes of the rows.
    pub(super) cost: usize,
}

/// Whose servers are dumped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DumpScope {
    /// Those of every VIP, in one dump.
    All,
    /// Those of these VIPs, in a dump for each.
    Vips(Vec<Vip>),
}

/// Whether the servers of this VIP can be dumped alone: in a filter, the zero
/// address stands for every VIP.
pub(super) fn can_be_asked_alone(vip: Vip) -> bool {
    !vip.prefix().addr().is_unspecified()
}

/// Divides the reading of everything that `listing` shows, for a VPP whose
/// send buffer takes `limit` bytes.
pub(super) fn divide(listing: &VipTexts, limit: usize) -> ReadPlan {
    let live = listing.entries.iter().filter(|entry| !entry.removed).count();
    let rows: usize = listing.entries.iter().map(|entry| entry.servers).sum();
    if !listing.complete {
        // How many rows there are is not known. Dumps of everything go alone,
        // and the stale client workaround behind them.
        return ReadPlan {
            vips: Some(limit),
            servers: vec![DumpBatch { of: DumpScope::All, cost: limit }],
            verbose: None,
            may_overflow: true,
        };
    }
    let vip_bytes = budget::rows(live + SLACK);
    let server_bytes = budget::rows(rows + SLACK);
    let verbose_bytes = verbose_cost(listing);
    let servers = if server_bytes <= limit {
        vec![DumpBatch { of: DumpScope::All, cost: server_bytes }]
    } else {
        by_vip(&listing.entries, limit)
    };
    ReadPlan {
        vips: (vip_bytes <= limit).then_some(vip_bytes),
        may_overflow: servers.iter().any(|batch| batch.cost > limit),
        servers,
        verbose: (verbose_bytes <= limit).then_some(verbose_bytes),
    }
}

/// Bytes of `show lb vips verbose` for what `listing` shows.
pub(super) fn verbose_cost(listing: &VipTexts) -> usize {
    let rows: usize = listing.entries.iter().map(|entry| entry.servers).sum();
    budget::text(listing.entries.len() * VERBOSE_VIP + rows * VERBOSE_SERVER)
}

/// VIP by VIP, in groups of few rows.
fn by_vip(entries: &[VipText], limit: usize) -> Vec<DumpBatch> {
    // A deleted VIP's servers answer to the same key as a live one's.
    let mut rows: BTreeMap<Vip, (bool, usize)> = BTreeMap::new();
    for entry in entries {
        let (live, count) = rows.entry(entry.vip).or_default();
        *live |= !entry.removed;
        *count += entry.servers;
    }
    let live = || rows.iter().filter(|(_, (live, _))| *live);
    if !live().all(|(vip, _)| can_be_asked_alone(*vip)) {
        // Its servers can be listed only together with all others.
        let all = entries.iter().map(|entry| entry.servers).sum::<usize>() + SLACK;
        return vec![DumpBatch { of: DumpScope::All, cost: budget::rows(all) }];
    }
    group(live().map(|(vip, (_, count))| (*vip, *count)), limit)
}

/// The dumps of VIPs with so many rows each, in groups of few rows, and of half
/// the limit at most, so that VPP fills one while another is on its way.
pub(super) fn group(vips: impl Iterator<Item = (Vip, usize)>, limit: usize) -> Vec<DumpBatch> {
    let most = budget::rows(ROWS + SLACK).min(limit / 2);
    let mut groups: Vec<(Vec<Vip>, usize)> = Vec::new();
    for (vip, count) in vips {
        match groups.last_mut() {
            Some((vips, rows)) if budget::rows(*rows + count + SLACK) <= most => {
                vips.push(vip);
                *rows += count;
            }
            _ => groups.push((vec![vip], count)),
        }
    }
    let batch =
        |(vips, rows)| DumpBatch { of: DumpScope::Vips(vips), cost: budget::rows(rows + SLACK) };
    groups.into_iter().map(batch).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vpp::cli_text::parse_vips;

    const LIMIT: usize = 139_776;

    /// How many dumps a batch has.
    fn count(batch: &DumpBatch) -> usize {
        match &batch.of {
            DumpScope::All => 1,
            DumpScope::Vips(vips) => vips.len(),
        }
    }

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
        let plan = divide(&listing(10, 10), LIMIT);
        assert_eq!(plan.servers.len(), 1);
        assert_eq!(plan.servers[0].of, DumpScope::All);
        assert!(plan.vips.is_some() && plan.verbose.is_some());
        assert!(!plan.may_overflow);
    }

    #[test]
    fn a_large_state_is_read_in_small_batches_that_fit_twice() {
        let plan = divide(&listing(1000, 10), LIMIT);
        assert_eq!((plan.vips, plan.verbose), (None, None));
        assert!(!plan.may_overflow);
        assert_eq!(plan.servers.iter().map(count).sum::<usize>(), 1000);
        for batch in &plan.servers {
            assert!(2 * batch.cost <= LIMIT, "{batch:?}");
            assert!(batch.cost >= budget::rows(10 * count(batch)));
        }
        assert_eq!(plan.servers.len(), 500);
    }

    #[test]
    fn one_vip_that_fits_in_no_batch_may_overflow() {
        let plan = divide(&listing(1, 300), LIMIT);
        assert!(plan.may_overflow);
    }

    #[test]
    fn rows_of_a_deleted_vip_count_for_the_live_one_of_the_same_key() {
        let mut listing = listing(2, 150);
        let mut old = listing.entries[0].clone();
        old.removed = true;
        listing.entries.push(old);
        let plan = divide(&listing, LIMIT);
        assert_eq!(plan.servers.len(), 2);
        assert_eq!(plan.servers[0].cost, budget::rows(300 + SLACK));
    }

    #[test]
    fn the_zero_address_is_asked_for_with_everything() {
        let mut listing = listing(50, 10);
        listing.entries.extend(parse_vips("ip6-gre6 ::/0 new_size:16 #as:3\n").entries);
        let plan = divide(&listing, LIMIT);
        assert_eq!(plan.servers.len(), 1);
        assert_eq!(plan.servers[0].of, DumpScope::All);
        assert!(plan.may_overflow);
    }

    #[test]
    fn a_listing_that_was_not_understood_is_followed_by_the_workaround() {
        let plan = divide(&parse_vips("what is this"), LIMIT);
        assert!(plan.may_overflow);
        assert_eq!(plan.servers[0].of, DumpScope::All);
    }
}
