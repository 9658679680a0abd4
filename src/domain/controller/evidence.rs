//! Decides what follows from failures without a witness: see
//! [`evidence`](crate::domain::evidence).

use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::{BackendRecord, ControllerEffect, ControllerState, check_of};
use crate::domain::config::WitnessAddress;
use crate::domain::events::Event;
use crate::domain::evidence::doubts::{
    Askable, DoubtEffect, DoubtOrder, DoubtTimer, Doubts, FindAskable, QuestionId, Suspicion,
};
use crate::domain::evidence::group::ProbeGroup;
use crate::domain::evidence::hold::{
    HeldGroup, HoldChange, HoldChangeKind, HoldOutcome, HoldStats,
};
use crate::domain::health::State;
use crate::domain::health::doubt::{DoubtKind, DoubtView, Judgement};
use crate::domain::moment::Moment;
use crate::domain::names::BackendName;
use crate::domain::prober_id::ProberId;

/// Backends that are asked at a time.
const ASKED: usize = 2;

impl ControllerState {
    /// Processes what a prober reports of its failures.
    pub fn suspected(
        &mut self,
        (prober, name): (ProberId, &BackendName),
        group: ProbeGroup,
        suspicion: &Suspicion,
        now: Moment,
    ) -> Vec<ControllerEffect> {
        let mut frontends = Vec::new();
        match self.backends.get_mut(name).filter(|record| record.prober == prober) {
            Some(record) => {
                let was_doubted = record.doubt.is_some();
                record.note(suspicion, now.wall);
                if record.state == State::Unknown && was_doubted != record.doubt.is_some() {
                    frontends.clone_from(&record.frontends);
                }
            }
            // A prober that was stopped ends its doubts.
            None if matches!(suspicion, Suspicion::Over { .. }) => {}
            None => return Vec::new(),
        }
        let probing = self.note_unable((prober, name), suspicion);
        let mut effects = self.judge(now.wall, |doubts, askable| {
            doubts.suspect((group, prober, name), suspicion, askable, now)
        });
        effects.extend(probing);
        self.recompute(&frontends, &format!("{name} is doubted"), now.wall, &mut effects);
        effects
    }

    /// Processes the answer of a backend or a witness that was asked. `passed`: whose
    /// probe did, and when it began.
    pub fn answered(
        &mut self,
        group: ProbeGroup,
        question: QuestionId,
        passed: Option<(ProberId, Instant)>,
        now: Moment,
    ) -> Vec<ControllerEffect> {
        self.judge(now.wall, |doubts, askable| {
            doubts.answered(group, question, passed, askable, now)
        })
    }

    /// Processes a timer of [`DoubtOrder::SetTimer`].
    pub fn doubt_timer_fired(
        &mut self,
        group: ProbeGroup,
        timer: DoubtTimer,
        now: Moment,
    ) -> Vec<ControllerEffect> {
        let is_witnessed = self.doubts.is_witnessed(group);
        let effects =
            self.judge(now.wall, |doubts, askable| doubts.fired(group, timer, askable, now));
        let is_believed = |effect: &ControllerEffect| {
            let ControllerEffect::Doubt(DoubtOrder::Judge { judgement, .. }) = effect else {
                return false;
            };
            *judgement == Judgement::Believed
        };
        // Also where nobody had answered before the limit, so that nothing was held.
        if !is_witnessed && effects.iter().any(is_believed) {
            self.note_hold_outcome(group, HoldOutcome::Believed);
        }
        effects
    }

    /// VPP can be programmed, or cannot any more.
    pub fn vpp_presence(&mut self, is_present: bool, at: SystemTime) -> Vec<ControllerEffect> {
        self.announce.note_vpp(is_present);
        self.judge(at, |doubts, _| doubts.set_vpp_present(is_present))
    }

    #[must_use]
    pub fn held_groups(&self) -> Vec<HeldGroup> {
        let held = self.doubts.held();
        held.map(|(group, since, backends)| HeldGroup { group, since, backends }).collect()
    }

    /// What should be known of verdicts that wait, a line each.
    #[must_use]
    pub fn evidence_notes(&self) -> Vec<String> {
        let mut notes: Vec<_> = self.held_groups().iter().map(ToString::to_string).collect();
        if !self.unable.is_empty() {
            let count = self.unable.len();
            notes.push(format!(
                "not probed: this machine cannot probe {count} of the backends, which keep their states"
            ));
        }
        notes
    }

