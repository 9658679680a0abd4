//! What an accepted configuration's author may not have meant.

use std::collections::BTreeSet;

use crate::config::report::{ConfigPath, FaultReport};
use crate::config::warnings::WarningKind;
use crate::domain::balancing::maglev::{RequestedWeight, lint};
use crate::domain::config::{Config, Frontend, Pool};
use crate::domain::dataplane::dialect::LbDialect;

/// Adds the warnings about an accepted configuration.
pub(super) fn add_warnings(config: &Config, report: &mut FaultReport) {
    let checks = ConfigPath::Root.key("healthchecks");
    let used: BTreeSet<_> =
        config.backends.values().filter_map(|backend| backend.check.as_ref()).collect();
    for (name, check) in &config.checks {
        let at = checks.key(name.as_str());
        let (timeout, interval) = (check.timing.timeout, check.timing.interval);
        if timeout > interval {
            let kind = WarningKind::TimeoutAboveInterval { timeout, interval };
            report.warn(&at.key("timeout"), kind);
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
        // Which VPP it will be for is not known: the newest is assumed.
        let weights = requested_weights(config, frontend);
        for (pool, lint) in lint(&weights, frontend.table_length, LbDialect::default()) {
            let at = pool.map_or(at, |pool| pools.index(pool));
            report.warn(&at, WarningKind::Table(lint));
        }
    }
}

/// The weights of each pool's backends. Those given by name have no address yet.
fn requested_weights(config: &Config, frontend: &Frontend) -> Vec<Vec<RequestedWeight>> {
    let of_pool = |pool: &Pool| {
        let backends = pool.backends.iter().filter_map(|(name, &weight)| {
            let address = config.backends.get(name)?.address.fixed()?;
            Some(RequestedWeight { name: name.clone(), address, weight })
        });
        backends.collect()
    };
    frontend.pools.iter().map(of_pool).collect()
}
