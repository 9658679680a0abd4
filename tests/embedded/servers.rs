//! Servers, weights, dumps, the global settings.

use vpp_maglev::vpp::cli_text::{parse_packets, parse_vips};
use vpp_maglev::vpp::embedded::legacy::{LbAddDelAs, LbAsDump, LbFlushVip};
use vpp_maglev::vpp::wire::*;

use crate::client::*;
use crate::scenario::Scenario;

const VALUE_EXIST: i32 = -81;
const NO_SUCH_ENTRY: i32 = -6;
const INVALID_MEMORY_SIZE: i32 = -70;
const INVALID_ADDRESS_FAMILY: i32 = -97;

pub(crate) fn a_server_is_listed_as_it_was_added(scenario: &mut Scenario) {
    let key = scenario.vip();
    assert_eq!(scenario.client.code(&add_server(key, "10.1.0.1", 50)), 0);
    let row = scenario.servers()[0];
    assert_eq!((row.vip, row.app_srv), (key, address("10.1.0.1")));
    assert_eq!((row.flags, row.weight, row.num_buckets), (1, 50, 1024));
}

pub(crate) fn a_server_needs_its_vip(scenario: &mut Scenario) {
    let key = vip(&scenario.v4(1, 32), 6, 80);
    assert_eq!(scenario.client.code(&add_server(key, "10.1.0.1", 1)), NO_SUCH_ENTRY);
    assert_eq!(scenario.client.code(&del_server(key, "10.1.0.1")), NO_SUCH_ENTRY);
    assert_eq!(scenario.client.code(&weigh(key, "10.1.0.1", 1)), NO_SUCH_ENTRY);
}

pub(crate) fn a_server_twice_exists(scenario: &mut Scenario) {
    let key = scenario.vip();
    assert_eq!(scenario.client.code(&add_server(key, "10.1.0.1", 50)), 0);
    assert_eq!(scenario.client.code(&add_server(key, "10.1.0.1", 50)), VALUE_EXIST);
    assert_eq!(scenario.client.code(&add_server(key, "10.1.0.1", 60)), VALUE_EXIST);
    assert_eq!(scenario.client.code(&LbAddDelAs(add_server(key, "10.1.0.1", 50))), VALUE_EXIST);
    assert_eq!(scenario.shares(), [(50, 1024)]);
}

pub(crate) fn the_encapsulation_decides_the_servers_family(scenario: &mut Scenario) {
    for (prefix, encap) in
        [(scenario.v4(1, 32), 0), (scenario.v4(2, 32), 1), (scenario.v6(1, 128), 0)]
    {
        let key = vip(&prefix, 6, 80);
        assert_eq!(scenario.client.code(&add_vip(key, encap)), 0);
        scenario.made(key);
        let (good, bad) =
            if encap == 0 { ("10.1.0.1", "2001:db8::1") } else { ("2001:db8::1", "10.1.0.1") };
        assert_eq!(scenario.client.code(&add_server(key, bad, 1)), INVALID_ADDRESS_FAMILY);
        assert_eq!(scenario.client.code(&add_server(key, good, 1)), 0);
    }
}

pub(crate) fn the_address_of_no_server_is_one(scenario: &mut Scenario) {
    let key = scenario.vip();
    assert_eq!(scenario.client.code(&add_server(key, "0.0.0.0", 1)), 0);
    assert_eq!(scenario.servers()[0].app_srv, WireAddress::ZERO);
    assert_eq!(scenario.client.code(&del_server(key, "0.0.0.0")), 0);
}

pub(crate) fn a_server_of_no_family_is_refused(scenario: &mut Scenario) {
    let key = scenario.vip();
    let odd = WireAddress { af: 2, ..address("10.1.0.1") };
    let add = LbAddDelAsV2 { as_address: odd, ..add_server(key, "10.1.0.1", 1) };
    assert_eq!(scenario.client.code(&add), INVALID_ADDRESS_FAMILY);
}

