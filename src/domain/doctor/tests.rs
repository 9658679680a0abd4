//! Tables of facts and what is found of them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::dataplane::fib::{Egress, FibEntry};
use crate::domain::dataplane::net::{Encap, Service, Vip};

fn frontend(name: &str, prefix: &str, servers: &[&str]) -> FrontendFacts {
    let servers: Vec<std::net::IpAddr> = servers.iter().map(|s| s.parse().unwrap()).collect();
    let encap = servers.first().map_or(Encap::Gre4, |server| Encap::for_server(*server));
    let vip = Vip::new(prefix.parse().unwrap(), Service::All);
    FrontendFacts { name: name.into(), vip, encap, servers }
}

fn entry(source: &str, interface: Option<&str>) -> FibEntry {
    FibEntry::Present { source: source.into(), interface: interface.map(Into::into) }
}

/// A VPP in order, with these entries and MTUs of `eth0`, behind which all servers are.
fn facts(frontends: Vec<FrontendFacts>, entry: &FibEntry, mtu: Option<u32>) -> DoctorFacts {
    let entries = frontends.iter().map(|frontend| (frontend.vip.prefix(), entry.clone()));
    let egress = Egress { interface: "eth0".into(), mtu };
    let servers = frontends.iter().flat_map(|frontend| &frontend.servers);
    let servers = servers.map(|server| (*server, [egress.clone()].into())).collect();
    DoctorFacts {
        sockets: vec![],
        identity: ProcessIdentity::default(),
        vpp: VppFacts::Connected(ConnectedVpp {
            dialect: Some(LbDialect::Weights),
            version: "26.10".into(),
            missing: vec![],
            dead_clients: vec![],
            fib: Ok(FibFacts { entries: entries.collect(), servers }),
        }),
        send_buffer: Some(212_992),
        passes: PassFacts {
            age: Some(Duration::from_secs(5)),
            interval: Duration::from_secs(30),
            refused: vec![],
        },
        frontends,
    }
}

fn web() -> Vec<FrontendFacts> {
    vec![frontend("web", "192.0.2.1/32", &["10.0.0.1"])]
}

fn connected(facts: &mut DoctorFacts) -> &mut ConnectedVpp {
    match &mut facts.vpp {
        VppFacts::Connected(vpp) => vpp,
        other => panic!("{other:?}"),
    }
}

/// Severity, subject and a part of what was seen, of all that is not in order.
fn wrong(facts: &DoctorFacts) -> Vec<(Severity, String, String)> {
    let findings = examine(facts).into_iter().filter(|f| f.severity != Severity::Ok);
    findings
        .map(|finding| {
            assert!(!finding.remedy.is_empty(), "{finding:?} has nothing to do");
            (finding.severity, finding.subject, finding.seen)
        })
        .collect()
}

#[track_caller]
fn is_wrong(facts: &DoctorFacts, severity: Severity, subject: &str, seen: &str) {
    let wrong = wrong(facts);
    let [(found, of, what)] = wrong.as_slice() else { panic!("{wrong:#?}") };
    assert_eq!((*found, of.as_str()), (severity, subject));
    assert!(what.contains(seen), "`{what}` has no `{seen}`");
}

#[test]
fn nothing_is_wrong_with_a_vpp_in_order() {
    let facts = facts(web(), &entry("lb", None), Some(9000));
    assert_eq!(wrong(&facts), []);
    let all = examine(&facts);
    let vips = all.iter().find(|finding| finding.subject == "VIPs in the FIB").unwrap();
    assert_eq!(vips.seen, "packets to 1 of 1 reach lb");
}

#[test]
fn a_vip_on_an_interface_never_reaches_lb() {
    let facts = facts(web(), &entry("interface", Some("loop0")), Some(9000));
    is_wrong(&facts, Severity::Fault, "VIP 192.0.2.1/32 (web)", "address of VPP's interface loop0");
    let remedy = &examine(&facts)[0].remedy;
    assert!(remedy.contains("set interface ip address del loop0 192.0.2.1/32"), "{remedy}");
}

