//! Finds weights and addresses of a frontend that its table cannot honour.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use thiserror::Error;

use super::{Share, address_bits, fold, shares};
use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::dataplane::net::{TableLength, Weight};
use crate::domain::names::BackendName;

/// A backend with the weight that the configuration requests for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestedWeight {
    pub name: BackendName,
    pub address: IpAddr,
    pub weight: Weight,
}

/// A weight or an address that a frontend's table cannot honour.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Lint {
    /// Shares that differ by more than a tenth from the requested ones.
    #[error(
        "a table of {} entries cannot express these weights: {}; {remedy}",
        .length.get(), CommaSeparated(.shares)
    )]
    Saturated { shares: Vec<SkewedShare>, length: TableLength, remedy: TableRemedy },
    /// Weights above 0 that get no entry: their servers take no new flows.
    #[error(
        "a table of {} entries has none for {}, in spite of weights above 0; {remedy}",
        .length.get(), CommaSeparated(.names)
    )]
    NoBucket { names: Vec<BackendName>, length: TableLength, remedy: TableRemedy },
    /// Weights above 0 that differ, and a VPP that has none.
    #[error(
        "this VPP has no weights: {}; give equal weights, or run VPP 26.10 or later",
        CommaSeparated(.0)
    )]
    NoWeights(Vec<SkewedShare>),
    /// VPP seeds a server's permutation with the XOR of its address's halves.
    #[error(
        "VPP gives {} one permutation, as the halves of their addresses XOR alike, and draining \
         one moves many flows of the others: give one another address",
        CommaSeparated(.0)
    )]
    SamePermutation(Vec<SharedPermutation>),
}

/// A server whose share of new flows differs from the requested one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkewedShare {
    pub name: BackendName,
    /// The share that its weight requests.
    pub requested: Share,
    pub actual: Share,
}

impl fmt::Display for SkewedShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} takes {} of new flows instead of {}", self.name, self.actual, self.requested)
    }
}

/// A server that has the same permutations as another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SharedPermutation {
    pub name: BackendName,
    pub address: Ipv6Addr,
}

impl fmt::Display for SharedPermutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.address)
    }
}

/// Changes of the configuration after which the table honours a pool's weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableRemedy {
    /// The shortest longer table in which no share differs by more than a tenth.
    pub length: Option<TableLength>,
    /// A divisor of all weights; the quotients request the same shares, and get
    /// them from the present table.
    pub divide_by: Option<u8>,
}

impl fmt::Display for TableRemedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.length, self.divide_by) {
            (Some(length), None) => write!(f, "give a new-flows-table-length of {}", length.get()),
            (None, Some(by)) => write!(f, "divide the weights of the pool by {by}"),
            (Some(length), Some(by)) => write!(
                f,
                "give a new-flows-table-length of {}, or divide the weights of the pool by {by}",
                length.get()
            ),
            (None, None) => f.write_str("no length mends it: give smaller weights"),
        }
    }
}

/// Lints a frontend's table in a VPP of this dialect. Each lint comes with the index of
/// its pool; `None`: it concerns the whole frontend.
#[must_use]
pub fn lint(
    pools: &[Vec<RequestedWeight>],
    length: TableLength,
    dialect: LbDialect,
) -> Vec<(Option<usize>, Lint)> {
    let mut found = Vec::new();
    for (index, pool) in pools.iter().enumerate() {
        let lints = match dialect {
            LbDialect::Weights => lint_weights(pool, length),
            LbDialect::Membership => lint_members(pool, length),
        };
        found.extend(lints.into_iter().map(|lint| (Some(index), lint)));
    }
    found.extend(same_permutations(pools).map(|group| (None, Lint::SamePermutation(group))));
    found
}

