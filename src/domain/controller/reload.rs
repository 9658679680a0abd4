//! Decides the effects of a new configuration. What it does not change is not
//! disturbed.

use super::*;
use crate::domain::controller::intent::Intent;

impl ControllerState {
    /// The state of a daemon that has just started.
    #[must_use]
    pub fn new(config: Arc<Config>, at: SystemTime) -> (Self, Vec<ControllerEffect>) {
        let empty = Config {
            backends: BTreeMap::new(),
            frontends: BTreeMap::new(),
            checks: BTreeMap::new(),
            ..(*config).clone()
        };
        let mut controller = Self {
            config: Arc::new(empty),
            backends: BTreeMap::new(),
            frontends: BTreeMap::new(),
            grace: StartupGrace::Waiting,
            last_reload: ReloadId::default(),
            reload_status: ReloadStatus { successful: true, last_success: at },
            served: ServedAddresses::Known(BTreeSet::new()),
            doubts: Doubts::new(config.healthchecker.doubt_limit),
            holds: HoldStats::default(),
            unable: BTreeSet::new(),
            last_asked: None,
            generation: Generation::default(),
            last_prober: ProberId::default(),
        };
        let mut effects = controller.replace(config, None, at);
        // The initial state is not published; subscribers get it as a snapshot.
        effects.retain(|effect| !matches!(effect, ControllerEffect::Publish(_)));
        (controller, effects)
    }

    /// Replaces the configuration. Backends with the same address keep their verdict
    /// and history, and an override stays as long as the file's value is the same.
    /// The events are complete: what was added has a transition from `removed`, and
    /// what was removed has one to it.
    pub fn reload(&mut self, config: Arc<Config>, at: SystemTime) -> Vec<ControllerEffect> {
        let id = self.next_reload();
        self.reload_status = ReloadStatus { successful: true, last_success: at };
        self.replace(config, Some(id), at)
    }

    /// Notes that a reload was refused.
    pub fn reload_refused(&mut self) {
        self.reload_status.successful = false;
    }

    #[must_use]
    pub fn reload_status(&self) -> ReloadStatus {
        self.reload_status
    }

    /// `reload`: its number; `None` at the start.
    fn replace(
        &mut self,
        config: Arc<Config>,
        reload: Option<ReloadId>,
        at: SystemTime,
    ) -> Vec<ControllerEffect> {
        let served = self.served_by_vip();
        let intent = Intent::of(self);
        let before = std::mem::replace(&mut self.config, config);
        self.doubts.set_limit(self.config.healthchecker.doubt_limit);
        let mut effects = Vec::new();
        self.remove_missing(at, &mut effects);
        let config = Arc::clone(&self.config);
        for (name, settings) in &config.backends {
            match self.backends.get_mut(name) {
                Some(record) if record.settings.address == settings.address => {
                    record.update(name, settings, &before, &config, &mut effects);
                }
                _ => self.start_backend(name, settings, (reload, &served), at, &mut effects),
            }
        }
        self.rebuild_frontends(&before, &served, at, &mut effects);
        let brought = |record: &BackendRecord| reload.is_some() && record.waits_since == reload;
        if let Some(id) = reload.filter(|_| self.backends.values().any(|it| brought(it))) {
            effects.push(ControllerEffect::SetGraceTimer(id));
        }
        self.generation = self.generation.next();
        effects.extend(intent.changes(&Intent::of(self), Change::FILE, at));
        effects
    }

    /// The id and the settings of a backend's prober.
    #[must_use]
    pub fn prober(&self, backend: &BackendName) -> Option<(ProberId, ProberSettings)> {
        let record = self.backends.get(backend)?;
        Some((record.prober, record.prober_settings(&self.config, false)))
    }

    /// Removes the backends and frontends that the configuration no longer has.
    fn remove_missing(&mut self, at: SystemTime, effects: &mut Vec<ControllerEffect>) {
        let config = &self.config;
        self.backends.retain(|name, record| {
            let stays = config.backends.contains_key(name);
            if !stays {
                let (from, to) = (record.state, State::Removed);
                let transition = Transition { from, to, at, why: "no longer configured".into() };
                effects.push(ControllerEffect::StopProber(name.clone()));
                effects.push(ControllerEffect::Publish(Event::Backend(name.clone(), transition)));
                effects.extend(record.admin.map(|admin| dropped_admin(name, admin)));
            }
            stays
        });
        self.frontends.retain(|name, record| {
            let stays = config.frontends.contains_key(name);
            if !stays {
                let (from, to) = (record.decision.state, FrontendState::Removed);
                let transition = Transition { from, to, at, why: "no longer configured".into() };
                effects.push(ControllerEffect::Publish(Event::Frontend(name.clone(), transition)));
                let dropped = |(key, weight): (&_, &_)| dropped_weight(name, key, *weight);
                effects.extend(record.overrides.iter().map(dropped));
            }
            stays
        });
    }

