//! Decides which overrides a new configuration keeps, and which a start does.

use std::collections::BTreeMap;
use std::time::Instant;

use super::{Overridden, OverrideEnd, OverrideEntry, OverrideSet};
use crate::domain::announce::orders::AnnounceScope;
use crate::domain::config::{Backend, Config};
use crate::domain::dataplane::net::Weight;
use crate::domain::health::Admin;
use crate::domain::names::{BackendName, FrontendName, PoolName};

/// What a configuration keeps of `overrides`, and what ends: those whose item it has no
/// more, or with another value. An override goes along with its backend's new names.
pub(in crate::domain) fn kept(
    overrides: &OverrideSet,
    config: &Config,
    renames: &BTreeMap<BackendName, Vec<BackendName>>,
) -> (OverrideSet, Vec<OverrideEntry>) {
    let (mut kept, mut ended) = (OverrideSet::default(), Vec::new());
    for entry in overrides.entries() {
        let renamed = entry.what.backend().and_then(|backend| renames.get(backend));
        let renamed = renamed.into_iter().flatten().map(|name| entry.of(name.clone()));
        let moved = std::iter::once(entry.clone()).chain(renamed).filter(|it| it.fits(config));
        let mut stays = false;
        for entry in moved {
            kept.insert(entry);
            stays = true;
        }
        if !stays {
            ended.push(entry);
        }
    }
    (kept, ended)
}

/// What a start keeps of the overrides of an earlier daemon, and what ends, and how.
#[must_use]
pub fn restored(
    stored: &OverrideSet,
    config: &Config,
    now: Instant,
) -> (OverrideSet, Vec<(OverrideEntry, OverrideEnd)>) {
    let mut current = stored.clone();
    let mut ended = Vec::new();
    for entry in stored.expired(now) {
        current.change(entry.clone().ended());
        ended.push((entry, OverrideEnd::Expired));
    }
    let (kept, dropped) = kept(&current, config, &BTreeMap::new());
    ended.extend(dropped.into_iter().map(|entry| (entry, OverrideEnd::Reconfigured)));
    (kept, ended)
}

impl OverrideEntry {
    /// The same, of another backend.
    fn of(&self, name: BackendName) -> Self {
        let mut entry = self.clone();
        match &mut entry.what {
            Overridden::Admin { backend, .. } | Overridden::Weight { backend, .. } => {
                *backend = name;
            }
            Overridden::Announcement { .. } => {}
        }
        entry
    }

    /// Whether the configuration has its item, with the value that it overrides.
    fn fits(&self, config: &Config) -> bool {
        match &self.what {
            Overridden::Admin { backend, configured, .. } => {
                let settings = config.backends.get(backend);
                settings.is_some_and(|settings| configured_admin(settings) == *configured)
            }
            Overridden::Weight { frontend, pool, backend, configured, .. } => {
                configured_weight(config, frontend, pool, backend) == Some(*configured)
            }
            // An order for all is of the site, whatever it announces.
            Overridden::Announcement { scope: AnnounceScope::All, .. } => true,
            Overridden::Announcement { scope: AnnounceScope::Prefix(prefix), .. } => {
                config.frontends.values().any(|it| it.announced_prefix() == Some(*prefix))
            }
        }
    }
}

pub(in crate::domain) fn configured_admin(settings: &Backend) -> Admin {
    if settings.enabled { Admin::Enabled } else { Admin::Disabled }
}

/// The configured weight of a backend in a pool, if the file has both.
fn configured_weight(
    config: &Config,
    frontend: &FrontendName,
    pool: &PoolName,
    backend: &BackendName,
) -> Option<Weight> {
    let frontend = config.frontends.get(frontend)?;
    frontend.pools.iter().find(|candidate| candidate.name == *pool)?.backends.get(backend).copied()
}
