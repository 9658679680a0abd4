//! Decides the effects of operators' commands.

use std::time::{Duration, SystemTime};

use super::{AdminCommand, CommandRefused, ControllerEffect, ControllerState, configured_admin};
use crate::domain::dataplane::net::Weight;
use crate::domain::events::{Change, Changed, Event};
use crate::domain::health::Admin;
use crate::domain::names::{BackendName, FrontendName, PoolName};

impl ControllerState {
    /// Processes an operator's command for a backend.
    ///
    /// # Errors
    /// No such backend, or it is disabled and cannot be paused or resumed.
    pub fn administer(
        &mut self,
        name: &str,
        command: AdminCommand,
        (who, at): (&str, SystemTime),
    ) -> Result<Vec<ControllerEffect>, CommandRefused> {
        let (key, backend) = match self.backends.get_key_value(name) {
            Some((key, _)) => (key.clone(), self.backends.get_mut(name)),
            None => return Err(CommandRefused::NoBackend(name.into())),
        };
        let Some(backend) = backend else { return Err(CommandRefused::NoBackend(name.into())) };
        let target = target(name, command, backend.admin())?;
        let before = (backend.admin(), backend.admin.is_some());
        let configured = configured_admin(&backend.settings);
        backend.admin = (target != configured).then_some(target);
        let overridden = backend.admin.is_some();
        let why = format!("{command} by {who}");
        let what = Changed::Admin { backend: key.clone(), from: before.0, to: target };
        let mut effects = vec![ControllerEffect::Administer {
            backend: key,
            admin: target,
            why,
            within: Duration::ZERO,
        }];
        if before != (target, overridden) {
            let change = Change { what, overridden, who: who.into(), at };
            effects.push(ControllerEffect::Publish(Event::Change(change.into())));
        }
        Ok(effects)
    }

    /// Overrides the weight of a backend in a pool.
    ///
    /// # Errors
    /// No such frontend, pool, or backend in the pool.
    pub fn set_weight(
        &mut self,
        frontend: &str,
        pool: &str,
        backend: &str,
        weight: Weight,
        (who, at): (&str, SystemTime),
    ) -> Result<Vec<ControllerEffect>, CommandRefused> {
        let (name, key, configured) = self.member(frontend, pool, backend)?;
        let overridden = weight != configured;
        let mut effects = Vec::new();
        if let Some(record) = self.frontends.get_mut(&name) {
            let (pool, backend) = key.clone();
            let before = match overridden {
                true => record.overrides.insert(key, weight),
                false => record.overrides.remove(&key),
            };
            if before != overridden.then_some(weight) {
                let from = before.unwrap_or(configured);
                let frontend = name.clone();
                let what = Changed::Weight { frontend, pool, backend, from, to: weight };
                let change = Change { what, overridden, who: who.into(), at };
                effects.push(ControllerEffect::Publish(Event::Change(change.into())));
            }
        }
        self.recompute(
            &[name],
            &format!("weight of {backend} set to {weight} by {who}"),
            at,
            &mut effects,
        );
        Ok(effects)
    }

    /// Whether [`administer`](Self::administer) would accept the command.
    ///
    /// # Errors
    /// As there.
    pub fn would_administer(
        &self,
        name: &str,
        command: AdminCommand,
    ) -> Result<(), CommandRefused> {
        let backend = self.backends.get(name);
        let backend = backend.ok_or_else(|| CommandRefused::NoBackend(name.into()))?;
        target(name, command, backend.admin()).map(|_| ())
    }

    /// Whether [`set_weight`](Self::set_weight) would accept a weight.
    ///
    /// # Errors
    /// As there.
    pub fn would_set_weight(
        &self,
        frontend: &str,
        pool: &str,
        backend: &str,
    ) -> Result<(), CommandRefused> {
        self.member(frontend, pool, backend).map(|_| ())
    }

    /// A backend in a pool, with its configured weight.
    fn member(
        &self,
        frontend: &str,
        pool: &str,
        backend: &str,
    ) -> Result<(FrontendName, (PoolName, BackendName), Weight), CommandRefused> {
        let (name, settings) = self
            .config
            .frontends
            .get_key_value(frontend)
            .ok_or_else(|| CommandRefused::NoFrontend(frontend.into()))?;
        let settings = settings.pools.iter().find(|candidate| candidate.name.as_str() == pool);
        let settings = settings.ok_or_else(|| CommandRefused::NoPool {
            frontend: frontend.into(),
            pool: pool.into(),
        })?;
        let (member, configured) =
            settings.backends.get_key_value(backend).ok_or_else(|| CommandRefused::NotInPool {
                frontend: frontend.into(),
                pool: pool.into(),
                backend: backend.into(),
            })?;
        Ok((name.clone(), (settings.name.clone(), member.clone()), *configured))
    }
}

/// The administrative state after a command.
fn target(name: &str, command: AdminCommand, present: Admin) -> Result<Admin, CommandRefused> {
    Ok(match (command, present) {
        (AdminCommand::Pause | AdminCommand::Resume, Admin::Disabled) => {
            return Err(CommandRefused::Disabled { backend: name.into(), command });
        }
        (AdminCommand::Pause, _) => Admin::Paused,
        (AdminCommand::Disable, _) => Admin::Disabled,
        (AdminCommand::Enable, Admin::Paused) => Admin::Paused,
        (AdminCommand::Enable | AdminCommand::Resume, _) => Admin::Enabled,
    })
}
