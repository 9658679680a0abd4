//! The rise/fall machine of one backend: when it is probed, and when a row of
//! results becomes a verdict.
//!
//! One counter runs from 0 to rise+fall-1 and the backend is up while it is at
//! least `rise`. A pass that reaches `rise` snaps it to the top, a failure that
//! drops it below `rise` snaps it to 0, so that `rise` and `fall` mean
//! *consecutive* results. This is HAProxy's rule (`check.c`).

use std::fmt;
use std::time::Duration;

use super::config::Timing;
use probe_result::ProbeResult;

pub mod probe_result;
pub mod probe_stats;

/// What is known of a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Not probed yet, or not again since it was resumed.
    Unknown,
    /// Takes flows.
    Up,
    /// Failed its health check.
    Down,
    /// Held by an operator; not probed, established flows go on.
    Paused,
    /// Switched off; not probed, established flows are forgotten.
    Disabled,
    /// No longer configured.
    Removed,
}

impl State {
    /// Every state, in the order of listings.
    pub const ALL: [Self; 6] =
        [Self::Unknown, Self::Up, Self::Down, Self::Paused, Self::Disabled, Self::Removed];

    /// The word of the API, the logs and the metrics.
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

/// What the operator and the file want done with a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admin {
    /// Probe it and use it.
    Enabled,
    /// Hold it: no probes, no new flows.
    Paused,
    /// Switch it off: no probes, no flows.
    Disabled,
}

impl Admin {
    /// The word of the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
        }
    }
}

/// Tells one probe, and one wait for it, from all others of its backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Run(u64);

/// What the machine remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The verdict.
    pub state: State,
    /// 0 to rise+fall-1; up while it is at least `rise`.
    pub counter: u32,
    run: Run,
    /// True between `NextProbe::Probe` and its result.
    probing: bool,
}

/// What can happen to a backend. `timing` being `None` says that it has no
/// health check, and is up whenever it is enabled.
#[derive(Clone, Debug, PartialEq)]
pub enum HealthInput {
    /// The prober has started.
    Start {
        /// The first probe is made within this time at a place that chance
        /// chooses, so that backends started together are not probed in step.
        within: Duration,
    },
    /// The wait of this run is over.
    Due(Run),
    /// The probe of this run ended.
    Found {
        /// The run that was probed.
        run: Run,
        /// What it found.
        result: ProbeResult,
        /// How long it took.
        took: Duration,
    },
    /// The operator, or the file, wants this now.
    Administer {
        /// What is wanted.
        admin: Admin,
        /// Who wants it, for people.
        why: String,
    },
    /// The health check has changed and the verdict on the backend has not.
    CheckChanged,
    /// The backend is no longer configured.
    Remove,
}

/// What is to be done, in the order of the fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HealthEffects {
    /// Drop the wait or the probe that is under way.
    pub cancel: bool,
    /// Tell everybody.
    pub change: Option<StateChange>,
    /// What comes next.
    pub next: Option<NextProbe>,
}

/// A new state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateChange {
    /// The state until now.
    pub from: State,
    /// The state from now on.
    pub to: State,
    /// What brought it about, for people.
    pub why: String,
}

/// What a backend that is probed waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextProbe {
    /// Give `HealthInput::Due(run)` back after this time.
    Wait(Run, Duration),
    /// Probe, and give `HealthInput::Found` back with this run.
    Probe(Run),
}

impl Health {
    /// A backend of which nothing is known but what the file and the operator
    /// want. Without a health check it is up.
    #[must_use]
    pub fn new(timing: Option<&Timing>, admin: Admin) -> Self {
        let state = resting_state(timing, admin);
        Self { state, counter: resting_counter(timing, state), run: Run(0), probing: false }
    }

    /// Whether `run` is the one that counts.
    fn is_current(&self, run: Run) -> bool {
        self.run == run
    }

    fn next_run(&mut self) -> Run {
        self.run.0 += 1;
        self.run
    }

    fn turn(&mut self, to: State, why: String) -> StateChange {
        StateChange { from: std::mem::replace(&mut self.state, to), to, why }
    }
}

