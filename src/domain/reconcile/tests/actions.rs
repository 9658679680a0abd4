//! What the laws do with a harness, at random and on purpose.

use proptest::prelude::*;
use proptest::sample::select;

use super::fixtures::{self, Weights, name, vip};
use super::harness::{CallOutcome, Harness};
use crate::domain::balancing::weights::FlushSeq;
use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::dataplane::net::Weight;
use crate::domain::dataplane::observed::Observed;
use crate::domain::dataplane::plan::{self, Scope};
use crate::domain::dataplane::step::Step;
use crate::domain::reconcile::{ObservedState, TimerId};

pub(super) const FRONTENDS: u8 = 3;
/// More than two batches in flight can hold.
pub(super) const MANY: u8 = 12;

/// One thing that a test does with the harness.
#[derive(Clone, Debug)]
pub(super) enum HarnessAction {
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

pub(super) fn weights() -> impl Strategy<Value = Weights> {
    proptest::array::uniform3(select(vec![None, Some(0), Some(50), Some(100)]))
}

pub(super) fn frontend() -> impl Strategy<Value = u8> {
    1..=FRONTENDS
}

pub(super) fn action() -> impl Strategy<Value = HarnessAction> {
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
pub(super) fn perform(harness: &mut Harness, flush: &mut FlushSeq, action: &HarnessAction) {
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
pub(super) fn answer_all(harness: &mut Harness, late: bool) {
    while !harness.open.is_empty() {
        harness.answer(0, CallOutcome::Done, late);
    }
}

/// What VPP holds, without the rows that wait for its collector: which wait, and in what
/// order, depends on the order of writes.
pub(super) fn without_retired(mut vpp: Observed) -> Observed {
    vpp.is_uncollected = false;
    vpp.vips.values_mut().for_each(|vip| vip.retired.clear());
    vpp
}

/// Something else sets the weight of a server, if VPP has it; without weights it adds
/// or removes the server.
pub(super) fn write_as_other(harness: &mut Harness, frontend: u8, server: u8, weight: u8) {
    let (vip, server) = (vip(frontend), fixtures::server(server));
    let weight = Weight::try_from(i64::from(weight)).expect("at most 100");
    let step = match harness.vpp.dialect {
        LbDialect::Weights => Step::SetWeight { vip, server, weight, flush: false },
        LbDialect::Membership if weight > Weight::ZERO => {
            Step::AddServer { vip, server, weight: Weight::MEMBER }
        }
        LbDialect::Membership => Step::RemoveServer { vip, server, flush: false },
    };
    plan::apply(&mut harness.vpp, &step);
}

/// Changes a frontend. Law: an urgent write never waits for an ordinary one, unless both
/// are for the same frontend.
pub(super) fn change(harness: &mut Harness, number: u8, weights: Weights, flush: FlushSeq) {
    let is_free = harness.knows_vpp()
        && !harness.timers.contains(&TimerId::StartupMinDelay)
        && harness.being_written(true).is_empty()
        && !harness.being_written(false).contains(&vip(number));
    harness.change(number, weights, flush);
    if is_free && !harness.being_written(true).contains(&vip(number)) {
        let state = &harness.state;
        let ObservedState::Known(observed) = &state.observed else {
            panic!("the harness knows VPP, and the state does not");
        };
        let scope = Scope::One(name(number));
        let due = plan::plan(&harness.desired, observed, &state.flushed, &scope);
        assert_eq!(due, [], "a flip waits");
    }
}

pub(super) fn dialect() -> impl Strategy<Value = LbDialect> {
    select(LbDialect::ALL.to_vec())
}
