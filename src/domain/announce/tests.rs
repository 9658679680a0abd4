//! Laws of what is announced.

mod before;

use std::time::{Duration, Instant, SystemTime};

use proptest::prelude::*;

use super::orders::{AnnounceOrder, AnnounceScope, GivenOrder};
use super::placement::{RoutePlacement, VipPrefix, WantedRoutes};
use super::*;
use crate::domain::balancing::fail_open::UpWeight;
use crate::domain::moment::Moment;
use crate::domain::names::FrontendName;

const HOLD_VPP: Duration = Duration::from_secs(10);
const HOLD_DOWN: Duration = Duration::from_secs(3);
const HOLD_UP: Duration = Duration::from_secs(7);

fn prefix(number: u8) -> VipPrefix {
    VipPrefix::new([192, 0, 2, number].into())
}

fn name(number: u8) -> FrontendName {
    FrontendName::from(format!("f{number}").as_str())
}

fn settings(shared: SharedBy) -> AnnounceSettings {
    AnnounceSettings {
        min_healthy: HealthyShare::new(20).unwrap(),
        recover: HealthyShare::new(50).unwrap(),
        hold_down: HOLD_DOWN,
        hold_up: HOLD_UP,
        shared,
    }
}

/// A frontend with so many hundredths of its weight up, which VPP serves if any is.
fn frontend(up: u64) -> AnnouncedFrontend {
    let weight = UpWeight { up, awaited: 0, total: 100 };
    let settings = settings(SharedBy::Any);
    AnnouncedFrontend { settings, weight, serves: up > 0, is_unwitnessed: false }
}

/// One prefix with one frontend.
fn facts(frontend: AnnouncedFrontend) -> AnnounceFacts {
    let frontends = [(name(1), frontend)].into();
    let its = PrefixFacts { frontends, is_routed: Some(true), order: None };
    AnnounceFacts {
        is_ready: true,
        is_vpp_present: true,
        hold_vpp: HOLD_VPP,
        prefixes: [(prefix(1), its)].into(),
    }
}

fn order(order: AnnounceOrder) -> Option<GivenOrder> {
    Some(GivenOrder { order, scope: AnnounceScope::Prefix(prefix(1)), who: "ann".into() })
}

/// Decisions one after another, at times of their own.
struct Case {
    state: AnnounceState,
    began: Moment,
    last: AnnounceDecision,
}