/// Lints the weights of a pool, all of whose backends are assumed to be up.
fn lint_weights(pool: &[RequestedWeight], length: TableLength) -> Vec<Lint> {
    let servers = servers(pool, 1);
    let (mut skewed, mut names) = (Vec::new(), Vec::new());
    let shares = shares(&servers, length, LbDialect::Weights);
    for (backend, (requested, actual)) in pool.iter().zip(shares) {
        if requested.part > 0 && actual.part == 0 {
            names.push(backend.name.clone());
        } else if requested.part > 0 && actual.is_skewed(requested) {
            skewed.push(SkewedShare { name: backend.name.clone(), requested, actual });
        }
    }
    let mut found = Vec::new();
    if skewed.is_empty() && names.is_empty() {
        return found;
    }
    let remedy = remedy(pool, &servers, length);
    if !skewed.is_empty() {
        found.push(Lint::Saturated { shares: skewed, length, remedy });
    }
    if !names.is_empty() {
        found.push(Lint::NoBucket { names, length, remedy });
    }
    found
}

/// Lints a pool whose backends get equal shares, whatever their weights are.
fn lint_members(pool: &[RequestedWeight], length: TableLength) -> Vec<Lint> {
    let both = shares(&servers(pool, 1), length, LbDialect::Membership);
    let in_table = || pool.iter().zip(&both).filter(|(backend, _)| backend.weight > Weight::ZERO);
    let mut found = Vec::new();
    let weights: BTreeSet<_> = in_table().map(|(backend, _)| backend.weight).collect();
    if weights.len() > 1 {
        let share = |(backend, &(requested, actual)): (&RequestedWeight, &(Share, Share))| {
            SkewedShare { name: backend.name.clone(), requested, actual }
        };
        found.push(Lint::NoWeights(in_table().map(share).collect()));
    }
    let none = in_table().filter(|(_, (_, actual))| actual.part == 0);
    let names: Vec<_> = none.map(|(backend, _)| backend.name.clone()).collect();
    if !names.is_empty() {
        let mut longer = TableLength::all().filter(|longer| *longer > length);
        let longer = longer.find(|longer| usize::from(longer.get()) >= in_table().count());
        let remedy = TableRemedy { length: longer, divide_by: None };
        found.push(Lint::NoBucket { names, length, remedy });
    }
    found
}

/// The groups of two or more IPv6 backends with the same seed, in the order of
/// their first members' names.
fn same_permutations(
    pools: &[Vec<RequestedWeight>],
) -> impl Iterator<Item = Vec<SharedPermutation>> + use<> {
    let mut by_seed: BTreeMap<u64, Vec<SharedPermutation>> = BTreeMap::new();
    for backend in pools.iter().flatten() {
        if let IpAddr::V6(address) = backend.address {
            let seed = fold(address_bits(backend.address));
            let name = backend.name.clone();
            by_seed.entry(seed).or_default().push(SharedPermutation { name, address });
        }
    }
    let mut groups: Vec<_> = by_seed.into_values().filter(|group| group.len() > 1).collect();
    for group in &mut groups {
        group.sort();
    }
    groups.sort();
    groups.into_iter()
}

fn servers(pool: &[RequestedWeight], divide_by: u8) -> Vec<(IpAddr, u8)> {
    pool.iter().map(|backend| (backend.address, backend.weight.get() / divide_by)).collect()
}

/// Whether no share is skewed.
fn honours(servers: &[(IpAddr, u8)], length: TableLength) -> bool {
    let shares = shares(servers, length, LbDialect::Weights);
    shares.iter().all(|(requested, actual)| requested.part == 0 || !actual.is_skewed(*requested))
}

fn remedy(
    pool: &[RequestedWeight],
    requested: &[(IpAddr, u8)],
    length: TableLength,
) -> TableRemedy {
    let mut longer = TableLength::all().filter(|longer| *longer > length);
    let divisor = requested.iter().fold(0, |divisor, server| gcd(divisor, server.1));
    let divides = divisor > 1 && honours(&servers(pool, divisor), length);
    TableRemedy {
        length: longer.find(|longer| honours(requested, *longer)),
        divide_by: divides.then_some(divisor),
    }
}

/// The greatest common divisor; that of 0 and `b` is `b`.
fn gcd(a: u8, b: u8) -> u8 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Displays items separated by commas.
struct CommaSeparated<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for CommaSeparated<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, item) in self.0.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{item}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
