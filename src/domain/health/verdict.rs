//! When results, and what is found about doubts, become a verdict.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::doubt::{Doubt, DoubtId, DoubtKind, FailureStreak, JudgedProbe, Judgement};
use super::probe_result::ResultCode;
use super::{
    Health, HealthEffects, NextProbe, Purpose, State, StateChange, Trend, interval, jittered,
    max_counter, probe_within,
};
use crate::domain::config::Timing;

impl Health {
    /// Counts one result. Returns the state change if the verdict changes.
    pub(super) fn count_result(
        &mut self,
        timing: &Timing,
        done: &JudgedProbe,
    ) -> Option<StateChange> {
        if done.result.code == ResultCode::SocketError {
            if self.needs_evidence() && self.doubt.is_none() {
                let why = done.result.to_string();
                self.begin_doubt(DoubtKind::Unable, why.into());
            }
            return None;
        }
        let rise = timing.rise.get();
        if done.result.passed() {
            (self.failing, self.doubt) = (None, None);
            let next = self.counter + 1;
            let returns = next >= rise && self.state == State::Down;
            if returns && !self.flaps.may_return(timing.damping.as_ref(), done.ended) {
                self.counter = rise - 1;
                return None;
            }
            self.counter = if next >= rise { max_counter(timing) } else { next };
            let is_up = self.counter >= rise && self.state != State::Up;
            return is_up.then(|| self.transition(State::Up, done.result.to_string()));
        }
        if !self.needs_evidence() {
            (self.counter, self.flaps.damped) = (0, None);
            let is_down = self.state != State::Down;
            return is_down.then(|| self.transition(State::Down, done.result.to_string()));
        }
        self.note_failure(timing, done);
        let next = self.counter.saturating_sub(1);
        if next >= rise {
            self.counter = next;
            return None;
        }
        let Some(streak) = &self.failing else { return None };
        if streak.is_witnessed(done) {
            return Some(self.go_down(timing, done.result.to_string()));
        }
        if self.doubt.is_none() {
            let (since, why) = (streak.first_ended, streak.why.clone());
            self.begin_doubt(DoubtKind::Asking { since }, why);
        }
        None
    }

    /// Adds a failure to the streak. Where the way works again, the streak begins with it.
    fn note_failure(&mut self, timing: &Timing, done: &JudgedProbe) {
        let is_over = match self.doubt.as_ref().map(|doubt| doubt.kind) {
            Some(DoubtKind::Unable) => {
                self.doubt = None;
                false
            }
            Some(DoubtKind::Held { since }) => done.witness.before >= Some(since),
            Some(DoubtKind::Asking { .. }) | None => false,
        };
        if is_over {
            self.release(timing);
        }
        let failures = self.failing.as_ref().map_or(0, |streak| streak.failures);
        let first_ended = self.failing.as_ref().map_or(done.ended, |streak| streak.first_ended);
        self.failing = Some(FailureStreak {
            first_ended,
            failures: failures.saturating_add(1),
            was_answered: done.result.code.is_answer(),
            why: done.result.to_string().into(),
        });
    }

    /// Whether others should be asked now, so that the deciding failure needs to wait for
    /// none: the streak has just begun, and nobody passed within the time that is left.
    pub(super) fn asks_ahead(&self, timing: &Timing, done: &JudgedProbe) -> Option<Instant> {
        let streak = self.failing.as_ref()?;
        let is_quiet = done
            .witness
            .latest
            .is_none_or(|began| done.ended.saturating_duration_since(began) > timing.fast_interval);
        let begins = streak.failures == 1 && self.doubt.is_none();
        (begins && is_quiet).then_some(streak.first_ended)
    }

    pub(super) fn trend(&self, timing: Option<&Timing>) -> Option<Trend> {
        let rise = timing?.rise.get();
        match self.state {
            State::Up if self.failing.is_some() && self.doubt.is_none() => {
                Some(Trend { to: State::Down, is_last: self.counter == rise })
            }
            State::Down if self.counter > 0 && self.flaps.damped.is_none() => {
                Some(Trend { to: State::Up, is_last: self.counter + 1 == rise })
            }
            _ => None,
        }
    }

