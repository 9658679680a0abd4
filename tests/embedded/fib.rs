//! The FIB: which source of an entry VPP follows, and through which interface.

use ipnet::IpNet;
use vpp_maglev::vpp::wire::fib::{NO_INTERFACE, PATH_DROP, PATH_LOCAL};
use vpp_maglev::vpp::wire::*;

use crate::client::*;
use crate::scenario::Scenario;

const NO_SUCH_FIB: i32 = -3;
const NO_SUCH_ENTRY: i32 = -6;

fn lookup(scenario: &mut Scenario, prefix: &str, exact: bool) -> IpRouteLookupV2Reply {
    let prefix = prefix.parse::<IpNet>().unwrap().into();
    scenario.client.call(&IpRouteLookupV2 { table_id: 0, exact, prefix })
}

/// The name of the source that VPP follows for a prefix.
fn source(scenario: &mut Scenario, prefix: &str) -> String {
    let found = lookup(scenario, prefix, true);
    assert_eq!(found.retval, 0, "{prefix}");
    let sources = scenario.client.dump(&FibSourceDump);
    sources.iter().find(|row| row.id == found.source).unwrap().name.to_string()
}

fn run(scenario: &mut Scenario, line: &str) -> String {
    let (retval, text) = scenario.client.cli(line);
    assert_eq!(retval, 0, "{line}: {text}");
    text.trim().to_owned()
}

/// Makes a loopback with these addresses, and runs the rest with its name and number.
fn with_loopback(
    scenario: &mut Scenario,
    addresses: &[String],
    rest: impl Fn(&mut Scenario, &str, u32),
) {
    let name = run(scenario, "create loopback interface");
    run(scenario, &format!("set interface state {name} up"));
    for address in addresses {
        run(scenario, &format!("set interface ip address {name} {address}"));
    }
    let all = scenario.client.dump(&SwInterfaceDump::one(u32::MAX));
    let index = all.iter().find(|row| row.name.to_string() == name).unwrap().sw_if_index;
    rest(scenario, &name, index);
    for address in addresses {
        run(scenario, &format!("set interface ip address del {name} {address}"));
    }
    run(scenario, &format!("delete loopback interface intfc {name}"));
}

pub(crate) fn a_vip_has_an_entry_of_lb_as_long_as_it_is_there(scenario: &mut Scenario) {
    let prefixes = [scenario.v4(1, 32), scenario.v4(0, 24), scenario.v6(1, 128)];
    for prefix in &prefixes {
        assert_eq!(lookup(scenario, prefix, true).retval, NO_SUCH_ENTRY);
        let key = vip(prefix, 6, 80);
        assert_eq!(scenario.change_vip(add_vip(key, 0)), 0);
        assert_eq!(source(scenario, prefix), "lb");
        let found = lookup(scenario, prefix, true);
        assert_eq!(found.prefix.to_net().unwrap().to_string(), *prefix);
        let [path] = found.paths.as_slice() else { panic!("{found:?}") };
        assert_eq!((path.sw_if_index, path.kind), (NO_INTERFACE, 0));
        assert_eq!(scenario.change_vip(del_vip(key)), 0);
        assert_eq!(lookup(scenario, prefix, true).retval, NO_SUCH_ENTRY);
    }
}

pub(crate) fn an_address_of_an_interface_goes_before_a_vip(scenario: &mut Scenario) {
    let vips = [scenario.v4(1, 32), scenario.v6(1, 128)];
    for prefix in &vips {
        let key = scenario.made(vip(prefix, 6, 80));
        assert_eq!(scenario.change_vip(add_vip(key, 0)), 0);
    }
    let prefixes = vips.clone();
    with_loopback(scenario, &vips, move |scenario, _, index| {
        for prefix in &prefixes {
            assert_eq!(source(scenario, prefix), "interface");
            let found = lookup(scenario, prefix, true);
            let [path] = found.paths.as_slice() else { panic!("{found:?}") };
            assert_eq!((path.sw_if_index, path.kind), (index, PATH_LOCAL));
            let own = prefix.parse::<IpNet>().unwrap().addr();
            assert_eq!(path.next_hop(), Some(own));
        }
    });
    for prefix in &vips {
        assert_eq!(source(scenario, prefix), "lb", "it is left to lb again");
    }
}

pub(crate) fn a_server_is_reached_through_the_interface_of_its_network(scenario: &mut Scenario) {
    let (network, server) = (scenario.v4(129, 25), scenario.v4(130, 32));
    let neighbour = scenario.v4(131, 32);
    let key = scenario.vip();
    with_loopback(scenario, &[network], move |scenario, _, index| {
        let address = server.split_once('/').unwrap().0;
        assert_eq!(scenario.client.code(&add_server(key, address, 100)), 0);
        for prefix in [&server, &neighbour] {
            let found = lookup(scenario, prefix, false);
            let [path] = found.paths.as_slice() else { panic!("{found:?}") };
            assert_eq!((found.retval, path.sw_if_index), (0, index), "{prefix}");
        }
    });
}

pub(crate) fn without_a_route_a_path_drops(scenario: &mut Scenario) {
    for (prefix, default) in [(scenario.v4(7, 32), "0.0.0.0/0"), (scenario.v6(7, 128), "::/0")] {
        let found = lookup(scenario, &prefix, false);
        assert_eq!(found.prefix.to_net().unwrap().to_string(), default);
        let [path] = found.paths.as_slice() else { panic!("{found:?}") };
        assert_eq!((path.sw_if_index, path.kind), (NO_INTERFACE, PATH_DROP));
    }
}

pub(crate) fn an_interface_is_listed_alone_with_its_mtu(scenario: &mut Scenario) {
    with_loopback(scenario, &[], |scenario, name, index| {
        let mtu = |scenario: &mut Scenario| {
            let rows = scenario.client.dump(&SwInterfaceDump::one(index));
            let [row] = rows.as_slice() else { panic!("{rows:?}") };
            assert_eq!((row.name.to_string().as_str(), row.sw_if_index), (name, index));
            assert_eq!(row.sup_sw_if_index, index);
            row.mtu
        };
        assert_eq!(mtu(scenario), [9000, 0, 0, 0]);
        run(scenario, &format!("set interface mtu packet 1400 {name}"));
        assert_eq!(mtu(scenario), [1400, 0, 0, 0]);
    });
    assert!(scenario.client.dump(&SwInterfaceDump::one(4711)).is_empty());
}

pub(crate) fn lb_and_interfaces_are_sources_by_name(scenario: &mut Scenario) {
    let sources = scenario.client.dump(&FibSourceDump);
    let priority = |name: &str| {
        let mut rows = sources.iter().filter(|row| row.name.to_string() == name);
        rows.next().unwrap_or_else(|| panic!("{name} is there: {sources:?}")).priority
    };
    assert!(priority("interface") < priority("lb"));
    assert!(priority("lb") < priority("CLI"));
}

pub(crate) fn only_table_0_is_there(scenario: &mut Scenario) {
    let prefix = scenario.v4(1, 32).parse::<IpNet>().unwrap().into();
    let other = IpRouteLookupV2 { table_id: 4711, exact: true, prefix };
    assert_eq!(scenario.client.code(&other), NO_SUCH_FIB);
}