pub(crate) fn a_weight_is_set_and_set_again(scenario: &mut Scenario) {
    let key = scenario.vip();
    for server in ["10.1.0.1", "10.1.0.2"] {
        assert_eq!(scenario.client.code(&add_server(key, server, 100)), 0);
    }
    for _ in 0..2 {
        assert_eq!(scenario.client.code(&weigh(key, "10.1.0.2", 25)), 0);
    }
    let mut shares = scenario.shares();
    shares.sort_unstable();
    assert_eq!(shares, [(25, 212), (100, 812)]);
    assert_eq!(scenario.client.code(&weigh(key, "10.1.0.2", 0)), 0);
    assert_eq!(
        scenario.client.code(&LbAsSetWeight { is_flush: true, ..weigh(key, "10.1.0.1", 0) }),
        0
    );
    assert_eq!(scenario.shares(), [(0, 0), (0, 0)]);
}

pub(crate) fn weights_past_100_are_used_as_given(scenario: &mut Scenario) {
    let key = scenario.vip();
    assert_eq!(scenario.client.code(&add_server(key, "10.1.0.1", 255)), 0);
    assert_eq!(scenario.client.code(&add_server(key, "10.1.0.2", 1)), 0);
    assert_eq!(scenario.client.code(&weigh(key, "10.1.0.2", 101)), 0);
    let total: u32 = scenario.shares().iter().map(|share| share.1).sum();
    assert_eq!(total, 1024);
}

pub(crate) fn an_unknown_server_is_no_entry(scenario: &mut Scenario) {
    let key = scenario.vip();
    assert_eq!(scenario.client.code(&del_server(key, "10.1.0.1")), NO_SUCH_ENTRY);
    assert_eq!(scenario.client.code(&weigh(key, "10.1.0.1", 1)), NO_SUCH_ENTRY);
}

pub(crate) fn a_removed_server_stays_in_the_dump_without_its_flag(scenario: &mut Scenario) {
    let key = scenario.vip();
    assert_eq!(scenario.client.code(&add_server(key, "10.1.0.1", 50)), 0);
    assert_eq!(scenario.client.code(&del_server(key, "10.1.0.1")), 0);
    let row = scenario.servers()[0];
    assert_eq!((row.flags, row.weight, row.num_buckets), (0, 50, 0));
    assert!(
        scenario
            .client
            .cli("show lb vips")
            .1
            .contains(&format!("{} new_size:1024 #as:1", scenario.v4(1, 32)))
    );
}

pub(crate) fn a_removed_server_can_be_removed_but_not_weighed(scenario: &mut Scenario) {
    let key = scenario.vip();
    assert_eq!(scenario.client.code(&add_server(key, "10.1.0.1", 50)), 0);
    for _ in 0..2 {
        let flushing = LbAddDelAsV2 { is_flush: true, ..del_server(key, "10.1.0.1") };
        assert_eq!(scenario.client.code(&flushing), 0);
    }
    assert_eq!(scenario.client.code(&weigh(key, "10.1.0.1", 50)), NO_SUCH_ENTRY);
}

pub(crate) fn a_removed_server_is_revived_in_its_row(scenario: &mut Scenario) {
    let key = scenario.vip();
    for server in ["10.1.0.1", "10.1.0.2"] {
        assert_eq!(scenario.client.code(&add_server(key, server, 50)), 0);
    }
    assert_eq!(scenario.client.code(&del_server(key, "10.1.0.1")), 0);
    let removed_at = scenario.servers()[0].in_use_since;
    assert_eq!(scenario.client.code(&add_server(key, "10.1.0.1", 7)), 0);
    let rows = scenario.servers();
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[0].app_srv, rows[0].weight), (address("10.1.0.1"), 7));
    assert_eq!((rows[0].flags, rows[0].in_use_since), (1, removed_at));
}

pub(crate) fn the_servers_of_a_deleted_vip_stay_beside_the_new_ones(scenario: &mut Scenario) {
    let key = scenario.vip();
    assert_eq!(scenario.client.code(&add_server(key, "10.1.0.1", 50)), 0);
    assert_eq!(scenario.client.code(&del_vip(key)), 0);
    scenario.vip();
    assert_eq!(scenario.client.code(&weigh(key, "10.1.0.1", 50)), NO_SUCH_ENTRY);
    assert_eq!(scenario.client.code(&add_server(key, "10.1.0.1", 60)), 0);
    let mut rows: Vec<_> = scenario.servers().iter().map(|row| (row.flags, row.weight)).collect();
    rows.sort_unstable();
    assert_eq!(rows, [(0, 50), (1, 60)]);
    assert!(scenario.servers().iter().all(|row| row.vip == key));
}