/// The state of a backend that has no results yet.
fn resting_state(timing: Option<&Timing>, admin: Admin) -> State {
    match admin {
        Admin::Paused => State::Paused,
        Admin::Disabled => State::Disabled,
        Admin::Enabled if timing.is_some() => State::Unknown,
        Admin::Enabled => State::Up,
    }
}

/// Where the counter stands before the next result. In `unknown` one pass is
/// enough for up, and one failure for down.
fn resting_counter(timing: Option<&Timing>, state: State) -> u32 {
    match (timing, state) {
        (Some(timing), State::Up) => top(timing),
        (Some(timing), State::Unknown) => timing.rise.get() - 1,
        _ => 0,
    }
}

/// The highest value of the counter.
fn top(timing: &Timing) -> u32 {
    timing.rise.get() + timing.fall.get() - 1
}

/// Takes one input. `chance` is drawn by the caller from 0.0 to 1.0: it places
/// the first probe in the time given, and spreads every later wait over ±10 %.
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
        HealthInput::Found { run, result, took } if health.is_current(run) && health.probing => {
            if let Some(timing) = timing {
                effects.change = judge(timing, &mut health, &result);
                let wait = jittered(interval(timing, &health), chance).saturating_sub(took);
                effects.next = Some(NextProbe::Wait(health.next_run(), wait));
            }
            health.probing = false;
        }
        // Results and waits of a run that was cancelled never count.
        HealthInput::Due(_) | HealthInput::Found { .. } => {}
        HealthInput::Administer { admin, why } => {
            let to = resting_state(timing, admin);
            let already = match admin {
                Admin::Enabled => is_probed(health.state),
                _ => health.state == to,
            };
            if !already {
                effects = restart(timing, &mut health, to, why);
            }
        }
        HealthInput::CheckChanged => {
            // A new check of the same server begins with the old verdict: to
            // forget it would take a serving backend out of service.
            let state = match timing {
                None if is_probed(health.state) => State::Up,
                _ => health.state,
            };
            effects = restart(timing, &mut health, state, "health check changed".into());
        }
        HealthInput::Remove => {
            effects = restart(None, &mut health, State::Removed, "no longer configured".into());
        }
    }
    (health, effects)
}

/// Whether a backend in this state is probed.
fn is_probed(state: State) -> bool {
    matches!(state, State::Unknown | State::Up | State::Down)
}

/// Counts one result, and tells if it makes a verdict.
fn judge(timing: &Timing, health: &mut Health, result: &ProbeResult) -> Option<StateChange> {
    let rise = timing.rise.get();
    let moved = if result.passed() { health.counter + 1 } else { health.counter.saturating_sub(1) };
    health.counter = match (result.passed(), moved >= rise) {
        (true, true) => top(timing),
        (false, false) => 0,
        _ => moved,
    };
    let verdict = if health.counter >= rise { State::Up } else { State::Down };
    // A first pass short of `rise` leaves a down backend down, and there is no
    // such thing for an unknown one: it stands one short of `rise`.
    (verdict != health.state).then(|| health.turn(verdict, result.to_string()))
}

/// Drops what is under way and starts over in `to`, with a probe at once where
/// the state asks for one.
fn restart(timing: Option<&Timing>, health: &mut Health, to: State, why: String) -> HealthEffects {
    let run = health.next_run();
    health.probing = false;
    health.counter = resting_counter(timing, to);
    HealthEffects {
        cancel: true,
        change: (to != health.state).then(|| health.turn(to, why)),
        next: (timing.is_some() && is_probed(to)).then_some(NextProbe::Wait(run, Duration::ZERO)),
    }
}

/// Between the starts of two probes, as the counter stands.
fn interval(timing: &Timing, health: &Health) -> Duration {
    match health.counter {
        _ if health.state == State::Unknown => timing.fast_interval,
        0 => timing.down_interval,
        counter if counter == top(timing) => timing.interval,
        _ => timing.fast_interval,
    }
}

/// `wait` ±10 %, so that backends that were started together drift apart.
fn jittered(wait: Duration, chance: f64) -> Duration {
    wait.mul_f64(0.9 + 0.2 * chance)
}

#[cfg(test)]
mod tests;