#[test]
fn a_vip_of_another_source_or_of_none_is_named() {
    let other = facts(web(), &entry("SR", None), Some(9000));
    is_wrong(&other, Severity::Fault, "VIP 192.0.2.1/32 (web)", "source SR");
    let mut none = facts(web(), &FibEntry::Absent, Some(9000));
    is_wrong(&none, Severity::Fault, "VIP 192.0.2.1/32 (web)", "no entry");
    none.passes.age = None;
    let severities: Vec<_> = wrong(&none).into_iter().map(|(severity, ..)| severity).collect();
    assert_eq!(severities, [Severity::Warning; 2], "nothing was written yet");
}

#[test]
fn a_frontend_is_warned_of_what_shadows_its_vip_alone() {
    let prefix = "192.0.2.1/32".parse().unwrap();
    let warning = vip_warning(prefix, &entry("interface", Some("loop0"))).unwrap();
    assert!(warning.contains("loop0") && warning.contains("del loop0"), "{warning}");
    assert_eq!(vip_warning(prefix, &entry("lb", None)), None);
    assert_eq!(vip_warning(prefix, &FibEntry::Absent), None);
}

#[test]
fn a_plugin_that_is_not_loaded_is_one_fault_and_an_old_one_another() {
    let lacking = |missing: &[&str]| {
        let mut facts = facts(web(), &FibEntry::Absent, None);
        connected(&mut facts).missing = missing.iter().map(ToString::to_string).collect();
        facts
    };
    let none = lacking(&["lb_conf_56cd3261", "lb_add_del_vip_v2_7c520e0f", "lb_as_dump_1063f819"]);
    is_wrong(&none, Severity::Fault, "lb plugin", "it is not loaded");
    let old = lacking(&["lb_conf_get_51077d14", "lb_as_set_weight_81d5fb9a"]);
    is_wrong(&old, Severity::Fault, "lb plugin", "lacks messages of it: lb_conf_get_51077d14");
}

#[test]
fn a_segment_has_room_for_gre_and_headers() {
    let of = |encap, vip| largest_segment(1500, encap, vip);
    assert_eq!(of(Encap::Gre4, Family::V4), 1436);
    assert_eq!(of(Encap::Gre4, Family::V6), 1416);
    assert_eq!(of(Encap::Gre6, Family::V4), 1416);
    assert_eq!(of(Encap::Gre6, Family::V6), 1396);
    assert_eq!(largest_segment(80, Encap::Gre6, Family::V6), 0);
}

#[test]
fn an_mtu_is_a_fault_below_ethernets_and_a_warning_below_what_gre_needs() {
    let of = |server: &str, mtu| {
        let frontends = vec![frontend("web", "192.0.2.1/32", &[server])];
        facts(frontends, &entry("lb", None), mtu)
    };
    is_wrong(&of("10.0.0.1", Some(1400)), Severity::Fault, "MTU of eth0 (gre4)", "of 1376 fit");
    is_wrong(&of("10.0.0.1", Some(1500)), Severity::Warning, "MTU of eth0 (gre4)", "of 1476 fit");
    assert_eq!(wrong(&of("10.0.0.1", Some(1524))), []);
    is_wrong(&of("2001:db8::1", Some(1543)), Severity::Warning, "MTU of eth0 (gre6)", "drops");
    assert_eq!(wrong(&of("2001:db8::1", Some(1544))), []);
    assert_eq!(wrong(&of("10.0.0.1", None)), [], "not set");
    let remedy = &examine(&of("10.0.0.1", Some(1400)))[0].remedy;
    assert!(
        remedy.contains("1336 for IPv4 VIPs") && remedy.contains("packet 1524 eth0"),
        "{remedy}"
    );
}

