//! Random calls: a real VPP and the embedded one give the same codes and end
//! in the same state, bucket counts included.

use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use vpp_maglev::vpp::embedded::legacy::LbFlushVip;
use vpp_maglev::vpp::embedded::{Embedded, EmbeddedOptions};
use vpp_maglev::vpp::wire::*;

use crate::client::*;
use crate::scenario::Scenario;

/// One call; VIPs and servers are named by small numbers, so that they meet.
#[derive(Clone, Debug)]
enum Call {
    AddVip { vip: u8, encap: u32, log_length: u32, off: u32 },
    DelVip { vip: u8 },
    AddServer { vip: u8, server: u8, weight: u8, flush: bool },
    DelServer { vip: u8, server: u8, flush: bool },
    Weigh { vip: u8, server: u8, weight: u8, flush: bool },
    Flush { vip: u8 },
}

fn call() -> impl Strategy<Value = Call> {
    let (vip, server) = (0..8_u8, 0..6_u8);
    let weight = prop_oneof![3 => 0..=100_u8, 1 => any::<u8>()];
    // No NAT: VPP aborts when it collects a server that two NAT VIPs had.
    let encap = prop_oneof![Just(0), Just(0), Just(1), Just(2), Just(5)];
    prop_oneof![
        3 => (vip.clone(), encap, 0..12_u32, prop_oneof![9 => Just(0), 1 => 1..3_u32])
            .prop_map(|(vip, encap, log_length, off)| Call::AddVip { vip, encap, log_length, off }),
        1 => vip.clone().prop_map(|vip| Call::DelVip { vip }),
        6 => (vip.clone(), server.clone(), weight.clone(), any::<bool>())
            .prop_map(|(vip, server, weight, flush)| Call::AddServer { vip, server, weight, flush }),
        2 => (vip.clone(), server.clone(), any::<bool>())
            .prop_map(|(vip, server, flush)| Call::DelServer { vip, server, flush }),
        4 => (vip.clone(), server, weight, any::<bool>())
            .prop_map(|(vip, server, weight, flush)| Call::Weigh { vip, server, weight, flush }),
        1 => vip.prop_map(|vip| Call::Flush { vip }),
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

fn code(scenario: &mut Scenario, call: &Call) -> Option<i32> {
    Some(match *call {
        Call::AddVip { vip, encap, log_length, off } => {
            let key = key(scenario, vip);
            let length = (1 << log_length) + off;
            let new = LbAddDelVipV2 { new_flows_table_length: length, ..add_vip(key, encap) };
            scenario.client.code(&new)
        }
        Call::DelVip { vip } => {
            let key = key(scenario, vip);
            scenario.client.code(&del_vip(key))
        }
        Call::AddServer { vip, server: number, weight, flush } => {
            let add = add_server(key(scenario, vip), &server(number), weight);
            scenario.client.code(&LbAddDelAsV2 { is_flush: flush, ..add })
        }
        Call::DelServer { vip, server: number, flush } => {
            let del = del_server(key(scenario, vip), &server(number));
            scenario.client.code(&LbAddDelAsV2 { is_flush: flush, ..del })
        }
        Call::Weigh { vip, server: number, weight, flush } => {
            let set = weigh(key(scenario, vip), &server(number), weight);
            scenario.client.code(&LbAsSetWeight { is_flush: flush, ..set })
        }
        Call::Flush { vip } => {
            let key = key(scenario, vip);
            // VPP flushes by chance if there is no such VIP.
            if !scenario.vips().iter().any(|row| row.vip == key) {
                return None;
            }
            scenario.client.code(&LbFlushVip { vip: key })
        }
    })
}

/// Codes, then rows without what is left over from others, in an order that
/// does not depend on slots. The host's part of the prefix is the scenario's.
fn outcome(scenario: &mut Scenario, calls: &[Call]) -> (Vec<Option<i32>>, Vec<String>) {
    let codes = calls.iter().map(|call| code(scenario, call)).collect();
    let numbers: Vec<VipKey> = (0..8).map(|number| key(scenario, number)).collect();
    let number = |vip: VipKey| numbers.iter().position(|key| *key == vip);
    let mut rows: Vec<String> = scenario
        .vips()
        .iter()
        .map(|row| format!("vip {:?} {} {}", number(row.vip), row.encap, row.flow_table_length))
        .collect();
    for row in scenario.servers() {
        rows.push(format!(
            "server {:?} {:?} {} {} {}",
            number(row.vip),
            row.app_srv,
            row.flags,
            row.weight,
            row.num_buckets
        ));
    }
    rows.sort_unstable();
    for number in 0..8 {
        let key = key(scenario, number);
        scenario.client.code(&del_vip(key));
    }
    (codes, rows)
}

fn compare(cases: u32, one: (&Path, &Path), other: (&Path, &Path)) {
    let mut runner =
        TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let compared = runner.run(&vec(call(), 1..60), |calls| {
        let (mut left, mut right) = (Scenario::new(one.0, one.1), Scenario::new(other.0, other.1));
        let outcomes = (outcome(&mut left, &calls), outcome(&mut right, &calls));
        left.end();
        right.end();
        prop_assert_eq!(outcomes.0, outcomes.1);
        Ok(())
    });
    if let Err(failure) = compared {
        panic!("{failure}");
    }
}

#[test]
fn random_calls_on_a_real_vpp_and_on_the_embedded_one_end_alike() {
    let Some((api, stats)) = crate::real_vpp() else {
        println!("skipped: MAGLEV_TEST_VPP_API and MAGLEV_TEST_VPP_STATS are not set");
        return;
    };
    if crate::is_legacy(&api) {
        println!("skipped: this VPP has lb.api 1.1.0, for which there is another list");
        return;
    }
    let cases = std::env::var("MAGLEV_TEST_CASES").map_or(200, |cases| cases.parse().unwrap());
    let vpp = Embedded::start_private(EmbeddedOptions::default()).unwrap();
    compare(cases, (&api, &stats), (vpp.api_path(), vpp.stats_path()));
    println!("real: {cases} random sequences ended alike");
}

/// Two embedded ones, one of them long in use: slots and leftovers never show.
#[test]
fn what_a_vpp_went_through_does_not_show_in_what_it_answers() {
    let used = Embedded::start_private(EmbeddedOptions::default()).unwrap();
    let fresh = Embedded::start_private(EmbeddedOptions::default()).unwrap();
    let control = fresh.control();
    let mut runner =
        TestRunner::new(Config { cases: 40, failure_persistence: None, ..Config::default() });
    let compared = runner.run(&vec(call(), 1..60), |calls| {
        control.restart().unwrap();
        let mut left = Scenario::new(used.api_path(), used.stats_path());
        let mut right = Scenario::new(fresh.api_path(), fresh.stats_path());
        let outcomes = (outcome(&mut left, &calls), outcome(&mut right, &calls));
        left.end();
        right.end();
        prop_assert_eq!(outcomes.0, outcomes.1);
        Ok(())
    });
    if let Err(failure) = compared {
        panic!("{failure}");
    }
}
