//! Tests which pool serves, and each server's weight and flush.

use super::*;
use crate::domain::config::Pool;
use crate::domain::dataplane::net::{Encap, Service, TableLength, Vip};

/// Decides a frontend. `pools` has a word for each pool with a letter for each
/// backend: `u`p, `d`own, `D`own with its first verdict, `?` unknown, `!` unknown and
/// not waited for, `p`aused, `x` disabled, `0` up with weight 0.
/// Returns the state, each server's target (`W`: its full weight, `0`, `=`: kept),
/// and `f` for each server whose flows are flushed.
fn decide_with(
    grace: StartupGrace,
    flush_on_down: bool,
    pools: &str,
) -> (FrontendState, String, String) {
    let mut frontend = frontend(flush_on_down);
    let mut verdicts = BTreeMap::new();
    for (index, letters) in pools.split(' ').enumerate() {
        let mut backends = BTreeMap::new();
        for letter in letters.chars() {
            let number = u8::try_from(verdicts.len()).unwrap();
            let name = BackendName::from(format!("{number:03}").as_str());
            let state = match letter {
                'u' | '0' => State::Up,
                'd' | 'D' => State::Down,
                'p' => State::Paused,
                'x' => State::Disabled,
                _ => State::Unknown,
            };
            let address = IpAddr::from([10, 0, 0, number]);
            verdicts.insert(
                name.clone(),
                Verdict {
                    state,
                    address: Some(address),
                    flush: FlushSeq::NONE,
                    drain_flushes: false,
                    ramp: None,
                    first_down: letter == 'D',
                    is_new: false,
                    grace: if letter == '!' { StartupGrace::Over } else { grace },
                },
            );
            backends.insert(name, if letter == '0' { Weight::ZERO } else { Weight::FULL });
        }
        frontend.pools.push(Pool {
            name: index.to_string().as_str().into(),
            slow_start: None,
            backends,
        });
    }
    let decision =
        desired(&frontend, &WeightOverrides::new(), &FailOpenMemory::default(), |name| {
            verdicts.get(name).copied()
        });
    let servers = decision.desired.servers.values();
    let targets = servers.clone().map(|server| match server.weight {
        TargetWeight::Keep => '=',
        TargetWeight::Weight(Weight::ZERO) => '0',
        TargetWeight::Weight(_) => 'W',
    });
    let flushes = servers.map(|server| if server.flush.is_some() { 'f' } else { '-' });
    (decision.state, targets.collect(), flushes.collect())
}

fn decide(flush_on_down: bool, pools: &str) -> (FrontendState, String, String) {
    decide_with(StartupGrace::Waiting, flush_on_down, pools)
}

#[test]
fn after_the_startup_delay_unknown_counts_as_down_and_keeps_its_flows() {
    use FrontendState::{Down, Up};
    for (pools, state, targets, flushes) in
        [("?? u", Up, "00W", "---"), ("?u u", Up, "0W0", "---"), ("?d ?", Down, "000", "-f-")]
    {
        let decision = decide_with(StartupGrace::Over, true, pools);
        assert_eq!(decision, (state, targets.into(), flushes.into()), "{pools}");
    }
}

fn frontend(flush_on_down: bool) -> Frontend {
    Frontend {
        description: String::new(),
        vip: Vip::new("192.0.2.1/32".parse().unwrap(), Service::All),
        encap: Encap::Gre4,
        src_ip_sticky: false,
        flush_on_down,
        fail_open: None,
        announce: None,
        table_length: TableLength::DEFAULT,
        pools: vec![],
    }
}

#[test]
fn the_first_pool_with_an_up_backend_serves() {
    use FrontendState::{Down, Unknown, Up};
    for (pools, state, expected) in [
        ("uu u", Up, "WW0"),
        ("du u", Up, "0W0"),
        ("dd u", Up, "00W"),
        ("px u", Up, "00W"),
        ("dd d", Down, "000"),
        ("0d u", Up, "00W"),
        ("?u u", Up, "=W0"),
        ("?d u", Unknown, "=0="),
        ("?? ?", Unknown, "==="),
        ("dd ?u", Up, "00=W"),
        ("dd ? u", Unknown, "00=="),
        ("up xd", Up, "W000"),
        // A reload waits for the backends that it brings and that VPP serves.
        ("! u", Up, "0W"),
        ("!? u", Unknown, "0=="),
        ("!u ?", Up, "0W="),
    ] {
        let (decided, targets, _) = decide(true, pools);
        assert_eq!((decided, targets.as_str()), (state, expected), "{pools}");
    }
}

#[test]
fn flush_truth_table() {
    assert_eq!(decide(true, "u?pdx u").2, "---ff-");
    assert_eq!(decide(false, "u?pdx u").2, "----f-");
    assert_eq!(decide(true, "uDd u").2, "--f-", "a first verdict flushes nothing");
}

#[test]
fn which_transitions_request_a_flush() {
    assert!(requests_flush(State::Up, State::Down, false));
    assert!(requests_flush(State::Down, State::Disabled, false));
    assert!(requests_flush(State::Unknown, State::Down, false), "resumed, then found dead");
    assert!(!requests_flush(State::Unknown, State::Down, true), "a restart");
    assert!(!requests_flush(State::Up, State::Paused, false));
}

#[test]
fn an_override_takes_the_place_of_the_configured_weight() {
    let mut frontend = frontend(true);
    let (pool, name) = (PoolName::from("p"), BackendName::from("a"));
    let backends = BTreeMap::from([(name.clone(), Weight::FULL)]);
    frontend.pools.push(Pool { name: pool.clone(), slow_start: None, backends });
    let verdict = Verdict {
        state: State::Up,
        address: Some(IpAddr::from([10, 0, 0, 1])),
        flush: FlushSeq::NONE,
        drain_flushes: false,
        ramp: None,
        first_down: false,
        is_new: false,
        grace: StartupGrace::Waiting,
    };
    let half = Weight::try_from(50).unwrap();
    let overrides = WeightOverrides::from([((pool, name.clone()), half)]);
    let decision = desired(&frontend, &overrides, &FailOpenMemory::default(), |_| Some(verdict));
    assert_eq!(decision.effective[0][&name], TargetWeight::Weight(half));
}
