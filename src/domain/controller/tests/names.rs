//! Tests backends that are given by name.

use std::net::IpAddr;

use super::*;
use crate::domain::balancing::weights::{TargetWeight, UnmanagedServers};
use crate::domain::resolution::{BackendAddress, HostName, IpFamily, Resolution};

fn host(name: &str) -> HostName {
    HostName { name: name.into(), family: IpFamily::V4 }
}

/// A state in which `a` and `c` are given by name.
fn named() -> ControllerState {
    let mut config = config();
    for name in ["a", "c"] {
        backend(&mut config, name).address = BackendAddress::Name(host(name));
    }
    ControllerState::new(Arc::new(config), START).0
}

fn at(number: u8) -> IpAddr {
    IpAddr::from([10, 0, 0, number])
}

fn resolve(controller: &mut ControllerState, name: &str, number: u8) -> Vec<ControllerEffect> {
    controller.resolved(&name.into(), &host(name), Resolution::At(at(number)), START)
}

/// The servers that VPP should have, by the last byte of their address.
fn servers(controller: &ControllerState) -> Vec<(u8, TargetWeight)> {
    let desired = controller.desired();
    let servers = desired.frontends["web"].servers.iter();
    let number = |address: &IpAddr| match address {
        IpAddr::V4(v4) => v4.octets()[3],
        IpAddr::V6(_) => panic!("{address}"),
    };
    servers.map(|(address, server)| (number(address), server.weight)).collect()
}

fn unmanaged(controller: &ControllerState) -> UnmanagedServers {
    controller.desired().frontends["web"].unmanaged
}

const ALL: TargetWeight = TargetWeight::Weight(Weight::FULL);
const NONE: TargetWeight = TargetWeight::Weight(Weight::ZERO);

#[test]
fn unresolved_names_are_waited_for_and_servers_in_vpp_are_kept() {
    let mut controller = named();
    assert_eq!(servers(&controller), [(2, TargetWeight::Keep)]);
    assert_eq!(unmanaged(&controller), UnmanagedServers::Keep);
    transition(&mut controller, "b", State::Down);
    // `a` may still be up: the pool of `c` does not take over.
    assert_eq!(controller.frontend("web").unwrap().state, FrontendState::Unknown);
    controller.expire_startup_grace(START);
    assert_eq!(controller.frontend("web").unwrap().state, FrontendState::Down);
    assert_eq!(unmanaged(&controller), UnmanagedServers::Drain);
    resolve(&mut controller, "a", 1);
    assert_eq!(unmanaged(&controller), UnmanagedServers::Drain, "c is missing yet");
    resolve(&mut controller, "c", 3);
    assert_eq!(unmanaged(&controller), UnmanagedServers::Remove);
    assert_eq!(servers(&controller), [(1, NONE), (2, NONE), (3, NONE)]);
}

#[test]
fn a_changed_address_keeps_the_weight_and_a_failing_name_keeps_the_address() {
    let mut controller = named();
    let effects = resolve(&mut controller, "a", 1);
    assert!(effects.contains(&ControllerEffect::Readdress("a".into(), at(1))), "{effects:?}");
    resolve(&mut controller, "c", 3);
    transition(&mut controller, "a", State::Up);
    transition(&mut controller, "b", State::Up);
    assert_eq!(servers(&controller)[..2], [(1, ALL), (2, ALL)]);

    let effects = resolve(&mut controller, "a", 9);
    assert!(matches!(effects[0], ControllerEffect::Desire(_)), "weights first: {effects:?}");
    assert_eq!(servers(&controller), [(2, ALL), (3, TargetWeight::Keep), (9, ALL)]);
    assert_eq!(resolve(&mut controller, "a", 9), []);

    let failing = Resolution::Failing("no such name".into());
    assert_eq!(controller.resolved(&"a".into(), &host("a"), failing, START), []);
    let view = controller.backend("a").unwrap();
    assert_eq!(view.address, Some(at(9)));
    assert_eq!(view.unresolved.as_deref(), Some("no such name"));
    assert_eq!(resolve(&mut controller, "a", 9), []);
    assert_eq!(controller.backend("a").unwrap().unresolved, None);
    // The resolution of a name that the backend no longer has.
    let old = controller.resolved(&"a".into(), &host("other"), Resolution::At(at(4)), START);
    assert_eq!(old, []);
    assert_eq!(controller.backend("a").unwrap().address, Some(at(9)));
}

#[test]
fn two_names_at_one_address_are_one_server_with_the_greater_weight() {
    let mut controller = named();
    resolve(&mut controller, "a", 7);
    let effects = resolve(&mut controller, "c", 7);
    let shared =
        ControllerEffect::AddressShared { backend: "c".into(), other: "a".into(), address: at(7) };
    assert!(effects.contains(&shared), "{effects:?}");
    for name in ["a", "b", "c"] {
        transition(&mut controller, name, State::Up);
    }
    // `c` alone would have weight 0: it is in the standby pool.
    assert_eq!(servers(&controller), [(2, ALL), (7, ALL)]);
    transition(&mut controller, "a", State::Down);
    let desired = controller.desired();
    let server = desired.frontends["web"].servers[&at(7)];
    assert_eq!((server.weight, server.flush), (NONE, None), "c requests no flush");
    transition(&mut controller, "b", State::Down);
    assert_eq!(servers(&controller), [(2, NONE), (7, ALL)], "the standby serves");
}

#[test]
fn a_reload_keeps_the_address_of_a_name_that_stays() {
    let mut controller = named();
    resolve(&mut controller, "a", 1);
    let mut config = Config::clone(controller.config());
    backend(&mut config, "c").address = BackendAddress::Name(host("new"));
    controller.reload(Arc::new(config), START);
    assert_eq!(controller.backend("a").unwrap().address, Some(at(1)));
    assert_eq!(controller.names()["c"], host("new"));
    assert_eq!(controller.names().len(), 2);
}
