//! Computes the table by which VPP assigns new flows to servers, exactly as
//! VPP's `lb` plugin does (`lb_vip_update_new_flow_table`).
//!
//! A server of weight w has w permutations of the table's entries, numbered 0 to
//! w-1. Each round goes through all permutations in the order of (number,
//! address), and each claims its next entry that is still free. So a table
//! depends on the servers, their weights and its length, and not on the order in
//! which servers were added.

mod buckets;
mod check;
mod forecast;
mod lint;

use std::net::IpAddr;

pub use buckets::{Share, buckets, shares};
pub use check::{Miscount, Mismatch, ModelCheck, mismatches};
pub use forecast::{Forecast, ForecastServer, WeightUnknown, forecast, moves};
pub use lint::{Lint, RequestedWeight, SharedPermutation, SkewedShare, TableRemedy, lint};

/// Owner of an entry that no server holds.
const NO_OWNER: u32 = u32::MAX;

/// A new-flow table: the server of each entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    servers: Vec<(IpAddr, u8)>,
    /// Indices into `servers`, or [`NO_OWNER`].
    owners: Vec<u32>,
    buckets: Vec<u32>,
}

impl Table {
    /// The servers and weights that the table was made from, in the given order.
    #[must_use]
    pub fn servers(&self) -> &[(IpAddr, u8)] {
        &self.servers
    }

    #[must_use]
    pub fn length(&self) -> u32 {
        u32::try_from(self.owners.len()).unwrap_or(u32::MAX)
    }

    /// The number of entries of each server, in the order of [`Table::servers`]
    /// (VPP's `num_buckets`).
    #[must_use]
    pub fn buckets(&self) -> &[u32] {
        &self.buckets
    }

    /// The server of each entry; VPP drops new flows where it is `None`.
    pub fn owners(&self) -> impl ExactSizeIterator<Item = Option<IpAddr>> + '_ {
        self.owners.iter().map(|&owner| self.address(owner))
    }

    fn address(&self, owner: u32) -> Option<IpAddr> {
        self.servers.get(owner as usize).map(|server| server.0)
    }

    fn weight_of(&self, server: IpAddr) -> u8 {
        self.servers.iter().find(|(address, _)| *address == server).map_or(0, |found| found.1)
    }
}

/// How many entries change their server between two tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableDiff {
    /// Entries compared: the length of the longer table.
    pub entries: u32,
    /// Entries gained or lost by a server whose weight changed.
    pub own: u32,
    /// Entries that moved between servers whose weights did not change.
    pub collateral: u32,
}

/// Computes the table of `length` entries over `servers`, each an address and a
/// weight.
///
/// VPP's lengths are powers of two; any other is rounded down to one. No two
/// addresses may be equal, as in a VIP.
#[must_use]
pub fn table(servers: &[(IpAddr, u8)], length: u32) -> Table {
    let length = power_of_two(length);
    let mut permutations = permutations(servers, length - 1);
    let mut owners = vec![NO_OWNER; length as usize];
    let mut buckets = vec![0; servers.len()];
    // An index of the form `i & mask` needs no check against the length.
    let mask = owners.len() - 1;
    let mut free = length;
    'full: while !permutations.is_empty() {
        for permutation in &mut permutations {
            let mut entry = permutation.next;
            while owners[entry & mask] != NO_OWNER {
                entry = entry.wrapping_add(permutation.skip);
            }
            owners[entry & mask] = permutation.server;
            permutation.next = entry.wrapping_add(permutation.skip);
            buckets[permutation.server as usize] += 1;
            free -= 1;
            if free == 0 {
                break 'full;
            }
        }
    }
    Table { servers: servers.to_vec(), owners, buckets }
}

/// Rounds a length down to one that VPP accepts.
fn power_of_two(length: u32) -> u32 {
    1 << length.max(1).ilog2()
}

