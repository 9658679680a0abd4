//! Laws of the steps, on a model of the place where routes are.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use RoutePlacement::{Announced, Drained};

/// Few enough that sets meet.
fn prefix(number: u8) -> VipPrefix {
    let text = if number.is_multiple_of(2) {
        format!("192.0.2.{number}/32")
    } else {
        format!("2001:db8::{number:x}/128")
    };
    text.parse().unwrap()
}

fn placement() -> impl Strategy<Value = RoutePlacement> {
    prop_oneof![Just(Announced), Just(Drained)]
}

fn wanted() -> impl Strategy<Value = WantedRoutes> {
    proptest::collection::btree_map((0u8..12).prop_map(prefix), placement(), 0..12)
}

fn carrier() -> impl Strategy<Value = Carrier> {
    prop_oneof![Just(Carrier::TwoRoutes), Just(Carrier::OneRoute)]
}

/// What a place of the carrier can hold.
fn read(carrier: Carrier) -> impl Strategy<Value = PlacedRoutes> {
    let route = (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        move |(announced, drained, foreign)| match carrier {
            Carrier::TwoRoutes => {
                PlacedRoute { announced, drained, foreign, exported: Exported::Unknown }
            }
            Carrier::OneRoute => PlacedRoute {
                announced: announced && !foreign,
                drained: drained && !announced && !foreign,
                foreign,
                exported: Exported::Unknown,
            },
        },
    );
    proptest::collection::btree_map((0u8..12).prop_map(prefix), route, 0..12)
}

fn case() -> impl Strategy<Value = (WantedRoutes, PlacedRoutes, Carrier)> {
    carrier().prop_flat_map(|carrier| (wanted(), read(carrier), Just(carrier)))
}

/// A place of routes. It refuses what a kernel or a driver refuses.
#[derive(Clone)]
struct RoutePlace {
    routes: PlacedRoutes,
    carrier: Carrier,
}

impl RoutePlace {
    fn execute(&mut self, step: RouteStep) {
        let route = self.routes.entry(step.prefix()).or_default();
        match step {
            RouteStep::Put { prefix, placement } => {
                assert!(!route.has(placement), "{prefix} is there already");
                if self.carrier == Carrier::OneRoute {
                    assert!(!route.foreign, "{prefix} would be taken over");
                    (route.announced, route.drained) = (false, false);
                }
                route.set(placement);
            }
            RouteStep::Remove { prefix, placement } => {
                assert!(route.has(placement), "{prefix} is not ours as {placement:?}");
                match placement {
                    Announced => route.announced = false,
                    Drained => route.drained = false,
                }
            }
        }
        self.routes.retain(|_, route| route.is_ours() || route.foreign);
    }

    fn is_ours(&self, prefix: VipPrefix) -> bool {
        self.routes.get(&prefix).is_some_and(|route| route.is_ours())
    }

    fn foreign(&self) -> Vec<VipPrefix> {
        let foreign = self.routes.iter().filter(|(_, route)| route.foreign);
        foreign.map(|(prefix, _)| *prefix).collect()
    }
}

