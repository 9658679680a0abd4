//! Asks others of a group, and judges the group's doubts by what they answer.

use std::time::{Duration, Instant};

use super::{DoubtEffect, DoubtOrder, DoubtedGroup, Doubts, FindAskable, Phase, Question, Suspect};
use crate::domain::evidence::group::ProbeGroup;
use crate::domain::evidence::hold::HoldOutcome;
use crate::domain::health::doubt::Judgement;
use crate::domain::moment::Moment;
use crate::domain::prober_id::ProberId;

/// Between two questions of a group whose backends are held.
const ASK_AGAIN: Duration = Duration::from_secs(1);

impl Doubts {
    pub(super) fn forget(
        &mut self,
        group: ProbeGroup,
        prober: ProberId,
        passed: Option<(ProberId, Instant)>,
        now: Moment,
        effects: &mut Vec<DoubtEffect>,
    ) {
        let Some(doubted) = self.groups.get_mut(&group) else { return };
        let was_suspect = doubted.suspects.remove(&prober).is_some();
        let outcome = if passed.is_some() { HoldOutcome::Passed } else { HoldOutcome::Dropped };
        // A pass of another was noted when it released this one as well.
        if let Some(passed) = passed.filter(|(by, _)| was_suspect || *by == prober) {
            self.passed(group, passed, now, effects);
        }
        self.tidy(group, outcome, now, effects);
    }

    /// A probe passed: those whose streak is older have a witness.
    pub(super) fn passed(
        &mut self,
        group: ProbeGroup,
        (by, began): (ProberId, Instant),
        now: Moment,
        effects: &mut Vec<DoubtEffect>,
    ) {
        let Some(doubted) = self.groups.get_mut(&group) else { return };
        doubted.unanswered = None;
        doubted.suspects.retain(|prober, suspect| {
            let is_held = matches!(suspect.phase, Phase::Held(_));
            if *prober == by || (suspect.since > began && !is_held) {
                return true;
            }
            let (backend, doubt) = (suspect.backend.clone(), suspect.phase.doubt());
            effects.push(DoubtOrder::Witness { backend, doubt, by, began }.into());
            match suspect.phase {
                Phase::Asking(doubt) | Phase::Witnessed(doubt) => {
                    // Its prober reports when its doubt is over.
                    suspect.phase = Phase::Witnessed(doubt);
                    true
                }
                Phase::Ahead | Phase::Held(_) => false,
            }
        });
        self.tidy(group, HoldOutcome::Passed, now, effects);
    }

    /// Nobody passed who was asked at this time: those whose streak is older are held.
    pub(super) fn unanswered(
        &mut self,
        group: ProbeGroup,
        asked: Instant,
        now: Moment,
        effects: &mut Vec<DoubtEffect>,
    ) {
        if let Some(doubted) = self.groups.get_mut(&group) {
            doubted.unanswered = doubted.unanswered.max(Some(asked));
            doubted.suspects.retain(|_, it| it.phase != Phase::Ahead || it.since > asked);
        }
        self.hold(group, now, effects);
        self.tidy(group, HoldOutcome::Dropped, now, effects);
    }

    /// Holds those who would have been answered by the last question.
    pub(super) fn hold(&mut self, group: ProbeGroup, now: Moment, effects: &mut Vec<DoubtEffect>) {
        let Some(doubted) = self.groups.get_mut(&group) else { return };
        let Some(asked) = doubted.unanswered else { return };
        let mut any = false;
        for suspect in doubted.suspects.values_mut().filter(|it| it.since <= asked) {
            if let Phase::Asking(doubt) = suspect.phase {
                suspect.phase = Phase::Held(doubt);
                let (backend, judgement) =
                    (suspect.backend.clone(), Judgement::Unwitnessed(now.monotonic));
                effects.push(DoubtOrder::Judge { backend, doubt, judgement }.into());
                any = true;
            }
        }
        if any && doubted.held_since.is_none() {
            doubted.held_since = Some(now);
            effects.push(DoubtEffect::Began(group));
        }
    }

