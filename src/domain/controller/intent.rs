//! What is asked for, and what of it a command or a reload changed.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::{ControllerEffect, ControllerState};
use crate::domain::dataplane::net::Weight;
use crate::domain::events::{Change, Changed, Event};
use crate::domain::health::Admin;
use crate::domain::names::{BackendName, FrontendName, PoolName};

/// What is asked for at one moment, and of each whether it is an operator's
/// word in place of the file's.
pub(super) struct Intent {
    admins: BTreeMap<BackendName, (Admin, bool)>,
    weights: BTreeMap<(FrontendName, PoolName, BackendName), (Weight, bool)>,
}

impl Intent {
    /// What `controller` is asked for.
    pub(super) fn of(controller: &ControllerState) -> Self {
        let admins = controller
            .backends
            .iter()
            .map(|(name, record)| (name.clone(), (record.admin(), record.admin.is_some())));
        let mut weights = BTreeMap::new();
        for (frontend, settings) in &controller.config.frontends {
            let overrides = controller.frontends.get(frontend).map(|record| &record.overrides);
            for pool in &settings.pools {
                for (backend, configured) in &pool.backends {
                    let place = (pool.name.clone(), backend.clone());
                    let set = overrides.and_then(|overrides| overrides.get(&place)).copied();
                    let weight = (set.unwrap_or(*configured), set.is_some());
                    weights.insert((frontend.clone(), place.0, place.1), weight);
                }
            }
        }
        Self { admins: admins.collect(), weights }
    }

    /// The events of what is another now. What is new or gone is told by other
    /// events.
    pub(super) fn until(self, now: &Self, who: &str, at: SystemTime) -> Vec<ControllerEffect> {
        let publish = |what, overridden| {
            let change = Change { what, overridden, who: who.into(), at };
            ControllerEffect::Publish(Event::Change(change.into()))
        };
        let admins = self.admins.into_iter().filter_map(|(backend, before)| {
            let (to, overridden) = *now.admins.get(&backend)?;
            let what = Changed::Admin { backend, from: before.0, to };
            ((to, overridden) != before).then(|| publish(what, overridden))
        });
        let weights = self.weights.into_iter().filter_map(|(place, before)| {
            let (to, overridden) = *now.weights.get(&place)?;
            let (frontend, pool, backend) = place;
            let what = Changed::Weight { frontend, pool, backend, from: before.0, to };
            ((to, overridden) != before).then(|| publish(what, overridden))
        });
        admins.chain(weights).collect()
    }
}
