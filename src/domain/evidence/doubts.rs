//! The doubts of all backends: who is asked, what follows from the answers, and when a
//! doubt has lasted long enough. See the module above for the rule.

mod questions;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use super::group::ProbeGroup;
use super::hold::HoldOutcome;
use crate::domain::config::WitnessAddress;
use crate::domain::health::doubt::{Doubt, DoubtId, DoubtKind, Judgement};
use crate::domain::moment::Moment;
use crate::domain::names::BackendName;
use crate::domain::prober_id::ProberId;

/// Identifies a question to others of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuestionId(u64);

/// Identifies a timer of a group. One that was replaced means nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DoubtTimer(u64);

/// The backends that fail without a witness.
#[derive(Debug, Default)]
pub struct Doubts {
    groups: BTreeMap<ProbeGroup, DoubtedGroup>,
    /// `doubt-limit`; zero: nothing is held.
    limit: Duration,
    /// VPP can be written to, or there is none.
    vpp_is_present: bool,
    last_question: QuestionId,
    last_timer: DoubtTimer,
}

#[derive(Debug, Default)]
struct DoubtedGroup {
    suspects: BTreeMap<ProberId, Suspect>,
    question: Option<Question>,
    /// The last question that nobody passed.
    unanswered: Option<Instant>,
    limit: Option<DoubtTimer>,
    again: Option<DoubtTimer>,
    /// When the first backend was held; `None`: none is.
    held_since: Option<Moment>,
}

#[derive(Debug)]
struct Suspect {
    backend: BackendName,
    /// The end of its streak's first failure.
    since: Instant,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It may need a witness soon.
    Ahead,
    Asking(DoubtId),
    /// Somebody passed, and its own next result decides.
    Witnessed(DoubtId),
    Held(DoubtId),
}

impl Phase {
    fn doubt(self) -> Option<DoubtId> {
        match self {
            Self::Ahead => None,
            Self::Asking(doubt) | Self::Witnessed(doubt) | Self::Held(doubt) => Some(doubt),
        }
    }
}

#[derive(Debug)]
struct Question {
    id: QuestionId,
    asked: Instant,
    /// Answers that are missing.
    pending: usize,
}

/// What a prober reports about its failures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Suspicion {
    /// A streak began at this time, and nobody passed for a while.
    Ahead(Instant),
    /// Its verdict needs a witness, or it cannot be probed.
    Doubted(Doubt),
    /// The doubt is over. `passed`: because this prober's probe did, its own or
    /// another's, that began at this time.
    Over { passed: Option<(ProberId, Instant)> },
}

/// Whom to ask. There may be nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Askable {
    /// Two at most.
    pub backends: Vec<BackendName>,
    /// The configured witnesses of the group.
    pub witnesses: Vec<WitnessAddress>,
}

/// Finds whom to ask in a group, but for those that the function it is given names.
pub type FindAskable<'a> = dyn Fn(ProbeGroup, &dyn Fn(ProberId) -> bool) -> Askable + 'a;

/// What follows, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum DoubtEffect {
    /// Have these answer whether a probe passes that begins after `since`. Each answers
    /// once.
    Ask {
        group: ProbeGroup,
        question: QuestionId,
        since: Instant,
        whom: Askable,
    },
    Order(DoubtOrder),
    /// The first backend of the group is held.
    Began(ProbeGroup),
    /// No backend of the group is held any more.
    Ended {
        group: ProbeGroup,
        outcome: HoldOutcome,
        lasted: Duration,
    },
}

impl From<DoubtOrder> for DoubtEffect {
    fn from(order: DoubtOrder) -> Self {
        Self::Order(order)
    }
}

/// What is done without another decision.
#[derive(Clone, Debug, PartialEq)]
pub enum DoubtOrder {
    /// The backend's prober is to note that another's probe passed, and to judge its doubt.
    Witness {
        backend: BackendName,
        doubt: Option<DoubtId>,
        by: ProberId,
        began: Instant,
    },
    Judge {
        backend: BackendName,
        doubt: DoubtId,
        judgement: Judgement,
    },
    SetTimer {
        group: ProbeGroup,
        timer: DoubtTimer,
        after: Duration,
    },
}

