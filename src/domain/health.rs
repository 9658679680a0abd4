//! The rise/fall state machine of one backend: it decides when the backend is
//! probed, and when its results become a verdict.
//!
//! A counter runs from 0 to rise+fall-1; the backend is up while it is at least
//! `rise`. A passed probe that reaches `rise` sets it to the maximum, and a failure
//! that takes it below `rise` sets it to 0, so that `rise` and `fall` count
//! *consecutive* results. This is HAProxy's rule (`check.c`). The failure that takes
//! a backend out of service must be evidence as well: see
//! [`evidence`](super::evidence).
//!
//! An unknown backend goes up at its first passed probe. It goes down at its first
//! failure, unless VPP serves it: then it needs `fall` failures and evidence, like a
//! backend that is up, so that one lost probe after a restart takes no server out of
//! service. What this machine could not probe (`SOCKERR`) counts for nothing.
//!
//! A backend that flaps may be kept out longer: see [`damping`].

use std::time::Duration;

use super::config::Timing;
use damping::FlapHistory;
use doubt::{Doubt, FailureStreak, JudgedProbe};
pub use input::{HealthEffects, HealthInput, NextProbe, RunId, StateChange, Trend};
pub use state::{Admin, State};

pub mod certificate;
pub mod damping;
pub mod doubt;
mod input;
pub mod probe_history;
pub mod probe_result;
pub mod probe_stats;
mod state;
mod verdict;

/// The state machine of one backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    pub state: State,
    /// 0 to rise+fall-1; the backend is up while it is at least `rise`.
    pub counter: u32,
    run: RunId,
    /// VPP serves this backend and it has no verdict yet.
    served: bool,
    /// True between `NextProbe::Probe` and its result.
    probing: bool,
    /// Another probe is due as soon as the one in progress ends.
    again: Option<Purpose>,
    /// That of the present wait or probe.
    purpose: Purpose,
    /// The failures since the last pass, as long as they need evidence.
    failing: Option<FailureStreak>,
    /// Why its last failures are no verdict.
    pub doubt: Option<Doubt>,
    doubts: u64,
    pub flaps: FlapHistory,
}

/// What a probe is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// For this backend's verdict.
    Verdict,
    /// As a witness of others. It came out of turn, so that its failure does not count.
    Witness,
}

impl Health {
    /// A backend without results. `timing` is `None` if it has no health check; then
    /// it is up whenever it is enabled. `served`: VPP serves it, or may do so.
    #[must_use]
    pub fn new(timing: Option<&Timing>, admin: Admin, served: bool) -> Self {
        let state = initial_state(timing, admin);
        let served = served && state == State::Unknown;
        let counter = initial_counter(timing, state, served);
        Self {
            state,
            counter,
            run: RunId(0),
            served,
            probing: false,
            again: None,
            purpose: Purpose::Verdict,
            failing: None,
            doubt: None,
            doubts: 0,
            flaps: FlapHistory::default(),
        }
    }

    /// Whether the state is one in which it is probed.
    #[must_use]
    pub fn is_probed(&self) -> bool {
        is_probed(self.state)
    }

    /// Whether a failure takes it out of service, so that it needs evidence.
    fn needs_evidence(&self) -> bool {
        self.state == State::Up || (self.state == State::Unknown && self.served)
    }

    fn is_current(&self, run: RunId) -> bool {
        self.run == run
    }

    fn next_run(&mut self) -> RunId {
        self.run.0 += 1;
        self.run
    }

    fn transition(&mut self, to: State, why: String) -> StateChange {
        self.served = false;
        (self.failing, self.doubt, self.flaps.damped) = (None, None, None);
        StateChange { from: std::mem::replace(&mut self.state, to), to, why }
    }
}

/// The state of a backend without results.
fn initial_state(timing: Option<&Timing>, admin: Admin) -> State {
    match admin {
        Admin::Paused => State::Paused,
        Admin::Disabled => State::Disabled,
        Admin::Enabled if timing.is_some() => State::Unknown,
        Admin::Enabled => State::Up,
    }
}

