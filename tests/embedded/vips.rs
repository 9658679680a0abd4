//! VIPs: what is refused, what is normalised, what a dump shows.

use vpp_maglev::vpp::embedded::legacy::LbAddDelVip;
use vpp_maglev::vpp::wire::*;

use crate::client::*;
use crate::lab::Lab;

const VALUE_EXIST: i32 = -81;
const NO_SUCH_ENTRY: i32 = -6;
const INVALID_ARGUMENT: i32 = -73;
const INVALID_MEMORY_SIZE: i32 = -70;
const INVALID_ADDRESS_FAMILY: i32 = -97;

/// Adds a VIP that goes when the scenario ends.
fn add(lab: &mut Lab, key: VipKey, encap: u32) -> i32 {
    let code = lab.client.code(&add_vip(key, encap));
    if code == 0 {
        lab.made(key);
    }
    code
}

pub(crate) fn a_vip_is_listed_as_it_was_added(lab: &mut Lab) {
    let key = lab.vip();
    let rows = lab.vips();
    assert_eq!((rows.len(), rows[0].vip, rows[0].encap), (1, key, 0));
    assert_eq!(rows[0].flow_table_length, 1024);
}

pub(crate) fn a_vip_twice_exists(lab: &mut Lab) {
    let key = lab.vip();
    assert_eq!(add(lab, key, 0), VALUE_EXIST);
    assert_eq!(add(lab, key, 1), VALUE_EXIST);
    let longer = LbAddDelVipV2 { new_flows_table_length: 2048, ..add_vip(key, 0) };
    assert_eq!(lab.client.code(&longer), VALUE_EXIST);
}

pub(crate) fn an_all_port_vip_excludes_per_port_vips(lab: &mut Lab) {
    let all = vip(&lab.v4(1, 32), 255, 0);
    assert_eq!(add(lab, all, 0), 0);
    assert_eq!(add(lab, vip(&lab.v4(1, 32), 6, 80), 0), VALUE_EXIST);
}

pub(crate) fn a_per_port_vip_excludes_an_all_port_vip(lab: &mut Lab) {
    lab.vip();
    assert_eq!(add(lab, vip(&lab.v4(1, 32), 255, 0), 0), VALUE_EXIST);
    assert_eq!(add(lab, vip(&lab.v4(1, 32), 17, 0), 1), VALUE_EXIST);
}

pub(crate) fn the_ports_of_a_prefix_share_an_encapsulation(lab: &mut Lab) {
    lab.vip();
    assert_eq!(add(lab, vip(&lab.v4(1, 32), 6, 443), 0), 0);
    assert_eq!(add(lab, vip(&lab.v4(1, 32), 17, 80), 0), 0);
    assert_eq!(add(lab, vip(&lab.v4(1, 32), 6, 444), 1), INVALID_ARGUMENT);
    assert_eq!(add(lab, vip(&lab.v4(1, 32), 6, 444), 9), INVALID_ARGUMENT);
    assert_eq!(lab.vips().len(), 3);
}

pub(crate) fn a_shorter_prefix_is_another_prefix(lab: &mut Lab) {
    lab.vip();
    assert_eq!(add(lab, vip(&lab.v4(0, 24), 255, 0), 1), 0);
    assert_eq!(lab.vips().len(), 2);
}

pub(crate) fn a_table_length_is_a_power_of_two(lab: &mut Lab) {
    let key = vip(&lab.v4(1, 32), 6, 80);
    for length in [3, 1000, 65535] {
        let odd = LbAddDelVipV2 { new_flows_table_length: length, ..add_vip(key, 0) };
        assert_eq!(lab.client.code(&odd), INVALID_MEMORY_SIZE, "{length}");
    }
}

pub(crate) fn a_table_length_shows_sixteen_bits(lab: &mut Lab) {
    for (host, length, shown) in [(1, 1, 1), (2, 32768, 32768), (3, 65536, 0), (4, 131_072, 0)] {
        let key = vip(&lab.v4(host, 32), 6, 80);
        let new = LbAddDelVipV2 { new_flows_table_length: length, ..add_vip(key, 0) };
        assert_eq!(lab.client.code(&new), 0);
        lab.made(key);
        let row = *lab.vips().iter().find(|row| row.vip == key).unwrap();
        assert_eq!(row.flow_table_length, shown, "{length}");
    }
}

