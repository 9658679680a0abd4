//! VIPs: what is refused, what is normalised, what a dump shows.

use vpp_maglev::vpp::embedded::legacy::LbAddDelVip;
use vpp_maglev::vpp::wire::*;

use crate::client::*;
use crate::scenario::Scenario;

const VALUE_EXIST: i32 = -81;
const NO_SUCH_ENTRY: i32 = -6;
const INVALID_ARGUMENT: i32 = -73;
const INVALID_MEMORY_SIZE: i32 = -70;
const INVALID_ADDRESS_FAMILY: i32 = -97;

/// Adds a VIP that goes when the scenario ends.
fn add(scenario: &mut Scenario, key: VipKey, encap: u32) -> i32 {
    let code = scenario.client.code(&add_vip(key, encap));
    if code == 0 {
        scenario.made(key);
    }
    code
}

pub(crate) fn a_vip_is_listed_as_it_was_added(scenario: &mut Scenario) {
    let key = scenario.vip();
    let rows = scenario.vips();
    assert_eq!((rows.len(), rows[0].vip, rows[0].encap), (1, key, 0));
    assert_eq!(rows[0].flow_table_length, 1024);
}

pub(crate) fn a_vip_twice_exists(scenario: &mut Scenario) {
    let key = scenario.vip();
    assert_eq!(add(scenario, key, 0), VALUE_EXIST);
    assert_eq!(add(scenario, key, 1), VALUE_EXIST);
    let longer = LbAddDelVipV2 { new_flows_table_length: 2048, ..add_vip(key, 0) };
    assert_eq!(scenario.client.code(&longer), VALUE_EXIST);
}

pub(crate) fn an_all_port_vip_excludes_per_port_vips(scenario: &mut Scenario) {
    let all = vip(&scenario.v4(1, 32), 255, 0);
    assert_eq!(add(scenario, all, 0), 0);
    assert_eq!(add(scenario, vip(&scenario.v4(1, 32), 6, 80), 0), VALUE_EXIST);
}

pub(crate) fn a_per_port_vip_excludes_an_all_port_vip(scenario: &mut Scenario) {
    scenario.vip();
    assert_eq!(add(scenario, vip(&scenario.v4(1, 32), 255, 0), 0), VALUE_EXIST);
    assert_eq!(add(scenario, vip(&scenario.v4(1, 32), 17, 0), 1), VALUE_EXIST);
}

pub(crate) fn the_ports_of_a_prefix_share_an_encapsulation(scenario: &mut Scenario) {
    scenario.vip();
    assert_eq!(add(scenario, vip(&scenario.v4(1, 32), 6, 443), 0), 0);
    assert_eq!(add(scenario, vip(&scenario.v4(1, 32), 17, 80), 0), 0);
    assert_eq!(add(scenario, vip(&scenario.v4(1, 32), 6, 444), 1), INVALID_ARGUMENT);
    assert_eq!(add(scenario, vip(&scenario.v4(1, 32), 6, 444), 9), INVALID_ARGUMENT);
    assert_eq!(scenario.vips().len(), 3);
}

pub(crate) fn a_shorter_prefix_is_another_prefix(scenario: &mut Scenario) {
    scenario.vip();
    assert_eq!(add(scenario, vip(&scenario.v4(0, 24), 255, 0), 1), 0);
    assert_eq!(scenario.vips().len(), 2);
}

pub(crate) fn a_table_length_is_a_power_of_two(scenario: &mut Scenario) {
    let key = vip(&scenario.v4(1, 32), 6, 80);
    for length in [3, 1000, 65535] {
        let odd = LbAddDelVipV2 { new_flows_table_length: length, ..add_vip(key, 0) };
        assert_eq!(scenario.client.code(&odd), INVALID_MEMORY_SIZE, "{length}");
    }
}

pub(crate) fn a_table_length_shows_sixteen_bits(scenario: &mut Scenario) {
    for (host, length, shown) in [(1, 1, 1), (2, 32768, 32768), (3, 65536, 0), (4, 131_072, 0)] {
        let key = vip(&scenario.v4(host, 32), 6, 80);
        let new = LbAddDelVipV2 { new_flows_table_length: length, ..add_vip(key, 0) };
        assert_eq!(scenario.client.code(&new), 0);
        scenario.made(key);
        let row = *scenario.vips().iter().find(|row| row.vip == key).unwrap();
        assert_eq!(row.flow_table_length, shown, "{length}");
    }
}

