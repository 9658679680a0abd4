//! The laws of the reconciliation: each holds for every sequence of inputs and for
//! every order of answers.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::actions::{
    FRONTENDS, MANY, action, answer_all, change, dialect, frontend, perform, weights,
    without_retired, write_as_other,
};
use super::fixtures::{self, CONF, name, vip};
use super::harness::{CallOutcome, Harness};
use crate::domain::balancing::weights::FlushSeq;
use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::Observed;
use crate::domain::dataplane::plan::Scope;
use crate::domain::dataplane::step::Step;
use crate::domain::reconcile::TimerId;

proptest! {
    /// Nothing is written from an unknown state, an urgent write overtakes ordinary
    /// ones, every request is answered exactly once, and in the end VPP holds what is
    /// desired.
    #[test]
    fn vpp_ends_as_desired_whatever_happens(
        actions in proptest::collection::vec(action(), 0..60),
        dialect in dialect(),
    ) {
        let mut harness = Harness::steady_on(dialect, &[[Some(100), Some(50), None]; FRONTENDS as usize]);
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
        dialect in dialect(),
    ) {
        let run = |before_the_flip: Option<usize>| {
            let mut harness = Harness::steady_on(dialect, &[[Some(100), Some(50), Some(1)]; MANY as usize]);
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
            (without_retired(harness.vpp), without_retired(others), steps)
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
        dialect in dialect(),
    ) {
        let mut harness = Harness::steady_on(dialect, &[[Some(100), Some(50), Some(1)]; FRONTENDS as usize]);
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
        dialect in dialect(),
    ) {
        let mut harness = Harness::steady_on(dialect, &[[Some(100), None, None], [Some(1), None, None]]);
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
        dialect in dialect(),
    ) {
        let mut harness = Harness::steady_on(dialect, &[[Some(100), Some(50), None]; FRONTENDS as usize]);
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
        dialect in dialect(),
    ) {
        let mut harness = Harness::steady_on(dialect, &[[Some(100), Some(50), Some(1)]; FRONTENDS as usize]);
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
        dialect in dialect(),
    ) {
        let before = Harness::steady_on(dialect, &frontends);
        let mut harness = Harness::with_vpp(before.vpp);
        harness.replace(&frontends);
        harness.connect();
        harness.fire(TimerId::StartupMinDelay);
        harness.drain();
        harness.fire(TimerId::Drift);
        harness.drain();
        // What a VPP does not tell is written once, which changes nothing.
        let conf = (false, Step::SetConf(CONF));
        let expected = match dialect {
            LbDialect::Weights => vec![],
            LbDialect::Membership => vec![conf],
        };
        prop_assert_eq!(&harness.writes, &expected);
    }

    /// A VPP that comes back as another release is programmed in its own dialect: the
    /// harness refuses steps of the other one.
    #[test]
    fn a_vpp_of_another_dialect_is_programmed_anew(
        frontends in proptest::collection::vec(weights(), 1..=usize::from(FRONTENDS)),
        changed in (frontend(), weights()),
        dialect in dialect(),
    ) {
        let mut harness = Harness::steady_on(dialect, &frontends);
        for dialect in LbDialect::ALL {
            harness.lose();
            let number = changed.0;
            if harness.desired.frontends.contains_key(&name(number)) {
                harness.change(number, changed.1, FlushSeq::NONE);
            }
            harness.vpp = Observed::empty(dialect, CONF);
            harness.connect();
            harness.drain();
            prop_assert_eq!(fixtures::due(&harness.desired, &harness.vpp), Vec::<String>::new());
            let flushes = harness.writes.iter().filter(|(_, step)| matches!(step,
                Step::RemoveServer { flush: true, .. } | Step::SetWeight { flush: true, .. }));
            prop_assert_eq!(flushes.count(), 0, "nothing is there to be flushed");
        }
    }
}