#[test]
fn a_server_without_a_route_is_named() {
    let mut facts = facts(web(), &entry("lb", None), None);
    let server = "10.0.0.1".parse().unwrap();
    connected(&mut facts).fib.as_mut().unwrap().servers.insert(server, [].into());
    is_wrong(&facts, Severity::Fault, "routes to servers", "none to 10.0.0.1");
}

#[test]
fn a_socket_of_a_foreign_group_is_named_with_the_groups_of_the_daemon() {
    let mut facts = facts(web(), &entry("lb", None), None);
    facts.identity = ProcessIdentity { user: "maglev".into(), groups: vec!["maglev".into()] };
    let access = |allowed| SocketAccess::Present {
        mode: "srwxrwx--- root vpp".into(),
        group: "vpp".into(),
        allowed,
    };
    let mut with = |of, access| {
        facts.sockets = vec![SocketFacts { of, path: "/run/vpp/api.sock".into(), access }];
        wrong(&facts)
    };
    assert_eq!(with(VppSocket::Api, access(true)), []);
    assert_eq!(with(VppSocket::Stats, access(false))[0].0, Severity::Warning);
    let found = with(VppSocket::Api, access(false));
    let [(severity, subject, seen)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((*severity, subject.as_str()), (Severity::Fault, "API socket /run/vpp/api.sock"));
    assert!(seen.contains("user maglev in the groups maglev"), "{seen}");
    assert_eq!(with(VppSocket::Api, SocketAccess::NotASocket).len(), 1);
    assert_eq!(with(VppSocket::Api, SocketAccess::Hidden("Permission denied".into())).len(), 1);
}

#[test]
fn without_vpp_only_its_absence_and_its_sockets_are_judged() {
    let mut facts = facts(web(), &entry("interface", None), Some(1));
    facts.vpp = VppFacts::Away("nobody listens".into());
    is_wrong(&facts, Severity::Fault, "VPP", "nobody listens");
    facts.vpp = VppFacts::Off;
    is_wrong(&facts, Severity::Warning, "VPP", "without one");
}

#[test]
fn passes_refusals_dead_clients_and_the_send_buffer_are_judged() {
    let fresh = || facts(web(), &entry("lb", None), None);
    let mut late = fresh();
    late.passes.age = Some(Duration::from_secs(91));
    is_wrong(&late, Severity::Fault, "last pass", "91 s ago");
    let mut refused = fresh();
    refused.passes.refused = vec![(Some("web".into()), "as-add: no such VIP".into())];
    is_wrong(&refused, Severity::Fault, "frontend web", "VPP refuses as-add");
    let mut dead = fresh();
    connected(&mut dead).dead_clients = vec!["vat".into()];
    is_wrong(&dead, Severity::Warning, "API clients", "vat");
    let servers: Vec<String> = (0..120).map(|n| format!("10.0.0.{n}")).collect();
    let servers: Vec<&str> = servers.iter().map(String::as_str).collect();
    let many = || vec![frontend("web", "192.0.2.1/32", &servers)];
    let mut large = facts(many(), &entry("lb", None), None);
    is_wrong(&large, Severity::Warning, "net.core.wmem_default", "120 servers of frontend web");
    large.send_buffer = Some(8 << 20);
    assert_eq!(wrong(&large), []);
}

#[test]
fn the_worst_is_first() {
    let frontends = vec![
        frontend("a", "192.0.2.1/32", &["10.0.0.1"]),
        frontend("b", "192.0.2.2/32", &["10.0.0.1"]),
    ];
    let mut facts = facts(frontends, &entry("lb", None), Some(1500));
    let entries: BTreeMap<_, _> =
        [("192.0.2.2/32".parse().unwrap(), entry("interface", Some("loop0")))].into();
    connected(&mut facts).fib.as_mut().unwrap().entries.extend(entries);
    let severities: Vec<_> = examine(&facts).into_iter().map(|f| f.severity).collect();
    assert!(severities.is_sorted_by(|a, b| a >= b), "{severities:?}");
    assert_eq!(severities[0], Severity::Fault);
}
