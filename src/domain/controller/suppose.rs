//! What a frontend would look like after a change that nobody has made.

use std::net::IpAddr;

use super::*;
use crate::domain::balancing::weights::TargetWeight;
use crate::domain::dataplane::net::{TableLength, Vip};

/// A frontend as it is, and as another weight would make it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightPrediction {
    /// Its VIP.
    pub vip: Vip,
    /// The length of its table.
    pub length: TableLength,
    /// The servers of all pools, by pool and name: what VPP should hold now,
    /// and what it should hold then. Another pool may serve then.
    pub servers: Vec<(BackendName, IpAddr, TargetWeight, TargetWeight)>,
}

impl ControllerState {
    /// What an override of a backend's weight in `frontend` would come to.
    ///
    /// # Errors
    /// No such frontend, or it does not use the backend.
    pub fn suppose(
        &self,
        frontend: &str,
        backend: &str,
        weight: Weight,
    ) -> Result<WeightPrediction, CommandRefused> {
        let none = || CommandRefused::NoFrontend(frontend.into());
        let settings = self.config.frontends.get(frontend).ok_or_else(none)?;
        let record = self.frontends.get(frontend).ok_or_else(none)?;
        let mut overrides = record.overrides.clone();
        let pools = settings.pools.iter().filter_map(|pool| {
            let (member, _) = pool.backends.get_key_value(backend)?;
            Some((pool.name.clone(), member.clone()))
        });
        let places: Vec<_> = pools.collect();
        if places.is_empty() {
            let (frontend, backend) = (frontend.into(), backend.into());
            return Err(CommandRefused::NotInFrontend { frontend, backend });
        }
        overrides.extend(places.into_iter().map(|place| (place, weight)));
        let verdict = |name: &BackendName| self.backends.get(name).map(|known| known.verdict());
        let then = desired(settings, &overrides, self.grace, verdict);
        let both = record.decision.effective.iter().flatten().zip(then.effective.iter().flatten());
        let servers = both.filter_map(|((name, now), (_, then))| {
            let address = self.backends.get(name)?.address?;
            Some((name.clone(), address, *now, *then))
        });
        Ok(WeightPrediction {
            vip: settings.vip,
            length: settings.table_length,
            servers: servers.collect(),
        })
    }
}
