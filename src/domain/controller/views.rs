//! The backends and frontends as the API and the metrics show them.

use std::net::IpAddr;

use super::*;
use crate::domain::balancing::fail_open::FailOpenDecision;
use crate::domain::balancing::weights::TargetWeight;
use crate::domain::drain::Drain;
use crate::domain::overrides::OverrideEntry;
use crate::domain::readiness::HealthCounts;

#[derive(Clone, Debug, PartialEq)]
pub struct BackendView {
    pub name: BackendName,
    pub settings: Arc<Backend>,
    /// `None` until its name is resolved.
    pub address: Option<IpAddr>,
    /// Why its name does not resolve. The last address is kept meanwhile.
    pub unresolved: Option<String>,
    pub state: State,
    /// An operator drains it, or has drained it.
    pub drain: Option<Box<Drain>>,
    /// Why its last failures are no verdict.
    pub doubt: Option<DoubtView>,
    /// It passes again, and its return waits.
    pub damping: Option<DampingView>,
    pub certificate: Option<CertificateView>,
    /// False while the file or an operator has disabled it.
    pub enabled: bool,
    /// The operator's override of the file's `enabled`.
    pub admin_override: Option<OverrideEntry>,
    /// The last transitions, oldest first.
    pub transitions: Vec<Transition<State>>,
    /// The numbers of all transitions since it is configured.
    pub transition_counts: TransitionCounts,
    pub check: Option<Arc<HealthCheck>>,
    /// The frontends that use it.
    pub frontends: Vec<FrontendName>,
    /// Where it starts slowly.
    pub ramps: Vec<(FrontendName, Ramp)>,
    /// VPP confirmed what is desired of all of them.
    pub programmed: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct FrontendView {
    pub name: FrontendName,
    pub settings: super::super::config::Frontend,
    /// Decided by its backends' verdicts.
    pub state: FrontendState,
    /// VPP confirmed the writes of its desired state.
    pub programmed: bool,
    /// VPP was read back as desired, and a server has entries in the table.
    pub serving: bool,
    /// `None`: it never fails open.
    pub fail_open: Option<FailOpenDecision>,
    /// Since when it fails open, while it does.
    pub open_since: Option<SystemTime>,
    /// In the order of the configuration.
    pub pools: Vec<PoolView>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PoolView {
    pub name: PoolName,
    /// By name.
    pub backends: Vec<PoolBackendView>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PoolBackendView {
    pub name: BackendName,
    /// `None` until its name is resolved.
    pub address: Option<IpAddr>,
    /// The weight set by the file or by an operator.
    pub weight: Weight,
    /// The operator's override of the file's weight.
    pub weight_override: Option<OverrideEntry>,
    /// The weight that VPP should hold.
    pub effective: TargetWeight,
    /// Its slow start in this frontend.
    pub ramp: Option<Ramp>,
    /// Why its failures are no verdict.
    pub doubt: Option<DoubtView>,
}

impl ControllerState {
    /// Sorted.
    #[must_use]
    pub fn backend_names(&self) -> Vec<BackendName> {
        self.backends.keys().cloned().collect()
    }

    #[must_use]
    pub fn counts(&self) -> HealthCounts {
        let backends = |state| self.backends.values().filter(move |b| b.state == state);
        let unknown = backends(State::Unknown).filter(|record| record.doubt.is_none()).count();
        let serves = |f: &&FrontendRecord| f.decision.state == FrontendState::Up;
        HealthCounts {
            backends: self.backends.len(),
            backends_up: backends(State::Up).count(),
            backends_unknown: match self.grace {
                StartupGrace::Waiting => unknown,
                StartupGrace::Over => 0,
            },
            frontends: self.frontends.len(),
            frontends_up: self.frontends.values().filter(serves).count(),
            frontends_open: self.frontends.values().filter(|it| it.fail_open.is_open).count(),
            config_refused: self.reload_status.refusal,
        }
    }

    /// Sorted.
    #[must_use]
    pub fn frontend_names(&self) -> Vec<FrontendName> {
        self.frontends.keys().cloned().collect()
    }

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
            drain: self.drain_of(name.as_str()).cloned().map(Box::new),
            doubt: record.doubt.clone(),
            damping: record.damping,
            certificate: record.certificate,
            enabled: record.admin != Admin::Disabled,
            admin_override: self.overrides.of_backend(name),
            transitions: record.history.iter().cloned().collect(),
            transition_counts: record.transition_counts.clone(),
            check: check_of(&self.config, &record.settings),
            ramps: self.ramps_of(record, name.as_str()),
            programmed: record
                .frontends
                .iter()
                .all(|name| self.frontends.get(name).is_some_and(|frontend| frontend.programmed)),
            frontends: record.frontends.clone(),
        })
    }

    /// # Errors
    /// There is no such frontend.
    pub fn frontend(&self, name: &str) -> Result<FrontendView, CommandRefused> {
        let none = || CommandRefused::NoFrontend(name.into());
        let (name, settings) = self.config.frontends.get_key_value(name).ok_or_else(none)?;
        let record = self.frontends.get(name).ok_or_else(none)?;
        let pools = settings.pools.iter().zip(&record.decision.effective);
        let pools = pools.map(|(pool, targets)| {
            let backends = pool.backends.iter().filter_map(|(backend, configured)| {
                let member = (pool.name.clone(), backend.clone());
                let set = self.overrides.weight(name.as_str(), &member);
                let of_backend = self.backends.get(backend)?;
                Some(PoolBackendView {
                    name: backend.clone(),
                    address: of_backend.address,
                    weight: set.map_or(*configured, |set| set.value),
                    weight_override: self.overrides.of_member(name, member),
                    effective: targets.get(backend).copied().unwrap_or(TargetWeight::Keep),
                    ramp: record.ramps.get(backend).cloned(),
                    doubt: of_backend.doubt.clone(),
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
            fail_open: record.decision.fail_open,
            open_since: record.open_since,
            pools: pools.collect(),
        })
    }
}
