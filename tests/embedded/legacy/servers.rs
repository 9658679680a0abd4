//! Servers: added, removed, revived, and asked for.

use vpp_maglev::vpp::embedded::legacy::LbFlushVip;
use vpp_maglev::vpp::wire::*;

use super::messages::{add, add_server, del_server, servers, servers_of};
use crate::client::{address, vip};
use crate::scenario::Scenario;

const VALUE_EXIST: i32 = -81;
const NO_SUCH_ENTRY: i32 = -6;
const INVALID_ADDRESS_FAMILY: i32 = -97;

/// A VIP with these servers.
fn with_servers(scenario: &mut Scenario, list: &[&str]) -> VipKey {
    let key = scenario.vip();
    for server in list {
        assert_eq!(scenario.client.code(&add_server(key, server)), 0);
    }
    key
}

pub(crate) fn a_server_has_a_row_without_protocol_and_weight(scenario: &mut Scenario) {
    let key = with_servers(scenario, &["10.1.0.1"]);
    let rows = scenario.client.dump(&servers_of(key));
    let row = LegacyAsDetails {
        prefix: key.prefix,
        port: 80,
        app_srv: address("10.1.0.1"),
        flags: LegacyAsDetails::USED,
        in_use_since: rows[0].in_use_since,
    };
    assert_eq!(rows, [row]);
}

pub(crate) fn a_server_twice_exists(scenario: &mut Scenario) {
    let key = with_servers(scenario, &["10.1.0.1"]);
    assert_eq!(scenario.client.code(&add_server(key, "10.1.0.1")), VALUE_EXIST);
}

pub(crate) fn a_server_needs_its_vip(scenario: &mut Scenario) {
    let key = vip(&scenario.v4(1, 32), 6, 80);
    assert_eq!(scenario.client.code(&add_server(key, "10.1.0.1")), NO_SUCH_ENTRY);
    assert_eq!(scenario.client.code(&del_server(key, "10.1.0.1")), NO_SUCH_ENTRY);
    let key = scenario.vip();
    assert_eq!(scenario.client.code(&del_server(key, "10.1.0.1")), NO_SUCH_ENTRY);
    // The bytes of a later VPP name no VIP.
    let mut later = add_server(key, "10.1.0.1");
    later.vip.prefix.length = later.vip.prefix.length.wrapping_sub(96);
    assert_eq!(scenario.client.code(&later), NO_SUCH_ENTRY);
}

pub(crate) fn the_encapsulation_decides_the_servers_family(scenario: &mut Scenario) {
    for (prefix, encap) in
        [(scenario.v4(1, 32), 0), (scenario.v4(2, 32), 1), (scenario.v6(1, 128), 0)]
    {
        let key = vip(&prefix, 6, 80);
        assert_eq!(scenario.client.code(&add(key, encap)), 0);
        scenario.made(key);
        let (good, bad) =
            if encap == 0 { ("10.1.0.1", "2001:db8::1") } else { ("2001:db8::1", "10.1.0.1") };
        assert_eq!(scenario.client.code(&add_server(key, bad)), INVALID_ADDRESS_FAMILY);
        assert_eq!(scenario.client.code(&add_server(key, good)), 0);
    }
}

pub(crate) fn a_removed_server_keeps_its_row(scenario: &mut Scenario) {
    let key = with_servers(scenario, &["10.1.0.1", "10.1.0.2"]);
    assert_eq!(scenario.client.code(&del_server(key, "10.1.0.1")), 0);
    let flags: Vec<u8> =
        scenario.client.dump(&servers_of(key)).iter().map(|row| row.flags).collect();
    assert_eq!(flags, [0, 1]);
    let listed: Vec<_> =
        servers(scenario, key).iter().map(|server| (server.used, server.buckets)).collect();
    assert_eq!(listed, [(false, 0), (true, 1024)]);
}

pub(crate) fn a_removed_server_can_be_removed_again(scenario: &mut Scenario) {
    let key = with_servers(scenario, &["10.1.0.1"]);
    for is_flush in [false, true, true] {
        let del = LegacyAddDelAs { is_flush, ..del_server(key, "10.1.0.1") };
        assert_eq!(scenario.client.code(&del), 0);
    }
}

