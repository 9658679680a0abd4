//! What a table cannot do for the weights and addresses that it is given.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use thiserror::Error;

use super::{Share, address_bits, halves, shares};
use crate::domain::dataplane::net::{TableLength, Weight};
use crate::domain::names::BackendName;

/// A backend with the weight that is asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestedWeight {
    /// Its name.
    pub name: BackendName,
    /// Its address.
    pub address: IpAddr,
    /// Its weight in its pool.
    pub weight: Weight,
}

/// One thing that a frontend's table cannot do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Lint {
    /// Shares that differ by more than a tenth from what the weights ask for.
    #[error(
        "a table of {} entries cannot express these weights: {}; {remedy}",
        .length.get(), Listed(.off)
    )]
    Saturated {
        /// Whose shares, by name.
        off: Vec<Off>,
        /// `new-flows-table-length`
        length: TableLength,
        /// What mends it.
        remedy: TableRemedy,
    },
    /// Weights above 0 that get no entry, so that their servers take nothing.
    #[error(
        "a table of {} entries has none for {}, in spite of weights above 0; {remedy}",
        .length.get(), Listed(.names)
    )]
    NoBucket {
        /// Whose weights.
        names: Vec<BackendName>,
        /// `new-flows-table-length`
        length: TableLength,
        /// What mends it.
        remedy: TableRemedy,
    },
    /// VPP seeds a server's permutation with the XOR of its address's halves.
    #[error(
        "VPP gives {} one permutation, as the halves of their addresses XOR alike, and draining \
         one moves many flows of the others: give one another address",
        Listed(.0)
    )]
    SamePermutation(Vec<Alike>),
}

/// A server whose share of new flows is off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Off {
    /// Its name.
    pub name: BackendName,
    /// The share that its weight asks for.
    pub asked: Share,
    /// The share that it gets.
    pub real: Share,
}

impl fmt::Display for Off {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} takes {} of new flows instead of {}", self.name, self.real, self.asked)
    }
}

/// A server that shares its permutation with another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alike {
    /// Its name.
    pub name: BackendName,
    /// Its address.
    pub address: Ipv6Addr,
}

impl fmt::Display for Alike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.address)
    }
}

/// How a pool's weights and its table can be made to agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableRemedy {
    /// The shortest longer table in which no share is off by more than a tenth.
    pub length: Option<TableLength>,
    /// A number that divides every weight, so that the quotients, which ask
    /// for the same shares, get them from the table as it is.
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

/// What the table of a frontend cannot do, with the place of the pool that it
/// is about; `None` for what is about the frontend as a whole.
#[must_use]
pub fn lint(pools: &[Vec<RequestedWeight>], length: TableLength) -> Vec<(Option<usize>, Lint)> {
    let mut found = Vec::new();
    for (place, pool) in pools.iter().enumerate() {
        found.extend(weights(pool, length).into_iter().map(|lint| (Some(place), lint)));
    }
    found.extend(same_permutations(pools).map(|alike| (None, Lint::SamePermutation(alike))));
    found
}

/// What a pool's weights ask for in vain while all of its backends are up.
fn weights(pool: &[RequestedWeight], length: TableLength) -> Vec<Lint> {
    let servers = servers(pool, 1);
    let (mut off, mut names) = (Vec::new(), Vec::new());
    for (asked, (should, real)) in pool.iter().zip(shares(&servers, length)) {
        if should.part > 0 && real.part == 0 {
            names.push(asked.name.clone());
        } else if should.part > 0 && real.is_off(should) {
            off.push(Off { name: asked.name.clone(), asked: should, real });
        }
    }
    let mut found = Vec::new();
    if off.is_empty() && names.is_empty() {
        return found;
    }
    let remedy = remedy(pool, &servers, length);
    if !off.is_empty() {
        found.push(Lint::Saturated { off, length, remedy });
    }
    if !names.is_empty() {
        found.push(Lint::NoBucket { names, length, remedy });
    }
    found
}

/// The groups of two IPv6 backends or more whose halves XOR alike, in the
/// order of their first members' names.
fn same_permutations(pools: &[Vec<RequestedWeight>]) -> impl Iterator<Item = Vec<Alike>> + use<> {
    let mut groups: BTreeMap<u64, Vec<Alike>> = BTreeMap::new();
    for asked in pools.iter().flatten() {
        if let IpAddr::V6(address) = asked.address {
            let seed = halves(address_bits(asked.address));
            groups.entry(seed).or_default().push(Alike { name: asked.name.clone(), address });
        }
    }
    let mut alike: Vec<_> = groups.into_values().filter(|group| group.len() > 1).collect();
    for group in &mut alike {
        group.sort();
    }
    alike.sort();
    alike.into_iter()
}

fn servers(pool: &[RequestedWeight], divide_by: u8) -> Vec<(IpAddr, u8)> {
    pool.iter().map(|asked| (asked.address, asked.weight.get() / divide_by)).collect()
}

fn is_right(servers: &[(IpAddr, u8)], length: TableLength) -> bool {
    shares(servers, length).iter().all(|(asked, real)| asked.part == 0 || !real.is_off(*asked))
}

fn remedy(pool: &[RequestedWeight], asked: &[(IpAddr, u8)], length: TableLength) -> TableRemedy {
    let mut longer = TableLength::all().filter(|longer| *longer > length);
    let divisor = asked.iter().fold(0, |divisor, server| gcd(divisor, server.1));
    let divides = divisor > 1 && is_right(&servers(pool, divisor), length);
    TableRemedy {
        length: longer.find(|longer| is_right(asked, *longer)),
        divide_by: divides.then_some(divisor),
    }
}

/// The greatest common divisor; that of 0 and `b` is `b`.
fn gcd(a: u8, b: u8) -> u8 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Things one after another, with commas.
struct Listed<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for Listed<'_, T> {
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
