//! Everything that is configured, overridden and known of the backends, and
//! what each frontend should therefore look like.
//!
//! The roster takes facts and commands and answers with orders; whoever holds
//! it carries them out.

mod commands;
mod effects;
mod intent;
mod names;
mod reload;
mod suppose;
mod views;

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::config::{Backend, Config, HealthCheck};
use super::events::{Change, Event, Transition};
use super::health::{Admin, Health, State};
use super::names::{BackendName, FrontendName, PoolName};
use super::reconcile::{FrontendProgress, Generation};
use crate::domain::balancing::weights::{
    DesiredFrontend, FlushSeq, FrontendDecision, FrontendState, StartupGrace, Verdict,
    WeightOverrides, asks_for_flush, desired,
};
use crate::domain::dataplane::net::Weight;
use crate::domain::dataplane::plan::Desired;
pub use effects::{AdminCommand, CommandRefused, ControllerEffect, ProberSettings};
pub use suppose::WeightPrediction;
pub use views::{BackendView, FrontendView, PoolBackendView, PoolView};

/// Tells one prober from all others, those of the same name included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProberId(u64);

/// The roster. See the module's description.
#[derive(Debug)]
pub struct ControllerState {
    config: Arc<Config>,
    /// Boxed: the nodes of a tree that grew in order are half empty.
    backends: BTreeMap<BackendName, Box<BackendRecord>>,
    frontends: BTreeMap<FrontendName, FrontendRecord>,
    grace: StartupGrace,
    last_prober: ProberId,
    generation: Generation,
}

/// The state of every backend and frontend, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct States {
    /// Every backend.
    pub backends: Vec<(BackendName, State)>,
    /// Every frontend.
    pub frontends: Vec<(FrontendName, FrontendState)>,
}

/// A backend and what is known of it.
#[derive(Debug)]
struct BackendRecord {
    settings: Arc<Backend>,
    prober: ProberId,
    /// Where it is; `None` while its name has not been resolved.
    address: Option<IpAddr>,
    /// Why its name does not resolve; `None`: it does, or is none.
    unresolved: Option<String>,
    /// What an operator wants in place of the file's `enabled`.
    admin: Option<Admin>,
    state: State,
    judged: bool,
    flush: FlushSeq,
    history: VecDeque<Transition<State>>,
    /// Transitions so far, by where from and where to.
    moved: Moves,
    /// The frontends that use it.
    frontends: Vec<FrontendName>,
}

/// A frontend and what it should look like.
#[derive(Debug)]
struct FrontendRecord {
    overrides: WeightOverrides,
    decision: FrontendDecision,
    desired: Arc<DesiredFrontend>,
    /// Since when that is desired.
    since: Generation,
    /// VPP confirmed it.
    programmed: bool,
    /// VPP was read back, and a server has entries in the table.
    serving: bool,
}

impl ControllerState {
    /// The accepted configuration.
    #[must_use]
    pub fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// Numbers the present state of what is desired.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// What VPP should hold.
    #[must_use]
    pub fn desired(&self) -> Desired {
        let frontends = self.frontends.iter();
        let frontends =
            frontends.map(|(name, frontend)| (name.clone(), Arc::clone(&frontend.desired)));
        Desired { conf: self.config.lb.conf, frontends: frontends.collect() }
    }

    /// The state of every backend and frontend.
    #[must_use]
    pub fn states(&self) -> States {
        let backends = self.backends.iter().map(|(name, backend)| (name.clone(), backend.state));
        let frontends = self.frontends.iter();
        let frontends = frontends.map(|(name, frontend)| (name.clone(), frontend.decision.state));
        States { backends: backends.collect(), frontends: frontends.collect() }
    }

    /// A prober tells of a transition. One that was replaced is not heard.
    pub fn transitioned(
        &mut self,
        prober: ProberId,
        name: &BackendName,
        transition: Transition<State>,
    ) -> Vec<ControllerEffect> {
        let history = self.config.healthchecker.transition_history;
        let Some(backend) = self.backends.get_mut(name).filter(|known| known.prober == prober)
        else {
            return Vec::new();
        };
        backend.take(transition.clone(), history);
        let frontends = backend.frontends.clone();
        let why = format!("{name} {}", transition.to);
        let at = transition.at;
        let mut effects = vec![ControllerEffect::Publish(Event::Backend(name.clone(), transition))];
        self.recompute(&frontends, &why, at, &mut effects);
        effects
    }

    /// The Reconciler reports what VPP holds. What it says of an earlier
    /// generation is not taken for the present one.
    pub fn progressed(&mut self, generation: Generation, changes: Vec<FrontendProgress>) {
        for FrontendProgress { frontend, programmed, serving } in changes {
            if let Some(record) = self.frontends.get_mut(&frontend) {
                record.programmed = programmed && record.since <= generation;
                record.serving = serving;
            }
        }
    }

