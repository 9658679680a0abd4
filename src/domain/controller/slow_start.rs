//! Begins, advances and ends the slow starts of servers that come back. See
//! [`slow_start`](crate::domain::balancing::slow_start).
//!
//! A server comes back if it was down and goes up, or if an operator resumed it slowly.
//! It starts slowly where its pool asks for that and has served for as long already: the
//! first server of a pool, and those that come back with it, are needed at once. So are
//! all at a start of the daemon. An operator's weight wins over a ramp.

use super::*;
use crate::domain::balancing::slow_start::{Ramp, RampId, RampRequest, RampStep};
use crate::domain::balancing::weights::TargetWeight;
use crate::domain::config::Frontend;
use crate::domain::moment::Moment;

impl ControllerState {
    /// Begins or ends the ramps of a backend after a transition, before its frontends are
    /// decided again.
    pub(super) fn ramp_after(
        &mut self,
        name: &BackendName,
        (transition, was_resumed_slowly): (&Transition<State>, bool),
        effects: &mut Vec<ControllerEffect>,
    ) {
        let Some(record) = self.backends.get(name) else { return };
        let (frontends, address) = (record.frontends.clone(), record.address);
        let comes_back = transition.from == State::Down || was_resumed_slowly;
        for frontend in frontends {
            if transition.to != State::Up {
                self.end_ramp(&frontend, name.as_str());
            } else if comes_back
                && let Some(address) = address
                && let Some((span, request)) = self.ramp_of(&frontend, name, address, transition.at)
            {
                self.last_ramp = self.last_ramp.next();
                let ramp = Ramp::new(self.last_ramp, request.target, span);
                if let Some(record) = self.frontends.get_mut(&frontend) {
                    record.ramps.insert(name.clone(), ramp);
                }
                effects.push(ControllerEffect::PlanRamp(self.last_ramp, request));
            }
        }
    }

    /// How a backend that goes up starts slowly in a frontend; `None`: it does not.
    fn ramp_of(
        &self,
        frontend: &FrontendName,
        name: &BackendName,
        server: IpAddr,
        at: SystemTime,
    ) -> Option<(Duration, RampRequest)> {
        let settings = self.config.frontends.get(frontend)?;
        let record = self.frontends.get(frontend)?;
        let place = record.decision.active_pool?;
        let pool = settings.pools.get(place)?;
        let span = pool.slow_start?;
        let target = *pool.backends.get(name)?;
        let member = (pool.name.clone(), name.clone());
        let is_overridden = self.overrides.weight(frontend.as_str(), &member).is_some();
        // One that was resumed keeps what it has, until its first result: nothing. Where the
        // frontend fails open, one that was down had flows all the time.
        let gets_none = match record.decision.effective.get(place)?.get(name)? {
            TargetWeight::Weight(weight) => *weight == Weight::ZERO,
            TargetWeight::Keep => true,
        };
        let serves_for = at.duration_since(record.serving_since?).unwrap_or_default();
        if is_overridden || !gets_none || target <= Weight::LEAST || serves_for < span {
            return None;
        }
        let others = record.desired.servers.iter().filter(|(address, _)| **address != server);
        let others = others.map(|(address, server)| match server.weight {
            TargetWeight::Weight(weight) => (*address, weight.get()),
            TargetWeight::Keep => (*address, 0),
        });
        let (others, length) = (others.collect(), settings.table_length);
        Some((span, RampRequest { others, server, target, length, span }))
    }

    /// Begins a ramp that was planned.
    pub fn ramp_planned(
        &mut self,
        id: RampId,
        steps: Vec<RampStep>,
        now: Moment,
    ) -> Vec<ControllerEffect> {
        let Some((_, _, ramp)) = self.ramp_mut(id) else { return Vec::new() };
        ramp.begin(steps, now.monotonic);
        self.ramp_due(id, now)
    }

    /// Takes the steps of a ramp that are due.
    pub fn ramp_due(&mut self, id: RampId, now: Moment) -> Vec<ControllerEffect> {
        let Some((frontend, backend, ramp)) = self.ramp_mut(id) else { return Vec::new() };
        let next = ramp.advance(now.monotonic);
        let (weight, target) = (ramp.weight(), ramp.target);
        let mut effects = Vec::new();
        match next {
            Some(after) => effects.push(ControllerEffect::SetRampTimer(id, after)),
            None => self.end_ramp(&frontend, backend.as_str()),
        }
        let why = format!("slow start of {backend}: {weight} of {target}");
        self.recompute(&[frontend], &why, now.wall, &mut effects);
        effects
    }

    /// Ends a ramp, if there is one: the server has its whole weight as soon as its
    /// frontend is decided again.
    pub(super) fn end_ramp(&mut self, frontend: &FrontendName, backend: &str) {
        if let Some(record) = self.frontends.get_mut(frontend) {
            record.ramps.remove(backend);
        }
    }

    fn ramp_mut(&mut self, id: RampId) -> Option<(FrontendName, BackendName, &mut Ramp)> {
        self.frontends.iter_mut().find_map(|(frontend, record)| {
            let found = record.ramps.iter_mut().find(|(_, ramp)| ramp.id == id);
            found.map(|(backend, ramp)| (frontend.clone(), backend.clone(), ramp))
        })
    }

    /// The ramps of a backend, by frontend.
    pub(super) fn ramps_of(&self, record: &BackendRecord, name: &str) -> Vec<(FrontendName, Ramp)> {
        let ramp = |frontend: &FrontendName| {
            let ramp = self.frontends.get(frontend)?.ramps.get(name)?;
            Some((frontend.clone(), ramp.clone()))
        };
        record.frontends.iter().filter_map(ramp).collect()
    }
}

impl FrontendRecord {
    /// A backend's verdict as it is in this frontend.
    pub(super) fn of_frontend(&self, name: &BackendName, verdict: Verdict) -> Verdict {
        Verdict { ramp: self.ramps.get(name).map(Ramp::weight), ..verdict }
    }

    /// Takes ramps along to new names, and ends those that the file no longer asks for.
    pub(super) fn keep_ramps(
        &mut self,
        settings: &Frontend,
        renames: &BTreeMap<BackendName, Vec<BackendName>>,
    ) {
        let ramps = std::mem::take(&mut self.ramps).into_iter().map(|(name, ramp)| {
            let renamed = renames.get(&name).and_then(|names| names.first()).cloned();
            (renamed.unwrap_or(name), ramp)
        });
        self.ramps = ramps.collect();
        self.ramps.retain(|name, _| {
            let mut pools = settings.pools.iter().filter(|it| it.backends.contains_key(name));
            pools.any(|pool| pool.slow_start.is_some())
        });
    }
}