pub(crate) fn an_ipv4_vip_is_found_by_the_last_four_bytes_only(scenario: &mut Scenario) {
    let key = scenario.vip();
    assert_eq!(scenario.client.code(&add_server(key, "10.1.0.1", 50)), 0);
    assert!(scenario.client.dump(&LbAsV2Dump { vip: key }).is_empty());
    assert!(scenario.client.dump(&LbAsDump { vip: key }).is_empty());
    let mut last = key;
    last.prefix.address.bytes.rotate_left(4);
    for odd in [last, VipKey { prefix: WirePrefix { length: 3, ..last.prefix }, ..last }] {
        let rows = scenario.client.dump(&LbAsV2Dump { vip: odd });
        assert_eq!((rows.len(), rows[0].vip), (1, key));
        assert_eq!(scenario.client.dump(&LbAsDump { vip: odd }).len(), 1);
    }
    assert!(scenario.client.dump(&LbAsV2Dump { vip: VipKey { port: 81, ..last } }).is_empty());
    assert!(scenario.client.dump(&LbAsV2Dump { vip: VipKey { protocol: 17, ..last } }).is_empty());
}

pub(crate) fn an_ipv6_vip_is_found_whatever_the_length_says(scenario: &mut Scenario) {
    let key = vip(&scenario.v6(1, 128), 17, 53);
    assert_eq!(scenario.client.code(&add_vip(key, 1)), 0);
    scenario.made(key);
    assert_eq!(scenario.client.code(&add_server(key, "2001:db8::1", 50)), 0);
    let odd = VipKey { prefix: WirePrefix { length: 7, ..key.prefix }, ..key };
    assert_eq!(scenario.client.dump(&LbAsV2Dump { vip: odd })[0].vip, key);
    assert!(scenario.client.dump(&LbAsV2Dump { vip: VipKey { port: 54, ..key } }).is_empty());
}

pub(crate) fn an_all_port_vip_is_found_with_protocol_255(scenario: &mut Scenario) {
    let key = vip(&scenario.v6(0, 64), 255, 0);
    assert_eq!(scenario.client.code(&add_vip(key, 1)), 0);
    scenario.made(key);
    assert_eq!(scenario.client.code(&add_server(key, "2001:db8::1", 50)), 0);
    assert_eq!(scenario.client.dump(&LbAsV2Dump { vip: key }).len(), 1);
    for protocol in [0, 6] {
        assert!(scenario.client.dump(&LbAsV2Dump { vip: VipKey { protocol, ..key } }).is_empty());
    }
}

pub(crate) fn the_zero_address_asks_for_all_whatever_else_it_says(scenario: &mut Scenario) {
    let key = scenario.vip();
    assert_eq!(scenario.client.code(&add_server(key, "10.1.0.1", 50)), 0);
    let odd = vip("0.0.0.0/32", 17, 9);
    assert!(scenario.client.dump(&LbAsV2Dump { vip: odd }).iter().any(|row| row.vip == key));
    assert!(scenario.client.dump(&LbAsDump { vip: odd }).iter().any(|row| row.vip == key));
}

pub(crate) fn the_first_version_of_the_messages_weighs_100(scenario: &mut Scenario) {
    let key = scenario.vip();
    assert_eq!(scenario.client.code(&LbAddDelAs(add_server(key, "10.1.0.1", 5))), 0);
    assert_eq!(scenario.shares(), [(100, 1024)]);
    let row = scenario.client.dump(&LbAsDump { vip: VipKey::ZERO });
    let row = row.iter().find(|row| row.vip == key).unwrap();
    assert_eq!((row.app_srv, row.flags), (address("10.1.0.1"), 1));
    assert_eq!(scenario.client.code(&LbAddDelAs(del_server(key, "10.1.0.1"))), 0);
}

pub(crate) fn a_flush_of_a_vip_is_answered_with_zero(scenario: &mut Scenario) {
    let key = scenario.vip();
    assert_eq!(scenario.client.code(&LbFlushVip { vip: key }), 0);
}

