//! The rise/fall state machine of one backend: it decides when the backend is
//! probed, and when its results become a verdict.
//!
//! A counter runs from 0 to rise+fall-1; the backend is up while it is at least
//! `rise`. A passed probe that reaches `rise` sets it to the maximum, and a failure
//! that takes it below `rise` sets it to 0, so that `rise` and `fall` count
//! *consecutive* results. This is HAProxy's rule (`check.c`).
//!
//! An unknown backend goes up at its first passed probe. It goes down at its first
//! failure, unless VPP serves it: then it needs `fall` failures, like a backend that
//! is up, so that one lost probe after a restart takes no server out of service.

use std::fmt;
use std::time::Duration;

use super::config::Timing;
use probe_result::ProbeResult;

pub mod probe_result;
pub mod probe_stats;

/// The state of a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Not probed yet, or not yet since it was resumed.
    Unknown,
    Up,
    /// It failed its health check.
    Down,
    /// Not probed; established flows stay.
    Paused,
    /// Not probed; established flows are flushed.
    Disabled,
    /// No longer configured.
    Removed,
}

impl State {
    /// All states, in the order of listings.
    pub const ALL: [Self; 6] =
        [Self::Unknown, Self::Up, Self::Down, Self::Paused, Self::Disabled, Self::Removed];

    /// The name in the API, the logs and the metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Down => "down",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
            Self::Removed => "removed",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The administrative state of a backend, set by the file or by an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admin {
    /// Probed and used.
    Enabled,
    /// No probes, no new flows.
    Paused,
    /// No probes, no flows.
    Disabled,
}

impl Admin {
    /// The name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
        }
    }
}

/// Identifies one probe of a backend and the wait before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(u64);

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
}

/// The inputs of [`step`].
#[derive(Clone, Debug, PartialEq)]
pub enum HealthInput {
    /// The prober has started.
    Start {
        /// The first probe starts at a random time within this span, so that
        /// backends that start together are not probed at the same time.
        within: Duration,
    },
    /// The wait before the probe is over.
    Due(RunId),
    ProbeDone {
        run: RunId,
        result: ProbeResult,
        took: Duration,
    },
    /// The administrative state changed; `why` is the reason for logs and events. A
    /// first probe that follows starts within this time.
    Administer {
        admin: Admin,
        why: String,
        within: Duration,
    },
    /// VPP was read: whether it serves this backend.
    Served(bool),
    /// The health check, the namespace or the address changed, probably that of many
    /// backends: the next probe starts at a random time within the fast interval. The
    /// verdict is kept.
    CheckChanged,
    /// The backend is no longer configured.
    Remove,
}

/// The effects of a step, to be executed in the order of the fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HealthEffects {
    /// Cancel the wait or the probe in progress.
    pub cancel: bool,
    pub change: Option<StateChange>,
    pub next: Option<NextProbe>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateChange {
    pub from: State,
    pub to: State,
    /// The reason, for logs and events.
    pub why: String,
}

/// What the prober of a backend does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextProbe {
    /// Wait for this time, then step with `HealthInput::Due`.
    Wait(RunId, Duration),
    /// Probe, then step with `HealthInput::ProbeDone`.
    Probe(RunId),
}

impl Health {
    /// A backend without results. `timing` is `None` if it has no health check; then
    /// it is up whenever it is enabled. `served`: VPP serves it, or may do so.
    #[must_use]
    pub fn new(timing: Option<&Timing>, admin: Admin, served: bool) -> Self {
        let state = initial_state(timing, admin);
        let served = served && state == State::Unknown;
        let counter = initial_counter(timing, state, served);
        Self { state, counter, run: RunId(0), served, probing: false }
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
        HealthInput::ProbeDone { run, result, took }
            if health.is_current(run) && health.probing =>
        {
            if let Some(timing) = timing {
                effects.change = count_result(timing, &mut health, &result);
                let wait = jittered(interval(timing, &health), chance).saturating_sub(took);
                effects.next = Some(NextProbe::Wait(health.next_run(), wait));
            }
            health.probing = false;
        }
        // The result of a cancelled probe, and a cancelled wait, never count.
        HealthInput::Due(_) | HealthInput::ProbeDone { .. } => {}
        HealthInput::Administer { admin, why, within } => {
            let to = initial_state(timing, admin);
            let already = match admin {
                Admin::Enabled => is_probed(health.state),
                _ => health.state == to,
            };
            if !already {
                effects = restart(timing, &mut health, to, why, within.mul_f64(chance));
            }
        }
        HealthInput::Served(served) => {
            if health.state == State::Unknown && health.served != served {
                health.served = served;
                health.counter = initial_counter(timing, health.state, served);
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
    (health, effects)
}

fn is_probed(state: State) -> bool {
    matches!(state, State::Unknown | State::Up | State::Down)
}

/// Counts one result. Returns the state change if the verdict changes.
fn count_result(timing: &Timing, health: &mut Health, result: &ProbeResult) -> Option<StateChange> {
    let rise = timing.rise.get();
    let next = if result.passed() { health.counter + 1 } else { health.counter.saturating_sub(1) };
    health.counter = match (result.passed(), next >= rise) {
        (true, true) => max_counter(timing),
        (false, false) => 0,
        _ => next,
    };
    let verdict = match (health.counter >= rise, health.state) {
        // Failures of an unknown backend that VPP serves: fewer than `fall` so far.
        (true, State::Unknown) if !result.passed() => State::Unknown,
        (true, _) => State::Up,
        (false, _) => State::Down,
    };
    (verdict != health.state).then(|| health.transition(verdict, result.to_string()))
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
    health.probing = false;
    health.counter = initial_counter(timing, to, health.served && to == health.state);
    HealthEffects {
        cancel: true,
        change: (to != health.state).then(|| health.transition(to, why)),
        next: (timing.is_some() && is_probed(to)).then_some(NextProbe::Wait(run, wait)),
    }
}

/// The time between the starts of two probes.
fn interval(timing: &Timing, health: &Health) -> Duration {
    match health.counter {
        _ if health.state == State::Unknown => timing.fast_interval,
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