    /// Whether a peer's trend to `to` puts this backend in question, too.
    pub(super) fn may_follow(&self, to: State) -> bool {
        let is_other_state = match to {
            State::Down => self.state == State::Up && self.failing.is_none(),
            State::Up => self.state == State::Down && self.counter == 0,
            _ => false,
        };
        is_other_state && self.doubt.is_none()
    }

    /// Processes what was found about the present doubt.
    pub(super) fn judge(
        &mut self,
        timing: &Timing,
        judgement: Judgement,
        chance: f64,
    ) -> HealthEffects {
        let Some(Doubt { id, kind, why }) = self.doubt.clone() else {
            return HealthEffects::default();
        };
        let was_answered = self.failing.as_ref().is_some_and(|streak| streak.was_answered);
        match (kind, judgement) {
            (DoubtKind::Unable, _) => HealthEffects::default(),
            (DoubtKind::Asking { .. }, Judgement::Unwitnessed(since)) => {
                self.doubt = Some(Doubt { id, kind: DoubtKind::Held { since }, why });
                HealthEffects::default()
            }
            (DoubtKind::Held { .. }, Judgement::Unwitnessed(_)) => HealthEffects::default(),
            // The way works again. What was lost on it while it did not says nothing.
            (DoubtKind::Held { .. }, Judgement::Witnessed) => {
                self.release(timing);
                probe_within(self, timing.fast_interval.mul_f64(chance), Purpose::Verdict)
            }
            (DoubtKind::Asking { .. }, Judgement::Witnessed) if !was_answered => {
                probe_within(self, Duration::ZERO, Purpose::Verdict)
            }
            (DoubtKind::Asking { .. }, Judgement::Witnessed) => self.conclude(timing, &why, chance),
            (_, Judgement::Believed) => {
                self.conclude(timing, &format!("{why}; nobody else passes either"), chance)
            }
        }
    }

    /// Takes the backend down between two probes.
    fn conclude(&mut self, timing: &Timing, why: &str, chance: f64) -> HealthEffects {
        let change = Some(self.go_down(timing, why.to_owned()));
        let run = self.next_run();
        (self.probing, self.again, self.purpose) = (false, None, Purpose::Verdict);
        let next = Some(NextProbe::Wait(run, jittered(interval(timing, self), chance)));
        HealthEffects { cancel: true, change, next, ..HealthEffects::default() }
    }

    fn go_down(&mut self, timing: &Timing, why: String) -> StateChange {
        let since = self.failing.as_ref().map(|streak| streak.first_ended);
        if let (State::Up, Some(since)) = (self.state, since) {
            self.flaps.fell(timing.damping.as_ref(), since);
        }
        self.counter = 0;
        self.transition(State::Down, why)
    }

    /// Ends the wait of a return that is damped.
    pub(super) fn return_now(&mut self, timing: &Timing, why: String) -> StateChange {
        self.counter = max_counter(timing);
        self.transition(State::Up, why)
    }

    /// Ends a hold: failures count anew.
    fn release(&mut self, timing: &Timing) {
        self.counter = max_counter(timing);
        (self.failing, self.doubt) = (None, None);
    }

    fn begin_doubt(&mut self, kind: DoubtKind, why: Arc<str>) {
        self.doubts += 1;
        self.doubt = Some(Doubt { id: DoubtId(self.doubts), kind, why });
    }
}

impl FailureStreak {
    /// Whether another backend passed meanwhile. See [`evidence`](crate::domain::evidence).
    fn is_witnessed(&self, done: &JudgedProbe) -> bool {
        match self.failures {
            1 => done.witness.latest >= Some(done.began),
            _ => done.witness.before >= Some(self.first_ended),
        }
    }
}
