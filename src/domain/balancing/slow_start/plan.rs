//! Chooses the weights of a ramp by the model of VPP's table.

use std::net::IpAddr;
use std::time::Duration;

use super::RampStep;
use crate::domain::balancing::maglev::{self, Table};
use crate::domain::dataplane::net::{TableLength, Weight};

/// A step adds at most one in so many of the entries that the ramp adds in all. Each step
/// moves entries of others, so a ramp in more steps moves more of them.
const STEPS: u32 = 4;

/// Weights among which the steps are chosen, in tables of up to so many entries. Every
/// pair of tables is compared, so long tables get fewer.
const CANDIDATES: [(u32, usize); 2] = [(4096, 48), (u32::MAX, 24)];

/// Which server comes back, where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RampRequest {
    /// The other servers of the VIP with their weights.
    pub others: Vec<(IpAddr, u8)>,
    pub server: IpAddr,
    /// Its configured weight, above 0.
    pub target: Weight,
    pub length: TableLength,
    /// From the first step to the last.
    pub span: Duration,
}

/// The steps of a ramp: rising weights, of which the last is the configured one, each
/// with more entries than the one before.
#[must_use]
pub fn plan(request: &RampRequest) -> Vec<RampStep> {
    let candidates = candidates(request);
    let path = cheapest(&candidates, request);
    let (first, last) = match (candidates.first(), candidates.last()) {
        (Some(first), Some(last)) => (first.entries, last.entries),
        _ => (0, 0),
    };
    let whole = last.saturating_sub(first).max(1);
    let steps = path.iter().filter_map(|&place| candidates.get(place)).map(|step| RampStep {
        at: request.span.mul_f64(f64::from(step.entries.saturating_sub(first)) / f64::from(whole)),
        weight: step.weight,
    });
    let mut steps: Vec<_> = steps.collect();
    if let Some(last) = steps.last_mut() {
        // Not a nanosecond off.
        last.at = request.span;
    }
    match steps.as_slice() {
        // There is no weight below it.
        [only] => vec![RampStep { at: Duration::ZERO, ..*only }],
        _ => steps,
    }
}

/// A weight, and the entries of the server that has it.
#[derive(Clone, Copy, Debug)]
struct WeightCandidate {
    weight: Weight,
    entries: u32,
}

/// Weights that are spread evenly by their entries, from the least to the configured one.
fn candidates(request: &RampRequest) -> Vec<WeightCandidate> {
    let length = u32::from(request.length.get());
    let mut servers = request.others.clone();
    servers.push((request.server, 0));
    let place = servers.len() - 1;
    let mut entries = |weight: Weight| {
        servers[place].1 = weight.get();
        maglev::buckets(&servers, length)[place]
    };
    let all = (1..=request.target.get()).filter_map(|it| Weight::try_from(i64::from(it)).ok());
    let all = all.map(|weight| WeightCandidate { weight, entries: entries(weight) });
    let all: Vec<_> = all.collect();
    let (Some(first), Some(last)) = (all.first().copied(), all.last().copied()) else {
        return Vec::new();
    };
    let most = CANDIDATES.iter().find(|(longest, _)| length <= *longest).map_or(2, |it| it.1);
    let whole = u64::from(last.entries.saturating_sub(first.entries));
    let mut chosen = vec![first];
    for number in 1..most {
        let want = u64::from(first.entries) + whole * number as u64 / most as u64;
        let found = all.iter().find(|it| u64::from(it.entries) >= want);
        let is_more = |it: &&WeightCandidate| {
            chosen.last().is_some_and(|last: &WeightCandidate| it.entries > last.entries)
                && it.entries < last.entries
        };
        chosen.extend(found.filter(is_more).copied());
    }
    if last.weight > first.weight {
        chosen.push(last);
    }
    chosen
}

/// The places of the candidates on the way that moves the fewest entries which nobody
/// means to move.
fn cheapest(candidates: &[WeightCandidate], request: &RampRequest) -> Vec<usize> {
    let tables: Vec<Table> = candidates.iter().map(|it| table(request, it.weight)).collect();
    let ends = candidates.first().zip(candidates.last());
    let whole = ends.map_or(0, |(first, last)| last.entries.saturating_sub(first.entries));
    let most = whole.div_ceil(STEPS);
    // For each candidate, the least cost of a way to it, and where that way comes from.
    let mut ways: Vec<(u32, usize)> = vec![(0, 0)];
    for to in 1..candidates.len() {
        let from = (0..to).rev().take_while(|&from| {
            let added = candidates[to].entries.saturating_sub(candidates[from].entries);
            // There always is a way from one to the next.
            from + 1 == to || added <= most
        });
        let way = |from: usize| {
            let step = unmeant(&tables[from], &tables[to], request.server);
            (ways[from].0.saturating_add(step), from)
        };
        let best = from.map(way).min();
        ways.push(best.unwrap_or((0, to - 1)));
    }
    let mut path = Vec::new();
    let mut place = candidates.len().saturating_sub(1);
    while place > 0 {
        path.push(place);
        place = ways[place].1;
    }
    path.extend((!candidates.is_empty()).then_some(0));
    path.reverse();
    path
}

fn table(request: &RampRequest, weight: Weight) -> Table {
    let mut servers = request.others.clone();
    servers.push((request.server, weight.get()));
    maglev::table(&servers, request.length.get().into())
}

/// Entries that a step moves from one other server to another, or takes away from the
/// server whose weight rises.
fn unmeant(before: &Table, after: &Table, server: IpAddr) -> u32 {
    let changed = before.owners().zip(after.owners()).filter(|(old, new)| old != new);
    let unmeant = changed.filter(|(_, new)| *new != Some(server));
    u32::try_from(unmeant.count()).unwrap_or(u32::MAX)
}
