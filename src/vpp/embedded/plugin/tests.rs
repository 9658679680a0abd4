//! The plugin's rules as tables; `tests/embedded` holds them against a real
//! VPP.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::index::ServerFilter;
use super::*;

fn key(prefix: &str, protocol: u8, port: u16) -> PluginVipKey {
    let (address, length) = prefix.split_once('/').unwrap();
    let ip: std::net::IpAddr = address.parse().unwrap();
    let length: u8 = length.parse().unwrap();
    let len = if ip.is_ipv4() { length.wrapping_add(96) } else { length };
    let protocol = if port == 0 { 255 } else { protocol };
    PluginVipKey { prefix: PluginPrefix { bits: from_ip(ip), len }, protocol, port }
}

fn bits(address: &str) -> u128 {
    from_ip(address.parse().unwrap())
}

fn spec(encap: u32) -> NewVip {
    NewVip { encap, dscp: 0, srv_type: 0, target_port: 0, table_length: 1024, src_ip_sticky: false }
}

fn refused(refusal: PluginRefusal) -> Result<(), PluginFault> {
    Err(PluginFault::Refused(refusal))
}

fn slots(plugin: &Plugin) -> Vec<u32> {
    plugin.vip_rows().iter().map(|row| row.slot).collect()
}

fn flags(plugin: &mut Plugin) -> Vec<bool> {
    plugin.server_rows().iter().map(|row| row.used).collect()
}

#[test]
fn vips_are_refused_in_vpps_order() {
    let mut plugin = Plugin::default();
    let mut add = |prefix: &str, port, new| plugin.add_vip(key(prefix, 6, port), new, 0);
    assert_eq!(add("192.0.2.1/32", 80, spec(0)), Ok(()));
    assert_eq!(add("192.0.2.1/32", 80, spec(1)), refused(PluginRefusal::ValueExist));
    assert_eq!(add("192.0.2.1/32", 0, spec(0)), refused(PluginRefusal::ValueExist));
    assert_eq!(add("192.0.2.1/32", 443, spec(0)), Ok(()));
    assert_eq!(add("192.0.2.1/32", 444, spec(1)), refused(PluginRefusal::InvalidArgument));
    assert_eq!(add("192.0.2.1/32", 444, spec(9)), refused(PluginRefusal::InvalidArgument));
    assert_eq!(add("192.0.2.2/32", 80, spec(4)), refused(PluginRefusal::InvalidAddressFamily));
    assert_eq!(add("198.51.100.77/24", 0, spec(0)), Ok(()));
    assert_eq!(add("198.51.100.0/24", 80, spec(0)), refused(PluginRefusal::ValueExist));
    let odd = NewVip { table_length: 3, ..spec(0) };
    assert_eq!(add("192.0.2.3/32", 80, odd), refused(PluginRefusal::InvalidMemorySize));
    let none = NewVip { table_length: 0, ..spec(0) };
    assert!(matches!(add("192.0.2.3/32", 80, none), Err(PluginFault::Crash(_))));
    assert_eq!(add("::/96", 0, spec(0)), Ok(()), "counts as 0.0.0.0/0");
    assert_eq!(add("0.0.0.0/0", 0, spec(1)), refused(PluginRefusal::ValueExist));
    assert_eq!(add("::/0", 0, spec(0)), Ok(()));
    assert_eq!(slots(&plugin), [1, 2, 3, 4, 5]);
    assert_eq!(
        plugin.delete_vip(key("192.0.2.9/32", 6, 80), 0),
        refused(PluginRefusal::NoSuchEntry)
    );
}

#[test]
fn prefix_lengths_past_the_end_are_taken_modulo_the_shift() {
    let text = |prefix: &str| key(prefix, 6, 1).normalised().prefix.to_string();
    assert_eq!(text("192.0.2.77/33"), "0.0.0.0/33");
    assert_eq!(text("10.0.0.1/200"), "::/40");
    assert_eq!(text("2001:db8::8000:0:0:1/129"), "2001:db8:0:0:8000::/129");
    assert_eq!(text("::1.2.3.4/128"), "1.2.3.4/32");
    assert_eq!(text("2001:db8:0:1:1:1:1:1/128"), "2001:db8:0:1:1:1:1:1/128");
    assert_eq!(text("::ffff:1.2.3.4/128"), "::ffff:102:304/128");
}

