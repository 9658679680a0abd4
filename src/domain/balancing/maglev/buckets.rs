//! Computes how many entries of the table each server holds, without making the
//! table.

use std::fmt;
use std::net::IpAddr;

use super::address_bits;
use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::dataplane::net::TableLength;

/// The number of entries of each of `servers` in a table of `length` entries:
/// [`super::Table::buckets`] without the table.
///
/// Every round gives one entry to each permutation, so all hold the same number;
/// the first in VPP's order hold one more, from the round that fills the table.
#[must_use]
pub fn buckets(servers: &[(IpAddr, u8)], length: u32) -> Vec<u32> {
    let length = super::power_of_two(length);
    let permutations: u32 = servers.iter().map(|server| u32::from(server.1)).sum();
    if permutations == 0 {
        return vec![0; servers.len()];
    }
    let rounds = length / permutations;
    let mut held: Vec<u32> = servers.iter().map(|server| u32::from(server.1) * rounds).collect();
    let mut order: Vec<usize> = (0..servers.len()).collect();
    order.sort_unstable_by_key(|&index| address_bits(servers[index].0));
    let mut left = length % permutations;
    for number in 0..=u8::MAX {
        for &index in order.iter().filter(|&&index| number < servers[index].1) {
            if left == 0 {
                return held;
            }
            held[index] += 1;
            left -= 1;
        }
    }
    held
}

/// A share, displayed in per cent with one decimal: `4.7%`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    pub part: u32,
    pub whole: u32,
}

impl Share {
    /// The share as a fraction, 0 to 1; 0 if the whole is 0.
    #[must_use]
    pub fn fraction(self) -> f64 {
        if self.whole == 0 { 0.0 } else { f64::from(self.part) / f64::from(self.whole) }
    }

    /// Whether this share differs by more than a tenth from the `requested` one,
    /// which is above 0.
    #[must_use]
    pub fn is_skewed(self, requested: Self) -> bool {
        let actual = u64::from(self.part) * u64::from(requested.whole);
        let expected = u64::from(requested.part) * u64::from(self.whole);
        10 * actual.abs_diff(expected) > expected
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1}%", 100.0 * self.fraction())
    }
}

/// For each of `servers`, the share of new flows that its weight requests, and
/// the one that a table of `length` entries gives it in a VPP of this dialect.
#[must_use]
pub fn shares(
    servers: &[(IpAddr, u8)],
    length: TableLength,
    dialect: LbDialect,
) -> Vec<(Share, Share)> {
    let sum = servers.iter().map(|server| u32::from(server.1)).sum();
    let length = u32::from(length.get());
    let effective = servers.iter().map(|(address, weight)| (*address, dialect.effective(*weight)));
    let held = buckets(&effective.collect::<Vec<_>>(), length);
    let both = servers.iter().zip(held).map(|(server, held)| {
        let requested = Share { part: server.1.into(), whole: sum };
        (requested, Share { part: held, whole: length })
    });
    both.collect()
}

#[cfg(test)]
mod tests {
    use proptest::collection::btree_map;
    use proptest::prelude::*;

    use super::super::table;
    use super::*;

    #[test]
    fn a_share_is_skewed_if_it_differs_by_more_than_a_tenth() {
        let share = |part, whole| Share { part, whole };
        assert!(!share(11, 100).is_skewed(share(1, 10)));
        assert!(share(111, 1000).is_skewed(share(1, 10)));
        assert!(!share(9, 100).is_skewed(share(1, 10)));
        assert!(share(89, 1000).is_skewed(share(1, 10)));
        assert!(share(0, 1024).is_skewed(share(1, 2000)));
        assert_eq!(share(48, 1024).to_string(), "4.7%");
        assert_eq!(share(0, 0).to_string(), "0.0%");
    }

    proptest! {
        #[test]
        fn the_counts_are_those_of_the_table(
            v4 in btree_map(any::<u32>(), any::<u8>(), 0..12),
            v6 in btree_map(any::<u128>(), 0..=100_u8, 0..12),
            log_length in 0..16_u32,
        ) {
            let v4 = v4.iter().map(|(&bits, &weight)| (IpAddr::from(bits.to_be_bytes()), weight));
            let v6 = v6.iter().map(|(&bits, &weight)| (IpAddr::from(bits.to_be_bytes()), weight));
            let mut servers: Vec<_> = v6.chain(v4).collect();
            servers.dedup_by_key(|server| address_bits(server.0));
            let length = 1 << log_length;
            let counted = buckets(&servers, length);
            let table = table(&servers, length);
            prop_assert_eq!(&counted[..], table.buckets());
        }
    }
}
