//! The laws of the reconciliation: each holds for every sequence of inputs and for
//! every order of answers.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::select;

use super::fixtures::{self, Weights, name, vip};
use super::harness::{CallOutcome, Harness};
use crate::domain::balancing::weights::FlushSeq;
use crate::domain::dataplane::net::{Vip, Weight};
use crate::domain::dataplane::plan::{self, Scope};
use crate::domain::dataplane::step::Step;
use crate::domain::reconcile::TimerId;

const FRONTENDS: u8 = 3;
/// More than two batches in flight can hold.
const MANY: u8 = 12;

/// One thing that a test does with the harness.
#[derive(Clone, Debug)]
enum HarnessAction {
    Change {
        frontend: u8,
        weights: Weights,
        flush: bool,
    },
    Replace(Vec<Weights>),
    Connect,
    Lose,
    Answer {
        index: usize,
        outcome: CallOutcome,
        late: bool,
    },
    Fire(usize),
    Sync {
        scope: Option<u8>,
        dry_run: bool,
    },
    /// Something else writes to VPP.
    ForeignWrite {
        frontend: u8,
        server: u8,
        weight: u8,
    },
    ForeignRemoval(u8),
}

fn weights() -> impl Strategy<Value = Weights> {
    proptest::array::uniform3(select(vec![None, Some(0), Some(50), Some(100)]))
}

fn frontend() -> impl Strategy<Value = u8> {
    1..=FRONTENDS
}

fn action() -> impl Strategy<Value = HarnessAction> {
    let outcome = prop_oneof![
        8 => Just(CallOutcome::Done),
        1 => Just(CallOutcome::Refused),
        1 => Just(CallOutcome::LostBefore),
        1 => Just(CallOutcome::LostAfter),
    ];
    prop_oneof![
        8 => (0..4usize, outcome, any::<bool>())
            .prop_map(|(index, outcome, late)| HarnessAction::Answer { index, outcome, late }),
        4 => (frontend(), weights(), any::<bool>())
            .prop_map(|(frontend, weights, flush)| HarnessAction::Change { frontend, weights, flush }),
        1 => proptest::collection::vec(weights(), 0..=usize::from(FRONTENDS))
            .prop_map(HarnessAction::Replace),
        1 => Just(HarnessAction::Connect),
        1 => Just(HarnessAction::Lose),
        3 => (0..4usize).prop_map(HarnessAction::Fire),
        2 => (proptest::option::of(frontend()), any::<bool>())
            .prop_map(|(scope, dry_run)| HarnessAction::Sync { scope, dry_run }),
        1 => (frontend(), 1..=3u8, 0..=100u8)
            .prop_map(|(frontend, server, weight)| HarnessAction::ForeignWrite { frontend, server, weight }),
        1 => frontend().prop_map(HarnessAction::ForeignRemoval),
    ]
}

/// Performs an action. The laws that hold at all times are asserted in the harness and
/// in [`change`].
fn perform(harness: &mut Harness, flush: &mut FlushSeq, action: &HarnessAction) {
    match action {
        HarnessAction::Change { frontend, weights, flush: with_flush } => {
            if *with_flush {
                *flush = flush.next();
            }
            if harness.desired.frontends.contains_key(&name(*frontend)) {
                change(harness, *frontend, *weights, *flush);
            }
        }
        HarnessAction::Replace(frontends) => harness.replace(frontends),
        HarnessAction::Connect => harness.connect(),
        HarnessAction::Lose => harness.lose(),
        HarnessAction::Answer { index, outcome, late } => harness.answer(*index, *outcome, *late),
        HarnessAction::Fire(index) => {
            let timers: Vec<_> = harness.timers.iter().copied().collect();
            if let Some(timer) = timers.get(index % timers.len().max(1)) {
                harness.fire(*timer);
            }
        }
        HarnessAction::Sync { scope, dry_run } => {
            let scope = scope.map_or(Scope::All, |frontend| Scope::One(name(frontend)));
            harness.sync(scope, *dry_run);
        }
        HarnessAction::ForeignWrite { frontend, server, weight } => {
            write_as_other(harness, *frontend, *server, *weight);
        }
        HarnessAction::ForeignRemoval(frontend) => {
            harness.vpp.vips.remove(&vip(*frontend));
        }
    }
}

/// Answers every call, and those that follow from the answers.
fn answer_all(harness: &mut Harness, late: bool) {
    while !harness.open.is_empty() {
        harness.answer(0, CallOutcome::Done, late);
    }
}

/// Something else sets the weight of a server, if VPP has it.
fn write_as_other(harness: &mut Harness, frontend: u8, server: u8, weight: u8) {
    let step = Step::SetWeight {
        vip: vip(frontend),
        server: fixtures::server(server),
        weight: Weight::try_from(i64::from(weight)).expect("at most 100"),
        flush: false,
    };
    plan::apply(&mut harness.vpp, &step);
}

