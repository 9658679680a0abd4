//! Predicts the weights of a frontend's servers after a supposed change of weight.

use std::net::IpAddr;

use super::*;
use crate::domain::balancing::weights::TargetWeight;
use crate::domain::dataplane::net::{TableLength, Vip};

/// The weights of a frontend's servers before and after a supposed change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightPrediction {
    pub vip: Vip,
    pub length: TableLength,
    /// The servers of all pools, by pool and name: the target weight before and
    /// after. The change may make another pool serve.
    pub servers: Vec<(BackendName, IpAddr, TargetWeight, TargetWeight)>,
}

impl ControllerState {
    /// Predicts the effect of overriding a backend's weight in all pools of
    /// `frontend` that have it.
    ///
    /// # Errors
    /// No such frontend, or it does not use the backend.
    pub fn predict_weight(
        &self,
        frontend: &str,
        backend: &str,
        weight: Weight,
    ) -> Result<WeightPrediction, CommandRefused> {
        let none = || CommandRefused::NoFrontend(frontend.into());
        let settings = self.config.frontends.get(frontend).ok_or_else(none)?;
        let record = self.frontends.get(frontend).ok_or_else(none)?;
        let mut overrides = self.overrides.weights_of(frontend);
        let pools = settings.pools.iter().filter_map(|pool| {
            let (member, _) = pool.backends.get_key_value(backend)?;
            Some((pool.name.clone(), member.clone()))
        });
        let keys: Vec<_> = pools.collect();
        if keys.is_empty() {
            let (frontend, backend) = (frontend.into(), backend.into());
            return Err(CommandRefused::NotInFrontend { frontend, backend });
        }
        overrides.extend(keys.into_iter().map(|key| (key, weight)));
        // An operator's weight wins over a slow start.
        let ramps =
            |name: &BackendName| record.ramps.get(name).filter(|_| name.as_str() != backend);
        let verdict = |name: &BackendName| {
            let verdict = self.backends.get(name)?.verdict(self.grace, &record.served);
            Some(Verdict { ramp: ramps(name).map(Ramp::weight), ..verdict })
        };
        let after = desired(settings, &overrides, &record.fail_open, verdict);
        let before = record.decision.effective.iter().flatten();
        let servers = before.zip(after.effective.iter().flatten());
        let servers = servers.filter_map(|((name, before), (_, after))| {
            let address = self.backends.get(name)?.address?;
            Some((name.clone(), address, *before, *after))
        });
        Ok(WeightPrediction {
            vip: settings.vip,
            length: settings.table_length,
            servers: servers.collect(),
        })
    }
}
