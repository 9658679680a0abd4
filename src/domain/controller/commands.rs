//! Decides what operators' commands change in the overrides. Nothing changes yet: what is
//! kept over restarts is written first.

use std::sync::Arc;
use std::time::Duration;

use super::{AdminCommand, CommandRefused, ControllerState};
use crate::domain::announce::orders::{AnnounceOrder, AnnounceScope};
use crate::domain::announce::placement::VipPrefix;
use crate::domain::dataplane::net::Weight;
use crate::domain::drain::DrainOrder;
use crate::domain::health::Admin;
use crate::domain::moment::Moment;
use crate::domain::overrides::{
    AnnounceOverride, Override, OverrideChange, OverrideOrigin, OverrideSet, OverrideTerm, Reason,
    configured_admin,
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
    Announcement {
        subject: AnnounceSubject,
        /// `None`: as the rules have it.
        order: Option<AnnounceOrder>,
    },
}

/// Which announcements a command is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnnounceSubject {
    All,
    Prefix(VipPrefix),
    /// The prefix of this frontend, which others may share.
    Frontend(String),
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
            OverrideCommand::Announcement { subject, order } => {
                self.plan_announcement(overrides, subject, *order, given)
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

    fn plan_announcement(
        &self,
        overrides: &OverrideSet,
        subject: &AnnounceSubject,
        order: Option<AnnounceOrder>,
        given: &OperatorCommand,
    ) -> Result<OverrideChange, CommandRefused> {
        let scope = self.announce_scope(subject)?;
        let before = overrides.announcement(scope);
        let is_announced = |it: &AnnounceScope| {
            let mut prefixes =
                self.config.frontends.values().filter_map(|frontend| frontend.announced_prefix());
            prefixes.any(|prefix| it.includes(prefix))
        };
        // What is in force can be ended in any case.
        if !is_announced(&scope) && (order.is_some() || before.is_none()) {
            return Err(match scope {
                AnnounceScope::All => CommandRefused::NothingAnnounced,
                AnnounceScope::Prefix(prefix) => CommandRefused::NoAnnouncement(prefix),
            });
        }
        let to = order.map(|order| {
            let new = AnnounceOverride { order, origin: Arc::new(origin(given)) };
            before.filter(|before| before.is_repeated_by(&new)).cloned().unwrap_or(new)
        });
        Ok(OverrideChange::Announcement { scope, to })
    }

    /// What the subject of a command is in this configuration.
    ///
    /// # Errors
    /// There is no such frontend, or it is not announced.
    pub fn announce_scope(
        &self,
        subject: &AnnounceSubject,
    ) -> Result<AnnounceScope, CommandRefused> {
        match subject {
            AnnounceSubject::All => Ok(AnnounceScope::All),
            AnnounceSubject::Prefix(prefix) => Ok(AnnounceScope::Prefix(*prefix)),
            AnnounceSubject::Frontend(name) => {
                let frontend = self.config.frontends.get(name.as_str());
                let frontend = frontend.ok_or_else(|| CommandRefused::NoFrontend(name.clone()))?;
                let prefix = frontend.announced_prefix();
                let prefix = prefix.ok_or_else(|| CommandRefused::NotAnnounced(name.clone()))?;
                Ok(AnnounceScope::Prefix(prefix))
            }
        }
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
    let new = Override { value, configured, origin: Arc::new(origin(given)) };
    Some(before.filter(|before| before.is_repeated_by(&new)).cloned().unwrap_or(new))
}

/// That of an override which a command sets.
fn origin(OperatorCommand { command, who, why, lasts, at }: &OperatorCommand) -> OverrideOrigin {
    let term = OverrideTerm::beginning(*at, *lasts);
    let drain = match command {
        OverrideCommand::Drain { order, .. } => Some(*order),
        OverrideCommand::Admin { .. }
        | OverrideCommand::Weight { .. }
        | OverrideCommand::Announcement { .. } => None,
    };
    OverrideOrigin { who: who.clone(), why: why.clone(), term, drain }
}
