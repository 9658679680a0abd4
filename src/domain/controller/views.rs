//! The roster as listings show it.

use std::net::IpAddr;

use super::*;
use crate::domain::balancing::weights::TargetWeight;
use crate::domain::readiness::HealthCounts;

/// A backend as listings show it.
#[derive(Clone, Debug, PartialEq)]
pub struct BackendView {
    /// Its name.
    pub name: BackendName,
    /// Its configuration.
    pub settings: Arc<Backend>,
    /// Where it is; `None` while its name has not been resolved.
    pub address: Option<IpAddr>,
    /// Why its name does not resolve, in which case an address that it had is
    /// kept.
    pub unresolved: Option<String>,
    /// Its state.
    pub state: State,
    /// False while the file or an operator has it disabled.
    pub enabled: bool,
    /// Whether an operator's word stands in place of the file's.
    pub overridden: bool,
    /// Its last transitions, oldest first.
    pub transitions: Vec<Transition<State>>,
    /// All its transitions, counted by where from and where to.
    pub moved: Moves,
    /// Its health check.
    pub check: Option<Arc<HealthCheck>>,
    /// The frontends that use it.
    pub frontends: Vec<FrontendName>,
    /// VPP confirmed what is desired of all of them.
    pub programmed: bool,
}

/// A frontend as listings show it.
#[derive(Clone, Debug, PartialEq)]
pub struct FrontendView {
    /// Its name.
    pub name: FrontendName,
    /// Its configuration.
    pub settings: super::super::config::Frontend,
    /// Whether it serves, by its backends' verdicts.
    pub state: FrontendState,
    /// VPP confirmed what is desired of it.
    pub programmed: bool,
    /// VPP was read back as desired, and a server has entries in the table.
    pub serving: bool,
    /// Its pools in order.
    pub pools: Vec<PoolView>,
}

/// A pool as listings show it.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolView {
    /// Its name.
    pub name: PoolName,
    /// Its backends by name.
    pub backends: Vec<PoolBackendView>,
}

/// A backend in a pool as listings show it.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolBackendView {
    /// Its name.
    pub name: BackendName,
    /// Where it serves; `None` while its name has not been resolved.
    pub address: Option<IpAddr>,
    /// The weight that the file or an operator gives it.
    pub weight: Weight,
    /// Whether that is an operator's.
    pub overridden: bool,
    /// The weight that VPP should hold.
    pub effective: TargetWeight,
}

impl ControllerState {
    /// The names of all backends, sorted.
    #[must_use]
    pub fn backend_names(&self) -> Vec<BackendName> {
        self.backends.keys().cloned().collect()
    }

    /// Backends and frontends, counted.
    #[must_use]
    pub fn counts(&self) -> HealthCounts {
        let backends = |state| self.backends.values().filter(|b| b.state == state).count();
        let serves = |f: &&FrontendRecord| f.decision.state == FrontendState::Up;
        HealthCounts {
            backends: self.backends.len(),
            backends_up: backends(State::Up),
            backends_unknown: backends(State::Unknown),
            frontends: self.frontends.len(),
            frontends_up: self.frontends.values().filter(serves).count(),
        }
    }

    /// The names of all frontends, sorted.
    #[must_use]
    pub fn frontend_names(&self) -> Vec<FrontendName> {
        self.frontends.keys().cloned().collect()
    }

    /// One backend.
    ///
    /// # Errors
    /// There is no such backend.
    pub fn backend(&self, name: &str) -> Result<BackendView, CommandRefused> {
        let (name, record) = self
            .backends
            .get_key_value(name)
            .ok_or_else(|| CommandRefused::NoBackend(name.into()))?;
        Ok(BackendView {
            name: name.clone(),
            settings: record.settings.clone(),
            address: record.address,
            unresolved: record.unresolved.clone(),
            state: record.state,
            enabled: record.admin() != Admin::Disabled,
            overridden: record.admin.is_some(),
            transitions: record.history.iter().cloned().collect(),
            moved: record.moved.clone(),
            check: check_of(&self.config, &record.settings),
            programmed: record
                .frontends
                .iter()
                .all(|name| self.frontends.get(name).is_some_and(|frontend| frontend.programmed)),
            frontends: record.frontends.clone(),
        })
    }

    /// One frontend.
    ///
    /// # Errors
    /// There is no such frontend.
    pub fn frontend(&self, name: &str) -> Result<FrontendView, CommandRefused> {
        let none = || CommandRefused::NoFrontend(name.into());
        let (name, settings) = self.config.frontends.get_key_value(name).ok_or_else(none)?;
        let record = self.frontends.get(name).ok_or_else(none)?;
        let pools = settings.pools.iter().zip(&record.decision.effective);
        let pools = pools.map(|(pool, wants)| {
            let backends = pool.backends.iter().filter_map(|(backend, configured)| {
                let set = record.overrides.get(&(pool.name.clone(), backend.clone()));
                Some(PoolBackendView {
                    name: backend.clone(),
                    address: self.backends.get(backend)?.address,
                    weight: *set.unwrap_or(configured),
                    overridden: set.is_some(),
                    effective: wants.get(backend).copied().unwrap_or(TargetWeight::Keep),
                })
            });
            PoolView { name: pool.name.clone(), backends: backends.collect() }
        });
        Ok(FrontendView {
            name: name.clone(),
            settings: settings.clone(),
            state: record.decision.state,
            programmed: record.programmed,
            serving: record.serving,
            pools: pools.collect(),
        })
    }
}