/// The counter of a backend without results. In `unknown` one passed probe makes it
/// up, and one failure down, or `fall` failures if VPP serves it.
fn initial_counter(timing: Option<&Timing>, state: State, served: bool) -> u32 {
    match (timing, state) {
        (Some(timing), State::Up) => max_counter(timing),
        (Some(timing), State::Unknown) if served => max_counter(timing),
        (Some(timing), State::Unknown) => timing.rise.get() - 1,
        _ => 0,
    }
}

fn max_counter(timing: &Timing) -> u32 {
    timing.rise.get() + timing.fall.get() - 1
}

/// Processes one input. `timing` is `None` if the backend has no health check.
/// `chance` is a random number from 0.0 to 1.0 that the caller draws: it selects the
/// time of the first probe, and varies every later wait by ±10 %.
#[must_use]
pub fn step(
    timing: Option<&Timing>,
    mut health: Health,
    input: HealthInput,
    chance: f64,
) -> (Health, HealthEffects) {
    let mut effects = HealthEffects::default();
    let doubted = health.doubt.as_ref().map(|doubt| (doubt.id, doubt.kind));
    let trend = health.trend(timing);
    let damped = health.flaps.damped;
    match input {
        HealthInput::Start { within } => {
            if timing.is_some() && is_probed(health.state) {
                effects.next = Some(NextProbe::Wait(health.next_run(), within.mul_f64(chance)));
            }
        }
        HealthInput::Due(run) if health.is_current(run) && !health.probing => {
            health.probing = true;
            effects.next = Some(NextProbe::Probe(run));
        }
        HealthInput::ProbeDone { run, result, took, ended, witness }
            if health.is_current(run) && health.probing =>
        {
            if let Some(timing) = timing {
                let began = ended.checked_sub(took).unwrap_or(ended);
                let done = JudgedProbe { result, began, ended, witness };
                let mut between = timing.fast_interval;
                if done.result.passed() || health.purpose == Purpose::Verdict {
                    effects.change = health.count_result(timing, &done);
                    effects.ask = health.asks_ahead(timing, &done);
                    between = interval(timing, &health);
                }
                let wait = match health.again {
                    None => jittered(between, chance).saturating_sub(took),
                    Some(_) => Duration::ZERO,
                };
                let left = health.flaps.damped.map(|damped| damped.left(ended));
                let wait = left.map_or(wait, |left| wait.min(left));
                health.purpose = health.again.unwrap_or(Purpose::Verdict);
                effects.next = Some(NextProbe::Wait(health.next_run(), wait));
            }
            (health.probing, health.again) = (false, None);
        }
        HealthInput::ProbeNow => {
            if timing.is_some() && is_probed(health.state) {
                effects = probe_within(&mut health, Duration::ZERO, Purpose::Witness);
            }
        }
        HealthInput::PeerChanged(to) => {
            // A probe in progress will say it.
            if health.trend(timing) == Some(Trend { to, is_last: true }) && !health.probing {
                effects = probe_within(&mut health, Duration::ZERO, Purpose::Verdict);
            }
        }
        HealthInput::PeerTrend { to, within, since_last, left } => {
            if let Some(timing) = timing
                && health.may_follow(to)
            {
                let least = (timing.fast_interval / 2).saturating_sub(since_last);
                let wait = within.mul_f64(chance).max(least);
                if health.purpose == Purpose::Witness {
                    // It was asked for another already.
                    health.purpose = Purpose::Verdict;
                } else if !health.probing && wait < left {
                    effects = probe_within(&mut health, wait, Purpose::Verdict);
                }
            }
        }
        HealthInput::Judged(id, judgement) => {
            if let Some(timing) = timing
                && health.doubt.as_ref().is_some_and(|doubt| doubt.id == id)
            {
                effects = health.judge(timing, judgement, chance);
            }
        }
        // The result of a cancelled probe, and a cancelled wait, never count.
        HealthInput::Due(_) | HealthInput::ProbeDone { .. } => {}
        HealthInput::Administer { admin, why, within } => {
            let was_damped = std::mem::take(&mut health.flaps).damped.is_some();
            let to = initial_state(timing, admin);
            let already = match admin {
                Admin::Enabled => is_probed(health.state),
                _ => health.state == to,
            };
            if !already {
                effects = restart(timing, &mut health, to, why, within.mul_f64(chance));
            } else if let (Some(timing), true) = (timing, was_damped) {
                effects.change = Some(health.return_now(timing, why));
            }
        }
        HealthInput::EndDamping { why } => {
            if let (Some(timing), Some(_)) = (timing, health.flaps.damped) {
                effects.change = Some(health.return_now(timing, why));
            }
        }
        HealthInput::Served(served) => {
            if health.state == State::Unknown && health.served != served {
                health.served = served;
                health.counter = initial_counter(timing, health.state, served);
                (health.failing, health.doubt) = (None, None);
            }
        }
        HealthInput::CheckChanged => {
            // The new check starts from the old verdict; starting from unknown
            // would take a serving backend out of service.
            let state = match timing {
                None if is_probed(health.state) => State::Up,
                _ => health.state,
            };
            let wait = timing.map_or(Duration::ZERO, |timing| timing.fast_interval);
            let why = "health check changed".into();
            effects = restart(timing, &mut health, state, why, wait.mul_f64(chance));
        }
        HealthInput::Remove => {
            let why = "no longer configured".into();
            effects = restart(None, &mut health, State::Removed, why, Duration::ZERO);
        }
    }
    if doubted != health.doubt.as_ref().map(|doubt| (doubt.id, doubt.kind)) {
        effects.doubt = Some(health.doubt.clone());
    }
    if effects.change.is_none() {
        effects.damped = (health.flaps.damped != damped).then_some(health.flaps.damped);
        let next = health.trend(timing);
        effects.trend = (next != trend).then_some(next);
    }
    (health, effects)
}

