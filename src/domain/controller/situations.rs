//! Backends and frontends as explanations need them.

use super::*;
use crate::domain::balancing::weights::TargetWeight;
use crate::domain::explain::facts::{
    BackendSituation, CheckSituation, FrontendSituation, LOOKED_AT, MemberSituation, PoolSituation,
};
use crate::domain::moment::Moment;

impl ControllerState {
    /// A backend, and the first of the frontends that use it.
    ///
    /// # Errors
    /// There is no such backend.
    pub fn backend_situation(
        &self,
        name: &str,
        now: Moment,
    ) -> Result<BackendSituation, CommandRefused> {
        let none = || CommandRefused::NoBackend(name.into());
        let (name, record) = self.backends.get_key_value(name).ok_or_else(none)?;
        let looked_at = record.frontends.iter().take(LOOKED_AT);
        let frontends =
            looked_at.filter_map(|name| self.frontend_situation(name.as_str(), now).ok());
        let check = record.settings.check.as_ref().zip(check_of(&self.config, &record.settings));
        Ok(BackendSituation {
            name: name.clone(),
            address: record.address,
            dns_name: record.settings.address.name().map(|host| host.name.clone()),
            unresolved: record.unresolved.clone(),
            check: check.map(|(name, check)| CheckSituation {
                name: name.clone(),
                what: match check.kind.port() {
                    Some(port) => format!("{}, port {port}", check.kind.type_name()),
                    None => check.kind.type_name().into(),
                },
                rise: check.timing.rise.get(),
                fall: check.timing.fall.get(),
            }),
            state: record.state,
            last_transition: record.history.back().cloned(),
            admin: record.admin,
            overridden: self.overrides.admin(name.as_str()).map(|it| Arc::clone(&it.origin)),
            doubt: record.doubt.clone(),
            damping: record.damping,
            reload_refused: self.reload_status.refusal,
            is_awaited: record.is_awaited(self.grace, &BTreeSet::new()),
            frontends: frontends.collect(),
            frontend_count: record.frontends.len(),
        })
    }

    /// # Errors
    /// There is no such frontend.
    pub fn frontend_situation(
        &self,
        name: &str,
        now: Moment,
    ) -> Result<FrontendSituation, CommandRefused> {
        let none = || CommandRefused::NoFrontend(name.into());
        let (name, settings) = self.config.frontends.get_key_value(name).ok_or_else(none)?;
        let record = self.frontends.get(name).ok_or_else(none)?;
        let pools = settings.pools.iter().zip(&record.decision.effective).map(|(pool, targets)| {
            let members = pool.backends.iter().filter_map(|(backend, configured)| {
                let member = (pool.name.clone(), backend.clone());
                let set = self.overrides.weight(name.as_str(), &member);
                let of_backend = self.backends.get(backend)?;
                let last = of_backend.history.back();
                Some(MemberSituation {
                    name: backend.clone(),
                    address: of_backend.address,
                    state: of_backend.state,
                    since: last.map(|last| last.at),
                    why: last.map(|last| Arc::clone(&last.why)).unwrap_or_default(),
                    is_admin_overridden: self.overrides.admin(backend.as_str()).is_some(),
                    damped_until: of_backend.damping.map(|damping| damping.until),
                    is_doubted: of_backend.doubt.is_some(),
                    is_awaited: of_backend.is_awaited(self.grace, &record.served),
                    weight: set.map_or(*configured, |set| set.value),
                    configured: *configured,
                    overridden: set.map(|set| Arc::clone(&set.origin)),
                    slow_until: record
                        .ramps
                        .get(backend)
                        .map(|ramp| now.wall + ramp.view(now.monotonic).left),
                    effective: targets.get(backend).copied().unwrap_or(TargetWeight::Keep),
                })
            });
            PoolSituation { name: pool.name.clone(), members: members.collect() }
        });
        Ok(FrontendSituation {
            name: name.clone(),
            vip: settings.vip,
            table_length: settings.table_length,
            state: record.decision.state,
            pools: pools.collect(),
            active_pool: record.decision.active_pool,
            fail_open: record.decision.fail_open,
            open_since: record.open_since,
            reload_refused: self.reload_status.refusal,
        })
    }
}

impl BackendRecord {
    /// Its state is unknown, and its first result is waited for.
    fn is_awaited(&self, startup: StartupGrace, served: &BTreeSet<IpAddr>) -> bool {
        let verdict = self.verdict(startup, served);
        verdict.state == State::Unknown && verdict.grace == StartupGrace::Waiting
    }
}
