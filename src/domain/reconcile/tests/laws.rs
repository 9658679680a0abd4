//! The laws: each holds whatever happens, in whatever order it is answered.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::select;

use super::harness::{Fate, Harness, Weights, name, vip};
use crate::domain::balancing::weights::FlushSeq;
use crate::domain::dataplane::net::{Vip, Weight};
use crate::domain::dataplane::plan::{self, Scope};
use crate::domain::dataplane::step::Step;
use crate::domain::reconcile::TimerId;

const FRONTENDS: u8 = 3;

/// Something that happens.
#[derive(Clone, Debug)]
enum Happens {
    Change {
        frontend: u8,
        weights: Weights,
        flush: bool,
    },
    Replace(Vec<Weights>),
    Connect,
    Lose,
    Answer {
        place: usize,
        fate: Fate,
        late: bool,
    },
    Fire(usize),
    Sync {
        scope: Option<u8>,
        dry_run: bool,
    },
    /// Somebody else writes to VPP.
    Meddle {
        frontend: u8,
        server: u8,
        weight: u8,
    },
    RemoveVip(u8),
}

fn weights() -> impl Strategy<Value = Weights> {
    proptest::array::uniform3(select(vec![None, Some(0), Some(50), Some(100)]))
}

fn frontend() -> impl Strategy<Value = u8> {
    1..=FRONTENDS
}

fn happens() -> impl Strategy<Value = Happens> {
    let fate = prop_oneof![
        8 => Just(Fate::Done),
        1 => Just(Fate::Refused),
        1 => Just(Fate::LostBefore),
        1 => Just(Fate::LostAfter),
    ];
    prop_oneof![
        8 => (0..4usize, fate, any::<bool>())
            .prop_map(|(place, fate, late)| Happens::Answer { place, fate, late }),
        4 => (frontend(), weights(), any::<bool>())
            .prop_map(|(frontend, weights, flush)| Happens::Change { frontend, weights, flush }),
        1 => proptest::collection::vec(weights(), 0..=usize::from(FRONTENDS))
            .prop_map(Happens::Replace),
        1 => Just(Happens::Connect),
        1 => Just(Happens::Lose),
        3 => (0..4usize).prop_map(Happens::Fire),
        2 => (proptest::option::of(frontend()), any::<bool>())
            .prop_map(|(scope, dry_run)| Happens::Sync { scope, dry_run }),
        1 => (frontend(), 1..=3u8, 0..=100u8)
            .prop_map(|(frontend, server, weight)| Happens::Meddle { frontend, server, weight }),
        1 => frontend().prop_map(Happens::RemoveVip),
    ]
}

/// Lets it happen. What is asserted along the way stands in the harness and in
/// [`change`].
fn let_happen(harness: &mut Harness, flush: &mut FlushSeq, happens: &Happens) {
    match happens {
        Happens::Change { frontend, weights, flush: with_flush } => {
            if *with_flush {
                *flush = flush.next();
            }
            if harness.desired.frontends.contains_key(&name(*frontend)) {
                change(harness, *frontend, *weights, *flush);
            }
        }
        Happens::Replace(frontends) => harness.replace(frontends),
        Happens::Connect => harness.connect(),
        Happens::Lose => harness.lose(),
        Happens::Answer { place, fate, late } => harness.answer(*place, *fate, *late),
        Happens::Fire(place) => {
            let timers: Vec<_> = harness.timers.iter().copied().collect();
            if let Some(timer) = timers.get(place % timers.len().max(1)) {
                harness.fire(*timer);
            }
        }
        Happens::Sync { scope, dry_run } => {
            let scope = scope.map_or(Scope::All, |frontend| Scope::One(name(frontend)));
            harness.sync(scope, *dry_run);
        }
        Happens::Meddle { frontend, server, weight } => {
            meddle(harness, *frontend, *server, *weight)
        }
        Happens::RemoveVip(frontend) => {
            harness.vpp.vips.remove(&vip(*frontend));
        }
    }
}

/// Somebody else sets the weight of a server, if it is there.
fn meddle(harness: &mut Harness, frontend: u8, server: u8, weight: u8) {
    let step = Step::SetWeight {
        vip: vip(frontend),
        server: super::harness::server(server),
        weight: Weight::try_from(i64::from(weight)).expect("at most 100"),
        flush: false,
    };
    plan::apply(&mut harness.vpp, &step);
}