#[test]
fn servers_are_refused_revived_and_weighed() {
    let mut plugin = Plugin::default();
    let vip = key("192.0.2.1/32", 6, 80);
    let (one, two) = (bits("10.1.0.1"), bits("10.1.0.2"));
    assert_eq!(plugin.add_server(vip, one, 1, false, 0), refused(PluginRefusal::NoSuchEntry));
    plugin.add_vip(vip, spec(0), 0).unwrap();
    assert_eq!(plugin.add_server(vip, one, 100, false, 0), Ok(()));
    assert_eq!(plugin.add_server(vip, one, 50, false, 0), refused(PluginRefusal::ValueExist));
    assert_eq!(
        plugin.add_server(vip, bits("2001:db8::1"), 1, false, 0),
        refused(PluginRefusal::InvalidAddressFamily)
    );
    assert_eq!(plugin.add_server(vip, two, 25, false, 0), Ok(()));
    let buckets: Vec<u32> = plugin.server_rows().iter().map(|row| row.buckets).collect();
    assert_eq!(buckets, [812, 212]);

    assert_eq!(plugin.set_weight(vip, two, 255, false), Ok(()));
    assert_eq!(
        plugin.set_weight(vip, bits("10.1.0.3"), 1, false),
        refused(PluginRefusal::NoSuchEntry)
    );
    assert_eq!(plugin.delete_server(vip, two, false, 7), Ok(()));
    assert_eq!(plugin.delete_server(vip, two, false, 9), Ok(()), "once more");
    assert_eq!(plugin.set_weight(vip, two, 1, false), refused(PluginRefusal::NoSuchEntry));
    let row = plugin.server_rows()[1];
    assert_eq!((row.used, row.removed_at, row.buckets, row.weight), (false, 9, 0, 255));
    assert_eq!(plugin.add_server(vip, two, 5, false, 10), Ok(()));
    let row = plugin.server_rows()[1];
    assert_eq!((row.used, row.removed_at, row.weight), (true, 9, 5));
}

#[test]
fn nat_without_a_port_crashes_at_the_first_server() {
    let mut plugin = Plugin::default();
    let vip = key("192.0.2.1/32", 6, 0);
    plugin.add_vip(vip, spec(3), 0).unwrap();
    let crashed = plugin.add_server(vip, bits("10.1.0.1"), 1, false, 0);
    assert!(matches!(crashed, Err(PluginFault::Crash(_))));
}

#[test]
fn a_retired_server_is_collected_by_the_clock_and_not_before() {
    let mut plugin = Plugin::default();
    let vip = key("192.0.2.1/32", 6, 80);
    plugin.add_vip(vip, spec(0), 5).unwrap();
    plugin.add_server(vip, bits("10.1.0.1"), 1, false, 5).unwrap();
    plugin.delete_server(vip, bits("10.1.0.1"), false, 6).unwrap();
    plugin.advance(119);
    assert_eq!(flags(&mut plugin), [false], "the VIP's first minute had not passed at 60");
    plugin.advance(120);
    assert!(flags(&mut plugin).is_empty());

    plugin.add_server(vip, bits("10.1.0.1"), 1, false, 130).unwrap();
    plugin.delete_server(vip, bits("10.1.0.1"), false, 175).unwrap();
    plugin.advance(180);
    assert_eq!(flags(&mut plugin), [false], "not ten seconds yet");
    plugin.add_server(vip, bits("10.1.0.2"), 1, false, 239).unwrap();
    assert_eq!(flags(&mut plugin), [false, true], "that minute was used up at 180");
    plugin.add_server(vip, bits("10.1.0.3"), 1, false, 240).unwrap();
    assert_eq!(flags(&mut plugin), [true, true], "an add collects too");
}

#[test]
fn flows_keep_a_row_until_a_flush_or_a_new_table() {
    let mut plugin = Plugin::default();
    let vip = key("192.0.2.1/32", 6, 80);
    let (one, two) = (bits("10.1.0.1"), bits("10.1.0.2"));
    plugin.add_vip(vip, spec(0), 0).unwrap();
    for server in [one, two] {
        plugin.add_server(vip, server, 1, false, 0).unwrap();
        plugin.put_flows(vip, server, 26).unwrap();
    }
    plugin.delete_server(vip, one, false, 1).unwrap();
    plugin.advance(3600);
    assert_eq!(flags(&mut plugin), [false, true]);
    plugin.flush_vip(key("192.0.2.9/32", 6, 80));
    plugin.flush_vip(vip);
    plugin.advance(3660);
    assert_eq!(flags(&mut plugin), [true]);

    plugin.put_flows(vip, two, 3).unwrap();
    plugin.set_conf(Conf { sticky_buckets_per_core: 2048, ..plugin.conf() }).unwrap();
    assert_eq!(plugin.server_rows()[0].flows, 3, "dropped by the next packet only");
    plugin.put_flows(vip, two, 1).unwrap();
    assert_eq!(plugin.server_rows()[0].flows, 1);
    plugin.set_weight(vip, two, 0, true).unwrap();
    assert_eq!(plugin.server_rows()[0].flows, 0);
}

