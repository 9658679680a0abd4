//! Decides what the Controller does: which backends are probed, what each frontend
//! should look like in VPP, and which events are published.
//!
//! [`ControllerState`] holds the configuration, the operators' overrides and the
//! state of each backend. Its methods take transitions and commands and return
//! effects for the actor to execute.

mod announce_news;
mod announcing;
mod certificates;
mod commands;
mod damping;
mod draining;
mod effects;
mod evidence;
mod fail_open;
mod grace;
mod inheritance;
mod intent;
mod names;
mod overriding;
mod peers;
mod predict;
mod progress;
mod reload;
mod reload_guard;
mod reload_queue;
mod served;
mod situations;
mod slow_start;
mod views;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::config::{Backend, Config, HealthCheck};
use super::drain::FollowedDrains;
use super::events::{Change, Event, Transition};
use super::evidence::doubts::Doubts;
use super::evidence::hold::HoldStats;
use super::health::certificate::CertificateView;
use super::health::damping::DampingView;
use super::health::doubt::DoubtView;
use super::health::{Admin, Health, State, Trend};
use super::names::{BackendName, FrontendName, PoolName};
use super::prober_id::ProberId;
use super::reconcile::Generation;
use crate::domain::balancing::fail_open::FailOpenMemory;
use crate::domain::balancing::slow_start::{Ramp, RampId};
use crate::domain::balancing::weights::{
    DesiredFrontend, FlushSeq, FrontendDecision, FrontendState, StartupGrace, Verdict, desired,
    requests_flush,
};
use crate::domain::dataplane::net::{Vip, Weight};
use crate::domain::dataplane::plan::Desired;
use crate::domain::overrides::{OverrideSet, configured_admin};
use announce_news::AnnounceNews;
pub use commands::{AnnounceSubject, OperatorCommand, OverrideCommand};
pub use effects::{
    AdminCommand, CommandRefused, ControllerEffect, InheritedVerdict, ProberSettings, ReloadId,
};
pub use predict::WeightPrediction;
pub use reload_guard::ExcessiveChange;
pub use reload_queue::{ReloadQueue, ReloadStatus};
use served::ServedAddresses;
pub use views::{BackendView, FrontendView, PoolBackendView, PoolView};

/// See the module's description.
#[derive(Debug)]
pub struct ControllerState {
    config: Arc<Config>,
    /// Boxed, since a tree that is filled in order has half empty nodes.
    backends: BTreeMap<BackendName, Box<BackendRecord>>,
    frontends: BTreeMap<FrontendName, FrontendRecord>,
    overrides: OverrideSet,
    /// That of the backends the daemon started with.
    grace: StartupGrace,
    last_reload: ReloadId,
    reload_status: ReloadStatus,
    served: ServedAddresses,
    drains: FollowedDrains,
    last_ramp: RampId,
    doubts: Doubts,
    holds: HoldStats,
    /// The probers that this machine cannot probe for.
    unable: BTreeSet<ProberId>,
    /// Of the backends whose results lead to another state if they go on.
    trends: BTreeMap<ProberId, Trend>,
    /// The backend that was asked last to be a witness.
    last_asked: Option<BackendName>,
    last_prober: ProberId,
    generation: Generation,
    announce: AnnounceNews,
}

/// The state of every backend and frontend, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct States {
    pub backends: Vec<(BackendName, State)>,
    pub frontends: Vec<(FrontendName, FrontendState)>,
}

/// A configured backend and its state.
#[derive(Clone, Debug)]
struct BackendRecord {
    settings: Arc<Backend>,
    prober: ProberId,
    /// `None` until its name is resolved.
    address: Option<IpAddr>,
    /// Why its name does not resolve.
    unresolved: Option<String>,
    /// The operator's override, or else what the file says.
    admin: Admin,
    state: State,
    /// Its prober has reported up or down since it started.
    has_verdict: bool,
    /// Its last failures are no verdict.
    doubt: Option<DoubtView>,
    /// It passes again, and its return waits.
    damping: Option<DampingView>,
    certificate: Option<CertificateView>,
    /// It is down, and that was its prober's first verdict.
    first_down: bool,
    /// An operator or the file has taken it into use again, and it had no result since.
    resumed: bool,
    /// The operator who did so asked for a slow start.
    resumed_slowly: bool,
    /// The reload that brought it, until its state is known or the reload's grace is over.
    waits_since: Option<ReloadId>,
    flush: FlushSeq,
    /// Its drain has VPP forget its flows although it is paused.
    drain_flushes: bool,
    history: VecDeque<Transition<State>>,
    transition_counts: TransitionCounts,
    /// The frontends that use it.
    frontends: Vec<FrontendName>,
}