pub(crate) fn the_verbose_text_lists_a_vip_with_its_servers(scenario: &mut Scenario) {
    let key = scenario.vip();
    assert_eq!(scenario.client.code(&add_server(key, "10.1.0.1", 100)), 0);
    assert_eq!(scenario.client.code(&add_server(key, "10.1.0.2", 25)), 0);
    assert_eq!(scenario.client.code(&del_server(key, "10.1.0.2")), 0);
    let text = scenario.client.cli("show lb vips verbose").1;
    let (_, rest) = text.split_once(&format!("] {}\n", scenario.v4(1, 32))).expect("it is there");
    let (body, _) = rest.split_once("\n\n").expect("it ends with an empty line");
    // VPP's own number of its forwarding object means nothing to a client.
    let without_dpo: Vec<String> = body
        .lines()
        .map(|line| {
            let words = line.split(' ').filter(|word| !word.starts_with("dpo:"));
            words.collect::<Vec<_>>().join(" ")
        })
        .collect();
    assert_eq!(
        without_dpo,
        [
            "  new_size:1024",
            "  protocol:6 port:80",
            "  counters:",
            "    packet from existing sessions: 0",
            "    first session packet: 0",
            "    untracked packet: 0",
            "    no server configured: 0",
            "  #as:2",
            "    10.1.0.1 weight:100 buckets:1024 flows:0 used",
            "    10.1.0.2 weight:25 buckets:0 flows:0  removed",
        ]
    );
}

fn conf(scenario: &mut Scenario) -> LbConfSet {
    scenario.client.call(&LbConfGet).conf
}

pub(crate) fn the_settings_are_read_as_they_were_written(scenario: &mut Scenario) {
    let wanted = LbConfSet {
        ip4_src_address: [192, 0, 2, 7].into(),
        ip6_src_address: "2001:db8::7".parse().unwrap(),
        sticky_buckets_per_core: 2048,
        flow_timeout: 33,
    };
    assert_eq!(scenario.client.code(&wanted), 0);
    assert_eq!(conf(scenario), wanted);
}

pub(crate) fn all_ones_keep_the_numbers_and_nothing_keeps_the_addresses(scenario: &mut Scenario) {
    let before = conf(scenario);
    let keep = LbConfSet {
        ip4_src_address: [0; 4].into(),
        ip6_src_address: [0_u8; 16].into(),
        sticky_buckets_per_core: u32::MAX,
        flow_timeout: u32::MAX,
    };
    assert_eq!(scenario.client.code(&keep), 0);
    let LbConfSet { sticky_buckets_per_core, flow_timeout, .. } = before;
    assert_eq!(conf(scenario), LbConfSet { sticky_buckets_per_core, flow_timeout, ..keep });
}

pub(crate) fn sticky_buckets_are_a_power_of_two_or_none(scenario: &mut Scenario) {
    let before = conf(scenario);
    assert_eq!(
        scenario.client.code(&LbConfSet { sticky_buckets_per_core: 3, ..before }),
        INVALID_MEMORY_SIZE
    );
    assert_eq!(conf(scenario), before);
    assert_eq!(scenario.client.code(&LbConfSet { sticky_buckets_per_core: 0, ..before }), 0);
    assert_eq!(conf(scenario).sticky_buckets_per_core, 0);
    assert_eq!(scenario.client.code(&LbConfSet { sticky_buckets_per_core: 1024, ..before }), 0);
}

pub(crate) fn the_object_that_the_verbose_text_names_counts_packets(scenario: &mut Scenario) {
    let (web, dns) = (scenario.vip(), vip(&scenario.v4(2, 32), 17, 53));
    assert_eq!(scenario.change_vip(add_vip(dns, 0)), 0);
    let dns = scenario.made(dns);
    for (vip, server) in [(web, "10.1.0.1"), (web, "10.1.0.2"), (dns, "10.1.0.1")] {
        assert_eq!(scenario.client.code(&add_server(vip, server, 100)), 0);
    }
    let listing = parse_vips(&scenario.client.cli("show lb vips verbose").1);
    let object = |host: u8, server: usize| {
        let net: ipnet::IpNet = scenario.v4(host, 32).parse().unwrap();
        let entry = listing.entries.iter().find(|entry| entry.vip.prefix() == net).unwrap();
        let servers = entry.verbose.as_ref().unwrap().servers.as_ref().unwrap();
        servers[server].load_balance.unwrap()
    };
    let (first, second, of_dns) = (object(1, 0), object(1, 1), object(2, 0));
    assert!(first != second && first == of_dns, "one for each server");
    for index in [first, second] {
        let text = scenario.client.cli(&format!("show load-balance {index}")).1;
        assert!(parse_packets(&text, index).is_some(), "{text}");
    }
    let none = scenario.client.cli("show load-balance 4294967");
    assert_eq!(parse_packets(&none.1, 4_294_967), None, "{none:?}");
}