/// Counts the entries that change their server when `after` replaces `before`.
///
/// VPP masks the hash of a flow with the length, so of tables of two lengths the
/// shorter one repeats.
#[must_use]
pub fn diff(before: &Table, after: &Table) -> TableDiff {
    let changed = |server: IpAddr| before.weight_of(server) != after.weight_of(server);
    let changed_before: Vec<bool> = before.servers.iter().map(|s| changed(s.0)).collect();
    let changed_after: Vec<bool> = after.servers.iter().map(|s| changed(s.0)).collect();
    let addresses = after.servers.iter().map(|server| server.0);
    let index_before: Vec<u32> = addresses
        .map(|server| before.servers.iter().position(|old| old.0 == server))
        .map(|index| index.and_then(|index| u32::try_from(index).ok()).unwrap_or(NO_OWNER - 1))
        .collect();
    let is_changed = |of: &[bool], owner: u32| of.get(owner as usize).copied().unwrap_or(false);

    let entries = before.owners.len().max(after.owners.len());
    let (mut own, mut collateral) = (0, 0);
    let longer = before.owners.iter().cycle().zip(after.owners.iter().cycle()).take(entries);
    for (&old, &new) in longer {
        let new_in_before = index_before.get(new as usize).copied().unwrap_or(NO_OWNER);
        if old == new_in_before {
            continue;
        }
        if is_changed(&changed_before, old) || is_changed(&changed_after, new) {
            own += 1;
        } else {
            collateral += 1;
        }
    }
    TableDiff { entries: u32::try_from(entries).unwrap_or(u32::MAX), own, collateral }
}

/// A permutation of the table's entries that belongs to a server: `next`, then
/// `next` + `skip`, and so on, all modulo the length.
struct Permutation {
    server: u32,
    next: usize,
    skip: usize,
}

/// All permutations in VPP's order: by number, then by address.
fn permutations(servers: &[(IpAddr, u8)], mask: u32) -> Vec<Permutation> {
    let mut order: Vec<(u128, u8, u32)> =
        servers.iter().zip(0..).map(|((ip, weight), i)| (address_bits(*ip), *weight, i)).collect();
    order.sort_unstable();
    let heaviest = order.iter().map(|server| server.1).max().unwrap_or(0);
    let sum: usize = order.iter().map(|server| usize::from(server.1)).sum();
    let mut permutations = Vec::with_capacity(sum);
    for number in 0..heaviest {
        for &(bits, weight, server) in &order {
            if number < weight {
                let seed = hash(fold(bits) ^ u64::from(number)).to_le_bytes();
                let [low, high] = [0, 4].map(|at| {
                    u32::from_le_bytes([seed[at], seed[at + 1], seed[at + 2], seed[at + 3]])
                });
                let (next, skip) = ((high & mask) as usize, ((low | 1) & mask) as usize);
                permutations.push(Permutation { server, next, skip });
            }
        }
    }
    permutations
}

/// An address as VPP stores and compares it: 16 bytes, IPv4 in the last four.
fn address_bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// The XOR of the two halves of an address, read as little-endian words: VPP's
/// seed of the server's permutations.
fn fold(bits: u128) -> u64 {
    let bytes = bits.to_be_bytes();
    let mut folded = [0; 8];
    for (index, byte) in folded.iter_mut().enumerate() {
        *byte = bytes[index] ^ bytes[index + 8];
    }
    u64::from_le_bytes(folded)
}

/// VPP's `clib_xxhash` of one word: xxHash64 of eight bytes with a seed of VPP's.
fn hash(key: u64) -> u64 {
    const P1: u64 = 0x9e37_79b1_85eb_ca87;
    const P2: u64 = 0xc2b2_ae3d_27d4_eb4f;
    const P3: u64 = 0x1656_67b1_9e37_79f9;
    const P4: u64 = 0x85eb_ca77_c2b2_ae63;
    const P5: u64 = 0x27d4_eb2f_1656_67c5;
    const SEED: u64 = 0x9e37_79b9_7f4a_7c13;
    let round = key.wrapping_mul(P2).rotate_left(31).wrapping_mul(P1);
    let mut h = SEED.wrapping_add(P5).wrapping_add(8) ^ round;
    h = h.rotate_left(27).wrapping_mul(P1).wrapping_add(P4);
    h = (h ^ (h >> 33)).wrapping_mul(P2);
    h = (h ^ (h >> 29)).wrapping_mul(P3);
    h ^ (h >> 32)
}

#[cfg(test)]
mod tests {
    use proptest::collection::btree_map;
    use proptest::prelude::*;

    use super::*;

