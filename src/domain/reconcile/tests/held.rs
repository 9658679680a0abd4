//! Tests which removals are held, and that nothing else is.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;

use super::fixtures::{self, CONF, Weights, name, vip};
use super::harness::Harness;
use crate::domain::balancing::weights::FlushSeq;
use crate::domain::dataplane::net::{Service, Vip};
use crate::domain::dataplane::observed::{Observed, ObservedEncap};
use crate::domain::dataplane::plan::{Desired, Scope};
use crate::domain::events::DataplaneKind;
use crate::domain::reconcile::TimerId;
use crate::domain::reconcile::held_removals::excessive_removals;

const SERVING: Weights = [Some(100), Some(50), None];

/// A daemon that starts with these frontends, and a VPP that holds so many others, from
/// the first on.
fn restarted(held: &[Weights], configured: &[Weights]) -> Harness {
    let before = Harness::steady(held);
    let mut harness = Harness::with_vpp(before.vpp);
    harness.replace(configured);
    harness.connect();
    harness.fire(TimerId::StartupMinDelay);
    harness.drain();
    harness
}

/// The VIPs of these frontends that VPP has.
fn present(harness: &Harness, numbers: std::ops::RangeInclusive<u8>) -> usize {
    numbers.filter(|number| harness.vpp.vips.contains_key(&vip(*number))).count()
}

fn told(harness: &Harness, kind: DataplaneKind) -> usize {
    harness.published.iter().filter(|published| **published == kind).count()
}

#[test]
fn too_much_stays_until_a_sync_is_forced() {
    let mut harness = restarted(&[SERVING; 4], &[SERVING]);
    assert_eq!(present(&harness, 1..=4), 4);
    assert_eq!(harness.state.held_removals(), [2, 3, 4].map(vip));
    assert_eq!(harness.state.stats().removals_held, 3);
    assert_eq!(harness.state.stats().last_success, None, "VPP is not as desired");
    // Neither a drift pass nor an ordinary sync makes them.
    harness.fire(TimerId::Drift);
    harness.drain();
    let sync = harness.sync(Scope::All, false);
    let dry = harness.sync(Scope::All, true);
    let forced_dry = harness.request_sync(Scope::All, true, true);
    harness.drain();
    let report = |id| harness.replies[&id].clone().unwrap();
    assert_eq!((report(sync).results.len(), report(sync).held.len()), (0, 9));
    assert_eq!((report(dry).results.len(), report(dry).held.len()), (0, 9));
    assert_eq!((report(forced_dry).results.len(), report(forced_dry).held.len()), (9, 0));
    assert_eq!((present(&harness, 1..=4), harness.writes.len()), (4, 0));
    assert_eq!(told(&harness, DataplaneKind::RemovalsHeld), 1, "once");
    let forced = harness.request_sync(Scope::All, false, true);
    harness.drain();
    assert_eq!(harness.replies[&forced].as_ref().unwrap().results.len(), 9);
    assert_eq!((present(&harness, 1..=1), present(&harness, 2..=4)), (1, 0));
    assert_eq!(told(&harness, DataplaneKind::RemovalsReleased), 1);
    assert_eq!(harness.state.held_removals(), []);
    assert!(harness.state.stats().last_success.is_some());
}

#[test]
fn a_forced_reload_and_enough_of_the_configuration_end_a_hold() {
    for (reload, force, left) in [
        // The same file: they stay.
        (1, false, 4),
        (1, true, 1),
        // Two of four are missing: they may be meant.
        (2, false, 2),
        (4, false, 4),
    ] {
        let mut harness = restarted(&[SERVING; 4], &[SERVING]);
        harness.reload(&vec![SERVING; reload], force);
        harness.drain();
        assert_eq!(present(&harness, 1..=4), left, "{reload} {force}");
        let held = left.saturating_sub(reload);
        assert_eq!(harness.state.held_removals().len(), held, "{reload} {force}");
    }
}

#[test]
fn what_a_reload_left_out_is_not_held_after_a_reconnect() {
    let mut harness = Harness::steady(&[SERVING; 4]);
    harness.lose();
    harness.replace(&[SERVING]);
    harness.connect();
    harness.drain();
    assert_eq!(present(&harness, 1..=4), 1);
}

