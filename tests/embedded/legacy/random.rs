//! Random calls on lb.api 1.1.0: two VPPs give the same codes and end in the same state,
//! bucket counts included.

use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use vpp_maglev::vpp::embedded::plugin::PluginApi;
use vpp_maglev::vpp::embedded::{Embedded, EmbeddedOptions};
use vpp_maglev::vpp::wire::*;

use super::messages::{add_server, del, del_server, listed};
use crate::client::{add_vip, vip};
use crate::scenario::Scenario;

/// One call; VIPs and servers are named by small numbers, so that they meet.
#[derive(Clone, Debug)]
enum LegacyCall {
    AddVip {
        vip: u8,
        encap: u32,
        log_length: u32,
        off: u32,
    },
    DelVip {
        vip: u8,
    },
    AddServer {
        vip: u8,
        server: u8,
    },
    DelServer {
        vip: u8,
        server: u8,
        flush: bool,
    },
    /// Several servers in a line of the CLI.
    Line {
        vip: u8,
        servers: Vec<u8>,
        del: bool,
    },
}

fn call() -> impl Strategy<Value = LegacyCall> {
    let (vip, server) = (0..8_u8, 0..6_u8);
    // No NAT: VPP aborts when it collects a server that two NAT VIPs had.
    let encap = prop_oneof![Just(0), Just(0), Just(1), Just(2), Just(5)];
    prop_oneof![
        3 => (vip.clone(), encap, 0..12_u32, prop_oneof![9 => Just(0), 1 => 1..3_u32])
            .prop_map(|(vip, encap, log_length, off)| LegacyCall::AddVip { vip, encap, log_length, off }),
        1 => vip.clone().prop_map(|vip| LegacyCall::DelVip { vip }),
        6 => (vip.clone(), server.clone())
            .prop_map(|(vip, server)| LegacyCall::AddServer { vip, server }),
        3 => (vip.clone(), server.clone(), any::<bool>())
            .prop_map(|(vip, server, flush)| LegacyCall::DelServer { vip, server, flush }),
        1 => (vip, vec(server, 1..4), any::<bool>())
            .prop_map(|(vip, servers, del)| LegacyCall::Line { vip, servers, del }),
    ]
}

/// The VIP of a number: two families, per-port and all-port on one prefix.
fn key(scenario: &Scenario, number: u8) -> VipKey {
    let prefix =
        if number & 4 == 0 { scenario.v4(number & 1, 32) } else { scenario.v6(number & 1, 96) };
    if number & 2 == 0 { vip(&prefix, 6, 80) } else { vip(&prefix, 17, u16::from(number & 1) * 53) }
}

fn server(number: u8) -> String {
    if number < 4 { format!("10.9.0.{number}") } else { format!("2001:db8:9::{number}") }
}

/// The code, and what a line of the CLI prints.
fn code(scenario: &mut Scenario, call: &LegacyCall) -> (i32, String) {
    let code = match call {
        LegacyCall::AddVip { vip, encap, log_length, off } => {
            let key = key(scenario, *vip);
            let length = (1 << log_length) + off;
            let new = LbAddDelVipV2 { new_flows_table_length: length, ..add_vip(key, *encap) };
            scenario.client.code(&LegacyAddDelVipV2(new))
        }
        LegacyCall::DelVip { vip } => {
            let key = key(scenario, *vip);
            scenario.client.code(&del(key))
        }
        LegacyCall::AddServer { vip, server: number } => {
            let add = add_server(key(scenario, *vip), &server(*number));
            scenario.client.code(&add)
        }
        LegacyCall::DelServer { vip, server: number, flush } => {
            let del = del_server(key(scenario, *vip), &server(*number));
            scenario.client.code(&LegacyAddDelAs { is_flush: *flush, ..del })
        }
        LegacyCall::Line { vip, servers, del } => {
            let VipKey { prefix, protocol, port } = key(scenario, *vip);
            let servers: Vec<_> = servers.iter().map(|number| server(*number)).collect();
            let protocol = if protocol == 6 { "tcp" } else { "udp" };
            let service =
                if port == 0 { String::new() } else { format!(" protocol {protocol} port {port}") };
            let del = if *del { " del" } else { "" };
            let prefix = prefix.to_net().unwrap();
            return scenario
                .client
                .cli(&format!("lb as {prefix}{service} {}{del}", servers.join(" ")));
        }
    };
    (code, String::new())
}

