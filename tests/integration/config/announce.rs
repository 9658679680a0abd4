//! What the file may say of announcements.

use std::time::Duration;

use vpp_maglev::config;
use vpp_maglev::domain::announce::{DriverSettings, SharedBy};

/// A file with these drivers, and this `announce` of a frontend of a VIP.
fn file(announce: &str, vip: &str, frontend: &str) -> String {
    format!(
        "maglev:\n  vpp: {{lb: {{ipv4-src-address: 192.0.2.1, ipv6-src-address: 2001:db8::1}}}}\n  \
         announce: {announce}\n  backends: {{a: {{address: 192.0.2.9}}}}\n  frontends:\n    \
         web: {{address: {vip}, announce: {frontend}, pools: [{{name: p, backends: {{a: {{}}}}}}]}}\n"
    )
}

#[test]
fn every_driver_has_defaults_and_a_frontend_too() {
    let drivers =
        "{netlink: {}, bird: {}, gobgp: {address: \"127.0.0.1:50051\"}, command: [/bin/x, y]}";
    let loaded = config::parse(&file(drivers, "192.0.2.80", "{}")).unwrap();
    let names: Vec<_> = loaded.config.announcer.drivers.iter().map(DriverSettings::name).collect();
    assert_eq!(names, ["netlink", "gobgp", "bird", "command"]);
    assert_eq!(loaded.config.announcer.hold_vpp, Duration::from_secs(10));
    assert_eq!(loaded.config.announcer.leave, Duration::from_secs(2));
    let netlink = DriverSettings::Netlink { table: 4242, protocol: 76, netns: None };
    assert_eq!(loaded.config.announcer.drivers[0], netlink);
    let settings = loaded.config.frontends["web"].announce.unwrap();
    assert_eq!((settings.min_healthy.percent(), settings.recover.percent()), (1, 1));
    assert_eq!(settings.shared, SharedBy::Any);
    let main = "{netlink: {table: main, protocol: 99, netns: dataplane}}";
    let main = config::parse(&file(main, "192.0.2.80", "{}")).unwrap().config.announcer.drivers;
    let netns = Some("dataplane".into());
    assert_eq!(main, [DriverSettings::Netlink { table: 254, protocol: 99, netns }]);
}

#[test]
fn each_fault_is_told_with_its_place_and_what_mends_it() {
    let bad = [
        ("{netlink: {table: 255}}", "announce.netlink.table: 255 is no routing table of its own"),
        ("{netlink: {table: other}}", "announce.netlink.table: other is no routing table"),
        ("{netlink: {table: [1]}}", "announce.netlink.table"),
        ("{netlink: {protocol: 12}}", "announce.netlink.protocol: 12 is a protocol of the kernel"),
        ("{netlink: {protocol: 256}}", "announce.netlink.protocol: 256"),
        ("{netlink: {netns: a/b}}", "announce.netlink.netns: \"a/b\" is not the name of"),
        ("{gobgp: {}}", "announce.gobgp.address"),
        ("{gobgp: {address: localhost}}", "announce.gobgp.address: \"localhost\" is no address"),
        (
            "{gobgp: {address: \"127.0.0.1:1\", community: 70000:1}}",
            "announce.gobgp.community: \"70000:1\" is no community",
        ),
        ("{bird: {socket: bird.ctl}}", "announce.bird.socket: \"bird.ctl\" is no absolute path"),
        ("{command: []}", "announce.command"),
        ("{command: [place]}", "announce.command[0]: \"place\" is no absolute path"),
        ("{hold-vpp: soon}", "announce.hold-vpp"),
        ("{leave: -1s}", "announce.leave"),
    ];
    for (announce, expected) in bad {
        let error = config::parse(&file(announce, "192.0.2.80", "{}")).unwrap_err().to_string();
        assert!(error.contains(expected), "{announce}: {error}");
    }
    let bad = [
        ("192.0.2.80", "{min-healthy: 0%}", "web.announce.min-healthy: \"0%\" is not a share"),
        ("192.0.2.80", "{min-healthy: 50}", "web.announce.min-healthy: \"50\" is not a share"),
        (
            "192.0.2.80",
            "{min-healthy: 50%, recover: 20%}",
            "web.announce.recover: 20% is less than min-healthy, 50%",
        ),
        ("192.0.2.80", "{shared: both}", "shared"),
        ("192.0.2.0/24", "{}", "web.announce: 192.0.2.0/24 is more than one address"),
    ];
    for (vip, frontend, expected) in bad {
        let error = config::parse(&file("{}", vip, frontend)).unwrap_err().to_string();
        assert!(error.contains(expected), "{frontend}: {error}");
    }
}

#[test]
fn frontends_of_one_address_share_it_in_one_way() {
    let text = file("{}", "192.0.2.80, protocol: tcp, port: 80", "{shared: all}");
    let other = "    www: {address: 192.0.2.80, protocol: tcp, port: 443, announce: {}, \
                 pools: [{name: p, backends: {a: {}}}]}\n";
    let error = config::parse(&(text + other)).unwrap_err().to_string();
    assert!(
        error.contains("its announcement of 192.0.2.80/32 is not shared as that of"),
        "{error}"
    );
}
