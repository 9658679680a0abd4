//! VIPs: what is refused, and what the dump and the listing show.

use vpp_maglev::vpp::cli_text::parse_vips;
use vpp_maglev::vpp::embedded::legacy::LbAddDelVip;
use vpp_maglev::vpp::wire::*;

use super::messages::{add, add_server, del, listed};
use crate::client::*;
use crate::scenario::Scenario;

const VALUE_EXIST: i32 = -81;
const NO_SUCH_ENTRY: i32 = -6;
const INVALID_ARGUMENT: i32 = -73;
const INVALID_MEMORY_SIZE: i32 = -70;
const INVALID_ADDRESS_FAMILY: i32 = -97;

/// Adds a VIP that goes when the scenario ends.
fn made(scenario: &mut Scenario, key: VipKey, encap: u32) -> i32 {
    let code = scenario.client.code(&add(key, encap));
    if code == 0 {
        scenario.made(key);
    }
    code
}

/// The rows of this scenario's addresses, whatever length they have.
fn rows(scenario: &mut Scenario) -> Vec<LbVipDetails> {
    let rows = scenario.client.dump(&LbVipDump::ALL);
    rows.into_iter().filter(|row| scenario.is_ours(&row.vip)).collect()
}

pub(crate) fn the_message_table_lacks_what_came_later(scenario: &mut Scenario) {
    let table = &scenario.client.table;
    for later in ["lb_conf_get", "lb_add_del_as_v2", "lb_as_set_weight", "lb_as_v2_dump"] {
        assert_eq!(table.named(later), None, "{later}");
    }
    assert!(table.id_of::<LegacyAddDelVipV2>().is_some());
    assert!(table.id_of::<LegacyAddDelAs>().is_some());
    assert!(table.id_of::<LegacyAsDump>().is_some());
    assert!(table.id_of::<LegacyAsDetails>().is_some());
    assert!(table.id_of::<LbConfSet>().is_some());
}

pub(crate) fn a_vip_is_listed_by_the_cli_and_badly_by_the_dump(scenario: &mut Scenario) {
    let key = scenario.vip();
    let row = rows(scenario)[0];
    assert_eq!((row.vip.prefix.length, row.vip.protocol, row.vip.port), (128, 0, 80));
    assert_eq!((row.encap, row.flow_table_length), (3, 0), "the kind, and the upper half");
    let entry = &listed(scenario)[0];
    assert_eq!((entry.vip, entry.table_length), (key.to_vip().unwrap(), 1024));
    let six = vip(&scenario.v6(1, 128), 17, 53);
    let long = LbAddDelVipV2 { new_flows_table_length: 65536, ..add_vip(six, 0) };
    assert_eq!(scenario.client.code(&LegacyAddDelVipV2(long)), 0);
    scenario.made(six);
    let row = *rows(scenario).iter().find(|row| row.vip.port == 53).unwrap();
    assert_eq!((row.vip.prefix.length, row.encap, row.flow_table_length), (128, 1, 1));
}

/// The bytes of lb.api 1.2.0 make an IPv4 VIP of /32 the IPv6 VIP ::/32.
pub(crate) fn later_bytes_make_another_vip(scenario: &mut Scenario) {
    let key = vip(&scenario.v4(1, 32), 6, 80);
    let text = |scenario: &mut Scenario| scenario.client.cli("show lb vips x").1;
    let is_there = |text: &str| text.contains("ip6-gre4 ::/32 new_size:1024 #as:0  protocol:6");
    assert!(!is_there(&text(scenario)), "nobody else's");
    assert_eq!(scenario.client.code(&del_vip(key)), NO_SUCH_ENTRY);
    assert_eq!(scenario.client.code(&add_vip(key, 0)), 0);
    assert!(is_there(&text(scenario)) && listed(scenario).is_empty());
    assert_eq!(scenario.client.code(&del_vip(key)), 0, "the same bytes remove it again");
    // With the right length nothing is there.
    assert_eq!(scenario.client.code(&del(key)), NO_SUCH_ENTRY);
}

pub(crate) fn a_gre6_vip_of_later_bytes_is_refused_or_an_ipv6_one(scenario: &mut Scenario) {
    let mut four = vip(&scenario.v4(1, 32), 6, 80);
    four.prefix.length = 128;
    assert_eq!(scenario.client.code(&add_vip(four, 1)), INVALID_ADDRESS_FAMILY);
    let six = vip(&scenario.v6(1, 128), 6, 80);
    assert_eq!(scenario.client.code(&add_vip(six, 1)), 0, "any unknown encap is gre6 there");
    scenario.made(six);
    assert_eq!(scenario.client.code(&add(six, 1)), VALUE_EXIST);
}

pub(crate) fn a_vip_twice_exists(scenario: &mut Scenario) {
    let key = scenario.vip();
    assert_eq!(made(scenario, key, 0), VALUE_EXIST);
    assert_eq!(made(scenario, key, 1), VALUE_EXIST);
}

pub(crate) fn all_ports_and_one_port_exclude_each_other(scenario: &mut Scenario) {
    scenario.vip();
    let all = vip(&scenario.v4(1, 32), 255, 0);
    assert_eq!(made(scenario, all, 0), VALUE_EXIST);
    let all = vip(&scenario.v4(2, 32), 255, 0);
    assert_eq!(made(scenario, all, 0), 0);
    let one = vip(&scenario.v4(2, 32), 6, 80);
    assert_eq!(made(scenario, one, 0), VALUE_EXIST);
}