impl Doubts {
    /// `limit`: see [`Self::set_limit`]. Limits run from the start, until VPP is away.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self { limit, vpp_is_present: true, ..Self::default() }
    }

    /// The limit of the doubts that begin from now on.
    pub fn set_limit(&mut self, limit: Duration) {
        self.limit = limit;
    }

    /// Processes a prober's report. `askable` finds whom to ask.
    pub fn suspect(
        &mut self,
        (group, prober, backend): (ProbeGroup, ProberId, &BackendName),
        suspicion: &Suspicion,
        askable: &FindAskable<'_>,
        now: Moment,
    ) -> Vec<DoubtEffect> {
        let mut effects = Vec::new();
        let (since, phase) = match suspicion {
            Suspicion::Over { passed } => {
                self.forget(group, prober, *passed, now, &mut effects);
                return effects;
            }
            Suspicion::Ahead(since) => (*since, Phase::Ahead),
            Suspicion::Doubted(Doubt { id, kind: DoubtKind::Asking { since }, .. }) => {
                (*since, Phase::Asking(*id))
            }
            // The answer to this report was what made it so.
            Suspicion::Doubted(Doubt { kind: DoubtKind::Held { .. }, .. }) => return effects,
            Suspicion::Doubted(Doubt { kind: DoubtKind::Unable, .. }) => {
                self.forget(group, prober, None, now, &mut effects);
                return effects;
            }
        };
        if let (Phase::Asking(doubt), true) = (phase, self.limit.is_zero()) {
            let (backend, judgement) = (backend.clone(), Judgement::Believed);
            effects.push(DoubtOrder::Judge { backend, doubt, judgement }.into());
            return effects;
        }
        let suspects = &mut self.groups.entry(group).or_default().suspects;
        suspects.insert(prober, Suspect { backend: backend.clone(), since, phase });
        self.start_limit(group, &mut effects);
        self.ask(group, askable, now, &mut effects);
        effects
    }

    /// Processes an answer. `passed`: whose probe passed, and when it began.
    pub fn answered(
        &mut self,
        group: ProbeGroup,
        question: QuestionId,
        passed: Option<(ProberId, Instant)>,
        askable: &FindAskable<'_>,
        now: Moment,
    ) -> Vec<DoubtEffect> {
        let mut effects = Vec::new();
        let Some(doubted) = self.groups.get_mut(&group) else { return effects };
        let Some(asked) = doubted.question.as_mut().filter(|it| it.id == question) else {
            return effects;
        };
        asked.pending = asked.pending.saturating_sub(1);
        match passed {
            Some(passed) => {
                doubted.question = None;
                self.passed(group, passed, now, &mut effects);
            }
            None if asked.pending > 0 => return effects,
            None => {
                let asked = asked.asked;
                doubted.question = None;
                self.unanswered(group, asked, now, &mut effects);
            }
        }
        self.ask(group, askable, now, &mut effects);
        effects
    }

    /// Processes a timer that fired.
    pub fn fired(
        &mut self,
        group: ProbeGroup,
        timer: DoubtTimer,
        askable: &FindAskable<'_>,
        now: Moment,
    ) -> Vec<DoubtEffect> {
        let mut effects = Vec::new();
        let Some(doubted) = self.groups.get_mut(&group) else { return effects };
        if doubted.limit == Some(timer) {
            for suspect in doubted.suspects.values() {
                if let Some(doubt) = suspect.phase.doubt() {
                    let (backend, judgement) = (suspect.backend.clone(), Judgement::Believed);
                    effects.push(DoubtOrder::Judge { backend, doubt, judgement }.into());
                }
            }
            let doubted = self.groups.remove(&group);
            effects.extend(doubted.and_then(|it| it.ended(group, HoldOutcome::Believed, now)));
        } else if doubted.again == Some(timer) {
            doubted.again = None;
            doubted.unanswered = None;
            self.ask(group, askable, now, &mut effects);
        }
        effects
    }

    /// VPP went away, or is back. Limits run only while it is there, and begin anew.
    pub fn set_vpp_present(&mut self, is_present: bool) -> Vec<DoubtEffect> {
        self.vpp_is_present = is_present;
        let mut effects = Vec::new();
        let groups: Vec<_> = self.groups.keys().copied().collect();
        for group in groups {
            if let Some(doubted) = self.groups.get_mut(&group) {
                doubted.limit = None;
            }
            self.start_limit(group, &mut effects);
        }
        effects
    }

    /// Somebody of the group passed, and the own next result of one that failed decides.
    #[must_use]
    pub fn is_witnessed(&self, group: ProbeGroup) -> bool {
        let mut suspects = self.groups.get(&group).into_iter().flat_map(|it| it.suspects.values());
        suspects.any(|suspect| matches!(suspect.phase, Phase::Witnessed(_)))
    }

    /// The groups with held backends: since when, and how many are held.
    pub fn held(&self) -> impl Iterator<Item = (ProbeGroup, SystemTime, usize)> {
        self.groups.iter().filter_map(|(group, doubted)| {
            let held = |suspect: &&Suspect| matches!(suspect.phase, Phase::Held(_));
            let count = doubted.suspects.values().filter(held).count();
            Some((*group, doubted.held_since?.wall, count))
        })
    }
}
