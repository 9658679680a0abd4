//! Has changes of overrides take effect, and ends those whose time is over.

use std::sync::Arc;
use std::time::Duration;

use super::{AdminCommand, ControllerEffect, ControllerState, OperatorCommand, OverrideCommand};
use crate::domain::announce::orders::AnnounceScope;
use crate::domain::events::{Change, Changed, Event};
use crate::domain::health::Admin;
use crate::domain::moment::Moment;
use crate::domain::overrides::{
    Overridden, OverrideChange, OverrideEnd, OverrideEntry, OverrideSet, Reason, configured_admin,
};

/// On whose account overrides change.
struct ChangedBy<'a> {
    who: &'a str,
    why: Option<&'a Reason>,
    at: Moment,
    /// How an override ends that is not replaced.
    end: OverrideEnd,
    /// What transitions say that follow.
    cause: &'a str,
}

impl ControllerState {
    /// Those in force.
    #[must_use]
    pub fn overrides(&self) -> &OverrideSet {
        &self.overrides
    }

    /// Has a change take effect that [`ControllerState::plan_override`] made of a command
    /// for the overrides in force.
    pub fn apply_override(
        &mut self,
        change: OverrideChange,
        given: &OperatorCommand,
    ) -> Vec<ControllerEffect> {
        let who = &*given.who;
        let cause = match &given.command {
            OverrideCommand::Admin { command, .. } => format!("{command} by {who}"),
            OverrideCommand::Drain { .. } => format!("{} by {who}", AdminCommand::Drain),
            OverrideCommand::Weight { backend, weight: Some(weight), .. } => {
                format!("weight of {backend} set to {weight} by {who}")
            }
            OverrideCommand::Weight { backend, weight: None, .. } => {
                format!("weight of {backend} unset by {who}")
            }
            // No transition follows.
            OverrideCommand::Announcement { .. } => String::new(),
        };
        let why = given.why.as_ref();
        let cause = why.map_or(cause.clone(), |why| format!("{cause}: {why}"));
        let (at, end) = (given.at, OverrideEnd::Unset);
        let by = ChangedBy { who, why, at, end, cause: &cause };
        match &given.command {
            OverrideCommand::Admin { backend, command } => {
                let is_slow = *command == AdminCommand::ResumeSlowly;
                if let Some(record) = self.backends.get_mut(backend.as_str()) {
                    record.resumed_slowly = is_slow && record.admin == Admin::Paused;
                }
                let mut effects = self.change_override(change, &by);
                if *command == AdminCommand::Pause {
                    effects.extend(self.end_drain(backend, &cause, at.wall));
                }
                effects
            }
            OverrideCommand::Drain { backend, order } => {
                let mut effects = self.change_override(change, &by);
                effects.extend(self.begin_drain(backend, *order, who, at));
                effects
            }
            OverrideCommand::Weight { frontend, backend, .. } => {
                // An operator's weight wins over a slow start.
                self.end_ramp(&frontend.as_str().into(), backend);
                self.change_override(change, &by)
            }
            OverrideCommand::Announcement { .. } => self.change_override(change, &by),
        }
    }

    /// Ends the overrides whose time is over.
    pub fn expire_overrides(&mut self, now: Moment) -> Vec<ControllerEffect> {
        let mut effects = Vec::new();
        for entry in self.overrides.expired(now.monotonic) {
            let origin = Arc::clone(&entry.origin);
            let cause = format!("{} by {} is over", entry.what, origin.who);
            let (who, why, end) = (Change::TIME, origin.why.as_ref(), OverrideEnd::Expired);
            let by = ChangedBy { who, why, at: now, end, cause: &cause };
            effects.extend(self.change_override(entry.ended(), &by));
        }
        effects
    }

    fn change_override(
        &mut self,
        change: OverrideChange,
        by: &ChangedBy<'_>,
    ) -> Vec<ControllerEffect> {
        let (before, now) = (self.overrides.of_item(&change), change.entry());
        self.overrides.change(change.clone());
        let mut effects = Vec::new();
        if let OverrideChange::Admin { backend, to } = &change
            && let Some(record) = self.backends.get_mut(backend)
        {
            let configured = configured_admin(&record.settings);
            record.admin = to.as_ref().map_or(configured, |it| it.value);
            let (backend, admin, why) = (backend.clone(), record.admin, by.cause.to_owned());
            let within = Duration::ZERO;
            effects.push(ControllerEffect::Administer { backend, admin, why, within });
        }
        if before != now {
            effects.extend(self.told(before, now, by));
        }
        if let OverrideChange::Admin { backend, .. } = &change
            && self.backends.get(backend).is_some_and(|record| record.admin != Admin::Paused)
        {
            effects.extend(self.end_drain(backend.as_str(), by.cause, by.at.wall));
        }
        if let OverrideChange::Weight { frontend, .. } = change {
            self.recompute(&[frontend], by.cause, by.at.wall, &mut effects);
        }
        effects
    }

    /// The event, and what is logged.
    fn told(
        &self,
        before: Option<OverrideEntry>,
        now: Option<OverrideEntry>,
        by: &ChangedBy<'_>,
    ) -> Vec<ControllerEffect> {
        let what = |entry: &Option<OverrideEntry>| entry.as_ref().map(|it| it.what.clone());
        let Some(what) = self.changed(what(&before), what(&now)) else { return Vec::new() };
        let origin = now.as_ref().map(|entry| &entry.origin);
        let change = Change {
            what,
            overridden: now.is_some(),
            who: by.who.into(),
            why: by.why.cloned(),
            until: origin.and_then(|origin| origin.term.until),
            ended: (before.is_some() && now.is_none()).then_some(by.end),
            at: by.at.wall,
        };
        let published = ControllerEffect::Publish(Event::Change(change.into()));
        let logged = match (before, now) {
            (_, Some(entry)) => ControllerEffect::OverrideBegan(entry),
            (Some(entry), None) => {
                let (end, who, why) = (by.end, by.who.to_owned(), by.why.cloned());
                ControllerEffect::OverrideEnded { entry, end, who, why }
            }
            (None, None) => return vec![published],
        };
        vec![published, logged]
    }

    /// The value of an item before and after; the configuration's where nothing overrides it.
    fn changed(&self, before: Option<Overridden>, now: Option<Overridden>) -> Option<Changed> {
        match now.clone().or_else(|| before.clone())? {
            Overridden::Admin { backend, configured, .. } => {
                let value = |it| match it {
                    Some(Overridden::Admin { value, .. }) => value,
                    _ => configured,
                };
                Some(Changed::Admin { backend, from: value(before), to: value(now) })
            }
            Overridden::Weight { frontend, pool, backend, configured, .. } => {
                let value = |it| match it {
                    Some(Overridden::Weight { value, .. }) => value,
                    _ => configured,
                };
                let (from, to) = (value(before), value(now));
                Some(Changed::Weight { frontend, pool, backend, from, to })
            }
            Overridden::Announcement { scope, .. } => {
                let order = |it| match it {
                    Some(Overridden::Announcement { order, .. }) => Some(order),
                    _ => None,
                };
                let frontends = self.config.frontends.iter();
                let is_its = |prefix| scope == AnnounceScope::Prefix(prefix);
                let frontends =
                    frontends.filter(|(_, it)| it.announced_prefix().is_some_and(is_its));
                let frontends = frontends.map(|(name, _)| name.clone()).collect();
                let (from, to) = (order(before), order(now));
                Some(Changed::Announcement { scope, frontends, from, to })
            }
        }
    }
}