proptest! {
    #[test]
    fn a_prefix_that_is_to_stay_is_there_after_every_step((wanted, read, carrier) in case()) {
        let mut place = RoutePlace { routes: read, carrier };
        let mut there: Vec<_> =
            wanted.keys().copied().filter(|&prefix| place.is_ours(prefix)).collect();
        for step in changes(&wanted, &place.routes.clone(), carrier).steps {
            place.execute(step);
            for &prefix in &there {
                prop_assert!(place.is_ours(prefix), "{prefix} was withdrawn by {step:?}");
            }
            let new = wanted.contains_key(&step.prefix()) && !there.contains(&step.prefix());
            there.extend(new.then_some(step.prefix()));
        }
    }

    #[test]
    fn it_ends_as_wanted_but_for_what_is_blocked((wanted, read, carrier) in case()) {
        let mut place = RoutePlace { routes: read, carrier };
        let found = changes(&wanted, &place.routes.clone(), carrier);
        for &step in &found.steps {
            place.execute(step);
        }
        for number in 0..12 {
            let prefix = prefix(number);
            let route = place.routes.get(&prefix).copied().unwrap_or_default();
            let expected = wanted.get(&prefix).filter(|_| !found.blocked.contains(&prefix));
            prop_assert_eq!(route.placement(), expected.copied());
            prop_assert!(!(route.announced && route.drained));
        }
    }

    #[test]
    fn a_second_time_there_is_nothing_to_do((wanted, read, carrier) in case()) {
        let mut place = RoutePlace { routes: read, carrier };
        let first = changes(&wanted, &place.routes.clone(), carrier);
        for &step in &first.steps {
            place.execute(step);
        }
        let second = changes(&wanted, &place.routes, carrier);
        prop_assert_eq!(second, RouteChanges { steps: vec![], blocked: first.blocked });
    }

    #[test]
    fn foreign_routes_stay_and_alone_they_block((wanted, read, carrier) in case()) {
        let mut place = RoutePlace { routes: read.clone(), carrier };
        let found = changes(&wanted, &read, carrier);
        for &step in &found.steps {
            place.execute(step);
        }
        let before = RoutePlace { routes: read.clone(), carrier };
        prop_assert_eq!(before.foreign(), place.foreign());
        for prefix in wanted.keys() {
            let alone = read.get(prefix).is_some_and(|route| route.foreign && !route.is_ours());
            prop_assert_eq!(found.blocked.contains(prefix), alone);
        }
    }

    #[test]
    fn nothing_is_removed_before_everything_is_put((wanted, read, carrier) in case()) {
        let steps = changes(&wanted, &read, carrier).steps;
        let is_put = |step: &RouteStep| matches!(step, RouteStep::Put { .. });
        prop_assert!(steps.is_sorted_by_key(|step| !is_put(step)));
    }

    #[test]
    fn every_prefix_that_matters_has_a_status((wanted, read, carrier) in case()) {
        let mut place = RoutePlace { routes: read.clone(), carrier };
        let found = changes(&wanted, &read, carrier);
        for &step in &found.steps {
            place.execute(step);
        }
        let all = statuses(&wanted, &read, Some(&place.routes), &BTreeMap::new());
        for (prefix, status) in &all {
            let expected = match wanted.get(prefix) {
                Some(_) if found.blocked.contains(prefix) => PrefixStatus::Blocked,
                Some(&placement) => PrefixStatus::Placed {
                    placement,
                    exported: Exported::Unknown,
                    foreign: read.get(prefix).is_some_and(|route| route.foreign),
                },
                None => PrefixStatus::Withdrawn,
            };
            prop_assert_eq!(status, &expected);
        }
        let ours = read.iter().filter(|(_, route)| route.is_ours()).map(|(prefix, _)| prefix);
        prop_assert!(wanted.keys().chain(ours).all(|prefix| all.contains_key(prefix)));
    }
}

#[test]
fn steps_are_in_this_order() {
    let wanted = WantedRoutes::from([(prefix(2), Drained), (prefix(4), Announced)]);
    let read = PlacedRoutes::from([
        (prefix(2), PlacedRoute::ours(Announced)),
        (prefix(6), PlacedRoute::ours(Announced)),
        (prefix(8), PlacedRoute::foreign()),
    ]);
    assert_eq!(
        changes(&wanted, &read, Carrier::TwoRoutes).steps,
        [
            RouteStep::Put { prefix: prefix(2), placement: Drained },
            RouteStep::Put { prefix: prefix(4), placement: Announced },
            RouteStep::Remove { prefix: prefix(2), placement: Announced },
            RouteStep::Remove { prefix: prefix(6), placement: Announced },
        ]
    );
}

#[test]
fn a_status_names_what_failed() {
    let wanted = WantedRoutes::from([(prefix(2), Drained), (prefix(4), Announced)]);
    let before = PlacedRoutes::from([(prefix(6), PlacedRoute::ours(Announced))]);
    let failures = BTreeMap::from([(prefix(4), "no rights".to_owned())]);
    let of = |after: Option<&PlacedRoutes>| statuses(&wanted, &before, after, &failures);
    let failed = |reason: &str| PrefixStatus::Failed { reason: reason.into() };
    assert_eq!(
        of(None),
        BTreeMap::from([
            (prefix(2), PrefixStatus::Unknown),
            (prefix(4), failed("no rights")),
            (prefix(6), PrefixStatus::Unknown),
        ])
    );
    let after = PlacedRoutes::from([
        (prefix(2), PlacedRoute::ours(Announced)),
        (prefix(6), PlacedRoute::ours(Announced)),
    ]);
    assert_eq!(
        of(Some(&after)),
        BTreeMap::from([
            (prefix(2), failed("it is not drained yet")),
            (prefix(4), failed("no rights")),
            (prefix(6), failed("it was withdrawn and is still there")),
        ])
    );
}

#[test]
fn prefixes_are_of_one_address() {
    for text in ["192.0.2.1/32", "2001:db8::1/128", "::/128"] {
        assert_eq!(text.parse::<VipPrefix>().unwrap().to_string(), text);
    }
    for text in ["192.0.2.1", "192.0.2.0/24", "192.0.2.1/032", "2001:db8::1/32", "x/32", ""] {
        let error = text.parse::<VipPrefix>().unwrap_err();
        assert!(error.to_string().starts_with(&format!("{text:?} is no prefix")), "{error}");
    }
}
