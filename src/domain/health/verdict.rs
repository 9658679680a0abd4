//! When results, and what is found about doubts, become a verdict.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::doubt::{Doubt, DoubtId, DoubtKind, FailureStreak, Judgement};
use super::probe_result::{ProbeResult, ResultCode};
use super::{
    Health, HealthEffects, NextProbe, State, StateChange, interval, jittered, max_counter,
    probe_within,
};
use crate::domain::config::Timing;
use crate::domain::evidence::passes::Witness;

/// A probe that ended.
pub(super) struct DoneProbe {
    pub(super) result: ProbeResult,
    pub(super) began: Instant,
    pub(super) ended: Instant,
    pub(super) witness: Witness,
}

/// Counts one result. Returns the state change if the verdict changes.
pub(super) fn count_result(
    timing: &Timing,
    health: &mut Health,
    done: &DoneProbe,
) -> Option<StateChange> {
    if done.result.code == ResultCode::SocketError {
        if health.needs_evidence() && health.doubt.is_none() {
            let why = done.result.to_string();
            health.begin_doubt(DoubtKind::Unable, why.into());
        }
        return None;
    }
    let rise = timing.rise.get();
    if done.result.passed() {
        (health.failing, health.doubt) = (None, None);
        let next = health.counter + 1;
        health.counter = if next >= rise { max_counter(timing) } else { next };
        let is_up = health.counter >= rise && health.state != State::Up;
        return is_up.then(|| health.transition(State::Up, done.result.to_string()));
    }
    if !health.needs_evidence() {
        health.counter = 0;
        let is_down = health.state != State::Down;
        return is_down.then(|| health.transition(State::Down, done.result.to_string()));
    }
    note_failure(timing, health, done);
    let next = health.counter.saturating_sub(1);
    if next >= rise {
        health.counter = next;
        return None;
    }
    let Some(streak) = &health.failing else { return None };
    if streak.is_witnessed(done) {
        return Some(go_down(health, done.result.to_string()));
    }
    if health.doubt.is_none() {
        let (since, why) = (streak.first_ended, streak.why.clone());
        health.begin_doubt(DoubtKind::Asking { since }, why);
    }
    None
}

/// Adds a failure to the streak. Where the way works again, the streak begins with it.
fn note_failure(timing: &Timing, health: &mut Health, done: &DoneProbe) {
    let is_over = match health.doubt.as_ref().map(|doubt| doubt.kind) {
        Some(DoubtKind::Unable) => {
            health.doubt = None;
            false
        }
        Some(DoubtKind::Held { since }) => done.witness.before >= Some(since),
        Some(DoubtKind::Asking { .. }) | None => false,
    };
    if is_over {
        release(timing, health);
    }
    let failures = health.failing.as_ref().map_or(0, |streak| streak.failures);
    let first_ended = health.failing.as_ref().map_or(done.ended, |streak| streak.first_ended);
    health.failing = Some(FailureStreak {
        first_ended,
        failures: failures.saturating_add(1),
        was_answered: done.result.code.is_answer(),
        why: done.result.to_string().into(),
    });
}

impl FailureStreak {
    /// Whether another backend passed meanwhile. See [`evidence`](crate::domain::evidence).
    fn is_witnessed(&self, done: &DoneProbe) -> bool {
        match self.failures {
            1 => done.witness.latest >= Some(done.began),
            _ => done.witness.before >= Some(self.first_ended),
        }
    }
}

/// Whether others should be asked now, so that the deciding failure needs to wait for
/// none: the streak has just begun, and nobody passed within the time that is left.
pub(super) fn asks_ahead(timing: &Timing, health: &Health, done: &DoneProbe) -> Option<Instant> {
    let streak = health.failing.as_ref()?;
    let is_quiet = done
        .witness
        .latest
        .is_none_or(|began| done.ended.saturating_duration_since(began) > timing.fast_interval);
    let begins = streak.failures == 1 && health.doubt.is_none();
    (begins && is_quiet).then_some(streak.first_ended)
}

/// Processes what was found about the present doubt.
pub(super) fn judge(
    timing: &Timing,
    health: &mut Health,
    judgement: Judgement,
    chance: f64,
) -> HealthEffects {
    let Some(Doubt { id, kind, why }) = health.doubt.clone() else {
        return HealthEffects::default();
    };
    let was_answered = health.failing.as_ref().is_some_and(|streak| streak.was_answered);
    match (kind, judgement) {
        (DoubtKind::Unable, _) => HealthEffects::default(),
        (DoubtKind::Asking { .. }, Judgement::Unwitnessed(since)) => {
            health.doubt = Some(Doubt { id, kind: DoubtKind::Held { since }, why });
            HealthEffects::default()
        }
        (DoubtKind::Held { .. }, Judgement::Unwitnessed(_)) => HealthEffects::default(),
        // The way works again. What was lost on it while it did not says nothing.
        (DoubtKind::Held { .. }, Judgement::Witnessed) => {
            release(timing, health);
            probe_within(health, timing.fast_interval.mul_f64(chance))
        }
        (DoubtKind::Asking { .. }, Judgement::Witnessed) if !was_answered => {
            probe_within(health, Duration::ZERO)
        }
        (DoubtKind::Asking { .. }, Judgement::Witnessed) => conclude(timing, health, &why, chance),
        (_, Judgement::Believed) => {
            conclude(timing, health, &format!("{why}; nobody else passes either"), chance)
        }
    }
}

/// Takes the backend down between two probes.
fn conclude(timing: &Timing, health: &mut Health, why: &str, chance: f64) -> HealthEffects {
    let change = Some(go_down(health, why.to_owned()));
    let run = health.next_run();
    (health.probing, health.again) = (false, false);
    let next = Some(NextProbe::Wait(run, jittered(interval(timing, health), chance)));
    HealthEffects { cancel: true, change, next, ..HealthEffects::default() }
}

fn go_down(health: &mut Health, why: String) -> StateChange {
    health.counter = 0;
    health.transition(State::Down, why)
}

/// Ends a hold: failures count anew.
fn release(timing: &Timing, health: &mut Health) {
    health.counter = max_counter(timing);
    (health.failing, health.doubt) = (None, None);
}

impl Health {
    fn begin_doubt(&mut self, kind: DoubtKind, why: Arc<str>) {
        self.doubts += 1;
        self.doubt = Some(Doubt { id: DoubtId(self.doubts), kind, why });
    }
}
