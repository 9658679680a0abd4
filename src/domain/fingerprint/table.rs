//! The hash of a VIP's table of new flows.

use std::net::IpAddr;

use super::{Fingerprint, FnvHasher};
use crate::domain::balancing::maglev;

/// The hash of the table that VPP makes of these servers and weights: of its length, and
/// of the server of each entry. Other weights that lead to the same table have the same.
#[must_use]
pub fn of_table(servers: &[(IpAddr, u8)], length: u32) -> Fingerprint {
    let table = maglev::table(servers, length);
    let mut hasher = FnvHasher::new();
    hasher.number(table.length());
    for owner in table.owners() {
        hasher.optional(owner, |hasher, owner| {
            hasher.address(owner);
        });
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(weights: &[u8]) -> Vec<(IpAddr, u8)> {
        let address = |index: usize| IpAddr::from([10, 0, 0, u8::try_from(index).unwrap()]);
        weights.iter().enumerate().map(|(index, weight)| (address(index), *weight)).collect()
    }

    #[test]
    fn the_order_in_which_servers_came_changes_nothing() {
        let mut some = servers(&[100, 50, 0, 7]);
        let before = of_table(&some, 1024);
        some.reverse();
        assert_eq!(of_table(&some, 1024), before);
        some.swap(0, 2);
        assert_eq!(of_table(&some, 1024), before);
    }

    #[test]
    fn another_table_has_another_hash() {
        let before = of_table(&servers(&[100, 50, 7]), 1024);
        for other in [servers(&[100, 50, 8]), servers(&[100, 50]), servers(&[50, 100, 7])] {
            assert_ne!(of_table(&other, 1024), before, "{other:?}");
        }
        assert_ne!(of_table(&servers(&[100, 50, 7]), 2048), before);
        assert_ne!(of_table(&servers(&[100, 100]), 1024), of_table(&servers(&[100]), 1024));
        assert_ne!(of_table(&[], 1024), before);
        assert_eq!(of_table(&servers(&[0, 0]), 1024), of_table(&[], 1024), "both are empty");
    }
}
