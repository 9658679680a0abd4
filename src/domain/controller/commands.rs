//! Decides what operators' commands change in the overrides. Nothing changes yet: what is
//! kept over restarts is written first.

use std::sync::Arc;
use std::time::Duration;

use super::{AdminCommand, CommandRefused, ControllerState};
use crate::domain::dataplane::net::Weight;
use crate::domain::drain::DrainOrder;
use crate::domain::health::Admin;
use crate::domain::moment::Moment;
use crate::domain::overrides::{
    Override, OverrideChange, OverrideOrigin, OverrideSet, OverrideTerm, Reason, configured_admin,
};

/// An operator's command, with who gave it.
#[derive(Clone, Debug)]
pub struct OperatorCommand {
    pub command: OverrideCommand,
    pub who: Arc<str>,
    pub why: Option<Reason>,
    /// How long the override that it sets lasts; `None`: until it is ended.
    pub lasts: Option<Duration>,
    /// When it came.
    pub at: Moment,
}

/// What an operator commands. Names are as they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OverrideCommand {
    Admin {
        backend: String,
        command: AdminCommand,
    },
    Weight {
        frontend: String,
        pool: String,
        backend: String,
        /// `None`: that of the configuration.
        weight: Option<Weight>,
    },
    /// A pause, of which the flows that remain are followed.
    Drain {
        backend: String,
        order: DrainOrder,
    },
}

impl ControllerState {
    /// Decides what a command changes in `overrides`: those in force, with the changes
    /// that are about to be.
    ///
    /// # Errors
    /// There is no such item, or its state does not allow the command.
    pub fn plan_override(
        &self,
        overrides: &OverrideSet,
        given: &OperatorCommand,
    ) -> Result<OverrideChange, CommandRefused> {
        match &given.command {
            OverrideCommand::Admin { backend, command } => {
                self.plan_admin(overrides, backend, *command, given)
            }
            OverrideCommand::Drain { backend, .. } => {
                self.plan_admin(overrides, backend, AdminCommand::Drain, given)
            }
            OverrideCommand::Weight { frontend, pool, backend, weight } => {
                self.plan_weight(overrides, (frontend, pool, backend), *weight, given)
            }
        }
    }

    fn plan_admin(
        &self,
        overrides: &OverrideSet,
        name: &str,
        command: AdminCommand,
        given: &OperatorCommand,
    ) -> Result<OverrideChange, CommandRefused> {
        let found = self.config.backends.get_key_value(name);
        let (key, settings) = found.ok_or_else(|| CommandRefused::NoBackend(name.into()))?;
        let configured = configured_admin(settings);
        let before = overrides.admin(name);
        let target = match (command, before.map_or(configured, |it| it.value)) {
            (AdminCommand::Undrain, _) if !self.drains.has(name) => {
                return Err(CommandRefused::NotDrained(name.into()));
            }
            (
                AdminCommand::Pause
                | AdminCommand::Drain
                | AdminCommand::Undrain
                | AdminCommand::Resume
                | AdminCommand::ResumeSlowly,
                Admin::Disabled,
            ) => {
                return Err(CommandRefused::Disabled { backend: name.into(), command });
            }
            (AdminCommand::Pause | AdminCommand::Drain, _) => Admin::Paused,
            (AdminCommand::Disable, _) => Admin::Disabled,
            (AdminCommand::Enable, Admin::Paused) => Admin::Paused,
            (
                AdminCommand::Enable
                | AdminCommand::Resume
                | AdminCommand::ResumeSlowly
                | AdminCommand::Undrain,
                _,
            ) => Admin::Enabled,
            (AdminCommand::Unset, _) => configured,
        };
        let is_left_paused = command == AdminCommand::Enable && target == Admin::Paused;
        if given.lasts.is_some() && (target == configured || is_left_paused) {
            let backend = name.into();
            return Err(CommandRefused::NothingLasts { backend, command: command.to_string() });
        }
        let to = match before {
            // Enabling it takes no pause back.
            Some(before) if is_left_paused => Some(before.clone()),
            _ => replaced(before, target, configured, given),
        };
        Ok(OverrideChange::Admin { backend: key.clone(), to })
    }

    fn plan_weight(
        &self,
        overrides: &OverrideSet,
        (frontend, pool, backend): (&str, &str, &str),
        weight: Option<Weight>,
        given: &OperatorCommand,
    ) -> Result<OverrideChange, CommandRefused> {
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
        let (key, configured) =
            settings.backends.get_key_value(backend).ok_or_else(|| CommandRefused::NotInPool {
                frontend: frontend.into(),
                pool: pool.into(),
                backend: backend.into(),
            })?;
        let target = weight.unwrap_or(*configured);
        if given.lasts.is_some() && target == *configured {
            let command = format!("weight {target}");
            return Err(CommandRefused::NothingLasts { backend: backend.into(), command });
        }
        let member = (settings.name.clone(), key.clone());
        let before = overrides.weight(frontend, &member);
        let to = replaced(before, target, *configured, given);
        Ok(OverrideChange::Weight { frontend: name.clone(), member, to })
    }
}

/// What becomes of an override whose value is to be `value`: there is none where that is
/// the configuration's, and to set it again as it is changes nothing.
fn replaced<V: Copy + PartialEq>(
    before: Option<&Override<V>>,
    value: V,
    configured: V,
    given: &OperatorCommand,
) -> Option<Override<V>> {
    if value == configured {
        return None;
    }
    let OperatorCommand { who, why, lasts, at, .. } = given;
    let term = OverrideTerm::beginning(*at, *lasts);
    let drain = match &given.command {
        OverrideCommand::Drain { order, .. } => Some(*order),
        OverrideCommand::Admin { .. } | OverrideCommand::Weight { .. } => None,
    };
    let origin = OverrideOrigin { who: who.clone(), why: why.clone(), term, drain };
    let new = Override { value, configured, origin: Arc::new(origin) };
    Some(before.filter(|before| before.is_repeated_by(&new)).cloned().unwrap_or(new))
}
