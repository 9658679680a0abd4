//! Finds which administrative states and weights a reload changed, for events.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::{ControllerEffect, ControllerState};
use crate::domain::announce::orders::{AnnounceOrder, AnnounceScope};
use crate::domain::dataplane::net::Weight;
use crate::domain::events::{Change, Changed, Event};
use crate::domain::health::Admin;
use crate::domain::names::{BackendName, FrontendName, PoolName};
use crate::domain::overrides::{Overridden, OverrideEnd};

/// The administrative states and weights at one time, each with whether an operator
/// has overridden it.
pub(super) struct Intent {
    admins: BTreeMap<BackendName, (Admin, bool)>,
    weights: BTreeMap<(FrontendName, PoolName, BackendName), (Weight, bool)>,
    /// What operators have ordered.
    announcements: BTreeMap<AnnounceScope, AnnounceOrder>,
}

impl Intent {
    pub(super) fn of(controller: &ControllerState) -> Self {
        let admins = controller.backends.iter().map(|(name, record)| {
            let is_overridden = controller.overrides.admin(name.as_str()).is_some();
            (name.clone(), (record.admin, is_overridden))
        });
        let mut weights = BTreeMap::new();
        for (frontend, settings) in &controller.config.frontends {
            let overrides = controller.overrides.weights_of(frontend.as_str());
            for pool in &settings.pools {
                for (backend, configured) in &pool.backends {
                    let key = (pool.name.clone(), backend.clone());
                    let set = overrides.get(&key).copied();
                    let weight = (set.unwrap_or(*configured), set.is_some());
                    weights.insert((frontend.clone(), key.0, key.1), weight);
                }
            }
        }
        let announcements = controller.overrides.entries().filter_map(|entry| match entry.what {
            Overridden::Announcement { scope, order } => Some((scope, order)),
            Overridden::Admin { .. } | Overridden::Weight { .. } => None,
        });
        Self { admins: admins.collect(), weights, announcements: announcements.collect() }
    }

    /// The events for values that differ `now`. Backends and weights that were added
    /// or removed have events of their own.
    pub(super) fn changes(self, now: &Self, who: &str, at: SystemTime) -> Vec<ControllerEffect> {
        let publish = |what, was_overridden: bool, overridden: bool| {
            let ended = (was_overridden && !overridden).then_some(OverrideEnd::Reconfigured);
            let (why, until) = (None, None);
            let change = Change { what, overridden, who: who.into(), why, until, ended, at };
            ControllerEffect::Publish(Event::Change(change.into()))
        };
        let admins = self.admins.into_iter().filter_map(|(backend, before)| {
            let (to, overridden) = *now.admins.get(&backend)?;
            let what = Changed::Admin { backend, from: before.0, to };
            ((to, overridden) != before).then(|| publish(what, before.1, overridden))
        });
        let weights = self.weights.into_iter().filter_map(|(key, before)| {
            let (to, overridden) = *now.weights.get(&key)?;
            let (frontend, pool, backend) = key;
            let what = Changed::Weight { frontend, pool, backend, from: before.0, to };
            ((to, overridden) != before).then(|| publish(what, before.1, overridden))
        });
        let announcements = self.announcements.into_iter().filter_map(|(scope, order)| {
            let (frontends, from) = (Vec::new(), Some(order));
            let what = Changed::Announcement { scope, frontends, from, to: None };
            (!now.announcements.contains_key(&scope)).then(|| publish(what, true, false))
        });
        admins.chain(weights).chain(announcements).collect()
    }
}
