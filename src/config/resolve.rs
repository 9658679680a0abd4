//! Turns the raw file into a configuration, or into the list of all its faults.
//!
//! Each function here and below takes the place of its value, adds faults to the
//! report, and returns `None` for a value that has one. None of them stops at
//! the first fault.

mod announce;
mod backend;
mod check;
mod frontend;
mod relations;
mod settings;
mod values;
mod warn;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::{LoadError, Loaded};
use super::raw;
use super::report::{ConfigPath, FaultReport};
use crate::domain::config::Config;
use backend::Addresses;

pub(super) fn resolve(raw: &raw::RawMaglev) -> Result<Loaded, LoadError> {
    let mut report = FaultReport::default();
    match config(raw, &mut report) {
        Some(config) if report.faults.is_empty() => {
            warn::add_warnings(&config, &mut report);
            Ok(Loaded { config, warnings: report.into_warnings() })
        }
        _ => Err(LoadError::Faults(report.faults)),
    }
}

fn config(raw: &raw::RawMaglev, report: &mut FaultReport) -> Option<Config> {
    let root = ConfigPath::Root;
    let healthchecker =
        settings::healthchecker(&raw.healthchecker, &root.key("healthchecker"), report);
    let lb = settings::lb(&raw.vpp.lb, &root.key("vpp").key("lb"), report);

    let announcer = announce::announcer(raw.announce.as_ref(), &root.key("announce"), report);

    let checks = named(&raw.healthchecks, &root.key("healthchecks"), report, |raw, at, report| {
        check::check(raw, at, report).map(Arc::new)
    });

    let at = root.key("backends");
    let addresses: Addresses<'_> = named(&raw.backends, &at, report, backend::address);
    let backends: BTreeMap<_, _> = raw
        .backends
        .iter()
        .zip(addresses.values())
        .map(|((name, raw_backend), address)| {
            let at = at.key(name);
            (
                name.as_str(),
                backend::backend(raw_backend, address.clone(), &raw.healthchecks, &at, report),
            )
        })
        .collect();

    let at = root.key("frontends");
    let partial = named(&raw.frontends, &at, report, |raw, at, report| {
        Some(frontend::frontend(raw, &addresses, at, report))
    });
    relations::check(&partial, &at, report);
    let frontends =
        partial.into_iter().map(|(name, it)| (name, it.and_then(|it| it.frontend))).collect();

    Some(Config {
        healthchecker: healthchecker?,
        lb: lb?,
        announcer: announcer?,
        checks: whole(checks)?,
        backends: whole(backends)?,
        frontends: whole(frontends)?,
    })
}

/// Resolves each entry of a mapping, at the place of its name.
fn named<'a, R, T>(
    entries: &'a BTreeMap<String, R>,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
    mut resolve: impl FnMut(&'a R, &ConfigPath<'_>, &mut FaultReport) -> Option<T>,
) -> BTreeMap<&'a str, Option<T>> {
    let mut resolved = BTreeMap::new();
    for (name, raw) in entries {
        let at = at.key(name);
        report.name(&at, name);
        resolved.insert(name.as_str(), resolve(raw, &at, report));
    }
    resolved
}

/// The mapping with typed names; `None` if a value has a fault.
fn whole<N: for<'a> From<&'a str> + Ord, T>(
    resolved: BTreeMap<&str, Option<T>>,
) -> Option<BTreeMap<N, T>> {
    resolved.into_iter().map(|(name, value)| Some((N::from(name), value?))).collect()
}
