//! When a driver reads and writes. One run is under way at a time; what comes
//! meanwhile is kept as the newest wanted set, so that any number of changes cost one
//! further run. A run that failed is tried again after a growing pause, and without
//! any cause everything is read again at intervals.
//!
//! Before the first wanted set a run only reads: nothing is written until somebody
//! knows what is to be there.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::placement::WantedRoutes;

/// The pause after the first failure; it doubles with each further one.
pub const FIRST_RETRY: Duration = Duration::from_millis(100);
/// The longest pause after a failure.
pub const LAST_RETRY: Duration = Duration::from_secs(5);
/// Between a run and one that a change by others asks for.
pub const CHANGE_PAUSE: Duration = Duration::from_millis(20);

/// The state of one driver's runs.
#[derive(Debug)]
pub struct DriverLoop {
    wanted: Option<Arc<WantedRoutes>>,
    interval: Duration,
    phase: LoopPhase,
    /// Failed runs in a row.
    failures: u32,
    last_good_read: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
enum LoopPhase {
    /// A run begins at `due`, if nothing asks for an earlier one. `ended` is the end
    /// of the last run.
    Waiting {
        due: Instant,
        ended: Option<Instant>,
    },
    Running(PendingRun),
}

/// What has come during a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum PendingRun {
    Nothing,
    /// Something was changed, perhaps by the run itself.
    Change,
    /// Another set is wanted.
    Wanted,
}

#[derive(Clone, Debug)]
pub enum LoopInput {
    /// Begins: reads what there is.
    Started,
    /// The whole set, in place of the one before.
    WantedReplaced(WantedRoutes),
    /// The driver's watch tells that something moved.
    Changed,
    TimerFired,
    /// The run under way is over; `chance` is drawn from 0 to 1.
    RunEnded {
        outcome: RunOutcome,
        chance: f64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunOutcome {
    /// What there is was read at the end, and nothing is left to do.
    Complete,
    /// It was read, and something is not as it is wanted.
    Incomplete,
    /// It could not be read.
    Unread,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoopEffect {
    /// Begin a run that only reads.
    Read,
    /// Begin a run that makes the routes what is wanted.
    Apply(Arc<WantedRoutes>),
    /// Send [`LoopInput::TimerFired`] at this time, in place of any time before.
    SetTimer(Instant),
}

impl DriverLoop {
    /// `interval` passes between runs that nothing asks for.
    #[must_use]
    pub fn new(interval: Duration, now: Instant) -> Self {
        let phase = LoopPhase::Waiting { due: now, ended: None };
        Self { wanted: None, interval, phase, failures: 0, last_good_read: None }
    }

    /// Advances by one input.
    #[must_use]
    pub fn step(&mut self, input: LoopInput, now: Instant) -> Vec<LoopEffect> {
        match input {
            LoopInput::Started => self.ask(PendingRun::Wanted, now),
            LoopInput::WantedReplaced(wanted) => {
                let is_new = self.wanted.as_deref() != Some(&wanted);
                self.wanted = Some(Arc::new(wanted));
                if is_new { self.ask(PendingRun::Wanted, now) } else { Vec::new() }
            }
            LoopInput::Changed => self.ask(PendingRun::Change, now),
            LoopInput::TimerFired => match self.phase {
                LoopPhase::Waiting { due, .. } if due <= now => vec![self.run()],
                LoopPhase::Waiting { due, .. } => vec![LoopEffect::SetTimer(due)],
                LoopPhase::Running(_) => Vec::new(),
            },
            LoopInput::RunEnded { outcome, chance } => self.ended(outcome, chance, now),
        }
    }

    /// Since the routes were read last; `None`: never.
    #[must_use]
    pub fn since_good_read(&self, now: Instant) -> Option<Duration> {
        self.last_good_read.map(|read| now.saturating_duration_since(read))
    }

    /// What is wanted; `None`: nobody has said so yet.
    #[must_use]
    pub fn wanted(&self) -> Option<&WantedRoutes> {
        self.wanted.as_deref()
    }

    fn ask(&mut self, pending: PendingRun, now: Instant) -> Vec<LoopEffect> {
        match (&mut self.phase, pending) {
            (LoopPhase::Running(known), _) => {
                *known = pending.max(*known);
                Vec::new()
            }
            (LoopPhase::Waiting { .. }, PendingRun::Wanted) => vec![self.run()],
            (LoopPhase::Waiting { due, ended }, _) => {
                let soon = ended.map_or(now, |ended| now.max(ended + CHANGE_PAUSE));
                *due = soon.min(*due);
                if *due <= now { vec![self.run()] } else { vec![LoopEffect::SetTimer(*due)] }
            }
        }
    }

    fn run(&mut self) -> LoopEffect {
        self.phase = LoopPhase::Running(PendingRun::Nothing);
        self.wanted.clone().map_or(LoopEffect::Read, LoopEffect::Apply)
    }

    fn ended(&mut self, outcome: RunOutcome, chance: f64, now: Instant) -> Vec<LoopEffect> {
        let LoopPhase::Running(pending) = self.phase else { return Vec::new() };
        if outcome != RunOutcome::Unread {
            self.last_good_read = Some(now);
        }
        self.failures =
            if outcome == RunOutcome::Complete { 0 } else { self.failures.saturating_add(1) };
        if pending == PendingRun::Wanted {
            return vec![self.run()];
        }
        let mut due = now
            + self
                .failures
                .checked_sub(1)
                .map_or(self.interval, |tries| retry(tries, chance).min(self.interval));
        if pending == PendingRun::Change {
            due = due.min(now + CHANGE_PAUSE);
        }
        self.phase = LoopPhase::Waiting { due, ended: Some(now) };
        vec![LoopEffect::SetTimer(due)]
    }
}

/// Three quarters of the doubled pause to all of it, so that several daemons do not
/// try in step.
fn retry(tries: u32, chance: f64) -> Duration {
    let doubled = FIRST_RETRY.saturating_mul(2u32.saturating_pow(tries)).min(LAST_RETRY);
    doubled.mul_f64(0.75 + 0.25 * chance.clamp(0.0, 1.0))
}