    /// Starts to probe a backend that is new, or whose configured address changed, so
    /// that it is another server.
    fn start_backend(
        &mut self,
        name: &BackendName,
        settings: &Arc<Backend>,
        (reload, served): (Option<ReloadId>, &BTreeMap<Vip, BTreeSet<IpAddr>>),
        at: SystemTime,
        effects: &mut Vec<ControllerEffect>,
    ) {
        self.last_prober = self.last_prober.next();
        let check = check_of(&self.config, settings);
        let old = self.backends.remove(name);
        // An override belongs to the name: it stays when the address changes.
        let mut admin = old.as_ref().and_then(|old| old.admin);
        if old.as_ref().is_some_and(|old| old.settings.enabled != settings.enabled) {
            effects.extend(admin.take().map(|admin| dropped_admin(name, admin)));
        }
        let mut record = BackendRecord {
            settings: Arc::clone(settings),
            prober: self.last_prober,
            address: settings.address.fixed(),
            unresolved: None,
            admin,
            state: State::Unknown,
            has_verdict: false,
            doubt: None,
            first_down: false,
            waits_since: None,
            flush: FlushSeq::NONE,
            history: VecDeque::new(),
            transition_counts: TransitionCounts::new(),
            frontends: Vec::new(),
        };
        record.state = initial_state(check.as_deref(), record.admin());
        record.waits_since = reload.filter(|_| record.state == State::Unknown);
        if old.is_none() {
            let (from, to) = (State::Removed, record.state);
            let transition = Transition { from, to, at, why: "newly configured".into() };
            effects.push(ControllerEffect::Publish(Event::Backend(name.clone(), transition)));
        }
        if let Some(old) = old {
            effects.push(ControllerEffect::StopProber(name.clone()));
            record.history = old.history;
            record.transition_counts = old.transition_counts;
            let why = format!("address changed from {}", old.settings.address).into();
            let transition = Transition { from: old.state, to: record.state, at, why };
            if transition.from != transition.to {
                count(&mut record.transition_counts, (transition.from, transition.to));
                record.history.push_back(transition.clone());
                effects.push(ControllerEffect::Publish(Event::Backend(name.clone(), transition)));
            }
        }
        let may_be_served = match (&self.served, record.address) {
            (ServedAddresses::Known(_), Some(address)) => {
                served.values().any(|served| served.contains(&address))
            }
            (served, address) => served.may_have(address),
        };
        let settings = record.prober_settings(&self.config, may_be_served);
        effects.push(ControllerEffect::StartProber {
            id: self.last_prober,
            backend: name.clone(),
            settings,
        });
        self.backends.insert(name.clone(), Box::new(record));
    }

    /// Adds new frontends, drops overrides whose configured weight changed, and
    /// decides all frontends again.
    fn rebuild_frontends(
        &mut self,
        before: &Config,
        served: &BTreeMap<Vip, BTreeSet<IpAddr>>,
        at: SystemTime,
        effects: &mut Vec<ControllerEffect>,
    ) {
        self.backends.values_mut().for_each(|backend| backend.frontends.clear());
        let none = BTreeSet::new();
        let config = Arc::clone(&self.config);
        for (name, settings) in &config.frontends {
            for backend in settings.pools.iter().flat_map(|pool| pool.backends.keys()) {
                if let Some(backend) = self.backends.get_mut(backend) {
                    backend.frontends.push(name.clone());
                }
            }
            let mut overrides = match self.frontends.get_mut(name) {
                Some(record) => std::mem::take(&mut record.overrides),
                None => WeightOverrides::new(),
            };
            overrides.retain(|key, weight| {
                let now = configured_weight(&config, name, key);
                let stays = now.is_some() && now == configured_weight(before, name, key);
                if !stays {
                    effects.push(dropped_weight(name, key, *weight));
                }
                stays
            });
            if let Some(record) = self.frontends.get_mut(name) {
                record.overrides = overrides;
            } else {
                let of_vip = served.get(&settings.vip).unwrap_or(&none);
                let verdict =
                    |name: &BackendName| Some(self.backends.get(name)?.verdict(self.grace, of_vip));
                let decision = desired(settings, &overrides, verdict);
                let desired = Arc::new(decision.desired.clone());
                let (from, to) = (FrontendState::Removed, decision.state);
                let transition = Transition { from, to, at, why: "newly configured".into() };
                effects.push(ControllerEffect::Publish(Event::Frontend(name.clone(), transition)));
                self.frontends.insert(
                    name.clone(),
                    FrontendRecord {
                        overrides,
                        decision,
                        desired,
                        since: self.generation,
                        programmed: false,
                        serving: false,
                        served: BTreeSet::new(),
                    },
                );
            }
        }
        self.note_served(served);
        let all: Vec<_> = self.frontends.keys().cloned().collect();
        self.recompute(&all, "configuration reloaded", at, effects);
    }
}

impl BackendRecord {
    pub(super) fn prober_settings(&self, config: &Config, served: bool) -> ProberSettings {
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
            admin: self.admin(),
            // Every backend should have a verdict well before unknown counts as down.
            within: interval.min(config.lb.startup_max_delay / 2),
            served,
        }
    }

    /// Adopts new settings with the same address.
    fn update(
        &mut self,
        name: &BackendName,
        settings: &Arc<Backend>,
        before: &Config,
        after: &Config,
        effects: &mut Vec<ControllerEffect>,
    ) {
        let check = check_of(after, settings);
        if check != check_of(before, &self.settings) {
            effects.push(ControllerEffect::CheckChanged(name.clone(), check.clone()));
        }
        let old = self.admin();
        let file_changed = settings.enabled != self.settings.enabled;
        self.settings = Arc::clone(settings);
        if file_changed {
            effects.extend(self.admin.take().map(|admin| dropped_admin(name, admin)));
        }
        if self.admin() != old {
            let why = "configuration reloaded".into();
            effects.push(ControllerEffect::Administer {
                backend: name.clone(),
                admin: self.admin(),
                why,
                // The file may enable many backends at once.
                within: check.map_or(Duration::ZERO, |check| check.timing.fast_interval),
            });
        }
    }
}

fn dropped_admin(name: &BackendName, admin: Admin) -> ControllerEffect {
    let state = format!("{admin:?}").to_lowercase();
    ControllerEffect::OverrideDropped(format!("{state} of backend {name}"))
}

fn dropped_weight(
    frontend: &FrontendName,
    (pool, backend): &(PoolName, BackendName),
    weight: Weight,
) -> ControllerEffect {
    ControllerEffect::OverrideDropped(format!("weight {weight} of {backend} in {frontend}/{pool}"))
}