    /// Notes whether this machine can probe for a backend.
    fn note_unable(
        &mut self,
        (prober, name): (ProberId, &BackendName),
        suspicion: &Suspicion,
    ) -> Option<ControllerEffect> {
        let had_any = !self.unable.is_empty();
        let impossible = match suspicion {
            Suspicion::Doubted(doubt) if doubt.kind == DoubtKind::Unable => {
                self.unable.insert(prober);
                Some((name.clone(), Arc::clone(&doubt.why)))
            }
            _ => {
                self.unable.remove(&prober);
                None
            }
        };
        (had_any == self.unable.is_empty())
            .then_some(ControllerEffect::ProbingChanged { impossible })
    }

    /// Counts since the daemon started.
    #[must_use]
    pub fn hold_stats(&self) -> &HoldStats {
        &self.holds
    }

    fn judge(
        &mut self,
        at: SystemTime,
        decide: impl FnOnce(&mut Doubts, &FindAskable<'_>) -> Vec<DoubtEffect>,
    ) -> Vec<ControllerEffect> {
        let mut doubts = std::mem::take(&mut self.doubts);
        let askable = |group, is_suspect: &dyn Fn(ProberId) -> bool| Askable {
            backends: self.askable(group, is_suspect),
            witnesses: self.witnesses(group),
        };
        let decided = decide(&mut doubts, &askable);
        self.doubts = doubts;
        decided.into_iter().map(|effect| self.executable(effect, at)).collect()
    }

    /// Backends of the group that are up, neither doubted nor failing nor suspects, the next
    /// ones in the order of their names: over time all are asked.
    fn askable(
        &self,
        group: ProbeGroup,
        is_suspect: &dyn Fn(ProberId) -> bool,
    ) -> Vec<BackendName> {
        let (after, before) = match &self.last_asked {
            None => ((Unbounded, Unbounded), None),
            Some(last) => ((Excluded(last), Unbounded), Some(..=last)),
        };
        let before =
            before.into_iter().flat_map(|range| self.backends.range::<BackendName, _>(range));
        let is_askable = |record: &BackendRecord| {
            record.state == State::Up
                && record.doubt.is_none()
                && !self.trends.contains_key(&record.prober)
                && !is_suspect(record.prober)
                && record.address.is_some_and(|address| {
                    let check = check_of(&self.config, &record.settings);
                    check.is_some_and(|check| check.group(address) == group)
                })
        };
        let all = self.backends.range::<BackendName, _>(after).chain(before);
        let askable = all.filter(|(_, record)| is_askable(record));
        askable.map(|(name, _)| name.clone()).take(ASKED).collect()
    }

    fn witnesses(&self, group: ProbeGroup) -> Vec<WitnessAddress> {
        let witnesses = self.config.healthchecker.witnesses.iter().copied();
        witnesses.filter(|witness| group.has(witness.address)).collect()
    }

    fn executable(&mut self, effect: DoubtEffect, at: SystemTime) -> ControllerEffect {
        match effect {
            DoubtEffect::Ask { group, question, since, whom } => {
                let Askable { backends, witnesses } = whom;
                self.holds.questions += 1;
                self.last_asked = backends.last().cloned().or(self.last_asked.take());
                ControllerEffect::Ask { group, question, since, backends, witnesses }
            }
            DoubtEffect::Order(order) => ControllerEffect::Doubt(order),
            DoubtEffect::Began(group) => {
                let kind = HoldChangeKind::Began { limit: self.config.healthchecker.doubt_limit };
                published(HoldChange { group, at, kind })
            }
            DoubtEffect::Ended { group, outcome, lasted } => {
                self.holds.ended(outcome, lasted);
                self.note_hold_outcome(group, outcome);
                published(HoldChange { group, at, kind: HoldChangeKind::Ended { outcome, lasted } })
            }
        }
    }
}

fn published(change: HoldChange) -> ControllerEffect {
    ControllerEffect::Publish(Event::Hold(change.into()))
}

impl BackendRecord {
    fn note(&mut self, suspicion: &Suspicion, at: SystemTime) {
        match suspicion {
            Suspicion::Ahead(_) => {}
            Suspicion::Over { .. } => self.doubt = None,
            Suspicion::Doubted(doubt) => {
                let since = self.doubt.as_ref().map_or(at, |doubt| doubt.since);
                let is_held = !matches!(doubt.kind, DoubtKind::Asking { .. });
                self.doubt = Some(DoubtView { since, why: doubt.reason(), is_held });
            }
        }
    }
}
