//! Tests the lints on examples and against their definition.

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::table;
use super::*;

fn requested(name: &str, address: &str, weight: i64) -> RequestedWeight {
    let weight = Weight::try_from(weight).unwrap();
    RequestedWeight { name: name.into(), address: address.parse().unwrap(), weight }
}

/// `count` backends from 10.0.0.1 on, named after their last byte.
fn pool(weights: &[i64]) -> Vec<RequestedWeight> {
    let backend = |(last, &weight): (usize, _)| {
        requested(&last.to_string(), &format!("10.0.0.{last}"), weight)
    };
    (1..).zip(weights).map(backend).collect()
}

fn length(length: u64) -> TableLength {
    TableLength::try_from(length).unwrap()
}

/// The lints as an operator reads them, each with the index of its pool.
fn lint_texts(pools: &[Vec<RequestedWeight>], entries: u64) -> Vec<(Option<usize>, String)> {
    lint(pools, length(entries), LbDialect::Weights)
        .into_iter()
        .map(|(pool, lint)| (pool, lint.to_string()))
        .collect()
}

#[test]
fn a_light_server_among_many_takes_too_much() {
    let mut weights = vec![100; 20];
    weights.push(50);
    let found = lint_texts(&[pool(&[100]), pool(&weights)], 1024);
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
    assert_eq!(lint_texts(&[pool(&weights)], 4096), []);
    let halved: Vec<_> = weights.iter().map(|weight| weight / 50).collect();
    assert_eq!(lint_texts(&[pool(&halved)], 1024), []);
}

#[test]
fn many_equal_weights_are_honoured_however_large_they_are() {
    assert_eq!(lint_texts(&[pool(&[100; 20])], 1024), []);
}

#[test]
fn a_weight_can_round_to_no_bucket() {
    let found = lint_texts(&[pool(&[1, 1, 1])], 2);
    let text = "a table of 2 entries has none for 3, in spite of weights above 0; \
                give a new-flows-table-length of 32";
    assert!(found.contains(&(Some(0), text.to_owned())), "{found:?}");
    let zero = lint_texts(&[pool(&[1, 1, 0])], 2);
    assert_eq!(zero, [], "a weight of 0 requests nothing");
}

#[test]
fn the_lint_says_if_no_length_honours_the_weights() {
    let heavy: Vec<i64> = (0..64_000).map(|_| 100).chain([1]).collect();
    let many: Vec<_> = (0_u32..)
        .zip(&heavy)
        .map(|(bits, &weight)| {
            let address = IpAddr::from(bits.to_be_bytes()).to_string();
            requested(&bits.to_string(), &address, weight)
        })
        .collect();
    let found = lint_texts(&[many], 32768);
    assert!(
        found.iter().all(|(_, text)| text.ends_with("no length mends it: give smaller weights"))
    );
    assert!(!found.is_empty());
}

#[test]
fn addresses_with_one_seed_are_named() {
    let pools = [
        vec![requested("b", "2001:db8:0:2::2", 100), requested("c", "2001:db8:0:2::3", 100)],
        vec![requested("a", "2001:db8:0:1::1", 0), requested("d", "10.0.0.1", 0)],
    ];
    let found = lint_texts(&pools, 1024);
    let [(None, text)] = &found[..] else { panic!("{found:?}") };
    assert!(text.starts_with(
        "VPP gives a (2001:db8:0:1::1), b (2001:db8:0:2::2) one permutation, as the halves"
    ));
}