    /// The frontends that use a backend, and the generation that has what was
    /// last desired of them.
    ///
    /// # Errors
    /// There is no such backend.
    pub fn uses(&self, backend: &str) -> Result<(Vec<FrontendName>, Generation), CommandRefused> {
        let record = self.backends.get(backend);
        let record = record.ok_or_else(|| CommandRefused::NoBackend(backend.into()))?;
        Ok((record.frontends.clone(), self.generation))
    }

    /// From now on unknown backends count as down.
    pub fn expire_startup_grace(&mut self, at: SystemTime) -> Vec<ControllerEffect> {
        self.grace = StartupGrace::Over;
        let mut effects = Vec::new();
        let all: Vec<_> = self.frontends.keys().cloned().collect();
        self.recompute(&all, "startup-max-delay is over", at, &mut effects);
        effects
    }

    /// Decides these frontends anew, and has changed what differs from before.
    fn recompute(
        &mut self,
        names: &[FrontendName],
        why: &str,
        at: SystemTime,
        effects: &mut Vec<ControllerEffect>,
    ) {
        let mut changed = Vec::new();
        let generation = self.generation.next();
        for name in names {
            let (Some(record), Some(settings)) =
                (self.frontends.get_mut(name), self.config.frontends.get(name))
            else {
                continue;
            };
            let verdict = |name: &BackendName| self.backends.get(name).map(|known| known.verdict());
            let decision = desired(settings, &record.overrides, self.grace, verdict);
            let from = record.decision.state;
            let to = decision.state;
            if decision.desired != *record.desired {
                record.desired = Arc::new(decision.desired.clone());
                (record.since, record.programmed) = (generation, false);
                changed.push((name.clone(), Arc::clone(&record.desired)));
            }
            record.decision = decision;
            if from != to {
                let transition = Transition { from, to, at, why: why.into() };
                effects.push(ControllerEffect::Publish(Event::Frontend(name.clone(), transition)));
            }
        }
        if !changed.is_empty() {
            self.generation = generation;
            // Weight changes are sent before events are published.
            effects.insert(0, ControllerEffect::Desire(changed));
        }
    }
}

impl BackendRecord {
    /// What is wanted of it: the operator's word, or else the file's.
    fn admin(&self) -> Admin {
        self.admin.unwrap_or_else(|| file_admin(&self.settings))
    }

    fn verdict(&self) -> Verdict {
        let state = match (self.address, self.state) {
            // Nothing is known of a server that nobody knows where to find.
            (None, State::Up | State::Down) => State::Unknown,
            (_, state) => state,
        };
        Verdict { state, address: self.address, flush: self.flush }
    }

    fn take(&mut self, transition: Transition<State>, history: usize) {
        if asks_for_flush(transition.from, transition.to, !self.judged) {
            self.flush = self.flush.next();
        }
        self.judged |= matches!(transition.to, State::Up | State::Down);
        self.state = transition.to;
        count(&mut self.moved, (transition.from, transition.to));
        // Most backends never move again after their first verdict.
        self.history.reserve_exact(1);
        self.history.push_back(transition);
        while self.history.len() > history {
            self.history.pop_front();
        }
    }
}

/// Transitions by where from and where to, sorted.
pub type Moves = Vec<((State, State), u64)>;

/// Counts one more.
fn count(moves: &mut Moves, which: (State, State)) {
    match moves.binary_search_by_key(&which, |(which, _)| *which) {
        Ok(place) => moves[place].1 += 1,
        Err(place) => {
            // There are few of them, and of most backends one.
            moves.reserve_exact(1);
            moves.insert(place, (which, 1));
        }
    }
}

/// What the file wants of a backend.
fn file_admin(settings: &Backend) -> Admin {
    if settings.enabled { Admin::Enabled } else { Admin::Disabled }
}

/// The check of a backend.
fn check_of(config: &Config, backend: &Backend) -> Option<Arc<HealthCheck>> {
    let check = backend.check.as_ref().and_then(|name| config.checks.get(name));
    check.cloned()
}

/// The state of a backend before its prober has said anything.
fn first_state(check: Option<&HealthCheck>, admin: Admin) -> State {
    Health::new(check.map(|check| &check.timing), admin).state
}

/// A weight that the file gives, if it still names the place.
fn configured_weight(
    config: &Config,
    frontend: &FrontendName,
    (pool, backend): &(PoolName, BackendName),
) -> Option<Weight> {
    let frontend = config.frontends.get(frontend)?;
    frontend.pools.iter().find(|candidate| candidate.name == *pool)?.backends.get(backend).copied()
}

#[cfg(test)]
mod tests;