/// Changes a frontend. Law: an urgent write never waits behind an ordinary one
/// that it can overtake, which is every one but of the same frontend.
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
    /// Nothing is written from an unknown state, an urgent write overtakes, every
    /// request is answered exactly once, and in the end VPP holds what is desired.
    #[test]
    fn vpp_ends_as_desired_whatever_happens(
        story in proptest::collection::vec(happens(), 0..60),
    ) {
        let mut harness = Harness::steady(&[[Some(100), Some(50), None]; FRONTENDS as usize]);
        let mut flush = FlushSeq::NONE;
        for happens in &story {
            let_happen(&mut harness, &mut flush, happens);
        }
        harness.connect();
        harness.drain();
        // What VPP refused or somebody meddled with is mended by the next sync.
        harness.sync(Scope::All, false);
        harness.drain();
        prop_assert_eq!(harness.due(), Vec::<String>::new());
        prop_assert_eq!(harness.replies.len() as u64, harness.requested, "a request has no answer");
        // A second sync has nothing to do.
        harness.writes.clear();
        let last = harness.sync(Scope::All, false);
        harness.drain();
        prop_assert_eq!(&harness.writes, &[]);
        prop_assert!(harness.replies[&last].as_ref().is_ok_and(|report| report.results.is_empty()));
    }

    /// Whenever the change comes, before, within or after the pass, VPP ends the
    /// same, and the other frontends get the same steps.
    #[test]
    fn a_pass_and_a_flip_commute(
        meddled in proptest::collection::vec((frontend(), 1..=3u8, 0..=100u8), 0..6),
        removed in proptest::option::of(frontend()),
        changed in (frontend(), weights()),
        answers in 0..6usize,
    ) {
        let run = |before_the_flip: Option<usize>| {
            let mut harness = Harness::steady(&[[Some(100), Some(50), Some(1)]; FRONTENDS as usize]);
            for &(frontend, server, weight) in &meddled {
                meddle(&mut harness, frontend, server, weight);
            }
            if let Some(frontend) = removed {
                harness.vpp.vips.remove(&vip(frontend));
            }
            harness.sync(Scope::All, false);
            match before_the_flip {
                None => harness.drain(),
                Some(answers) => (0..answers).for_each(|_| harness.answer(0, Fate::Done, false)),
            }
            change(&mut harness, changed.0, changed.1, FlushSeq::NONE);
            harness.drain();
            // A flip from what VPP no longer held is mended by the sync's look.
            harness.sync(Scope::All, false);
            harness.drain();
            let of_others = harness.writes.iter().map(|(_, step)| step.clone());
            let of_others = of_others.filter(|step| step.vip() != Some(vip(changed.0)));
            let mut steps = of_others.map(|step| format!("{step:?}")).collect::<Vec<_>>();
            steps.sort();
            (harness.vpp.clone(), steps)
        };
        let apart = run(None);
        prop_assert_eq!(run(Some(answers)), apart);
    }

    /// What VPP refuses is retried by the backoff of drift passes and not before.
    #[test]
    fn what_was_refused_is_retried_by_the_backoff(
        refuses in proptest::collection::vec(any::<bool>(), 1..30),
    ) {
        let mut harness = Harness::steady(&[[Some(100), None, None], [Some(1), None, None]]);
        let (mut times, mut left) = (0u32, 0u32);
        for refuses in refuses {
            harness.vpp.vips.remove(&vip(1));
            harness.writes.clear();
            harness.fire(TimerId::Drift);
            while !harness.open.is_empty() {
                let is_write = !harness.being_written(false).is_empty();
                let fate = if is_write && refuses { Fate::Refused } else { Fate::Done };
                harness.answer(0, fate, true);
            }
            let tried = !harness.writes.is_empty();
            prop_assert_eq!(tried, left == 0);
            if !tried {
                left -= 1;
            } else if refuses {
                times = (times + 1).min(4);
                left = (1 << (times - 1)) - 1;
            } else {
                (times, left) = (0, 0);
            }
        }
    }

    /// What was written is read back once, and nothing else is.
    #[test]
    fn what_was_written_is_read_back_once(
        rounds in proptest::collection::vec(
            proptest::collection::vec((frontend(), weights()), 0..5), 1..6),
    ) {
        let mut harness = Harness::steady(&[[Some(100), Some(50), None]; FRONTENDS as usize]);
        for round in rounds {
            harness.writes.clear();
            harness.reads.clear();
            for (frontend, weights) in round {
                change(&mut harness, frontend, weights, FlushSeq::NONE);
                while !harness.open.is_empty() {
                    harness.answer(0, Fate::Done, true);
                }
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

    /// A dry run writes nothing, and foretells what the sync then does.
    #[test]
    fn a_dry_run_writes_nothing_and_foretells_the_sync(
        meddled in proptest::collection::vec((frontend(), 1..=3u8, 0..=100u8), 0..6),
        removed in proptest::option::of(frontend()),
        scope in proptest::option::of(frontend()),
    ) {
        let mut harness = Harness::steady(&[[Some(100), Some(50), Some(1)]; FRONTENDS as usize]);
        for (frontend, server, weight) in meddled {
            meddle(&mut harness, frontend, server, weight);
        }
        if let Some(frontend) = removed {
            harness.vpp.vips.remove(&vip(frontend));
        }
        let scope = scope.map_or(Scope::All, |frontend| Scope::One(name(frontend)));
        let dry = harness.sync(scope.clone(), true);
        harness.drain();
        prop_assert_eq!(&harness.writes, &[]);
        let foretold = harness.replies[&dry].clone().expect("VPP is there");
        prop_assert!(!foretold.applied);
        let sync = harness.sync(scope, false);
        harness.drain();
        let report = harness.replies[&sync].clone().expect("VPP is there");
        prop_assert_eq!(report.results, foretold.results);
    }

    /// A daemon that starts beside a VPP that holds what is desired writes nothing.
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