pub(crate) fn host_bits_are_cleared_everywhere(lab: &mut Lab) {
    let dirty = vip(&lab.v4(77, 24), 6, 80);
    assert_eq!(add(lab, dirty, 0), 0);
    assert_eq!(lab.vips()[0].vip, vip(&lab.v4(0, 24), 6, 80));
    assert_eq!(add(lab, vip(&lab.v4(9, 24), 6, 80), 0), VALUE_EXIST);
    assert_eq!(lab.client.code(&add_server(vip(&lab.v4(8, 24), 6, 80), "10.1.0.1", 1)), 0);
    assert_eq!(lab.client.code(&del_vip(vip(&lab.v4(7, 24), 6, 80))), 0);
    assert!(lab.vips().is_empty());
    let six = vip(&lab.v6(9, 64), 6, 80);
    assert_eq!(add(lab, six, 1), 0);
    assert_eq!(lab.vips()[0].vip, vip(&lab.v6(0, 64), 6, 80));
}

pub(crate) fn port_zero_makes_every_protocol_255(lab: &mut Lab) {
    assert_eq!(add(lab, vip(&lab.v4(1, 32), 6, 0), 0), 0);
    assert_eq!(lab.vips()[0].vip.protocol, 255);
    assert_eq!(add(lab, vip(&lab.v4(1, 32), 17, 0), 0), VALUE_EXIST);
    assert_eq!(lab.client.code(&add_server(vip(&lab.v4(1, 32), 17, 0), "10.1.0.1", 1)), 0);
    assert_eq!(lab.client.code(&del_vip(vip(&lab.v4(1, 32), 1, 0))), 0);
}

pub(crate) fn protocols_are_not_checked(lab: &mut Lab) {
    for protocol in [0, 1, 255] {
        assert_eq!(add(lab, vip(&lab.v4(1, 32), protocol, 80), 0), 0, "{protocol}");
    }
}

pub(crate) fn both_families_take_both_gre_encapsulations(lab: &mut Lab) {
    let prefixes = [lab.v4(1, 32), lab.v4(2, 32), lab.v6(1, 128), lab.v6(2, 128)];
    for (prefix, encap) in prefixes.iter().zip([0, 1, 0, 1]) {
        assert_eq!(add(lab, vip(prefix, 6, 80), encap), 0);
    }
    let encaps: Vec<u32> = lab.vips().iter().map(|row| row.encap).collect();
    let mut sorted = encaps.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, [0, 0, 1, 1]);
}

pub(crate) fn an_ipv4_vip_refuses_nat6_and_unknown_encapsulations(lab: &mut Lab) {
    for encap in [4, 9, u32::MAX] {
        assert_eq!(add(lab, vip(&lab.v4(1, 32), 6, 80), encap), INVALID_ADDRESS_FAMILY, "{encap}");
    }
}

pub(crate) fn an_ipv6_vip_turns_what_it_does_not_know_into_gre6(lab: &mut Lab) {
    for (host, encap) in [(1, 2), (2, 3), (3, 9)] {
        assert_eq!(add(lab, vip(&lab.v6(host, 128), 6, 80), encap), 0);
    }
    assert!(lab.vips().iter().all(|row| row.encap == 1));
}

pub(crate) fn l3dsr_keeps_six_bits_of_dscp(lab: &mut Lab) {
    let key = vip(&lab.v4(1, 32), 6, 80);
    let new = LbAddDelVipV2 { dscp: 200, ..add_vip(key, 2) };
    assert_eq!(lab.client.code(&new), 0);
    lab.made(key);
    let row = lab.vips()[0];
    assert_eq!((row.encap, row.dscp, row.srv_type), (2, 8, 8));
    assert!(lab.client.cli("show lb vips").1.contains(&format!(
        "ip4-l3dsr {} new_size:1024 #as:0  protocol:6 port:80   dscp:8\n",
        lab.v4(1, 32)
    )));
}