/// A configured frontend and what was decided for it.
#[derive(Debug)]
struct FrontendRecord {
    decision: FrontendDecision,
    fail_open: FailOpenMemory,
    /// When its backends were last probed for the sake of one that may go down or up.
    alerted: BTreeMap<State, Instant>,
    /// Since when it fails open, while it does.
    open_since: Option<SystemTime>,
    desired: Arc<DesiredFrontend>,
    /// The first generation with this desired state.
    since: Generation,
    /// VPP confirmed the writes of this desired state.
    programmed: bool,
    /// VPP was read back as desired, and a server has entries in the table.
    serving: bool,
    /// The servers that its VIP had before the last reload that brought a backend of
    /// it, and that got flows.
    served: BTreeSet<IpAddr>,
    /// Since when the pool serves that does.
    serving_since: Option<SystemTime>,
    /// The backends that start slowly.
    ramps: BTreeMap<BackendName, Ramp>,
}

impl ControllerState {
    #[must_use]
    pub fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// The generation of the present desired state.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.generation
    }

    #[must_use]
    pub fn desired(&self) -> Desired {
        let frontends = self.frontends.iter();
        let frontends =
            frontends.map(|(name, frontend)| (name.clone(), Arc::clone(&frontend.desired)));
        Desired { conf: self.config.lb.conf, frontends: frontends.collect() }
    }

    #[must_use]
    pub fn states(&self) -> States {
        let backends = self.backends.iter().map(|(name, backend)| (name.clone(), backend.state));
        let frontends = self.frontends.iter();
        let frontends = frontends.map(|(name, frontend)| (name.clone(), frontend.decision.state));
        States { backends: backends.collect(), frontends: frontends.collect() }
    }

    /// Processes a transition that a prober reports. Reports of a prober that was
    /// replaced are ignored.
    pub fn transitioned(
        &mut self,
        prober: ProberId,
        name: &BackendName,
        transition: Transition<State>,
        now: Instant,
    ) -> Vec<ControllerEffect> {
        let history = self.config.healthchecker.transition_history;
        let Some(backend) = self.backends.get_mut(name).filter(|record| record.prober == prober)
        else {
            return Vec::new();
        };
        let resumed_slowly = backend.resumed_slowly;
        // A prober that goes on to its first result is still being resumed.
        backend.resumed_slowly &= transition.to == State::Unknown;
        backend.record(transition.clone(), history);
        let frontends = backend.frontends.clone();
        let why = format!("{name} {}", transition.to);
        let (at, to) = (transition.at, transition.to);
        let mut effects = Vec::new();
        self.ramp_after(name, (&transition, resumed_slowly), &mut effects);
        effects.insert(0, ControllerEffect::Publish(Event::Backend(name.clone(), transition)));
        self.recompute(&frontends, &why, at, &mut effects);
        self.end_needless_damping(&frontends, &mut effects);
        self.trends.remove(&prober);
        if to == State::Up {
            self.note_passing(name);
        }
        self.alert_peers(name, to, now, &mut effects);
        self.hasten_peers(name, to, &mut effects);
        effects
    }

    /// Decides these frontends again and appends effects for those that changed.
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
            let verdict = |name: &BackendName| {
                let backend = self.backends.get(name)?;
                Some(record.of_frontend(name, backend.verdict(self.grace, &record.served)))
            };
            let weights = self.overrides.weights_of(name.as_str());
            let decision = desired(settings, &weights, &record.fail_open, verdict);
            let from = record.decision.state;
            let to = decision.state;
            if decision.active_pool != record.decision.active_pool {
                record.serving_since = decision.active_pool.map(|_| at);
            }
            if decision.desired != *record.desired {
                record.desired = Arc::new(decision.desired.clone());
                (record.since, record.programmed) = (generation, false);
                changed.push((name.clone(), Arc::clone(&record.desired)));
            }
            record.decision = decision;
            self.announce.note(name);
            if from != to {
                let transition = Transition { from, to, at, why: why.into() };
                effects.push(ControllerEffect::Publish(Event::Frontend(name.clone(), transition)));
            }
            let change = record.note_fail_open(name, settings, why, at);
            effects.extend(change.map(|it| ControllerEffect::Publish(Event::FailOpen(it.into()))));
        }
        if !changed.is_empty() {
            self.generation = generation;
            // Weight changes are sent before events are published.
            effects.insert(0, ControllerEffect::Desire(changed));
        }
    }
}

