//! Tests which configurations take away too much to be meant.

use proptest::prelude::*;

use super::*;
use crate::domain::resolution::{BackendAddress, HostName, IpFamily};

/// Frontend `f<n>` with the backends `b<n>` and `s<n>`, the latter in the second pool,
/// for each number.
fn fleet(numbers: &[u8]) -> Config {
    let mut config = config();
    let (backend, web) = (config.backends["a"].clone(), config.frontends["web"].clone());
    config.backends.clear();
    config.frontends.clear();
    for number in numbers {
        let names = [format!("b{number}"), format!("s{number}")];
        let mut frontend = web.clone();
        let vip = format!("192.0.2.{number}/32");
        frontend.vip = Vip::new(vip.parse().unwrap(), Service::All);
        for ((name, high), pool) in names.iter().zip([1, 2]).zip(&mut frontend.pools) {
            let address = [10, 0, high, *number].into();
            let settings = Backend { address, ..(*backend).clone() };
            config.backends.insert(name.as_str().into(), Arc::new(settings));
            pool.backends = [(name.as_str().into(), Weight::FULL)].into();
        }
        config.frontends.insert(format!("f{number}").as_str().into(), frontend);
    }
    config
}

/// A daemon with this configuration, all of whose backends are up.
fn serving(config: &Config) -> ControllerState {
    let mut controller = ControllerState::new(Arc::new(config.clone()), START).0;
    for name in config.backends.keys() {
        transition(&mut controller, name.as_str(), State::Up);
    }
    controller
}

fn refused(controller: &ControllerState, after: &Config) -> Option<String> {
    controller.judge_reload(after).err().map(|excess| excess.to_string())
}

#[test]
fn what_takes_too_much_away_says_what_and_what_to_do() {
    let before = fleet(&[1, 2, 3, 4]);
    let controller = serving(&before);
    let remedy = "; if that is meant: maglevc config reload force";
    for (after, expected) in [
        (fleet(&[1, 2, 3, 4]), None),
        (fleet(&[1, 2]), None),
        (
            fleet(&[2]),
            Some(
                "it would leave 1 of 4 frontends in service, and remove f1, f3, f4; and \
                 1 of 4 backends in service, and remove b1, b3, b4",
            ),
        ),
        (
            Config { frontends: BTreeMap::new(), ..before.clone() },
            Some("it would leave no frontends, and remove f1, f2, f3, f4"),
        ),
        (
            Config { checks: BTreeMap::new(), ..before.clone() },
            Some("it would leave no healthchecks, and remove ping"),
        ),
        (
            fleet(&[]),
            Some(
                "it would leave no backends, and remove b1, b2, b3, b4, s1, s2, s3, s4; and \
                 no frontends, and remove f1, f2, f3, f4",
            ),
        ),
    ] {
        let expected = expected.map(|text| text.to_owned() + remedy);
        assert_eq!(refused(&controller, &after), expected);
    }
    let few = serving(&fleet(&[1, 2, 3]));
    assert_eq!(refused(&few, &fleet(&[3])), None, "fewer than four may be meant");
}

#[test]
fn a_rename_removes_nothing() {
    let before = fleet(&[1, 2, 3, 4]);
    let mut after = fleet(&[]);
    for (name, settings) in &before.backends {
        after.backends.insert(format!("x{name}").as_str().into(), Arc::clone(settings));
    }
    for (name, frontend) in &before.frontends {
        let mut frontend = frontend.clone();
        for pool in &mut frontend.pools {
            let renamed = |(name, weight)| (format!("x{name}").as_str().into(), weight);
            pool.backends = std::mem::take(&mut pool.backends).into_iter().map(renamed).collect();
        }
        after.frontends.insert(format!("x{name}").as_str().into(), frontend);
    }
    assert_eq!(refused(&serving(&before), &after), None);
}

#[test]
fn a_host_name_in_place_of_an_address_is_not_a_removal() {
    let before = fleet(&[1, 2, 3, 4]);
    let mut after = before.clone();
    for name in ["b1", "b2", "b3"] {
        let (name_of_host, family) = (format!("{name}.example"), IpFamily::V4);
        let host = HostName { name: name_of_host, family };
        backend(&mut after, name).address = BackendAddress::Name(host);
    }
    assert_eq!(refused(&serving(&before), &after), None);
    for (name, last) in [("b1", 1), ("b2", 2), ("b3", 3)] {
        backend(&mut after, name).address = [10, 9, 9, last].into();
    }
    let refused = refused(&serving(&before), &after).unwrap();
    assert!(refused.contains("1 of 4 backends in service, and remove b1, b2, b3"), "{refused}");
}

#[test]
fn what_was_drained_or_is_down_may_go() {
    let before = fleet(&[1, 2, 3, 4]);
    // The backends of four frontends become those of one; their frontends stay.
    let mut after = before.clone();
    for number in [2, 3, 4] {
        let name = format!("f{number}");
        let frontend = after.frontends.get_mut(name.as_str()).unwrap();
        frontend.pools = before.frontends["f1"].pools.clone();
    }
    let mut controller = serving(&before);
    assert!(refused(&controller, &after).is_some());
    for name in ["b2", "b3"] {
        controller.administer(name, AdminCommand::Pause, ("me", START)).unwrap();
        transition(&mut controller, name, State::Paused);
    }
    // Their spares serve now, and are to go as well.
    assert!(refused(&controller, &after).is_some());
    for name in ["s2", "s3"] {
        transition(&mut controller, name, State::Down);
    }
    assert_eq!(refused(&controller, &after), None);
    // Frontends that are down may go, too.
    assert_eq!(refused(&controller, &fleet(&[1])), None);
}

proptest! {
    /// The rule, said again over numbers.
    #[test]
    fn more_than_half_of_at_least_four_are_never_removed(
        before in prop::collection::btree_set(1u8..20, 0..10),
        after in prop::collection::btree_set(1u8..20, 0..10),
    ) {
        let all = |numbers: &BTreeSet<u8>| fleet(&numbers.iter().copied().collect::<Vec<_>>());
        let gone = before.difference(&after).count();
        let emptied = after.is_empty() && !before.is_empty();
        let expected = emptied || before.len() >= 4 && 2 * gone > before.len();
        prop_assert_eq!(refused(&serving(&all(&before)), &all(&after)).is_some(), expected);
    }
}
