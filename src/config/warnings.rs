//! What an accepted configuration's author might not have meant.

use std::collections::BTreeSet;
use std::time::Duration;

use thiserror::Error;

use super::report::{ConfigPath, FaultReport};
use crate::domain::balancing::maglev::{Lint, RequestedWeight, lint};
use crate::domain::config::{Config, Frontend, Pool};

/// One doubt and its place. It keeps nothing from running.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("{path}: {caution}")]
pub struct Warning {
    /// Where, below `maglev`: `healthchecks.web.timeout`.
    pub path: String,
    /// What, and what to do about it.
    pub caution: WarningKind,
}

/// A doubt about an accepted configuration.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum WarningKind {
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
    /// The table cannot do what the weights and addresses ask of it.
    #[error(transparent)]
    Table(Lint),
}

/// Looks through an accepted configuration.
pub(super) fn look(config: &Config, report: &mut FaultReport) {
    let checks = ConfigPath::Root.key("healthchecks");
    let used: BTreeSet<_> =
        config.backends.values().filter_map(|backend| backend.check.as_ref()).collect();
    for (name, check) in &config.checks {
        let at = checks.key(name.as_str());
        let (timeout, interval) = (check.timing.timeout, check.timing.interval);
        if timeout > interval {
            let caution = WarningKind::TimeoutAboveInterval { timeout, interval };
            report.warn(&at.key("timeout"), caution);
        }
        if !used.contains(name) {
            report.warn(&at, WarningKind::UnusedCheck);
        }
    }
    let backends = ConfigPath::Root.key("backends");
    let used: BTreeSet<_> = config
        .frontends
        .values()
        .flat_map(|frontend| &frontend.pools)
        .flat_map(|pool| pool.backends.keys())
        .collect();
    for name in config.backends.keys().filter(|name| !used.contains(name)) {
        report.warn(&backends.key(name.as_str()), WarningKind::UnusedBackend);
    }
    let frontends = ConfigPath::Root.key("frontends");
    for (name, frontend) in &config.frontends {
        let at = frontends.key(name.as_str());
        let pools = at.key("pools");
        for (pool, lint) in lint(&asked(config, frontend), frontend.table_length) {
            let place = pool.map_or(at, |pool| pools.index(pool));
            report.warn(&place, WarningKind::Table(lint));
        }
    }
}

/// What each pool asks of the frontend's table.
fn asked(config: &Config, frontend: &Frontend) -> Vec<Vec<RequestedWeight>> {
    let of_pool = |pool: &Pool| {
        let backends = pool.backends.iter().filter_map(|(name, &weight)| {
            let address = config.backends.get(name)?.address.fixed()?;
            Some(RequestedWeight { name: name.clone(), address, weight })
        });
        backends.collect()
    };
    frontend.pools.iter().map(of_pool).collect()
}