#[test]
fn a_count_falls_as_new_flows_take_the_places_of_old_ones_and_in_no_other_way() {
    let mut plugin = Plugin::default();
    let vip = key("192.0.2.1/32", 6, 80);
    let (one, two) = (bits("10.1.0.1"), bits("10.1.0.2"));
    plugin.add_vip(vip, spec(0), 0).unwrap();
    for server in [one, two] {
        plugin.add_server(vip, server, 1, false, 0).unwrap();
    }
    plugin.put_flows(vip, one, 9).unwrap();
    plugin.set_weight(vip, one, 0, false).unwrap();
    plugin.advance(24 * 3600);
    let flows =
        |plugin: &mut Plugin| plugin.server_rows().iter().map(|row| row.flows).collect::<Vec<_>>();
    assert_eq!(flows(&mut plugin), [9, 0], "long after every flow has timed out");
    plugin.reuse_entries(vip, (one, two), 5).unwrap();
    assert_eq!(flows(&mut plugin), [4, 5]);
    plugin.reuse_entries(vip, (one, two), 5).unwrap();
    assert_eq!(flows(&mut plugin), [0, 9], "there were no more");
    assert!(plugin.reuse_entries(vip, (one, bits("10.1.0.3")), 1).is_err());
}

#[test]
fn a_vip_added_again_at_once_has_another_slot_and_the_dead_rows_beside_it() {
    let mut plugin = Plugin::default();
    let vip = key("192.0.2.1/32", 6, 80);
    let new = NewVip { dscp: 10, ..spec(2) };
    plugin.add_vip(vip, new, 0).unwrap();
    plugin.add_server(vip, bits("10.1.0.1"), 1, false, 0).unwrap();
    plugin.count_packets(vip, [1, 2, 3, 4]).unwrap();
    plugin.delete_vip(vip, 1).unwrap();
    assert!(plugin.vip_rows().is_empty());
    plugin.add_vip(vip, spec(0), 2).unwrap();
    plugin.add_server(vip, bits("10.1.0.1"), 1, false, 2).unwrap();
    assert_eq!(slots(&plugin), [2]);
    assert_eq!(flags(&mut plugin), [false, true]);
    let text = plugin.show_vips(false);
    assert!(text.starts_with("ip4-l3dsr 192.0.2.1/32 new_size:1024 #as:1 removed"), "{text}");

    plugin.advance(60);
    plugin.delete_vip(vip, 61).unwrap();
    plugin.advance(120);
    plugin.add_vip(key("2001:db8::/48", 6, 0), spec(1), 121).unwrap();
    let row = plugin.vip_rows()[0];
    assert_eq!((row.slot, row.argument), (2, 0), "freed last, reused first");
    plugin.add_vip(vip, spec(0), 121).unwrap();
    let row = plugin.vip_rows()[0];
    assert_eq!((row.slot, row.argument), (1, 10), "a DSCP that is not its own");
    assert_eq!(plugin.counters(1), [0; 4]);
}

#[test]
fn the_settings_keep_numbers_but_never_addresses() {
    let mut plugin = Plugin::default();
    let zero = Conf {
        ip4_src: Ipv4Addr::UNSPECIFIED,
        ip6_src: Ipv6Addr::UNSPECIFIED,
        sticky_buckets_per_core: u32::MAX,
        flow_timeout: u32::MAX,
    };
    plugin.set_conf(zero).unwrap();
    assert_eq!(plugin.conf(), Conf { sticky_buckets_per_core: 1024, flow_timeout: 40, ..zero });
    let three = Conf { sticky_buckets_per_core: 3, ..zero };
    assert_eq!(plugin.set_conf(three), refused(PluginRefusal::InvalidMemorySize));
    assert_eq!(plugin.set_conf(Conf { sticky_buckets_per_core: 0, ..zero }), Ok(()));
}