pub(crate) fn host_bits_are_cleared_everywhere(scenario: &mut Scenario) {
    let dirty = vip(&scenario.v4(77, 24), 6, 80);
    assert_eq!(add(scenario, dirty, 0), 0);
    assert_eq!(scenario.vips()[0].vip, vip(&scenario.v4(0, 24), 6, 80));
    assert_eq!(add(scenario, vip(&scenario.v4(9, 24), 6, 80), 0), VALUE_EXIST);
    assert_eq!(
        scenario.client.code(&add_server(vip(&scenario.v4(8, 24), 6, 80), "10.1.0.1", 1)),
        0
    );
    assert_eq!(scenario.client.code(&del_vip(vip(&scenario.v4(7, 24), 6, 80))), 0);
    assert!(scenario.vips().is_empty());
    let six = vip(&scenario.v6(9, 64), 6, 80);
    assert_eq!(add(scenario, six, 1), 0);
    assert_eq!(scenario.vips()[0].vip, vip(&scenario.v6(0, 64), 6, 80));
}

pub(crate) fn port_zero_makes_every_protocol_255(scenario: &mut Scenario) {
    assert_eq!(add(scenario, vip(&scenario.v4(1, 32), 6, 0), 0), 0);
    assert_eq!(scenario.vips()[0].vip.protocol, 255);
    assert_eq!(add(scenario, vip(&scenario.v4(1, 32), 17, 0), 0), VALUE_EXIST);
    assert_eq!(
        scenario.client.code(&add_server(vip(&scenario.v4(1, 32), 17, 0), "10.1.0.1", 1)),
        0
    );
    assert_eq!(scenario.client.code(&del_vip(vip(&scenario.v4(1, 32), 1, 0))), 0);
}

pub(crate) fn protocols_are_not_checked(scenario: &mut Scenario) {
    for protocol in [0, 1, 255] {
        assert_eq!(add(scenario, vip(&scenario.v4(1, 32), protocol, 80), 0), 0, "{protocol}");
    }
}

pub(crate) fn both_families_take_both_gre_encapsulations(scenario: &mut Scenario) {
    let prefixes =
        [scenario.v4(1, 32), scenario.v4(2, 32), scenario.v6(1, 128), scenario.v6(2, 128)];
    for (prefix, encap) in prefixes.iter().zip([0, 1, 0, 1]) {
        assert_eq!(add(scenario, vip(prefix, 6, 80), encap), 0);
    }
    let encaps: Vec<u32> = scenario.vips().iter().map(|row| row.encap).collect();
    let mut sorted = encaps.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, [0, 0, 1, 1]);
}

pub(crate) fn an_ipv4_vip_refuses_nat6_and_unknown_encapsulations(scenario: &mut Scenario) {
    for encap in [4, 9, u32::MAX] {
        assert_eq!(
            add(scenario, vip(&scenario.v4(1, 32), 6, 80), encap),
            INVALID_ADDRESS_FAMILY,
            "{encap}"
        );
    }
}

pub(crate) fn an_ipv6_vip_turns_what_it_does_not_know_into_gre6(scenario: &mut Scenario) {
    for (host, encap) in [(1, 2), (2, 3), (3, 9)] {
        assert_eq!(add(scenario, vip(&scenario.v6(host, 128), 6, 80), encap), 0);
    }
    assert!(scenario.vips().iter().all(|row| row.encap == 1));
}

pub(crate) fn l3dsr_keeps_six_bits_of_dscp(scenario: &mut Scenario) {
    let key = vip(&scenario.v4(1, 32), 6, 80);
    let new = LbAddDelVipV2 { dscp: 200, ..add_vip(key, 2) };
    assert_eq!(scenario.client.code(&new), 0);
    scenario.made(key);
    let row = scenario.vips()[0];
    assert_eq!((row.encap, row.dscp, row.srv_type), (2, 8, 8));
    assert!(scenario.client.cli("show lb vips").1.contains(&format!(
        "ip4-l3dsr {} new_size:1024 #as:0  protocol:6 port:80   dscp:8\n",
        scenario.v4(1, 32)
    )));
}

