//! Tests that a VIP is removed once it is announced no more, that this wait is bounded,
//! and that nothing else waits for it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;

use super::fixtures::{self, Weights, name, vip};
use super::harness::{CallOutcome, Harness};
use crate::domain::balancing::weights::FlushSeq;
use crate::domain::dataplane::net::{Service, Vip};
use crate::domain::dataplane::plan::Scope;
use crate::domain::dataplane::step::Step;
use crate::domain::reconcile::{AnnouncedVips, ReconcileInput, TimerId, WITHDRAW_LIMIT};

const SERVING: Weights = [Some(100), Some(50), None];
const LEAVE: u64 = 2000;
const STARTUP: u64 = 30_000;

fn limit() -> u64 {
    u64::try_from(WITHDRAW_LIMIT.as_millis()).unwrap()
}

fn address(number: u8) -> IpAddr {
    vip(number).prefix().addr()
}

/// The first `count` frontends are announced.
fn announced(count: usize) -> AnnouncedVips {
    let addresses = (1..).take(count).map(address).collect();
    AnnouncedVips { addresses, leave: Duration::from_millis(LEAVE), has_drivers: true }
}

fn place(harness: &mut Harness, numbers: &[u8]) {
    let addresses = numbers.iter().copied().map(address).collect();
    harness.step(ReconcileInput::RoutesPlaced(Some(Arc::new(addresses))));
}

fn reload(harness: &mut Harness, frontends: &[Weights]) {
    harness.announced = announced(frontends.len());
    harness.replace(frontends);
}

/// Two frontends that serve and are announced.
fn two() -> Harness {
    let mut harness = Harness::steady(&[SERVING; 2]);
    reload(&mut harness, &[SERVING; 2]);
    place(&mut harness, &[1, 2]);
    settle(&mut harness);
    harness
}

/// Answers every call, and fires no timer of removals.
fn settle(harness: &mut Harness) {
    for _ in 0..10_000 {
        let timers = [TimerId::ReadBack, TimerId::StartupMinDelay];
        if !harness.open.is_empty() {
            harness.answer(0, CallOutcome::Done, true);
        } else if let Some(timer) = timers.iter().find(|it| harness.timers.contains(it)) {
            harness.fire(*timer);
        } else {
            return;
        }
    }
    panic!("it never comes to rest");
}

fn has(harness: &Harness, number: u8) -> bool {
    harness.vpp.vips.contains_key(&vip(number))
}

#[test]
fn a_vip_is_removed_a_while_after_it_was_withdrawn() {
    let mut harness = two();
    reload(&mut harness, &[SERVING]);
    settle(&mut harness);
    assert!(has(&harness, 2), "it is announced");
    // Neither a drift pass nor a forced sync removes it.
    harness.fire(TimerId::Drift);
    let forced = harness.request_sync(Scope::All, false, true);
    settle(&mut harness);
    assert!(has(&harness, 2) && harness.writes.is_empty());
    assert_eq!(harness.replies[&forced].as_ref().unwrap().results.len(), 0);
    place(&mut harness, &[1]);
    let withdrawn = harness.clock;
    settle(&mut harness);
    assert!(has(&harness, 2), "routers may still send packets");
    harness.fire(TimerId::Removal);
    assert!(harness.clock >= withdrawn + LEAVE);
    settle(&mut harness);
    assert!(!has(&harness, 2));
    assert!(harness.clock < withdrawn + LEAVE + 100, "{}", harness.clock - withdrawn);
    assert!(!harness.timers.contains(&TimerId::Removal));
}

#[test]
fn a_daemon_that_hangs_is_waited_for_no_longer_than_the_limit() {
    let mut harness = two();
    let reloaded = harness.clock;
    reload(&mut harness, &[SERVING]);
    settle(&mut harness);
    harness.fire(TimerId::Removal);
    settle(&mut harness);
    assert!(!has(&harness, 2));
    assert!((limit()..limit() + 100).contains(&(harness.clock - reloaded)));
}

#[test]
fn what_is_not_announced_or_stays_announced_is_removed_at_once() {
    // It was not placed.
    let mut harness = two();
    place(&mut harness, &[1]);
    harness.pass_seconds(10);
    reload(&mut harness, &[SERVING]);
    settle(&mut harness);
    assert!(!has(&harness, 2));
    // Another frontend of the address stays announced.
    let mut harness = two();
    harness.announced = announced(2);
    harness.replace(&[SERVING]);
    settle(&mut harness);
    assert!(!has(&harness, 2));
    // What is in the way of a frontend's VIP is no VIP that serves on.
    let mut harness = two();
    let seen = harness.vpp.vips.remove(&vip(1)).unwrap();
    harness.vpp.vips.insert(Vip::new(vip(1).prefix(), Service::All), seen);
    harness.announced = AnnouncedVips { addresses: [address(2)].into(), ..announced(0) };
    harness.replace(&[SERVING; 2]);
    settle(&mut harness);
    assert_eq!(fixtures::due(&harness.desired, &harness.vpp), Vec::<String>::new());
}

#[test]
fn a_daemon_that_has_just_started_knows_what_is_placed_before_it_removes_a_vip() {
    let before = two();
    let started = |announced: AnnouncedVips| {
        let mut harness = Harness::with_vpp(before.vpp.clone());
        harness.announced = announced;
        harness.replace(&[SERVING]);
        harness.connect();
        harness.fire(TimerId::StartupMinDelay);
        settle(&mut harness);
        harness
    };
    let mut harness = started(announced(1));
    assert!(has(&harness, 2), "it may be announced");
    place(&mut harness, &[1, 2]);
    place(&mut harness, &[1]);
    harness.fire(TimerId::Removal);
    settle(&mut harness);
    assert!(!has(&harness, 2) && harness.clock < STARTUP);
    // Drivers that never answer.
    let mut harness = started(announced(1));
    harness.fire(TimerId::Removal);
    settle(&mut harness);
    assert!(!has(&harness, 2));
    assert!((STARTUP + limit()..STARTUP + limit() + 100).contains(&harness.clock));
    // Without a driver there is nothing to wait for.
    assert!(!has(&started(AnnouncedVips { has_drivers: false, ..announced(1) }), 2));
}