#[test]
fn the_cli_text_is_vpps_to_the_letter() {
    let mut plugin = Plugin::default();
    let vip = key("192.0.2.1/32", 6, 80);
    plugin.add_vip(vip, spec(0), 0).unwrap();
    plugin
        .add_vip(key("2001:db8::/48", 6, 0), NewVip { src_ip_sticky: true, ..spec(1) }, 0)
        .unwrap();
    let nat = NewVip { target_port: 8080, ..spec(3) };
    plugin.add_vip(key("192.0.2.3/32", 6, 8080), nat, 0).unwrap();
    plugin.add_server(vip, bits("10.1.0.1"), 100, false, 0).unwrap();
    plugin.add_server(vip, bits("10.1.0.2"), 25, false, 0).unwrap();
    plugin.delete_server(vip, bits("10.1.0.2"), false, 0).unwrap();
    assert_eq!(
        plugin.show_vips(false),
        "ip4-gre4 192.0.2.1/32 new_size:1024 #as:2  protocol:6 port:80 \n\
         ip6-gre6 2001:db8::/48 new_size:1024 #as:0\n\
         ip4-nat4 192.0.2.3/32 new_size:1024 #as:0  protocol:6 port:8080  type:clusterip \
         port:36895 target_port:8080\n"
    );
    let counters = "  counters:\n    packet from existing sessions: 0\n    first session packet: \
                    0\n    untracked packet: 0\n    no server configured: 0\n";
    assert_eq!(
        plugin.show_vips(true),
        format!(
            " ip4-gre4 [1] 192.0.2.1/32\n  new_size:1024\n  protocol:6 port:80\n{counters}  \
             #as:2\n    10.1.0.1 weight:100 buckets:1024 flows:0 dpo:12 used\n    10.1.0.2 \
             weight:25 buckets:0 flows:0 dpo:13  removed\n\n \
             ip6-gre6 [2] 2001:db8::/48 src_ip_sticky\n  new_size:1024\n{counters}  #as:0\n\n \
             ip4-nat4 [3] 192.0.2.3/32\n  new_size:1024\n  protocol:6 port:8080\n  \
             type:clusterip port:36895 target_port:8080{counters}  #as:0\n\n"
        )
    );
}

/// The slots that are looked at for a client of this many VIPs, which adds a server,
/// sets its weight, reads the servers of its VIP and removes the server.
fn slots_visited_of(vips: u32) -> usize {
    let mut plugin = Plugin::default();
    let vip = |number: u32| {
        let address = Ipv4Addr::from_bits(0x0a00_0000 + number);
        key(&format!("{address}/32"), 6, 80)
    };
    let small = NewVip { table_length: 16, ..spec(0) };
    (0..vips).for_each(|number| plugin.add_vip(vip(number), small, 0).unwrap());
    let visits = |plugin: &Plugin| plugin.vips.visits() + plugin.servers.visits();
    let before = visits(&plugin);
    let (key, server) = (vip(vips / 2), bits("192.0.2.1"));
    plugin.add_server(key, server, 1, false, 0).unwrap();
    plugin.set_weight(key, server, 2, false).unwrap();
    let address = key.prefix.bits;
    let filter = ServerFilter { address, protocol: key.protocol, port: key.port };
    assert_eq!(plugin.filtered_server_rows(filter).len(), 1);
    plugin.delete_server(key, server, false, 0).unwrap();
    visits(&plugin) - before
}

#[test]
fn a_request_costs_the_same_however_many_vips_there_are() {
    let (few, many) = (slots_visited_of(20), slots_visited_of(2000));
    assert!((1..40).contains(&few), "{few} slots");
    assert_eq!(few, many);
}

#[test]
fn only_the_counters_that_change_are_taken() {
    let mut plugin = Plugin::default();
    let (one, two) = (key("192.0.2.1/32", 6, 80), key("192.0.2.2/32", 6, 80));
    plugin.add_vip(one, spec(0), 0).unwrap();
    plugin.add_vip(two, spec(0), 0).unwrap();
    assert_eq!(plugin.take_changed_counters(), [1, 2].into());
    plugin.add_server(one, bits("10.1.0.1"), 1, false, 0).unwrap();
    assert_eq!(plugin.take_changed_counters(), [].into());
    plugin.count_packets(two, [1, 0, 0, 0]).unwrap();
    assert_eq!(plugin.take_changed_counters(), [2].into());
}
