//! The lints on cases made by hand, and against their definition.

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::table;
use super::*;

fn asked(name: &str, address: &str, weight: i64) -> RequestedWeight {
    let weight = Weight::try_from(weight).unwrap();
    RequestedWeight { name: name.into(), address: address.parse().unwrap(), weight }
}

/// `count` backends from 10.0.0.1 on, named after their last byte.
fn pool(weights: &[i64]) -> Vec<RequestedWeight> {
    let asked =
        |(last, &weight): (usize, _)| asked(&last.to_string(), &format!("10.0.0.{last}"), weight);
    (1..).zip(weights).map(asked).collect()
}

fn length(length: u64) -> TableLength {
    TableLength::try_from(length).unwrap()
}

/// What is found, as an operator reads it.
fn said(pools: &[Vec<RequestedWeight>], entries: u64) -> Vec<(Option<usize>, String)> {
    lint(pools, length(entries))
        .into_iter()
        .map(|(place, lint)| (place, lint.to_string()))
        .collect()
}

#[test]
fn a_light_server_among_many_takes_too_much() {
    let mut weights = vec![100; 20];
    weights.push(50);
    let found = said(&[pool(&[100]), pool(&weights)], 1024);
    assert_eq!(
        found,
        [(
            Some(1),
            "a table of 1024 entries cannot express these weights: 21 takes 4.7% of new flows \
             instead of 2.4%; give a new-flows-table-length of 2048, or divide the weights of the \
             pool by 50"
                .to_owned()
        )]
    );
    assert_eq!(said(&[pool(&weights)], 4096), []);
    let halved: Vec<_> = weights.iter().map(|weight| weight / 50).collect();
    assert_eq!(said(&[pool(&halved)], 1024), []);
}

#[test]
fn many_equal_weights_are_shared_out_however_large_they_are() {
    assert_eq!(said(&[pool(&[100; 20])], 1024), []);
}

#[test]
fn a_weight_can_round_to_no_bucket() {
    let found = said(&[pool(&[1, 1, 1])], 2);
    let text = "a table of 2 entries has none for 3, in spite of weights above 0; \
                give a new-flows-table-length of 32";
    assert!(found.contains(&(Some(0), text.to_owned())), "{found:?}");
    let zero = said(&[pool(&[1, 1, 0])], 2);
    assert_eq!(zero, [], "a weight of 0 asks for nothing");
}

#[test]
fn what_no_length_mends_is_said_to_be_so() {
    let heavy: Vec<i64> = (0..64_000).map(|_| 100).chain([1]).collect();
    let many: Vec<_> = (0_u32..)
        .zip(&heavy)
        .map(|(bits, &weight)| {
            let address = IpAddr::from(bits.to_be_bytes()).to_string();
            asked(&bits.to_string(), &address, weight)
        })
        .collect();
    let found = said(&[many], 32768);
    assert!(
        found.iter().all(|(_, text)| text.ends_with("no length mends it: give smaller weights"))
    );
    assert!(!found.is_empty());
}

#[test]
fn addresses_whose_halves_xor_alike_are_named() {
    let pools = [
        vec![asked("b", "2001:db8:0:2::2", 100), asked("c", "2001:db8:0:2::3", 100)],
        vec![asked("a", "2001:db8:0:1::1", 0), asked("d", "10.0.0.1", 0)],
    ];
    let found = said(&pools, 1024);
    let [(None, text)] = &found[..] else { panic!("{found:?}") };
    assert!(text.starts_with(
        "VPP gives a (2001:db8:0:1::1), b (2001:db8:0:2::2) one permutation, as the halves"
    ));
}

proptest! {
    /// Against the definition, on the table itself: entry by entry.
    #[test]
    fn the_lints_fire_where_their_definition_says_and_nowhere_else(
        weights in vec(0..=100_i64, 1..24),
        bytes in vec((0..4_u16, 0..4_u16), 24),
        v6 in any::<bool>(),
        log_length in 0..13_u32,
    ) {
        let mut pool: Vec<RequestedWeight> = Vec::new();
        for (place, (&weight, (net, host))) in weights.iter().zip(bytes).enumerate() {
            let v4 = format!("10.0.{net}.{place}");
            let v6 = if v6 { format!("2001:db8:0:{net}::{place:x}:{host}") } else { v4 };
            pool.push(asked(&place.to_string(), &v6, weight));
        }
        let entries = 1_u32 << log_length;
        let found = lint(std::slice::from_ref(&pool), length(entries.into()));
        let (mut off, mut empty, mut alike) = (Vec::new(), Vec::new(), Vec::new());
        for (_, lint) in &found {
            match lint {
                Lint::Saturated { off: list, .. } => off.extend(list.iter().map(|o| o.name.clone())),
                Lint::NoBucket { names, .. } => empty.extend(names.iter().cloned()),
                Lint::SamePermutation(list) => alike.extend(list.iter().map(|a| a.name.clone())),
            }
            if let Lint::Saturated { remedy, .. } | Lint::NoBucket { remedy, .. } = lint
                && let Some(mended) = remedy.length
            {
                prop_assert!(lint_names_nobody(&pool, mended));
                let shorter = TableLength::all()
                    .filter(|length| u32::from(length.get()) > entries && *length < mended);
                for shorter in shorter {
                    prop_assert!(!lint_names_nobody(&pool, shorter));
                }
            }
        }
        let servers: Vec<_> = pool.iter().map(|a| (a.address, a.weight.get())).collect();
        let table = table(&servers, entries);
        let sum: f64 = servers.iter().map(|server| f64::from(server.1)).sum();
        for asked in &pool {
            let held = table.owners().filter(|owner| *owner == Some(asked.address)).count();
            let weight = f64::from(asked.weight.get());
            let real = f64::from(u32::try_from(held).unwrap()) / f64::from(entries);
            let ratio = real / (weight / sum);
            // Where exactly a tenth is at stake, floating point is not the judge.
            let at_the_edge = (ratio - 0.9).abs() < 1e-9 || (ratio - 1.1).abs() < 1e-9;
            if weight > 0.0 && !at_the_edge {
                let is_off = !(0.9..=1.1).contains(&ratio);
                prop_assert_eq!(off.contains(&asked.name), is_off && held > 0);
                prop_assert_eq!(empty.contains(&asked.name), held == 0);
            } else if weight == 0.0 {
                prop_assert!(!off.contains(&asked.name) && !empty.contains(&asked.name));
            }
            let folded = |address: IpAddr| match address {
                IpAddr::V4(_) => None,
                IpAddr::V6(v6) => Some((v6.to_bits() >> 64) ^ (v6.to_bits() & u128::from(u64::MAX))),
            };
            let twins = pool.iter().filter(|other| {
                folded(other.address).is_some() && folded(other.address) == folded(asked.address)
            });
            prop_assert_eq!(alike.contains(&asked.name), twins.count() > 1);
        }
    }
}

/// Whether no weight of the pool is asked for in vain at `length`.
fn lint_names_nobody(pool: &[RequestedWeight], length: TableLength) -> bool {
    weights(pool, length).is_empty()
}
