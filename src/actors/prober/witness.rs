//! Asks others whether they pass, and answers such questions: see
//! [`evidence`](crate::domain::evidence).

use std::time::Instant;

use actix::prelude::*;

use super::{Answered, Ask, Judge, NoteWitness, Prober, Suspected};
use crate::domain::evidence::doubts::Suspicion;
use crate::domain::health::HealthInput;
use crate::domain::health::doubt::Judgement;
use crate::domain::health::probe_result::{ProbeResult, ResultCode};
use crate::domain::prober_id::ProberId;

impl Prober {
    /// Reports to the Controller, if the backend is probed.
    pub(super) fn suspect(&self, suspicion: Suspicion) {
        if let (Some(group), Some(shared)) = (self.group, &self.shared) {
            let (prober, backend) = (self.id, self.name.clone());
            shared.suspicions.send(Suspected { prober, backend, group, suspicion });
        }
    }

    /// Ends what is asked and suspected in its group: its next probes take another way,
    /// or there are none.
    pub(super) fn leave_group(&mut self) {
        self.leave_questions();
        self.suspect(Suspicion::Over { passed: None });
    }

    /// Whose pass ended the doubt, if one did, and when it began: its own, or another's
    /// since the backend was held.
    pub(super) fn pass_that_ended_it(
        &self,
        held_since: Option<Instant>,
    ) -> Option<(ProberId, Instant)> {
        let own = self.passed.map(|began| (self.id, began));
        let of_another = || {
            let held_since = held_since?;
            let known = self.shared.as_ref()?.last_pass(self.group?);
            known.filter(|(_, began)| *began >= held_since)
        };
        own.or_else(of_another)
    }

    /// When the last passed probe of another backend of its group began.
    pub(super) fn pass_of_another(&self) -> Option<Instant> {
        self.shared.as_ref()?.pass_of_another(self.group?, self.id)
    }

    /// Notes the result of a probe that began at `begun`, and answers what it can answer.
    pub(super) fn answer(&mut self, result: &ProbeResult, begun: Instant) {
        let (Some(group), Some(shared)) = (self.group, &self.shared) else { return };
        if result.passed() {
            shared.note_pass(group, self.id, begun);
        }
        self.questions.retain(|ask| {
            // A probe that this machine could not send is no answer to wait for either.
            let is_of_group = ask.group == group;
            let counts =
                ask.since <= begun || result.code == ResultCode::SocketError || !is_of_group;
            if counts {
                let passed = (result.passed() && is_of_group).then_some((self.id, begun));
                shared.answers.send(Answered { group: ask.group, question: ask.question, passed });
            }
            !counts
        });
    }

    /// Answers all questions without a probe: it does not pass.
    pub(super) fn leave_questions(&mut self) {
        for Ask { group, question, .. } in std::mem::take(&mut self.questions) {
            if let Some(shared) = &self.shared {
                shared.answers.send(Answered { group, question, passed: None });
            }
        }
    }

    /// The last passed probe of a group, by whomever of this thread, if it began after
    /// `since`.
    fn known_pass(&self, Ask { group, since, .. }: Ask) -> Option<(ProberId, Instant)> {
        let known = self.shared.as_ref()?.last_pass(group);
        known.filter(|(_, began)| *began >= since)
    }
}

impl Handler<Ask> for Prober {
    type Result = ();

    fn handle(&mut self, ask: Ask, ctx: &mut Self::Context) {
        self.questions.push(ask);
        if let Some(passed) = self.known_pass(ask) {
            self.questions.pop();
            if let Some(shared) = &self.shared {
                let Ask { group, question, .. } = ask;
                shared.answers.send(Answered { group, question, passed: Some(passed) });
            }
        } else if self.group != Some(ask.group) || !self.health.is_probed() {
            self.leave_questions();
        } else {
            self.step(HealthInput::ProbeNow, ctx);
        }
    }
}

impl Handler<NoteWitness> for Prober {
    type Result = ();

    fn handle(&mut self, message: NoteWitness, ctx: &mut Self::Context) {
        let NoteWitness { doubt, by, began } = message;
        if let (Some(group), Some(shared)) = (self.group, &self.shared) {
            shared.note_pass(group, by, began);
        }
        if let Some(doubt) = doubt {
            self.step(HealthInput::Judged(doubt, Judgement::Witnessed), ctx);
        }
    }
}

impl Handler<Judge> for Prober {
    type Result = ();

    fn handle(&mut self, Judge(doubt, judgement): Judge, ctx: &mut Self::Context) {
        self.step(HealthInput::Judged(doubt, judgement), ctx);
    }
}