/// Codes, then what is listed, in an order that does not depend on slots. The host's
/// part of the prefix is the scenario's.
fn outcome(scenario: &mut Scenario, calls: &[LegacyCall]) -> (Vec<(i32, String)>, Vec<String>) {
    let codes = calls.iter().map(|call| code(scenario, call)).collect();
    let numbers: Vec<VipKey> = (0..8).map(|number| key(scenario, number)).collect();
    let mut rows: Vec<String> = Vec::new();
    for entry in listed(scenario) {
        let number = numbers.iter().position(|key| *key == VipKey::from(entry.vip));
        let mut servers = entry.verbose.unwrap().servers.unwrap();
        servers.sort_unstable_by_key(|server| server.address);
        // VPP's own number of its forwarding object.
        servers.iter_mut().for_each(|server| server.load_balance = None);
        rows.push(format!(
            "{number:?} {:?} {} {} {servers:?}",
            entry.encap, entry.table_length, entry.removed
        ));
    }
    rows.sort_unstable();
    for number in 0..8 {
        let key = key(scenario, number);
        scenario.client.code(&del(key));
    }
    (codes, rows)
}

fn compare(cases: u32, one: (&Path, &Path), other: (&Path, &Path)) -> usize {
    let mut runner =
        TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let operations = std::cell::Cell::new(0);
    let compared = runner.run(&vec(call(), 1..60), |calls| {
        let (mut left, mut right) = (Scenario::new(one.0, one.1), Scenario::new(other.0, other.1));
        let outcomes = (outcome(&mut left, &calls), outcome(&mut right, &calls));
        left.end();
        right.end();
        operations.set(operations.get() + calls.len());
        prop_assert_eq!(outcomes.0, outcomes.1);
        Ok(())
    });
    if let Err(failure) = compared {
        panic!("{failure}");
    }
    operations.get()
}

fn embedded() -> Embedded {
    let options = EmbeddedOptions { api: PluginApi::V1_1, ..EmbeddedOptions::default() };
    Embedded::start_private(options).unwrap()
}

#[test]
fn random_calls_of_1_1_0_on_a_real_vpp_and_on_the_embedded_one_end_alike() {
    let Some((api, stats)) = crate::real_vpp().filter(|(api, _)| crate::is_legacy(api)) else {
        println!("skipped: MAGLEV_TEST_VPP_API does not name a VPP with lb.api 1.1.0");
        return;
    };
    let cases = std::env::var("MAGLEV_TEST_CASES").map_or(200, |cases| cases.parse().unwrap());
    let vpp = embedded();
    let operations = compare(cases, (&api, &stats), (vpp.api_path(), vpp.stats_path()));
    println!("real: {cases} random sequences of {operations} operations ended alike");
}

/// Two embedded ones: neither slots nor what earlier sequences left shows.
#[test]
fn what_a_vpp_of_1_1_0_went_through_does_not_show_in_what_it_answers() {
    let (one, other) = (embedded(), embedded());
    let mut client = crate::client::VppClient::connect(other.api_path(), "before");
    for host in 1..9 {
        let key = vip(&format!("198.18.0.{host}/32"), 6, 80);
        assert_eq!(client.code(&LegacyAddDelVipV2(add_vip(key, 0))), 0);
        assert_eq!(client.code(&add_server(key, "10.9.0.1")), 0);
        assert_eq!(client.code(&del(key)), 0);
    }
    let (left, right) =
        ((one.api_path(), one.stats_path()), (other.api_path(), other.stats_path()));
    assert!(compare(40, left, right) > 100);
}