/// Changes a frontend. Law: an urgent write never waits for an ordinary one, unless both
/// are for the same frontend.
fn change(harness: &mut Harness, number: u8, weights: Weights, flush: FlushSeq) {
    let is_free = harness.knows_vpp()
        && !harness.timers.contains(&TimerId::StartupMinDelay)
        && harness.being_written(true).is_empty()
        && !harness.being_written(false).contains(&vip(number));
    harness.change(number, weights, flush);
    if is_free && !harness.being_written(true).contains(&vip(number)) {
        let state = &harness.state;
        let super::super::ObservedState::Known(observed) = &state.observed else {
            panic!("the harness knows VPP, and the state does not");
        };
        let scope = Scope::One(name(number));
        let due = plan::plan(&harness.desired, observed, &state.flushed, &scope);
        assert_eq!(due, [], "a flip waits");
    }
}

proptest! {
    /// Nothing is written from an unknown state, an urgent write overtakes ordinary
    /// ones, every request is answered exactly once, and in the end VPP holds what is
    /// desired.
    #[test]
    fn vpp_ends_as_desired_whatever_happens(
        actions in proptest::collection::vec(action(), 0..60),
    ) {
        let mut harness = Harness::steady(&[[Some(100), Some(50), None]; FRONTENDS as usize]);
        let mut flush = FlushSeq::NONE;
        for action in &actions {
            perform(&mut harness, &mut flush, action);
        }
        harness.connect();
        harness.drain();
        // The next sync repairs what VPP refused and what others changed.
        harness.sync(Scope::All, false);
        harness.drain();
        prop_assert_eq!(fixtures::due(&harness.desired, &harness.vpp), Vec::<String>::new());
        prop_assert_eq!(harness.replies.len() as u64, harness.requested, "a request has no answer");
        // A second sync has nothing to do.
        harness.writes.clear();
        let last = harness.sync(Scope::All, false);
        harness.drain();
        prop_assert_eq!(&harness.writes, &[]);
        prop_assert!(harness.replies[&last].as_ref().is_ok_and(|report| report.results.is_empty()));
    }

    /// Whether a change comes before, during or after a pass, VPP ends in the same state,
    /// and the other frontends get the same steps.
    #[test]
    fn a_pass_and_a_flip_commute(
        foreign in proptest::collection::vec((1..=MANY, 1..=3u8, 0..=100u8), 0..6),
        removed in proptest::collection::vec(1..=MANY, 0..=usize::from(MANY)),
        changed in (1..=MANY, weights()),
        answers in 0..6usize,
    ) {
        let run = |before_the_flip: Option<usize>| {
            let mut harness = Harness::steady(&[[Some(100), Some(50), Some(1)]; MANY as usize]);
            for &(frontend, server, weight) in &foreign {
                write_as_other(&mut harness, frontend, server, weight);
            }
            for &frontend in &removed {
                harness.vpp.vips.remove(&vip(frontend));
            }
            harness.sync(Scope::All, false);
            match before_the_flip {
                None => harness.drain(),
                Some(answers) => (0..answers).for_each(|_| harness.answer(0, CallOutcome::Done, false)),
            }
            let before = harness.writes.len();
            change(&mut harness, changed.0, changed.1, FlushSeq::NONE);
            answer_all(&mut harness, true);
            // A pass that is planned leaves this frontend to the flip, and no other.
            if before_the_flip != Some(0) {
                let ordinary = harness.writes[before..].iter().filter(|(urgent, _)| !urgent);
                let mut vips = ordinary.map(|(_, step)| step.vip());
                assert!(vips.all(|of| of != Some(vip(changed.0))), "a flip is undone");
            }
            let mut others = harness.vpp.clone();
            others.vips.remove(&vip(changed.0));
            harness.drain();
            // The flip may have been planned from what VPP no longer held.
            harness.sync(Scope::All, false);
            harness.drain();
            let of_others = harness.writes.iter().map(|(_, step)| step);
            let of_others = of_others.filter(|step| step.vip() != Some(vip(changed.0)));
            let mut steps = of_others.map(|step| format!("{step:?}")).collect::<Vec<_>>();
            steps.sort();
            (harness.vpp.clone(), others, steps)
        };
        let after_the_pass = run(None);
        prop_assert_eq!(run(Some(answers)), after_the_pass);
    }

    /// Whichever is answered first, the flip or the observation beside it, what the
    /// flip wrote is not written again.
    #[test]
    fn what_a_flip_wrote_is_not_written_again(
        changed in (frontend(), weights()),
        flip_first in any::<bool>(),
    ) {
        let mut harness = Harness::steady(&[[Some(100), Some(50), Some(1)]; FRONTENDS as usize]);
        harness.sync(Scope::All, false);
        change(&mut harness, changed.0, changed.1, FlushSeq::NONE);
        let first = if flip_first { harness.open.len() - 1 } else { 0 };
        harness.answer(first, CallOutcome::Done, false);
        answer_all(&mut harness, false);
        let again = harness.writes.iter().find(|(urgent, _)| !urgent);
        prop_assert_eq!(again, None);
    }

    /// What VPP refuses is retried by the backoff of drift passes and not before.
    #[test]
    fn what_was_refused_is_retried_by_the_backoff(
        refuses in proptest::collection::vec(any::<bool>(), 1..30),
    ) {
        let mut harness = Harness::steady(&[[Some(100), None, None], [Some(1), None, None]]);
        let (mut attempts, mut passes_left) = (0u32, 0u32);
        for refuses in refuses {
            harness.vpp.vips.remove(&vip(1));
            harness.writes.clear();
            harness.fire(TimerId::Drift);
            while !harness.open.is_empty() {
                let is_write = !harness.being_written(false).is_empty();
                let outcome =
                    if is_write && refuses { CallOutcome::Refused } else { CallOutcome::Done };
                harness.answer(0, outcome, true);
            }
            let tried = !harness.writes.is_empty();
            prop_assert_eq!(tried, passes_left == 0);
            if !tried {
                passes_left -= 1;
            } else if refuses {
                attempts = (attempts + 1).min(4);
                passes_left = (1 << (attempts - 1)) - 1;
            } else {
                (attempts, passes_left) = (0, 0);
            }
        }
    }

    #[test]
    fn what_was_written_is_read_back_once(
        rounds in proptest::collection::vec(
            (proptest::collection::vec((frontend(), weights()), 0..5), proptest::option::of(frontend())), 1..6),
    ) {
        let mut harness = Harness::steady(&[[Some(100), Some(50), None]; FRONTENDS as usize]);
        for (changes, removed) in rounds {
            harness.writes.clear();
            harness.reads.clear();
            for (frontend, weights) in changes {
                change(&mut harness, frontend, weights, FlushSeq::NONE);
                answer_all(&mut harness, true);
            }
            if let Some(frontend) = removed {
                harness.vpp.vips.remove(&vip(frontend));
                harness.sync(Scope::All, false);
                answer_all(&mut harness, true);
            }
            harness.drain();
            let written: BTreeSet<Vip> =
                harness.writes.iter().filter_map(|(_, step)| step.vip()).collect();
            let mut read: BTreeMap<Vip, usize> = BTreeMap::new();
            harness.reads.iter().flatten().for_each(|vip| *read.entry(*vip).or_default() += 1);
            let once = written.into_iter().map(|vip| (vip, 1)).collect();
            prop_assert_eq!(read, once);
        }
    }

    #[test]
    fn a_dry_run_writes_nothing_and_predicts_the_sync(
        foreign in proptest::collection::vec((frontend(), 1..=3u8, 0..=100u8), 0..6),
        removed in proptest::option::of(frontend()),
        scope in proptest::option::of(frontend()),
    ) {
        let mut harness = Harness::steady(&[[Some(100), Some(50), Some(1)]; FRONTENDS as usize]);
        for (frontend, server, weight) in foreign {
            write_as_other(&mut harness, frontend, server, weight);
        }
        if let Some(frontend) = removed {
            harness.vpp.vips.remove(&vip(frontend));
        }
        let scope = scope.map_or(Scope::All, |frontend| Scope::One(name(frontend)));
        let dry = harness.sync(scope.clone(), true);
        harness.drain();
        prop_assert_eq!(&harness.writes, &[]);
        let predicted = harness.replies[&dry].clone().expect("VPP is connected");
        prop_assert!(!predicted.applied);
        let sync = harness.sync(scope, false);
        harness.drain();
        let report = harness.replies[&sync].clone().expect("VPP is connected");
        prop_assert_eq!(report.results, predicted.results);
    }

    /// A daemon that starts with a VPP that holds the desired state writes nothing.
    #[test]
    fn an_unchanged_restart_writes_nothing(
        frontends in proptest::collection::vec(weights(), 0..=usize::from(FRONTENDS)),
    ) {
        let before = Harness::steady(&frontends);
        let mut harness = Harness::with_vpp(before.vpp);
        harness.replace(&frontends);
        harness.connect();
        harness.fire(TimerId::StartupMinDelay);
        harness.drain();
        harness.fire(TimerId::Drift);
        harness.drain();
        prop_assert_eq!(&harness.writes, &[]);
    }
}
