//! What an accepted configuration's author might not have meant.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use thiserror::Error;

use super::report::{Place, Report};
use crate::domain::config::{Config, Frontend};
use crate::domain::names::BackendName;
use crate::domain::net::TableLength;

/// One doubt and its place. It keeps nothing from running.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("{path}: {caution}")]
pub struct Warning {
    /// Where, below `maglev`: `healthchecks.web.timeout`.
    pub path: String,
    /// What, and what to do about it.
    pub caution: Caution,
}

/// A doubt about an accepted configuration.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Caution {
    /// A slow backend is then probed less often than `interval` says.
    #[error(
        "{timeout:?} is longer than the interval, {interval:?}, so a silent backend is probed \
         less often: give a shorter timeout"
    )]
    TimeoutAboveInterval {
        /// `timeout`
        timeout: Duration,
        /// `interval`
        interval: Duration,
    },
    /// `server-name` or `insecure-skip-verify` where nothing is encrypted.
    #[error("does nothing without TLS: {remedy}, or remove it")]
    NeedsTls {
        /// How this type of check is given TLS.
        remedy: &'static str,
    },
    /// A check that no backend names.
    #[error("no backend uses this health check: remove it, or name it in a backend")]
    UnusedCheck,
    /// A backend in no pool. It is probed all the same.
    #[error("no frontend uses this backend, which is still probed: remove it, or add it to a pool")]
    UnusedBackend,
    /// The table is full before every share of a weight has its entry.
    #[error(
        "the weights add up to {sum}, more than the {} entries of the table, so shares do \
         not follow them: give smaller weights or a longer new-flows-table-length",
        .length.get()
    )]
    WeightsAboveTable {
        /// Of the pool's weights.
        sum: u64,
        /// `new-flows-table-length`
        length: TableLength,
    },
    /// VPP seeds a server's permutation with the XOR of its address's halves.
    #[error(
        "VPP gives {0} one permutation, as the halves of their addresses XOR alike, and draining \
         one moves many flows of the others: give one another address"
    )]
    SamePermutation(SamePermutation),
}

/// Two backends or more that VPP's table cannot tell apart, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SamePermutation(pub Vec<(BackendName, Ipv6Addr)>);

/// `a (2001:db8:0:1::1), b (2001:db8:0:2::2)`
impl fmt::Display for SamePermutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, address)) in self.0.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{name} ({address})")?;
        }
        Ok(())
    }
}

/// Looks through an accepted configuration.
pub(super) fn look(config: &Config, report: &mut Report) {
    let checks = Place::Root.key("healthchecks");
    let used: BTreeSet<_> =
        config.backends.values().filter_map(|backend| backend.check.as_ref()).collect();
    for (name, check) in &config.checks {
        let at = checks.key(name.as_str());
        let (timeout, interval) = (check.timing.timeout, check.timing.interval);
        if timeout > interval {
            let caution = Caution::TimeoutAboveInterval { timeout, interval };
            report.warn(&at.key("timeout"), caution);
        }
        if !used.contains(name) {
            report.warn(&at, Caution::UnusedCheck);
        }
    }
    let backends = Place::Root.key("backends");
    let used: BTreeSet<_> = config
        .frontends
        .values()
        .flat_map(|frontend| &frontend.pools)
        .flat_map(|pool| pool.backends.keys())
        .collect();
    for name in config.backends.keys().filter(|name| !used.contains(name)) {
        report.warn(&backends.key(name.as_str()), Caution::UnusedBackend);
    }
    let frontends = Place::Root.key("frontends");
    for (name, frontend) in &config.frontends {
        let at = frontends.key(name.as_str());
        look_at_weights(frontend, &at.key("pools"), report);
        for alike in same_permutations(config, frontend) {
            report.warn(&at, Caution::SamePermutation(alike));
        }
    }
}

fn look_at_weights(frontend: &Frontend, at: &Place<'_>, report: &mut Report) {
    let length = frontend.table_length;
    for (index, pool) in frontend.pools.iter().enumerate() {
        let sum = pool.backends.values().map(|weight| u64::from(weight.get())).sum();
        if sum > u64::from(length.get()) {
            report.warn(&at.index(index), Caution::WeightsAboveTable { sum, length });
        }
    }
}

/// The groups of a frontend's IPv6 backends whose halves XOR alike, in the
/// order of their first members' names.
fn same_permutations(config: &Config, frontend: &Frontend) -> Vec<SamePermutation> {
    let mut groups: BTreeMap<u128, BTreeMap<&BackendName, Ipv6Addr>> = BTreeMap::new();
    for name in frontend.pools.iter().flat_map(|pool| pool.backends.keys()) {
        if let Some(IpAddr::V6(address)) = config.backends.get(name).map(|it| it.address) {
            let bits = address.to_bits();
            let seed = (bits >> 64) ^ (bits & u128::from(u64::MAX));
            groups.entry(seed).or_default().insert(name, address);
        }
    }
    let mut alike: Vec<_> = groups
        .into_values()
        .filter(|group| group.len() > 1)
        .map(|group| group.into_iter().map(|(name, address)| (name.clone(), address)).collect())
        .map(SamePermutation)
        .collect();
    alike.sort_by(|a, b| a.0.first().cmp(&b.0.first()));
    alike
}
