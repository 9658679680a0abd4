use super::*;
use crate::domain::config::Pool;
use crate::domain::dataplane::net::{Encap, Service, TableLength, Vip};

/// Pools are words of one letter a backend: `u`p, `d`own, `?` unknown,
/// `p`aused, `x` disabled, `0` up with weight 0. The answer has each
/// backend's want: a weight, or `=` for as is.
fn wants_with(
    grace: StartupGrace,
    flush_on_down: bool,
    pools: &str,
) -> (FrontendState, String, String) {
    let mut frontend = frontend(flush_on_down);
    let mut verdicts = BTreeMap::new();
    for (place, letters) in pools.split(' ').enumerate() {
        let mut backends = BTreeMap::new();
        for letter in letters.chars() {
            let number = u8::try_from(verdicts.len()).unwrap();
            let name = BackendName::from(format!("{number:03}").as_str());
            let state = match letter {
                'u' | '0' => State::Up,
                'd' => State::Down,
                'p' => State::Paused,
                'x' => State::Disabled,
                _ => State::Unknown,
            };
            let address = IpAddr::from([10, 0, 0, number]);
            verdicts.insert(
                name.clone(),
                Verdict { state, address: Some(address), flush: FlushSeq::NONE },
            );
            backends.insert(name, if letter == '0' { Weight::ZERO } else { Weight::FULL });
        }
        frontend.pools.push(Pool { name: place.to_string().as_str().into(), backends });
    }
    let outlook =
        desired(&frontend, &WeightOverrides::new(), grace, |name| verdicts.get(name).copied());
    let servers = outlook.desired.servers.values();
    let wants = servers.clone().map(|server| match server.weight {
        TargetWeight::Keep => '=',
        TargetWeight::Weight(Weight::ZERO) => '0',
        TargetWeight::Weight(_) => 'W',
    });
    let flushes = servers.map(|server| if server.flush.is_some() { 'f' } else { '-' });
    (outlook.state, wants.collect(), flushes.collect())
}

fn wants(flush_on_down: bool, pools: &str) -> (FrontendState, String, String) {
    wants_with(StartupGrace::Waiting, flush_on_down, pools)
}

#[test]
fn after_the_startup_delay_unknown_counts_as_down_and_keeps_its_flows() {
    use FrontendState::{Down, Up};
    for (pools, state, wants, flushes) in
        [("?? u", Up, "00W", "---"), ("?u u", Up, "0W0", "---"), ("?d ?", Down, "000", "-f-")]
    {
        let got = wants_with(StartupGrace::Over, true, pools);
        assert_eq!(got, (state, wants.into(), flushes.into()), "{pools}");
    }
}

fn frontend(flush_on_down: bool) -> Frontend {
    Frontend {
        description: String::new(),
        vip: Vip::new("192.0.2.1/32".parse().unwrap(), Service::All),
        encap: Encap::Gre4,
        src_ip_sticky: false,
        flush_on_down,
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
    ] {
        let (got, wants, _) = wants(true, pools);
        assert_eq!((got, wants.as_str()), (state, expected), "{pools}");
    }
}

#[test]
fn flush_truth_table() {
    assert_eq!(wants(true, "u?pdx u").2, "---ff-");
    assert_eq!(wants(false, "u?pdx u").2, "----f-");
}

#[test]
fn which_transitions_ask_for_a_flush() {
    assert!(asks_for_flush(State::Up, State::Down, false));
    assert!(asks_for_flush(State::Down, State::Disabled, false));
    assert!(asks_for_flush(State::Unknown, State::Down, false), "resumed, then found dead");
    assert!(!asks_for_flush(State::Unknown, State::Down, true), "a restart");
    assert!(!asks_for_flush(State::Up, State::Paused, false));
}

#[test]
fn an_override_takes_the_place_of_the_configured_weight() {
    let mut frontend = frontend(true);
    let (pool, name) = (PoolName::from("p"), BackendName::from("a"));
    let backends = BTreeMap::from([(name.clone(), Weight::FULL)]);
    frontend.pools.push(Pool { name: pool.clone(), backends });
    let verdict = Verdict {
        state: State::Up,
        address: Some(IpAddr::from([10, 0, 0, 1])),
        flush: FlushSeq::NONE,
    };
    let half = Weight::try_from(50).unwrap();
    let overrides = WeightOverrides::from([((pool, name.clone()), half)]);
    let outlook = desired(&frontend, &overrides, StartupGrace::Waiting, |_| Some(verdict));
    assert_eq!(outlook.effective[0][&name], TargetWeight::Weight(half));
}