    fn servers(list: &[(&str, u8)]) -> Vec<(IpAddr, u8)> {
        list.iter().map(|(address, weight)| (address.parse().unwrap(), *weight)).collect()
    }

    fn many(count: u8, weight: u8) -> Vec<(IpAddr, u8)> {
        (1..=count).map(|last| (IpAddr::from([10, 0, 0, last]), weight)).collect()
    }

    #[test]
    fn shares_are_those_that_vpp_reports() {
        type Case = (&'static [(&'static str, u8)], u32, &'static [u32]);
        let cases: &[Case] = &[
            (&[("10.1.0.1", 100), ("10.1.0.2", 25)], 1024, &[812, 212]),
            (&[("2001:db8:a::1", 100)], 65536, &[65536]),
            (&[("10.1.0.1", 0), ("10.1.0.2", 0)], 1024, &[0, 0]),
            (&[], 1024, &[]),
        ];
        for (list, length, buckets) in cases {
            assert_eq!(table(&servers(list), *length).buckets(), *buckets, "{list:?}");
        }
    }

    #[test]
    fn weights_whose_sum_exceeds_the_length_have_little_effect() {
        let mut list = many(20, 100);
        list.push(("10.0.0.21".parse().unwrap(), 50));
        let at_1024 = table(&list, 1024);
        assert!(at_1024.buckets().iter().all(|&held| (48..=49).contains(&held)));
        let at_4096 = table(&list, 4096);
        assert!(at_4096.buckets()[20] < 2 * at_4096.buckets()[0] / 3);
    }

    #[test]
    fn the_first_addresses_get_the_entries_of_a_short_table() {
        let list = many(5, 1);
        assert_eq!(table(&list, 2).buckets(), [1, 1, 0, 0, 0]);
        assert_eq!(table(&list, 0), table(&list, 1), "the shortest length is 1");
        assert_eq!(table(&list, 1023).owners().len(), 512);
    }

    #[test]
    fn a_drain_moves_some_entries_of_the_others() {
        let draining = |count: u8, weight| {
            let before = many(count, weight);
            let mut after = before.clone();
            after[0].1 = 0;
            diff(&table(&before, 1024), &table(&after, 1024))
        };
        let heavy = draining(3, 100);
        assert_eq!(heavy.own, table(&many(3, 100), 1024).buckets()[0]);
        assert!(heavy.collateral > 30 && heavy.collateral < 110, "{heavy:?}");
        assert!(draining(3, 1).collateral < 10);
    }

    #[test]
    fn tables_are_compared_by_address_and_not_by_index() {
        let before = table(&servers(&[("10.0.0.1", 10), ("10.0.0.2", 10)]), 64);
        let swapped = table(&servers(&[("10.0.0.2", 10), ("10.0.0.1", 10)]), 64);
        assert_eq!(diff(&before, &swapped), TableDiff { entries: 64, own: 0, collateral: 0 });
        let empty = table(&[], 64);
        assert_eq!(diff(&before, &empty).own, 64);
        assert_eq!(diff(&empty, &before).own, 64);
        let longer = diff(&before, &table(before.servers(), 128));
        assert_eq!((longer.entries, longer.own), (128, 0));
        assert!(longer.collateral > 0);
    }

    proptest! {
        #[test]
        fn a_table_is_full_whatever_the_order(
            weights in btree_map(any::<u32>(), 0..=255_u8, 0..12),
            log_length in 0..12_u32,
        ) {
            let list: Vec<(IpAddr, u8)> =
                weights.iter().map(|(&a, &w)| (IpAddr::from(a.to_be_bytes()), w)).collect();
            let forth = table(&list, 1 << log_length);
            let sum: u32 = forth.buckets().iter().sum();
            prop_assert_eq!(sum, if list.iter().all(|s| s.1 == 0) { 0 } else { 1 << log_length });
            for (&(_, weight), &held) in list.iter().zip(forth.buckets()) {
                prop_assert!(weight > 0 || held == 0);
            }
            let mut backwards = list;
            backwards.reverse();
            let back = table(&backwards, 1 << log_length);
            prop_assert!(forth.owners().eq(back.owners()));
            prop_assert_eq!(diff(&forth, &back).collateral, 0);
        }
    }
}