pub(crate) fn nat_remembers_its_target_port(scenario: &mut Scenario) {
    let four = vip(&scenario.v4(1, 32), 6, 8080);
    let six = vip(&scenario.v6(1, 128), 6, 80);
    for (key, encap) in [(four, 3), (six, 4)] {
        let new = LbAddDelVipV2 { target_port: 8080, srv_type: 1, ..add_vip(key, encap) };
        assert_eq!(scenario.client.code(&new), 0);
        scenario.made(key);
        let row = *scenario.vips().iter().find(|row| row.vip == key).unwrap();
        assert_eq!((row.encap, row.target_port, row.srv_type), (encap, 8080, 0));
    }
    // Nobody else's servers: VPP aborts when it collects one that two NAT VIPs had.
    let mine = |prefix: String| prefix.split('/').next().unwrap().to_owned();
    let (server4, server6) = (mine(scenario.v4(9, 32)), mine(scenario.v6(9, 128)));
    assert_eq!(scenario.client.code(&add_server(four, &server4, 1)), 0);
    assert_eq!(scenario.client.code(&add_server(six, &server4, 1)), INVALID_ADDRESS_FAMILY);
    assert_eq!(scenario.client.code(&add_server(six, &server6, 1)), 0);
}

pub(crate) fn a_missing_vip_cannot_be_deleted(scenario: &mut Scenario) {
    let key = scenario.vip();
    assert_eq!(scenario.client.code(&del_vip(vip(&scenario.v4(1, 32), 17, 80))), NO_SUCH_ENTRY);
    assert_eq!(scenario.client.code(&del_vip(vip(&scenario.v4(1, 31), 6, 80))), NO_SUCH_ENTRY);
    assert_eq!(scenario.client.code(&del_vip(key)), 0);
    assert_eq!(scenario.client.code(&del_vip(key)), NO_SUCH_ENTRY);
}

pub(crate) fn a_deleted_vip_is_not_listed_and_can_be_added_at_once(scenario: &mut Scenario) {
    let key = scenario.vip();
    assert_eq!(scenario.client.code(&del_vip(key)), 0);
    assert!(scenario.vips().is_empty());
    assert!(scenario.client.cli("show lb vips").1.contains(&format!(
        "ip4-gre4 {} new_size:1024 #as:0 removed  protocol:6 port:80 \n",
        scenario.v4(1, 32)
    )));
    assert_eq!(add(scenario, key, 1), 0, "with another encapsulation too");
    assert_eq!(scenario.vips()[0].encap, 1);
}

pub(crate) fn the_vip_dump_ignores_its_filter(scenario: &mut Scenario) {
    let key = scenario.vip();
    let filter = LbVipDump {
        prefix: WirePrefix { address: address("203.0.113.1"), length: 32 },
        prefix_le: 32,
        prefix_ge: 32,
        protocol: 17,
        port: 9,
    };
    assert!(scenario.client.dump(&filter).iter().any(|row| row.vip == key));
}

pub(crate) fn ipv6_inside_the_first_96_bits_counts_as_ipv4(scenario: &mut Scenario) {
    let six = scenario.v4(0, 0).replace("/0", "/128");
    let key = vip(&format!("::{six}"), 6, 80);
    assert_eq!(add(scenario, key, 4), INVALID_ADDRESS_FAMILY);
    assert_eq!(add(scenario, key, 0), 0);
    assert_eq!(scenario.vips()[0].vip, vip(&scenario.v4(0, 32), 6, 80));
    assert_eq!(add(scenario, vip(&scenario.v4(0, 32), 6, 80), 0), VALUE_EXIST);
}

pub(crate) fn the_first_version_of_the_message_adds_too(scenario: &mut Scenario) {
    let key = vip(&scenario.v4(1, 32), 6, 80);
    assert_eq!(scenario.client.code(&LbAddDelVip(add_vip(key, 0))), 0);
    assert_eq!(scenario.client.code(&LbAddDelVip(add_vip(key, 0))), VALUE_EXIST);
    assert_eq!(scenario.vips()[0].vip, key);
    assert_eq!(scenario.client.code(&LbAddDelVip(del_vip(key))), 0);
}

pub(crate) fn stickiness_shows_in_the_cli_alone(scenario: &mut Scenario) {
    let key = vip(&scenario.v6(0, 64), 255, 0);
    let new = LbAddDelVipV2 { src_ip_sticky: true, ..add_vip(key, 1) };
    assert_eq!(scenario.client.code(&new), 0);
    scenario.made(key);
    let text = scenario.client.cli("show lb vips verbose").1;
    let line = text.lines().find(|line| line.contains(&scenario.v6(0, 64)));
    let line = line.expect("the VIP is in the text");
    assert!(line.starts_with(" ip6-gre6 [") && line.ends_with(" src_ip_sticky"), "{line}");
}