pub(crate) fn the_ports_of_a_prefix_share_an_encapsulation(scenario: &mut Scenario) {
    scenario.vip();
    let other = vip(&scenario.v4(1, 32), 6, 443);
    assert_eq!(made(scenario, other, 1), INVALID_ARGUMENT);
    assert_eq!(made(scenario, other, 0), 0);
}

pub(crate) fn a_table_length_is_a_power_of_two(scenario: &mut Scenario) {
    let key = vip(&scenario.v4(1, 32), 6, 80);
    for length in [3, 1000, 65535] {
        let odd = LbAddDelVipV2 { new_flows_table_length: length, ..add_vip(key, 0) };
        assert_eq!(scenario.client.code(&LegacyAddDelVipV2(odd)), INVALID_MEMORY_SIZE);
    }
}

pub(crate) fn lengths_of_no_prefix_are_accepted(scenario: &mut Scenario) {
    let mut key = vip(&scenario.v4(1, 32), 6, 80);
    for (raw, shown) in [(33, "ip6-gre4 ::/33 "), (129, "ip4-gre4 0.0.0.0/33 ")] {
        key.prefix.length = raw;
        assert_eq!(scenario.client.code(&add_vip(key, 0)), 0, "{raw}");
        assert!(scenario.client.cli("show lb vips x").1.contains(shown), "{shown}");
        assert_eq!(scenario.client.code(&del_vip(key)), 0, "{raw}");
    }
}

pub(crate) fn host_bits_are_cleared(scenario: &mut Scenario) {
    let key = vip(&scenario.v4(77, 24), 6, 80);
    assert_eq!(made(scenario, key, 0), 0);
    let entry = &listed(scenario)[0];
    assert_eq!(entry.vip.prefix().to_string(), scenario.v4(0, 24));
    assert_eq!(scenario.client.code(&add_server(key, "10.1.0.1")), 0);
}

pub(crate) fn a_missing_vip_cannot_be_deleted(scenario: &mut Scenario) {
    let key = vip(&scenario.v4(1, 32), 6, 80);
    assert_eq!(scenario.client.code(&del(key)), NO_SUCH_ENTRY);
}

pub(crate) fn a_deleted_vip_stays_in_the_dump_and_is_marked_in_the_text(scenario: &mut Scenario) {
    let key = scenario.vip();
    assert_eq!(scenario.client.code(&add_server(key, "10.1.0.1")), 0);
    assert_eq!(scenario.client.code(&del(key)), 0);
    assert_eq!(scenario.client.code(&del(key)), NO_SUCH_ENTRY);
    assert_eq!(rows(scenario).len(), 1);
    let (_, brief) = scenario.client.cli("show lb vips x");
    let line = format!(
        "ip4-gre4 {} new_size:1024 #as:1 removed  protocol:6 port:80 \n",
        scenario.v4(1, 32)
    );
    assert!(brief.contains(&line), "{brief}");
    assert!(listed(scenario)[0].removed);
}

pub(crate) fn a_vip_that_comes_back_has_a_slot_of_its_own(scenario: &mut Scenario) {
    let key = scenario.vip();
    assert_eq!(scenario.client.code(&add_server(key, "10.1.0.1")), 0);
    assert_eq!(scenario.client.code(&del(key)), 0);
    scenario.vip();
    let entries = listed(scenario);
    let mut removed: Vec<_> = entries.iter().map(|entry| (entry.removed, entry.servers)).collect();
    removed.sort_unstable();
    assert_eq!(removed, [(false, 0), (true, 1)]);
    assert_eq!(rows(scenario).len(), 2, "and nothing tells them apart");
}

pub(crate) fn the_first_version_adds_too(scenario: &mut Scenario) {
    let key = vip(&scenario.v4(1, 32), 6, 80);
    let mut raw = add_vip(key, 0);
    raw.vip.prefix.length = 128;
    assert_eq!(scenario.client.code(&LbAddDelVip(raw)), 0);
    scenario.made(key);
    assert_eq!(listed(scenario)[0].vip, key.to_vip().unwrap());
}

pub(crate) fn stickiness_shows_in_the_verbose_text_alone(scenario: &mut Scenario) {
    let key = vip(&scenario.v4(1, 32), 6, 80);
    let sticky = LbAddDelVipV2 { src_ip_sticky: true, ..add_vip(key, 1) };
    assert_eq!(scenario.client.code(&LegacyAddDelVipV2(sticky)), 0);
    scenario.made(key);
    let entry = &listed(scenario)[0];
    assert!(entry.verbose.as_ref().unwrap().src_ip_sticky);
    let brief = parse_vips(&scenario.client.cli("show lb vips x").1);
    let entry = brief.entries.iter().find(|entry| entry.vip == key.to_vip().unwrap());
    assert_eq!(entry.unwrap().verbose, None);
}

pub(crate) fn the_brief_text_needs_a_word_more(scenario: &mut Scenario) {
    let key = scenario.vip();
    assert_eq!(scenario.client.cli("show lb vips"), (0, String::new()));
    for word in ["x", "brief"] {
        let (retval, text) = scenario.client.cli(&format!("show lb vips {word}"));
        let listing = parse_vips(&text);
        assert!(retval == 0 && listing.entries.iter().any(|it| it.vip == key.to_vip().unwrap()));
    }
}
