//! Starts, stops and keeps backends at a reload.

use super::*;
use crate::domain::controller::inheritance::{Inheritance, Inheritances};
use crate::domain::removals::FirstNames;

impl ControllerState {
    /// Removes the backends and frontends that the configuration no longer has.
    pub(super) fn remove_missing(
        &mut self,
        inheritances: &Inheritances,
        at: SystemTime,
        effects: &mut Vec<ControllerEffect>,
    ) {
        let config = &self.config;
        self.backends.retain(|name, record| {
            let stays = config.backends.contains_key(name);
            if !stays {
                let renamed = inheritances.renames.get(name);
                let why = match renamed {
                    Some(names) => format!("renamed to {}", FirstNames(names)).into(),
                    None => "no longer configured".into(),
                };
                let transition = Transition { from: record.state, to: State::Removed, at, why };
                effects.push(ControllerEffect::StopProber(name.clone()));
                effects.push(ControllerEffect::Publish(Event::Backend(name.clone(), transition)));
            }
            stays
        });
        self.frontends.retain(|name, record| {
            let stays = config.frontends.contains_key(name);
            if !stays {
                let (from, to) = (record.decision.state, FrontendState::Removed);
                let transition = Transition { from, to, at, why: "no longer configured".into() };
                effects.push(ControllerEffect::Publish(Event::Frontend(name.clone(), transition)));
            }
            stays
        });
    }

    /// Starts to probe a backend that is new, or whose configured address changed, so
    /// that it is another server.
    pub(super) fn start_backend(
        &mut self,
        name: &BackendName,
        settings: &Arc<Backend>,
        (reload, served, inheritances): (
            Option<ReloadId>,
            &BTreeMap<Vip, BTreeSet<IpAddr>>,
            &mut Inheritances,
        ),
        at: SystemTime,
        effects: &mut Vec<ControllerEffect>,
    ) {
        self.last_prober = self.last_prober.next();
        let check = check_of(&self.config, settings);
        let old = self.backends.remove(name);
        let inheritance = inheritances.take(name);
        // An override belongs to the name: it stays when the address changes, and goes
        // along when the name does.
        let renamed = inheritance.as_ref().filter(|it| it.is_renamed).map(|it| &it.record);
        let namesake = old.as_ref().or(renamed);
        let drain_flushes = namesake.is_some_and(|old| old.drain_flushes);
        let set = self.overrides.admin(name.as_str()).map(|it| it.value);
        let admin = set.unwrap_or_else(|| configured_admin(settings));
        let mut record = BackendRecord {
            settings: Arc::clone(settings),
            prober: self.last_prober,
            address: settings.address.fixed(),
            unresolved: None,
            admin,
            state: State::Unknown,
            has_verdict: false,
            doubt: None,
            damping: None,
            certificate: None,
            first_down: false,
            resumed: false,
            resumed_slowly: false,
            waits_since: None,
            flush: inheritances.last_flush(settings.address.fixed()),
            drain_flushes,
            history: VecDeque::new(),
            transition_counts: TransitionCounts::new(),
            frontends: Vec::new(),
        };
        record.state = initial_state(check.as_deref(), record.admin);
        record.waits_since = reload.filter(|_| record.state == State::Unknown);
        let (mut inherited, mut is_renamed) = (None, false);
        let mut why = match &old {
            None => "newly configured".into(),
            Some(old) => format!("address changed from {}", old.settings.address),
        };
        if let Some(inheritance) = inheritance {
            if record.inherit(&inheritance) {
                let has_same_check = inheritance.has_same_check;
                inherited = Some(InheritedVerdict { state: record.state, has_same_check });
                let (from, to) = (inheritance.from.clone(), name.clone());
                let with_stats = inheritance.is_renamed;
                effects.push(ControllerEffect::CopyVerdict { from, to, with_stats });
                why = format!("takes over the verdict of {}", inheritance.from);
            }
            is_renamed = inheritance.is_renamed;
            if is_renamed {
                why = format!("renamed from {}", inheritance.from);
                record.history = inheritance.record.history;
                record.transition_counts = inheritance.record.transition_counts;
            }
        }
        let history = self.config.healthchecker.transition_history;
        let (to, why) = (record.state, why.into());
        if let Some(old) = old {
            effects.push(ControllerEffect::StopProber(name.clone()));
            record.history = old.history;
            record.transition_counts = old.transition_counts;
            let transition = Transition { from: old.state, to, at, why };
            if transition.from != transition.to {
                count(&mut record.transition_counts, (transition.from, transition.to));
                record.remember(transition.clone(), history);
                effects.push(ControllerEffect::Publish(Event::Backend(name.clone(), transition)));
            }
        } else {
            let transition = Transition { from: State::Removed, to, at, why };
            if is_renamed {
                record.remember(transition.clone(), history);
            }
            effects.push(ControllerEffect::Publish(Event::Backend(name.clone(), transition)));
        }
        let may_be_served = match (&self.served, record.address) {
            (ServedAddresses::Known(_), Some(address)) => {
                served.values().any(|served| served.contains(&address))
            }
            (served, address) => served.may_have(address),
        };
        let settings =
            ProberSettings { inherited, ..record.prober_settings(&self.config, may_be_served) };
        effects.push(ControllerEffect::StartProber {
            id: self.last_prober,
            backend: name.clone(),
            settings,
        });
        self.backends.insert(name.clone(), Box::new(record));
    }
}