proptest! {
    /// Compares with the definition, computed from the table entry by entry.
    #[test]
    fn the_lints_fire_where_their_definition_says_and_nowhere_else(
        weights in vec(0..=100_i64, 1..24),
        bytes in vec((0..4_u16, 0..4_u16), 24),
        v6 in any::<bool>(),
        log_length in 0..13_u32,
    ) {
        let mut pool: Vec<RequestedWeight> = Vec::new();
        for (index, (&weight, (net, host))) in weights.iter().zip(bytes).enumerate() {
            let v4 = format!("10.0.{net}.{index}");
            let address = if v6 { format!("2001:db8:0:{net}::{index:x}:{host}") } else { v4 };
            pool.push(requested(&index.to_string(), &address, weight));
        }
        let entries = 1_u32 << log_length;
        let found = lint(std::slice::from_ref(&pool), length(entries.into()), LbDialect::Weights);
        let (mut skewed, mut empty, mut shared) = (Vec::new(), Vec::new(), Vec::new());
        for (_, lint) in &found {
            match lint {
                Lint::Saturated { shares, .. } => skewed.extend(shares.iter().map(|s| s.name.clone())),
                Lint::NoBucket { names, .. } => empty.extend(names.iter().cloned()),
                Lint::SamePermutation(list) => shared.extend(list.iter().map(|s| s.name.clone())),
                Lint::NoWeights(_) => prop_assert!(false, "{lint} where there are weights"),
            }
            if let Lint::Saturated { remedy, .. } | Lint::NoBucket { remedy, .. } = lint
                && let Some(remedy) = remedy.length
            {
                prop_assert!(lint_weights(&pool, remedy).is_empty());
                let shorter = TableLength::all()
                    .filter(|length| u32::from(length.get()) > entries && *length < remedy);
                for shorter in shorter {
                    prop_assert!(!lint_weights(&pool, shorter).is_empty());
                }
            }
        }
        let servers: Vec<_> = pool.iter().map(|a| (a.address, a.weight.get())).collect();
        let table = table(&servers, entries);
        let sum: f64 = servers.iter().map(|server| f64::from(server.1)).sum();
        for backend in &pool {
            let held = table.owners().filter(|owner| *owner == Some(backend.address)).count();
            let weight = f64::from(backend.weight.get());
            let actual = f64::from(u32::try_from(held).unwrap()) / f64::from(entries);
            let ratio = actual / (weight / sum);
            // Floating point cannot decide at exactly a tenth.
            let is_borderline = (ratio - 0.9).abs() < 1e-9 || (ratio - 1.1).abs() < 1e-9;
            if weight > 0.0 && !is_borderline {
                let is_skewed = !(0.9..=1.1).contains(&ratio);
                prop_assert_eq!(skewed.contains(&backend.name), is_skewed && held > 0);
                prop_assert_eq!(empty.contains(&backend.name), held == 0);
            } else if weight == 0.0 {
                prop_assert!(!skewed.contains(&backend.name) && !empty.contains(&backend.name));
            }
            let folded = |address: IpAddr| match address {
                IpAddr::V4(_) => None,
                IpAddr::V6(v6) => Some((v6.to_bits() >> 64) ^ (v6.to_bits() & u128::from(u64::MAX))),
            };
            let twins = pool.iter().filter(|other| {
                folded(other.address).is_some() && folded(other.address) == folded(backend.address)
            });
            prop_assert_eq!(shared.contains(&backend.name), twins.count() > 1);
        }
    }
}

#[test]
fn without_weights_shares_are_equal_and_weights_that_differ_are_told_with_what_they_become() {
    let texts = |weights: &[i64], entries| {
        let found = lint(&[pool(weights)], length(entries), LbDialect::Membership);
        found.into_iter().map(|(pool, lint)| (pool, lint.to_string())).collect::<Vec<_>>()
    };
    assert_eq!(
        texts(&[100, 50, 0], 1024),
        [(
            Some(0),
            "this VPP has no weights: 1 takes 50.0% of new flows instead of 66.7%, 2 takes 50.0% \
             of new flows instead of 33.3%; give equal weights, or run VPP 26.10 or later"
                .to_owned()
        )]
    );
    assert_eq!(texts(&[7, 7, 0], 1024), []);
    // 21 weights of 100 are too many for weights, and not for members.
    assert_eq!(texts(&[100; 21], 1024), []);
    assert_eq!(
        texts(&[100; 5], 4),
        [(
            Some(0),
            "a table of 4 entries has none for 5, in spite of weights above 0; give a \
             new-flows-table-length of 8"
                .to_owned()
        )]
    );
}