#[test]
fn a_flip_waits_for_no_removal() {
    let mut harness = two();
    reload(&mut harness, &[SERVING]);
    settle(&mut harness);
    harness.change(1, [Some(0), Some(50), Some(7)], FlushSeq::NONE);
    assert_eq!(harness.being_written(true), [vip(1)].into());
}

#[derive(Clone, Debug)]
enum RemovalHappening {
    Reload(Vec<Weights>),
    /// The drivers have placed these, and no others.
    Placed(BTreeSet<u8>),
    Change(u8, Weights),
    Passes(u64),
    Removal,
    Drift,
    Forced,
    Reconnect,
}

fn weights() -> impl Strategy<Value = Weights> {
    proptest::array::uniform3(select(vec![None, Some(0), Some(50), Some(100)]))
}

fn happening() -> impl Strategy<Value = RemovalHappening> {
    prop_oneof![
        3 => prop::collection::vec(weights(), 1..6).prop_map(RemovalHappening::Reload),
        4 => prop::collection::btree_set(1..6u8, 0..6).prop_map(RemovalHappening::Placed),
        2 => (1..6u8, weights()).prop_map(|(number, weights)| RemovalHappening::Change(number, weights)),
        2 => (0..8u64).prop_map(RemovalHappening::Passes),
        2 => Just(RemovalHappening::Removal),
        1 => Just(RemovalHappening::Drift),
        1 => Just(RemovalHappening::Forced),
        1 => Just(RemovalHappening::Reconnect),
    ]
}

/// What the test knows of one address, by itself.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    is_placed: bool,
    withdrawn: Option<u64>,
    /// Since when no frontend has it.
    left: Option<u64>,
}

fn happen(harness: &mut Harness, known: &mut BTreeMap<u8, Known>, happening: RemovalHappening) {
    match happening {
        RemovalHappening::Reload(frontends) => {
            for (number, known) in known.iter_mut() {
                let is_left = usize::from(*number) > frontends.len();
                known.left = known.left.or(Some(harness.clock)).filter(|_| is_left);
            }
            reload(harness, &frontends);
        }
        RemovalHappening::Placed(numbers) => {
            for (number, known) in known.iter_mut() {
                let is_placed = numbers.contains(number);
                if known.is_placed && !is_placed {
                    known.withdrawn = Some(harness.clock);
                }
                known.is_placed = is_placed;
            }
            place(harness, &numbers.into_iter().collect::<Vec<_>>());
        }
        RemovalHappening::Change(number, weights) => {
            if harness.desired.frontends.contains_key(&name(number)) {
                harness.change(number, weights, FlushSeq::NONE);
            }
        }
        RemovalHappening::Passes(seconds) => harness.pass_seconds(seconds),
        RemovalHappening::Removal => harness.fire(TimerId::Removal),
        RemovalHappening::Drift => harness.fire(TimerId::Drift),
        RemovalHappening::Forced => drop(harness.request_sync(Scope::All, false, true)),
        RemovalHappening::Reconnect => {
            harness.lose();
            harness.open.clear();
            harness.connect();
        }
    }
}

proptest! {
    /// Whatever happens, no VIP is touched that is announced or was until a moment ago,
    /// unless the limit is over; all others are as desired meanwhile, and in the end every
    /// VIP that left is gone within the limit.
    #[test]
    fn what_is_announced_serves_on_and_nothing_waits_for_it(
        begin in prop::collection::vec(weights(), 1..6),
        happenings in prop::collection::vec(happening(), 1..25),
    ) {
        let mut harness = Harness::steady(&begin);
        let mut known: BTreeMap<u8, Known> = (1..6).map(|it| (it, Known::default())).collect();
        happen(&mut harness, &mut known, RemovalHappening::Placed(BTreeSet::new()));
        happen(&mut harness, &mut known, RemovalHappening::Reload(begin));
        settle(&mut harness);
        for it in happenings {
            harness.writes.clear();
            happen(&mut harness, &mut known, it.clone());
            let ended = harness.clock;
            settle(&mut harness);
            for (_, step) in &harness.writes {
                let Step::RemoveVip(removed) = step else { continue };
                let number = (1..6).find(|number| vip(*number) == *removed).unwrap();
                let Known { is_placed, withdrawn, left } = known[&number];
                let Some(left) = left else { continue };
                let is_over = harness.clock >= left + limit();
                let is_quiet = withdrawn.is_none_or(|at| harness.clock >= at + LEAVE);
                prop_assert!(is_over || !is_placed && is_quiet, "{number}: {it:?}");
            }
            let mut others = harness.vpp.clone();
            others.vips.retain(|vip, _| {
                harness.desired.frontends.values().any(|it| it.spec.vip == *vip)
            });
            prop_assert_eq!(fixtures::due(&harness.desired, &others), Vec::<String>::new());
            prop_assert!(harness.clock < ended + 1000, "nothing waits");
        }
        let began = harness.clock;
        happen(&mut harness, &mut known, RemovalHappening::Drift);
        harness.request_sync(Scope::All, false, true);
        harness.drain();
        prop_assert_eq!(fixtures::due(&harness.desired, &harness.vpp), Vec::<String>::new());
        prop_assert!(harness.clock < began + limit() + LEAVE + 1000);
    }
}