impl BackendRecord {
    pub(in crate::domain::controller) fn prober_settings(
        &self,
        config: &Config,
        served: bool,
    ) -> ProberSettings {
        let check = check_of(config, &self.settings);
        let timing = check.as_ref().map(|check| check.timing);
        let interval = timing.map_or(Duration::ZERO, |timing| match self.waits_since {
            None => timing.interval,
            // What a reload brings is probed soon: VPP may be serving it.
            Some(_) => timing.fast_interval,
        });
        ProberSettings {
            backend: Arc::clone(&self.settings),
            address: self.address,
            check,
            admin: self.admin,
            // Every backend should have a verdict well before unknown counts as down.
            within: interval.min(config.lb.startup_max_delay / 2),
            served,
            inherited: None,
        }
    }

    /// Takes over the verdict of what had this address. Returns false if there is none:
    /// either of the two is not probed.
    fn inherit(&mut self, inheritance: &Inheritance) -> bool {
        let from = &inheritance.record;
        let has_verdict = from.admin == self.admin;
        if self.settings.address.name().is_some() {
            self.address = from.address;
            self.unresolved.clone_from(&from.unresolved);
        }
        if has_verdict {
            self.state = from.state;
            self.has_verdict = from.has_verdict;
            self.first_down = from.first_down;
            self.resumed = from.resumed;
            self.waits_since = from.waits_since;
            self.flush = from.flush;
        }
        has_verdict
    }

    /// Adopts new settings with the same address, and what an operator has set in their
    /// place.
    pub(super) fn update(
        &mut self,
        name: &BackendName,
        (settings, set): (&Arc<Backend>, Option<Admin>),
        (before, after): (&Config, &Config),
        effects: &mut Vec<ControllerEffect>,
    ) {
        let check = check_of(after, settings);
        if check != check_of(before, &self.settings) {
            effects.push(ControllerEffect::CheckChanged(name.clone(), check.clone()));
        }
        self.settings = Arc::clone(settings);
        let admin = set.unwrap_or_else(|| configured_admin(settings));
        if std::mem::replace(&mut self.admin, admin) != admin {
            effects.push(ControllerEffect::Administer {
                backend: name.clone(),
                admin,
                why: "configuration reloaded".into(),
                // The file may enable many backends at once.
                within: check.map_or(Duration::ZERO, |check| check.timing.fast_interval),
            });
        }
    }
}