impl BackendRecord {
    /// The verdict as far as a frontend depends on it. `startup`: the grace of those
    /// that the daemon started with; `served`: the servers of the frontend's VIP that
    /// got flows before the last reload.
    fn verdict(&self, startup: StartupGrace, served: &BTreeSet<IpAddr>) -> Verdict {
        let state = match (self.address, self.state) {
            // Without an address there is no server to be up or down.
            (None, State::Up | State::Down) => State::Unknown,
            (_, state) => state,
        };
        let was_served = || self.address.is_none_or(|address| served.contains(&address));
        // What cannot be judged is waited for.
        let waits = self.doubt.is_some() || (self.waits_since.is_some() && was_served());
        let grace = if waits { StartupGrace::Waiting } else { startup };
        let is_new = state == State::Unknown && (self.resumed || self.waits_since.is_some());
        let Self { address, flush, first_down, drain_flushes, .. } = *self;
        Verdict { state, address, flush, drain_flushes, first_down, is_new, grace, ramp: None }
    }

    fn record(&mut self, transition: Transition<State>, history: usize) {
        if requests_flush(transition.from, transition.to, !self.has_verdict) {
            self.flush = self.flush.next();
        }
        self.first_down = transition.to == State::Down && !self.has_verdict;
        self.resumed = transition.to == State::Unknown;
        self.waits_since = self.waits_since.filter(|_| transition.to == State::Unknown);
        self.has_verdict |= matches!(transition.to, State::Up | State::Down);
        self.state = transition.to;
        (self.doubt, self.damping) = (None, None);
        count(&mut self.transition_counts, (transition.from, transition.to));
        self.remember(transition, history);
    }

    fn remember(&mut self, transition: Transition<State>, history: usize) {
        // Most backends have no further transition after their first verdict.
        self.history.reserve_exact(1);
        self.history.push_back(transition);
        while self.history.len() > history {
            self.history.pop_front();
        }
    }
}

/// The number of transitions by (from, to), sorted.
pub type TransitionCounts = Vec<((State, State), u64)>;

fn count(counts: &mut TransitionCounts, transition: (State, State)) {
    match counts.binary_search_by_key(&transition, |(transition, _)| *transition) {
        Ok(index) => counts[index].1 += 1,
        Err(index) => {
            // There are few kinds, and for most backends only one.
            counts.reserve_exact(1);
            counts.insert(index, (transition, 1));
        }
    }
}

fn check_of(config: &Config, backend: &Backend) -> Option<Arc<HealthCheck>> {
    let check = config.checks.get(backend.check.as_ref()?)?;
    match backend.port {
        // Shared by all backends of the check, but for those with a port of their own.
        Some(port) if check.kind.port() != Some(port) => Some(Arc::new(check.at_port(port))),
        _ => Some(Arc::clone(check)),
    }
}

/// The state of a backend before its prober's first report.
fn initial_state(check: Option<&HealthCheck>, admin: Admin) -> State {
    Health::new(check.map(|check| &check.timing), admin, false).state
}

#[cfg(test)]
mod tests;
