//! Decides the effects of a new configuration. What it does not change is not
//! disturbed.

mod backends;

use super::*;
use crate::domain::controller::inheritance::Inheritances;
use crate::domain::controller::intent::Intent;
use crate::domain::moment::Moment;
use crate::domain::overrides::{OverrideEnd, kept, restored};
use crate::domain::readiness::ReloadRefusal;

impl ControllerState {
    /// The state of a daemon that has just started, without overrides.
    #[must_use]
    pub fn new(config: Arc<Config>, at: SystemTime) -> (Self, Vec<ControllerEffect>) {
        Self::with_overrides(config, OverrideSet::default(), at)
    }

    /// The state of a daemon that has just started, with the overrides that an earlier one
    /// has stored. Those whose time is over, and those that the configuration ends, end.
    #[must_use]
    pub fn restored(
        config: Arc<Config>,
        stored: &OverrideSet,
        now: Moment,
    ) -> (Self, Vec<ControllerEffect>) {
        let (kept, ended) = restored(stored, &config, now.monotonic);
        let (mut controller, mut effects) = Self::with_overrides(config, kept, now.wall);
        effects.extend(ended.into_iter().map(|(entry, end)| {
            let who = match end {
                OverrideEnd::Expired => Change::TIME,
                OverrideEnd::Unset | OverrideEnd::Reconfigured => Change::FILE,
            };
            ControllerEffect::OverrideEnded { entry, end, who: who.into(), why: None }
        }));
        effects.extend(controller.resume_drains(now));
        (controller, effects)
    }

    fn with_overrides(
        config: Arc<Config>,
        overrides: OverrideSet,
        at: SystemTime,
    ) -> (Self, Vec<ControllerEffect>) {
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
            overrides,
            grace: StartupGrace::Waiting,
            last_reload: ReloadId::default(),
            reload_status: ReloadStatus { refusal: None, last_success: at },
            served: ServedAddresses::Known(BTreeSet::new()),
            drains: FollowedDrains::default(),
            last_ramp: RampId::default(),
            doubts: Doubts::new(config.healthchecker.doubt_limit),
            holds: HoldStats::default(),
            unable: BTreeSet::new(),
            trends: BTreeMap::new(),
            last_asked: None,
            generation: Generation::default(),
            announce: AnnounceNews::default(),
            last_prober: ProberId::default(),
        };
        let mut effects = controller.replace(config, None, at);
        // The initial state is not published; subscribers get it as a snapshot.
        effects.retain(|effect| !matches!(effect, ControllerEffect::Publish(_)));
        (controller, effects)
    }

    /// Replaces the configuration. Verdicts stay with what is probed, whatever its name
    /// (see [`super::inheritance`]), and an override stays as long as the file's value is
    /// the same.
    /// The events are complete: what was added has a transition from `removed`, and
    /// what was removed has one to it.
    pub fn reload(&mut self, config: Arc<Config>, at: SystemTime) -> Vec<ControllerEffect> {
        let id = self.next_reload();
        self.reload_status = ReloadStatus { refusal: None, last_success: at };
        self.replace(config, Some(id), at)
    }

    /// Notes that a reload was refused.
    pub fn reload_refused(&mut self, why: ReloadRefusal) {
        self.reload_status.refusal = Some(why);
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
        let mut inheritances = Inheritances::of(&self.backends, &self.config, &config);
        let before = std::mem::replace(&mut self.config, config);
        self.announce.is_wanted = !self.config.announcer.drivers.is_empty()
            || self.config.frontends.values().any(|it| it.announce.is_some());
        self.announce.note_all(before.frontends.keys().chain(self.config.frontends.keys()));
        self.doubts.set_limit(self.config.healthchecker.doubt_limit);
        let (overrides, ended) = kept(&self.overrides, &self.config, &inheritances.renames);
        self.overrides = overrides;
        let ended = ended.into_iter().map(ControllerEffect::reconfigured);
        let mut effects: Vec<_> = ended.collect();
        self.remove_missing(&inheritances, at, &mut effects);
        let config = Arc::clone(&self.config);
        for (name, settings) in &config.backends {
            match self.backends.get_mut(name) {
                Some(record)
                    if record.settings.address == settings.address && !inheritances.has(name) =>
                {
                    let set = self.overrides.admin(name.as_str()).map(|it| it.value);
                    record.update(name, (settings, set), (&before, &config), &mut effects);
                }
                _ => {
                    let context = (reload, &served, &mut inheritances);
                    self.start_backend(name, settings, context, at, &mut effects);
                }
            }
        }
        // Before those that are copied from are stopped.
        effects.sort_by_key(|effect| !matches!(effect, ControllerEffect::CopyVerdict { .. }));
        self.rebuild_frontends((&served, &inheritances), at, &mut effects);
        let brought = |record: &BackendRecord| reload.is_some() && record.waits_since == reload;
        if let Some(id) = reload.filter(|_| self.backends.values().any(|it| brought(it))) {
            effects.push(ControllerEffect::SetGraceTimer(id));
        }
        self.generation = self.generation.next();
        self.follow_reload(&inheritances, at, &mut effects);
        effects.extend(intent.changes(&Intent::of(self), Change::FILE, at));
        effects
    }

    /// The id and the settings of a backend's prober.
    #[must_use]
    pub fn prober(&self, backend: &BackendName) -> Option<(ProberId, ProberSettings)> {
        let record = self.backends.get(backend)?;
        Some((record.prober, record.prober_settings(&self.config, false)))
    }

    /// Adds new frontends, and decides all frontends again.
    fn rebuild_frontends(
        &mut self,
        (served, inheritances): (&BTreeMap<Vip, BTreeSet<IpAddr>>, &Inheritances),
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
            if let Some(record) = self.frontends.get_mut(name) {
                record.keep_ramps(settings, &inheritances.renames);
            } else {
                let of_vip = served.get(&settings.vip).unwrap_or(&none);
                let verdict =
                    |name: &BackendName| Some(self.backends.get(name)?.verdict(self.grace, of_vip));
                let fail_open = FailOpenMemory::default();
                let weights = self.overrides.weights_of(name.as_str());
                let decision = desired(settings, &weights, &fail_open, verdict);
                let desired = Arc::new(decision.desired.clone());
                let (from, to) = (FrontendState::Removed, decision.state);
                let serving_since = decision.active_pool.map(|_| at);
                let transition = Transition { from, to, at, why: "newly configured".into() };
                effects.push(ControllerEffect::Publish(Event::Frontend(name.clone(), transition)));
                self.frontends.insert(
                    name.clone(),
                    FrontendRecord {
                        decision,
                        fail_open,
                        alerted: BTreeMap::new(),
                        open_since: None,
                        desired,
                        since: self.generation,
                        programmed: false,
                        serving: false,
                        served: BTreeSet::new(),
                        serving_since,
                        ramps: BTreeMap::new(),
                    },
                );
            }
        }
        self.note_served(served);
        let all: Vec<_> = self.frontends.keys().cloned().collect();
        self.recompute(&all, "configuration reloaded", at, effects);
    }
}
