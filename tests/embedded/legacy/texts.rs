//! Lines of VPP's CLI that change the load balancer, and what they answer.

use vpp_maglev::vpp::cli_text::parse_settings;
use vpp_maglev::vpp::wire::*;

use super::messages::{add_server, del_server, listed, servers};
use crate::client::vip;
use crate::scenario::Scenario;

const CONF: LbConfSet = LbConfSet {
    ip4_src_address: std::net::Ipv4Addr::new(192, 0, 2, 254),
    ip6_src_address: std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0xfe),
    sticky_buckets_per_core: 1024,
    flow_timeout: 40,
};

fn refused(scenario: &mut Scenario, line: &str, text: &str) {
    assert_eq!(scenario.client.cli(line), (-1, text.to_owned()), "{line}");
}

fn done(scenario: &mut Scenario, line: &str) {
    assert_eq!(scenario.client.cli(line), (0, String::new()), "{line}");
}

pub(crate) fn settings_are_told_in_part(scenario: &mut Scenario) {
    assert_eq!(scenario.client.code(&CONF), 0);
    let told = parse_settings(&scenario.client.cli("show lb").1);
    assert_eq!(told.sources, Some((CONF.ip4_src_address, CONF.ip6_src_address)));
    let keep = LbConfSet { sticky_buckets_per_core: u32::MAX, flow_timeout: u32::MAX, ..CONF };
    assert_eq!(scenario.client.code(&keep), 0);
}

pub(crate) fn settings_of_three_buckets_are_refused(scenario: &mut Scenario) {
    let odd = LbConfSet { sticky_buckets_per_core: 3, ..CONF };
    assert_eq!(scenario.client.code(&odd), -70);
    refused(scenario, "lb conf buckets 3", "lb conf: lb_conf error -70\n");
}

pub(crate) fn a_line_of_several_servers_is_all_or_nothing(scenario: &mut Scenario) {
    let key = scenario.vip();
    let vip = format!("{} protocol tcp port 80", scenario.v4(1, 32));
    done(scenario, &format!("lb as {vip} 10.1.0.2 10.1.0.3 10.1.0.4"));
    assert_eq!(servers(scenario, key).iter().filter(|server| server.used).count(), 3);
    let in_use = "lb as: lb_vip_add_ass error -81\n";
    refused(scenario, &format!("lb as {vip} 10.1.0.5 10.1.0.2"), in_use);
    let family = "lb as: lb_vip_add_ass error -97\n";
    refused(scenario, &format!("lb as {vip} 10.1.0.5 2001:db8::1"), family);
    refused(scenario, &format!("lb as {vip} 10.1.0.2 2001:db8::1"), family);
    refused(scenario, &format!("lb as {vip} 2001:db8::1 10.1.0.2"), in_use);
    let unknown = "lb as: lb_vip_del_ass error -6\n";
    refused(scenario, &format!("lb as {vip} 10.1.0.2 10.1.0.9 del"), unknown);
    assert_eq!(servers(scenario, key).iter().filter(|server| server.used).count(), 3);
    done(scenario, &format!("lb as {vip} 10.1.0.2 10.1.0.3 del flush"));
    let held: Vec<_> =
        servers(scenario, key).iter().filter(|it| it.used).map(|it| it.buckets).collect();
    assert_eq!(held, [1024]);
}

pub(crate) fn a_line_names_a_server_twice(scenario: &mut Scenario) {
    let key = scenario.vip();
    let vip = format!("{} protocol tcp port 80", scenario.v4(1, 32));
    done(scenario, &format!("lb as {vip} 10.1.0.2 10.1.0.2"));
    assert_eq!(servers(scenario, key).len(), 1);
    done(scenario, &format!("lb as {vip} 10.1.0.2 10.1.0.2 del"));
}

pub(crate) fn lines_that_fail_say_why(scenario: &mut Scenario) {
    scenario.vip();
    let (used, free) = (scenario.v4(1, 32), scenario.v4(3, 32));
    let of = |prefix: &str| format!("{prefix} protocol tcp port 80");
    for (line, text) in [
        (format!("lb vip {}", of(&used)), "lb vip: lb_vip_add error -81\n".to_owned()),
        (format!("lb vip {used}"), "lb vip: lb_vip_add error -81\n".to_owned()),
        (
            format!("lb vip {used} protocol tcp port 81 encap gre6"),
            "lb vip: lb_vip_add error -73\n".to_owned(),
        ),
        (format!("lb vip {} new_len 3", of(&free)), "lb vip: lb_vip_add error -70\n".to_owned()),
        (format!("lb vip {} del", of(&free)), "lb vip: lb_vip_find_index error -6\n".to_owned()),
        ("lb vip 192.0.2.3/33".into(), "lb vip: invalid vip prefix: '192.0.2.3/33'\n".to_owned()),
        (format!("lb vip {free} bogus"), "lb vip: parse error: 'bogus'\n".to_owned()),
        (
            format!("lb as {used} protocol 6 port 80 10.1.0.1"),
            "lb as: parse error: 'protocol 6 port 80 10.1.0.1'\n".to_owned(),
        ),
        (format!("lb as {} 10.1.0.1", of(&free)), "lb as: lb_vip_find_index error -6\n".to_owned()),
        (format!("lb as {}", of(&used)), "lb as: No AS address provided\n".to_owned()),
        (
            format!("lb as {} 10.1.0.1 weight 5", of(&used)),
            "lb as: parse error: 'weight 5'\n".to_owned(),
        ),
        (
            format!("lb flush vip {}", of(&free)),
            "lb flush vip: lb_vip_find_index error -6\n".to_owned(),
        ),
        ("lb conf bogus 1".into(), "lb conf: parse error: 'bogus 1'\n".to_owned()),
    ] {
        refused(scenario, &line, &text);
    }
    let (retval, text) = scenario.client.cli(&format!("lb flush vip {}", of(&used)));
    assert!(retval == 0 && text.starts_with("lb_flush_vip ok "), "{text}");
}

pub(crate) fn a_line_without_a_port_is_of_all_ports(scenario: &mut Scenario) {
    let prefix = scenario.v4(1, 32);
    let (retval, text) = scenario.client.cli(&format!("lb vip {prefix} protocol tcp"));
    assert!(retval == 0 && text.starts_with("lb_vip_add ok "), "{text}");
    let all = vip(&prefix, 255, 0);
    scenario.made(all);
    let entry = &listed(scenario)[0];
    assert_eq!((entry.vip, entry.table_length), (all.to_vip().unwrap(), 1024));
    done(scenario, &format!("lb vip {prefix} del"));
}

pub(crate) fn the_line_of_the_address_alone_keeps_the_rest(scenario: &mut Scenario) {
    assert_eq!(scenario.client.code(&CONF), 0);
    done(scenario, "lb conf ip4-src-address 192.0.2.254");
    let told = parse_settings(&scenario.client.cli("show lb").1);
    assert_eq!(told.sources, Some((CONF.ip4_src_address, CONF.ip6_src_address)));
    done(scenario, "lb conf");
}

/// Nor does a collection take what was removed less than ten seconds ago.
pub(crate) fn removed_servers_do_not_go_by_themselves(scenario: &mut Scenario) {
    let key = scenario.vip();
    assert_eq!(scenario.client.code(&add_server(key, "10.1.0.1")), 0);
    assert_eq!(scenario.client.code(&del_server(key, "10.1.0.1")), 0);
    done(scenario, "lb conf ip4-src-address 192.0.2.254");
    assert_eq!(servers(scenario, key).len(), 1);
}