pub(crate) fn nat_remembers_its_target_port(lab: &mut Lab) {
    let four = vip(&lab.v4(1, 32), 6, 8080);
    let six = vip(&lab.v6(1, 128), 6, 80);
    for (key, encap) in [(four, 3), (six, 4)] {
        let new = LbAddDelVipV2 { target_port: 8080, srv_type: 1, ..add_vip(key, encap) };
        assert_eq!(lab.client.code(&new), 0);
        lab.made(key);
        let row = *lab.vips().iter().find(|row| row.vip == key).unwrap();
        assert_eq!((row.encap, row.target_port, row.srv_type), (encap, 8080, 0));
    }
    // Nobody else's servers: VPP aborts when it collects one that two NAT VIPs had.
    let mine = |prefix: String| prefix.split('/').next().unwrap().to_owned();
    let (server4, server6) = (mine(lab.v4(9, 32)), mine(lab.v6(9, 128)));
    assert_eq!(lab.client.code(&add_server(four, &server4, 1)), 0);
    assert_eq!(lab.client.code(&add_server(six, &server4, 1)), INVALID_ADDRESS_FAMILY);
    assert_eq!(lab.client.code(&add_server(six, &server6, 1)), 0);
}

pub(crate) fn a_missing_vip_cannot_be_deleted(lab: &mut Lab) {
    let key = lab.vip();
    assert_eq!(lab.client.code(&del_vip(vip(&lab.v4(1, 32), 17, 80))), NO_SUCH_ENTRY);
    assert_eq!(lab.client.code(&del_vip(vip(&lab.v4(1, 31), 6, 80))), NO_SUCH_ENTRY);
    assert_eq!(lab.client.code(&del_vip(key)), 0);
    assert_eq!(lab.client.code(&del_vip(key)), NO_SUCH_ENTRY);
}

pub(crate) fn a_deleted_vip_is_not_listed_and_can_be_added_at_once(lab: &mut Lab) {
    let key = lab.vip();
    assert_eq!(lab.client.code(&del_vip(key)), 0);
    assert!(lab.vips().is_empty());
    assert!(lab.client.cli("show lb vips").1.contains(&format!(
        "ip4-gre4 {} new_size:1024 #as:0 removed  protocol:6 port:80 \n",
        lab.v4(1, 32)
    )));
    assert_eq!(add(lab, key, 1), 0, "with another encapsulation too");
    assert_eq!(lab.vips()[0].encap, 1);
}

pub(crate) fn the_vip_dump_ignores_its_filter(lab: &mut Lab) {
    let key = lab.vip();
    let filter = LbVipDump {
        prefix: WirePrefix { address: address("203.0.113.1"), length: 32 },
        prefix_le: 32,
        prefix_ge: 32,
        protocol: 17,
        port: 9,
    };
    assert!(lab.client.dump(&filter).iter().any(|row| row.vip == key));
}

pub(crate) fn ipv6_inside_the_first_96_bits_counts_as_ipv4(lab: &mut Lab) {
    let six = lab.v4(0, 0).replace("/0", "/128");
    let key = vip(&format!("::{six}"), 6, 80);
    assert_eq!(add(lab, key, 4), INVALID_ADDRESS_FAMILY);
    assert_eq!(add(lab, key, 0), 0);
    assert_eq!(lab.vips()[0].vip, vip(&lab.v4(0, 32), 6, 80));
    assert_eq!(add(lab, vip(&lab.v4(0, 32), 6, 80), 0), VALUE_EXIST);
}

pub(crate) fn the_first_version_of_the_message_adds_too(lab: &mut Lab) {
    let key = vip(&lab.v4(1, 32), 6, 80);
    assert_eq!(lab.client.code(&LbAddDelVip(add_vip(key, 0))), 0);
    assert_eq!(lab.client.code(&LbAddDelVip(add_vip(key, 0))), VALUE_EXIST);
    assert_eq!(lab.vips()[0].vip, key);
    assert_eq!(lab.client.code(&LbAddDelVip(del_vip(key))), 0);
}

pub(crate) fn stickiness_shows_in_the_cli_alone(lab: &mut Lab) {
    let key = vip(&lab.v6(0, 64), 255, 0);
    let new = LbAddDelVipV2 { src_ip_sticky: true, ..add_vip(key, 1) };
    assert_eq!(lab.client.code(&new), 0);
    lab.made(key);
    let text = lab.client.cli("show lb vips verbose").1;
    let line = text.lines().find(|line| line.contains(&lab.v6(0, 64)));
    let line = line.expect("the VIP is in the text");
    assert!(line.starts_with(" ip6-gre6 [") && line.ends_with(" src_ip_sticky"), "{line}");
}