#[test]
fn a_hold_is_judged_anew_over_each_connection_and_drift_is_not() {
    let mut harness = restarted(&[SERVING; 4], &[SERVING]);
    harness.lose();
    assert_eq!(harness.state.held_removals(), [], "VPP is not known");
    harness.connect();
    harness.drain();
    assert_eq!((harness.state.held_removals().len(), present(&harness, 1..=4)), (3, 4));
    // By hand: then there is nothing to hold.
    (2..=4).for_each(|number| drop(harness.vpp.vips.remove(&vip(number))));
    harness.fire(TimerId::Drift);
    harness.drain();
    assert_eq!(harness.state.held_removals(), []);
    // What others add afterwards is drift.
    harness.vpp.vips = Harness::steady(&[SERVING; 4]).vpp.vips;
    harness.fire(TimerId::Drift);
    harness.drain();
    assert_eq!(present(&harness, 1..=4), 1);
}

#[test]
fn frontends_are_written_while_removals_are_held() {
    let mut harness = restarted(&[SERVING; 4], &[SERVING]);
    harness.change(1, [Some(0), Some(50), Some(7)], FlushSeq::NONE);
    harness.drain();
    assert!(harness.writes.iter().any(|(urgent, _)| *urgent));
    assert_eq!(fixtures::due(&harness.desired, &harness.vpp).len(), 9, "the removals alone");
}

#[test]
fn what_is_in_the_way_of_a_frontend_is_replaced() {
    let mut observed = Harness::steady(&[SERVING]).vpp;
    let seen = observed.vips.remove(&vip(1)).unwrap();
    let all_ports = Vip::new(vip(1).prefix(), Service::All);
    observed.vips.insert(all_ports, seen.clone());
    let desired = Harness::steady(&[SERVING]).desired;
    let held = |observed: &Observed, desired: &Desired| {
        excessive_removals(desired, observed, &BTreeSet::new())
    };
    assert_eq!(held(&observed, &desired), BTreeSet::new());
    let none = Desired { conf: CONF, frontends: [].into() };
    assert_eq!(held(&observed, &none), [all_ports].into());
    // Another port of the address can stand beside it, and another encapsulation cannot.
    let port = 443.try_into().unwrap();
    let https = Vip::new(vip(1).prefix(), Service::Port { protocol: 6, port });
    let mut beside = Observed { vips: [(https, seen.clone())].into(), ..observed };
    assert_eq!(held(&beside, &desired), [https].into());
    beside.vips.get_mut(&https).unwrap().encap = ObservedEncap::Other(3);
    assert_eq!(held(&beside, &desired), BTreeSet::new());
}

fn weights() -> impl Strategy<Value = Weights> {
    proptest::array::uniform3(select(vec![None, Some(0), Some(50), Some(100)]))
}

proptest! {
    /// Whatever a VPP holds when a daemon starts: too many removals are held, all else is
    /// written, and a forced sync makes the rest.
    #[test]
    fn removals_are_held_and_nothing_else(
        before in proptest::collection::vec(weights(), 0..7),
        after in proptest::collection::vec(weights(), 0..7),
        flips in proptest::collection::vec((1..7u8, weights()), 0..4),
    ) {
        let mut harness = restarted(&before, &after);
        for (number, weights) in flips {
            if harness.desired.frontends.contains_key(&name(number)) {
                harness.change(number, weights, FlushSeq::NONE);
            }
        }
        harness.drain();
        harness.fire(TimerId::Drift);
        harness.drain();
        let removed = before.len().saturating_sub(after.len());
        let is_excessive = removed > 0
            && (removed == before.len() || before.len() >= 4 && 2 * removed > before.len());
        let held: Vec<_> = if is_excessive {
            (after.len()..before.len()).map(|index| vip(u8::try_from(index + 1).unwrap())).collect()
        } else {
            vec![]
        };
        prop_assert_eq!(harness.state.held_removals(), held.clone());
        prop_assert_eq!(told(&harness, DataplaneKind::RemovalsHeld), usize::from(is_excessive));
        // They are as they were, and the others as desired.
        let original = Harness::steady(&before).vpp;
        for vip in &held {
            prop_assert_eq!(&harness.vpp.vips[vip], &original.vips[vip]);
        }
        let mut others = harness.vpp.clone();
        held.iter().for_each(|vip| drop(others.vips.remove(vip)));
        prop_assert_eq!(fixtures::due(&harness.desired, &others), Vec::<String>::new());
        harness.request_sync(Scope::All, false, true);
        harness.drain();
        prop_assert_eq!(fixtures::due(&harness.desired, &harness.vpp), Vec::<String>::new());
    }
}