fn is_probed(state: State) -> bool {
    matches!(state, State::Unknown | State::Up | State::Down)
}

/// Has the next probe start within this time, or as soon as the one in progress ends.
fn probe_within(health: &mut Health, wait: Duration, purpose: Purpose) -> HealthEffects {
    if health.probing {
        health.again = Some(purpose);
        return HealthEffects::default();
    }
    health.purpose = purpose;
    let next = Some(NextProbe::Wait(health.next_run(), wait));
    HealthEffects { cancel: true, next, ..HealthEffects::default() }
}

/// Cancels the wait or probe in progress and restarts in state `to`, with a probe
/// after `wait` if that state is probed.
fn restart(
    timing: Option<&Timing>,
    health: &mut Health,
    to: State,
    why: String,
    wait: Duration,
) -> HealthEffects {
    let run = health.next_run();
    (health.probing, health.again) = (false, None);
    health.purpose = Purpose::Verdict;
    (health.failing, health.doubt, health.flaps.damped) = (None, None, None);
    health.counter = initial_counter(timing, to, health.served && to == health.state);
    HealthEffects {
        cancel: true,
        change: (to != health.state).then(|| health.transition(to, why)),
        next: (timing.is_some() && is_probed(to)).then_some(NextProbe::Wait(run, wait)),
        ..HealthEffects::default()
    }
}

/// The time between the starts of two probes.
fn interval(timing: &Timing, health: &Health) -> Duration {
    match health.counter {
        _ if health.state == State::Unknown => timing.fast_interval,
        _ if health.flaps.damped.is_some() => timing.interval,
        _ if health.doubt.as_ref().is_some_and(Doubt::awaits_a_pass) => timing.fast_interval,
        0 => timing.down_interval,
        counter if counter == max_counter(timing) => timing.interval,
        _ => timing.fast_interval,
    }
}

/// Varies `wait` by ±10 %, so that backends that started together are not probed together.
fn jittered(wait: Duration, chance: f64) -> Duration {
    wait.mul_f64(0.9 + 0.2 * chance)
}

#[cfg(test)]
mod tests;