pub(crate) fn a_removed_server_is_revived(scenario: &mut Scenario) {
    let key = with_servers(scenario, &["10.1.0.1", "10.1.0.2"]);
    assert_eq!(scenario.client.code(&del_server(key, "10.1.0.1")), 0);
    assert_eq!(scenario.client.code(&add_server(key, "10.1.0.1")), 0);
    let rows = scenario.client.dump(&servers_of(key));
    assert_eq!(rows.iter().map(|row| row.flags).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(rows[0].app_srv, address("10.1.0.1"), "in its row");
}

pub(crate) fn a_flush_with_an_add_is_ignored(scenario: &mut Scenario) {
    let key = scenario.vip();
    let add = LegacyAddDelAs { is_flush: true, ..add_server(key, "10.1.0.1") };
    assert_eq!(scenario.client.code(&add), 0);
    assert_eq!(scenario.client.code(&add), VALUE_EXIST);
}

pub(crate) fn servers_get_equal_shares(scenario: &mut Scenario) {
    let key = with_servers(scenario, &["10.1.0.3", "10.1.0.1", "10.1.0.2"]);
    let mut held: Vec<_> = servers(scenario, key)
        .iter()
        .map(|server| (server.address.to_string(), server.buckets))
        .collect();
    held.sort_unstable();
    let expected = [("10.1.0.1", 342), ("10.1.0.2", 341), ("10.1.0.3", 341)];
    assert_eq!(held, expected.map(|(server, held)| (server.to_owned(), held)));
}

pub(crate) fn an_ipv4_vip_is_asked_for_by_its_last_four_bytes(scenario: &mut Scenario) {
    let key = with_servers(scenario, &["10.1.0.1"]);
    assert_eq!(scenario.client.dump(&servers_of(key)).len(), 1);
    assert!(scenario.client.dump(&LegacyAsDump { vip: key }).is_empty());
}

pub(crate) fn a_port_is_asked_for_in_the_order_of_the_host(scenario: &mut Scenario) {
    let key = vip(&scenario.v4(1, 32), 6, 443);
    assert_eq!(scenario.client.code(&add(key, 0)), 0);
    scenario.made(key);
    assert_eq!(scenario.client.code(&add_server(key, "10.1.0.1")), 0);
    let LegacyAsDump { vip } = servers_of(key);
    assert_eq!(scenario.client.dump(&LegacyAsDump { vip }).len(), 1);
    let swapped = VipKey { port: vip.port.swap_bytes(), ..vip };
    assert!(scenario.client.dump(&LegacyAsDump { vip: swapped }).is_empty());
}

pub(crate) fn vips_of_other_lengths_answer_too(scenario: &mut Scenario) {
    for length in [32, 24] {
        let key = vip(&scenario.v4(0, length), 6, 80);
        assert_eq!(scenario.client.code(&add(key, 0)), 0);
        scenario.made(key);
        assert_eq!(scenario.client.code(&add_server(key, &format!("10.1.0.{length}"))), 0);
    }
    let key = vip(&scenario.v4(0, 32), 6, 80);
    let rows = scenario.client.dump(&servers_of(key));
    let mut lengths: Vec<_> = rows.iter().map(|row| row.prefix.length).collect();
    lengths.sort_unstable();
    assert_eq!(lengths, [24, 32]);
}

pub(crate) fn tcp_and_udp_rows_look_alike(scenario: &mut Scenario) {
    let keys = [6, 17].map(|protocol| vip(&scenario.v4(1, 32), protocol, 53));
    for key in keys {
        assert_eq!(scenario.client.code(&add(key, 0)), 0);
        scenario.made(key);
        assert_eq!(scenario.client.code(&add_server(key, "10.1.0.1")), 0);
    }
    let rows: Vec<_> = keys.iter().map(|key| scenario.client.dump(&servers_of(*key))).collect();
    assert_eq!((rows[0].len(), &rows[0]), (1, &rows[1]));
}

pub(crate) fn the_zero_address_asks_for_all(scenario: &mut Scenario) {
    let key = with_servers(scenario, &["10.1.0.1"]);
    let rows = scenario.client.dump(&LegacyAsDump { vip: VipKey::ZERO });
    assert!(rows.iter().any(|row| row.prefix == key.prefix));
}

pub(crate) fn a_flush_takes_the_last_four_bytes(scenario: &mut Scenario) {
    let key = with_servers(scenario, &["10.1.0.1"]);
    let mut raw = key;
    raw.prefix.address.bytes.rotate_left(4);
    raw.prefix.length = 128;
    assert_eq!(scenario.client.code(&LbFlushVip { vip: raw }), 0);
}