impl Case {
    fn new(placed: &[(u8, RoutePlacement)]) -> Self {
        let mut state = AnnounceState::default();
        state.adopt(placed.iter().map(|(number, it)| (prefix(*number), *it)).collect());
        let began = Moment { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
        Self { state, began, last: AnnounceDecision::default() }
    }

    fn moment(&self, after: Duration) -> Moment {
        let Moment { monotonic, wall } = self.began;
        Moment { monotonic: monotonic + after, wall: wall + after }
    }

    /// What is wanted of the first prefix, so long after the beginning.
    fn at(&mut self, after: Duration, facts: &AnnounceFacts) -> Option<RoutePlacement> {
        let moment = self.moment(after);
        self.last = self.state.decide(facts, moment);
        self.last.wanted.as_ref().and_then(|wanted| wanted.get(&prefix(1)).copied())
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const ANNOUNCED: Option<RoutePlacement> = Some(RoutePlacement::Announced);
const DRAINED: Option<RoutePlacement> = Some(RoutePlacement::Drained);

#[test]
fn nothing_is_touched_before_vpp_was_read_and_what_is_placed_too() {
    let mut case = Case::new(&[]);
    let mut early = facts(frontend(100));
    early.is_ready = false;
    assert_eq!((case.at(seconds(0), &early), &case.last.wanted), (None, &None));
    let mut unread = AnnounceState::default();
    let now = case.moment(seconds(1));
    assert_eq!(unread.decide(&facts(frontend(100)), now), AnnounceDecision::default());
    assert_eq!(case.at(seconds(1), &facts(frontend(100))), ANNOUNCED);
    let views = AnnounceState::default().views(&early, now);
    assert_eq!(views[0].standing, VipStanding::Unknown);
}

#[test]
fn a_prefix_is_withdrawn_below_the_one_share_and_announced_from_the_other_on() {
    let mut case = Case::new(&[]);
    assert_eq!(case.at(seconds(0), &facts(frontend(49))), None);
    assert_eq!(case.at(seconds(1), &facts(frontend(50))), ANNOUNCED);
    assert_eq!(case.at(seconds(2), &facts(frontend(20))), ANNOUNCED);
    assert_eq!(case.at(seconds(3), &facts(frontend(19))), ANNOUNCED);
    assert_eq!(case.last.again, Some(case.moment(seconds(6)).monotonic));
    assert_eq!(case.at(seconds(6), &facts(frontend(19))), None);
    assert_eq!(
        case.last.changes[0].why.to_string(),
        "of the weight of f1's servers 19 of 100 is up: 50% is needed"
    );
    assert_eq!(case.at(seconds(20), &facts(frontend(49))), None);
    assert_eq!(case.at(seconds(21), &facts(frontend(50))), None);
    assert_eq!(case.at(seconds(27), &facts(frontend(50))), None);
    assert_eq!(case.at(seconds(28), &facts(frontend(50))), ANNOUNCED);
}

#[test]
fn what_was_placed_is_adopted_with_the_lower_share() {
    let mut case = Case::new(&[(1, RoutePlacement::Announced), (2, RoutePlacement::Announced)]);
    assert_eq!(case.at(seconds(0), &facts(frontend(20))), ANNOUNCED);
    assert_eq!(case.last.changes, []);
    // That of a frontend that is no more goes.
    assert_eq!(case.last.wanted.as_ref().map(WantedRoutes::len), Some(1));
}

#[test]
fn what_nobody_has_witnessed_withdraws_nothing() {
    let mut case = Case::new(&[(1, RoutePlacement::Announced)]);
    let unwitnessed = AnnouncedFrontend { is_unwitnessed: true, ..frontend(0) };
    let blind = facts(unwitnessed);
    assert_eq!(case.at(seconds(0), &blind), ANNOUNCED);
    assert_eq!(case.at(seconds(100_000), &blind), ANNOUNCED);
    let view = &case.state.views(&blind, case.moment(seconds(100_000)))[0];
    assert_eq!(view.held, Some((HoldReason::Unwitnessed, None)));
    // With a witness, from then on.
    let dead = facts(frontend(0));
    assert_eq!(case.at(seconds(100_001), &dead), ANNOUNCED);
    assert_eq!(case.at(seconds(100_004), &dead), None);
    // Nor does blindness announce anything.
    assert_eq!(case.at(seconds(100_005), &blind), None);
}

#[test]
fn a_restart_of_vpp_fits_into_its_hold() {
    let mut case = Case::new(&[]);
    let well = facts(frontend(100));
    let away = AnnounceFacts { is_vpp_present: false, ..well.clone() };
    let empty = facts(AnnouncedFrontend { serves: false, ..frontend(100) });
    assert_eq!(case.at(seconds(0), &well), ANNOUNCED);
    assert_eq!(case.at(seconds(1), &away), ANNOUNCED);
    assert_eq!(case.at(seconds(9), &empty), ANNOUNCED);
    assert_eq!(case.at(seconds(10), &well), ANNOUNCED);
    assert_eq!(case.at(seconds(11), &away), ANNOUNCED);
    assert_eq!(case.at(seconds(20), &empty), ANNOUNCED);
    assert_eq!(case.at(seconds(21), &empty), None);
    assert_eq!(case.at(seconds(30), &empty), None);
    assert_eq!(case.at(seconds(31), &well), None);
    assert_eq!(case.at(seconds(38), &well), ANNOUNCED);
}

#[test]
fn operators_are_obeyed_at_once_and_cannot_announce_what_is_not_served() {
    let mut case = Case::new(&[]);
    let ordered = |frontend: AnnouncedFrontend, it| {
        let mut facts = facts(frontend);
        facts.prefixes.values_mut().for_each(|its| its.order = order(it));
        facts
    };
    assert_eq!(case.at(seconds(0), &facts(frontend(100))), ANNOUNCED);
    assert_eq!(case.at(seconds(1), &ordered(frontend(100), AnnounceOrder::Drain)), DRAINED);
    assert_eq!(case.at(seconds(2), &ordered(frontend(100), AnnounceOrder::Withdraw)), None);
    assert_eq!(case.last.changes[0].why.to_string(), "ann ordered: withdraw");
    assert_eq!(case.at(seconds(3), &facts(frontend(100))), ANNOUNCED);
    assert_eq!(case.at(seconds(4), &facts(frontend(1))), ANNOUNCED);
    assert_eq!(case.at(seconds(5), &ordered(frontend(1), AnnounceOrder::Announce)), ANNOUNCED);
    assert_eq!(case.at(seconds(60), &ordered(frontend(1), AnnounceOrder::Announce)), ANNOUNCED);
    assert_eq!(case.at(seconds(61), &ordered(frontend(0), AnnounceOrder::Announce)), ANNOUNCED);
    assert_eq!(case.at(seconds(71), &ordered(frontend(0), AnnounceOrder::Announce)), None);
}

#[test]
fn frontends_share_a_prefix_as_the_file_says() {
    let shared = |shared, up: [u64; 2]| {
        let frontends = [1, 2].map(|number| {
            let it = frontend(up[usize::from(number) - 1]);
            (name(number), AnnouncedFrontend { settings: settings(shared), ..it })
        });
        let mut facts = facts(frontend(0));
        facts.prefixes.values_mut().for_each(|its| its.frontends = frontends.clone().into());
        facts
    };
    let decide = |facts: &AnnounceFacts| Case::new(&[]).at(seconds(0), facts);
    assert_eq!(decide(&shared(SharedBy::Any, [0, 100])), ANNOUNCED);
    assert_eq!(decide(&shared(SharedBy::Any, [0, 0])), None);
    assert_eq!(decide(&shared(SharedBy::All, [0, 100])), None);
    assert_eq!(decide(&shared(SharedBy::All, [100, 100])), ANNOUNCED);
}

/// A minute of facts of one prefix that change each second.
fn history() -> impl Strategy<Value = Vec<AnnounceFacts>> {
    let moment = (0..=4u64, any::<bool>(), 0..8u8, 0..8u8, 0..12u8).prop_map(
        |(up, serves, present, unwitnessed, ordered)| {
            let mut frontend = frontend(up * 25);
            frontend.serves &= serves || ordered > 3;
            frontend.is_unwitnessed = unwitnessed == 0;
            let mut facts = facts(frontend);
            facts.is_vpp_present = present > 0;
            let ordered = match ordered {
                0 => order(AnnounceOrder::Withdraw),
                1 => order(AnnounceOrder::Drain),
                2 => order(AnnounceOrder::Announce),
                _ => None,
            };
            facts.prefixes.values_mut().for_each(|its| its.order = ordered.clone());
            facts
        },
    );
    // Each lasts some seconds.
    let lasting = (moment, 1..15usize).prop_map(|(facts, count)| vec![facts; count]);
    prop::collection::vec(lasting, 1..12).prop_map(|parts| parts.concat())
}

fn is_served(facts: &AnnounceFacts) -> bool {
    facts.is_vpp_present && facts.prefixes[&prefix(1)].frontends[&name(1)].serves
}

proptest! {
    #[test]
    fn only_what_serves_is_announced_and_longer_by_no_more_than_the_hold(history in history()) {
        let mut case = Case::new(&[]);
        let mut unserved = 0;
        for (second, facts) in (0..).zip(&history) {
            let was = case.state.views(facts, case.moment(seconds(second)))[0].standing;
            let placed = case.at(seconds(second), facts);
            unserved = if is_served(facts) { 0 } else { unserved + 1 };
            let blind = facts.prefixes[&prefix(1)].frontends[&name(1)].is_unwitnessed;
            if unserved > 0 {
                prop_assert!(placed.is_none() || matches!(was, VipStanding::Announced | VipStanding::Drained));
            }
            // The first second of it is its beginning.
            if unserved > HOLD_VPP.as_secs() + 1 && !blind {
                let since_blind = history[..=usize::try_from(second).unwrap()].iter().rev()
                    .take(11).any(|it| it.prefixes[&prefix(1)].frontends[&name(1)].is_unwitnessed);
                prop_assert!(placed.is_none() || since_blind, "{second}");
            }
        }
    }

    #[test]
    fn a_withdraw_has_a_reason_that_is_true_and_an_announcement_too(history in history()) {
        let mut case = Case::new(&[]);
        for (second, facts) in (0..).zip(&history) {
            case.at(seconds(second), facts);
            let its = &facts.prefixes[&prefix(1)];
            let frontend = &its.frontends[&name(1)];
            for change in &case.last.changes {
                let is_true = match (&change.why, change.to) {
                    (AnnounceReason::Healthy, to) => {
                        to == VipStanding::Announced && frontend.weight.up >= 20 && is_served(facts)
                    }
                    (AnnounceReason::Unhealthy { .. }, to) => {
                        to == VipStanding::Withdrawn && frontend.weight.up < 50
                            && !frontend.is_unwitnessed
                    }
                    (AnnounceReason::VppAway, to) => to == VipStanding::Withdrawn && !facts.is_vpp_present,
                    (AnnounceReason::NotServed { .. }, to) => to == VipStanding::Withdrawn && !frontend.serves,
                    (AnnounceReason::Ordered(given), to) => {
                        its.order.as_ref() == Some(given) && match given.order {
                            AnnounceOrder::Announce => to == VipStanding::Announced && is_served(facts),
                            AnnounceOrder::Drain => to == VipStanding::Drained && is_served(facts),
                            AnnounceOrder::Withdraw => to == VipStanding::Withdrawn,
                        }
                    }
                    _ => false,
                };
                prop_assert!(is_true, "{change:?} at {second}");
            }
        }
    }

    #[test]
    fn what_moves_between_the_shares_changes_nothing(
        ups in prop::collection::vec(20..50u64, 1..60),
        placed in any::<bool>(),
    ) {
        let before = [(1, RoutePlacement::Announced)];
        let mut case = Case::new(if placed { &before } else { &[] });
        for (second, up) in (0..).zip(ups) {
            let now = case.at(seconds(second), &facts(frontend(up)));
            prop_assert_eq!(now.is_some(), placed);
            prop_assert!(case.last.changes.is_empty());
        }
    }

    #[test]
    fn to_decide_twice_changes_nothing_and_waits_end_when_they_say(history in history()) {
        let mut case = Case::new(&[]);
        for (second, facts) in (0..).zip(&history) {
            case.at(seconds(second), facts);
            let first = case.last.clone();
            case.at(seconds(second), facts);
            prop_assert_eq!(&case.last.wanted, &first.wanted);
            prop_assert!(case.last.changes.is_empty());
            if let Some(again) = first.again {
                let mut later = case.state.clone();
                let wait = again - case.began.monotonic;
                let decision = later.decide(facts, case.moment(wait));
                prop_assert_eq!(decision.changes.len(), 1);
                prop_assert_eq!(decision.again, None);
            }
        }
    }
}