    /// Asks others of the group, unless that was done for all whose verdict needs it.
    pub(super) fn ask(
        &mut self,
        group: ProbeGroup,
        askable: &FindAskable<'_>,
        now: Moment,
        effects: &mut Vec<DoubtEffect>,
    ) {
        self.hold(group, now, effects);
        let Some(doubted) = self.groups.get_mut(&group).filter(|it| it.question.is_none()) else {
            return;
        };
        let waits = |suspect: &Suspect| match suspect.phase {
            Phase::Held(_) => doubted.again.is_none() && doubted.unanswered.is_none(),
            Phase::Ahead | Phase::Asking(_) => doubted.unanswered < Some(suspect.since),
            Phase::Witnessed(_) => false,
        };
        if doubted.suspects.values().any(waits) {
            let is_suspect = |prober| doubted.suspects.contains_key(&prober);
            let whom = askable(group, &is_suspect);
            let pending = whom.backends.len() + whom.witnesses.len();
            let since = now.monotonic;
            let only_ahead = doubted.suspects.values().all(|it| it.phase == Phase::Ahead);
            if pending == 0 && only_ahead {
                // There may be somebody to ask when a verdict needs it.
                doubted.suspects.clear();
            } else if pending == 0 {
                self.unanswered(group, since, now, effects);
            } else {
                self.last_question.0 += 1;
                let question = self.last_question;
                doubted.question = Some(Question { id: question, asked: since, pending });
                effects.push(DoubtEffect::Ask { group, question, since, whom });
            }
        }
        self.ask_again_later(group, effects);
        self.tidy(group, HoldOutcome::Dropped, now, effects);
    }

    /// While backends are held, others are asked from time to time.
    pub(super) fn ask_again_later(&mut self, group: ProbeGroup, effects: &mut Vec<DoubtEffect>) {
        let Some(doubted) = self.groups.get_mut(&group) else { return };
        let is_held = doubted.held_since.is_some();
        if is_held && doubted.again.is_none() && doubted.question.is_none() {
            self.last_timer.0 += 1;
            doubted.again = Some(self.last_timer);
            let timer = self.last_timer;
            effects.push(DoubtOrder::SetTimer { group, timer, after: ASK_AGAIN }.into());
        }
    }

    pub(super) fn start_limit(&mut self, group: ProbeGroup, effects: &mut Vec<DoubtEffect>) {
        let Some(doubted) = self.groups.get_mut(&group) else { return };
        let is_doubted = doubted.suspects.values().any(|it| it.phase != Phase::Ahead);
        if self.vpp_is_present && is_doubted && doubted.limit.is_none() {
            self.last_timer.0 += 1;
            doubted.limit = Some(self.last_timer);
            let timer = self.last_timer;
            effects.push(DoubtOrder::SetTimer { group, timer, after: self.limit }.into());
        }
    }

    /// Drops what nobody needs any more.
    pub(super) fn tidy(
        &mut self,
        group: ProbeGroup,
        outcome: HoldOutcome,
        now: Moment,
        effects: &mut Vec<DoubtEffect>,
    ) {
        let Some(doubted) = self.groups.get_mut(&group) else { return };
        if !doubted.suspects.values().any(|it| matches!(it.phase, Phase::Held(_))) {
            effects.extend(doubted.ended(group, outcome, now));
            doubted.held_since = None;
        }
        if doubted.suspects.is_empty() && doubted.question.is_none() {
            self.groups.remove(&group);
        } else if doubted.suspects.values().all(|it| it.phase == Phase::Ahead) {
            doubted.limit = None;
        }
    }
}

impl DoubtedGroup {
    pub(super) fn ended(
        &self,
        group: ProbeGroup,
        outcome: HoldOutcome,
        now: Moment,
    ) -> Option<DoubtEffect> {
        let began = self.held_since?;
        let lasted = now.monotonic.saturating_duration_since(began.monotonic);
        Some(DoubtEffect::Ended { group, outcome, lasted })
    }
}
