//! Tests when a frontend fails open, against the definition, and what its servers get
//! then.

use std::collections::BTreeMap;
use std::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::domain::balancing::weights::{
    DesiredServer, FlushSeq, FrontendDecision, FrontendState, StartupGrace, TargetWeight, Verdict,
    WeightOverrides, desired,
};
use crate::domain::config::{Frontend, Pool};
use crate::domain::dataplane::net::{Encap, Service, TableLength, Vip};
use crate::domain::health::State;
use crate::domain::names::BackendName;

/// A backend of a pool, as the test makes it up.
#[derive(Clone, Copy, Debug)]
struct Member {
    weight: u8,
    state: State,
    first_down: bool,
    is_new: bool,
    waits: bool,
}

fn any_member() -> impl Strategy<Value = Member> {
    let states = vec![
        State::Up,
        State::Up,
        State::Down,
        State::Down,
        State::Unknown,
        State::Paused,
        State::Disabled,
    ];
    let weight = prop_oneof![Just(0u8), Just(100), 1u8..=100];
    (weight, prop::sample::select(states), any::<[bool; 3]>()).prop_map(|(weight, state, flags)| {
        let [first_down, is_new, waits] = flags;
        Member {
            weight,
            state,
            first_down: first_down && state == State::Down,
            is_new: is_new && state == State::Unknown,
            waits,
        }
    })
}

fn any_pools() -> impl Strategy<Value = Vec<Vec<Member>>> {
    prop::collection::vec(prop::collection::vec(any_member(), 1..6), 1..4)
}

fn any_memory() -> impl Strategy<Value = FailOpenMemory> {
    // The last is the name of a pool that a reload has removed.
    let pool = prop::option::of(prop::sample::select(vec!["0", "1", "2", "gone"]));
    (pool, any::<bool>())
        .prop_map(|(pool, is_open)| FailOpenMemory { last_pool: pool.map(PoolName::from), is_open })
}

fn decide(
    pools: &[Vec<Member>],
    percent: Option<u8>,
    flush_on_down: bool,
    memory: &FailOpenMemory,
) -> FrontendDecision {
    let mut verdicts = BTreeMap::new();
    let mut of_file = Vec::new();
    for (index, members) in pools.iter().enumerate() {
        let mut backends = BTreeMap::new();
        for (place, member) in members.iter().enumerate() {
            let name = BackendName::from(format!("{index}-{place}").as_str());
            let number = u8::try_from(10 * index + place).unwrap();
            let grace = if member.waits { StartupGrace::Waiting } else { StartupGrace::Over };
            let verdict = Verdict {
                state: member.state,
                address: Some(IpAddr::from([10, 0, 0, number])),
                flush: FlushSeq::NONE.next(),
                drain_flushes: false,
                ramp: None,
                first_down: member.first_down,
                is_new: member.is_new,
                grace,
            };
            verdicts.insert(name.clone(), verdict);
            backends.insert(name, Weight::try_from(i64::from(member.weight)).unwrap());
        }
        of_file.push(Pool { name: index.to_string().as_str().into(), slow_start: None, backends });
    }
    let frontend = Frontend {
        description: String::new(),
        vip: Vip::new("192.0.2.1/32".parse().unwrap(), Service::All),
        encap: Encap::Gre4,
        src_ip_sticky: false,
        flush_on_down,
        fail_open: percent.and_then(FailOpenThreshold::new),
        announce: None,
        table_length: TableLength::DEFAULT,
        pools: of_file,
    };
    desired(&frontend, &WeightOverrides::new(), memory, |name| verdicts.get(name).copied())
}

fn servers(decision: &FrontendDecision) -> Vec<DesiredServer> {
    decision.desired.servers.values().copied().collect()
}

/// How much a target gives a server: nothing, perhaps something, a weight.
fn rank(target: TargetWeight) -> (u8, u8) {
    match target {
        TargetWeight::Weight(Weight::ZERO) => (0, 0),
        TargetWeight::Keep => (1, 0),
        TargetWeight::Weight(weight) => (2, weight.get()),
    }
}

/// The sums by their definition: (up, awaited, total).
fn sums(pools: &[Vec<Member>]) -> (u64, u64, u64) {
    let weight_of = |counts: fn(&&Member) -> bool| -> u64 {
        pools.iter().flatten().filter(counts).map(|member| u64::from(member.weight)).sum()
    };
    let up = weight_of(|it| it.state == State::Up);
    let awaited = weight_of(|it| it.state == State::Unknown && (it.waits || it.is_new));
    let total = weight_of(|it| matches!(it.state, State::Up | State::Down | State::Unknown));
    (up, awaited, total)
}

fn is_enabled(member: &Member) -> bool {
    matches!(member.state, State::Up | State::Down | State::Unknown)
}

/// Whether a server of the pool could get flows if it were up.
fn offers(pool: &[Member]) -> bool {
    pool.iter().any(|it| is_enabled(it) && it.weight > 0)
}

/// The last pool that served, if it is still there and has a server to offer.
fn last_pool(pools: &[Vec<Member>], memory: &FailOpenMemory) -> Option<usize> {
    let last: usize = memory.last_pool.as_ref()?.as_str().parse().ok()?;
    pools.get(last).filter(|pool| offers(pool)).map(|_| last)
}

proptest! {
    #[test]
    fn without_fail_open_no_memory_changes_a_decision(
        pools in any_pools(), flush in any::<bool>(), memory in any_memory(),
    ) {
        let plain = decide(&pools, None, flush, &FailOpenMemory::default());
        prop_assert_eq!(plain.fail_open, None);
        prop_assert_eq!(decide(&pools, None, flush, &memory), plain);
    }

    #[test]
    fn while_closed_the_decision_is_that_of_the_verdicts(
        pools in any_pools(), percent in 1u8..=100, flush in any::<bool>(), memory in any_memory(),
    ) {
        let with = decide(&pools, Some(percent), flush, &memory);
        let plain = decide(&pools, None, flush, &memory);
        if with.fail_open.unwrap().state == FailOpenState::Closed {
            prop_assert_eq!(FrontendDecision { fail_open: None, ..with }, plain);
        }
    }

    #[test]
    fn it_begins_and_ends_exactly_at_the_threshold(
        pools in any_pools(), percent in 1u8..=100, memory in any_memory(),
    ) {
        let (up, awaited, total) = sums(&pools);
        let has = |part: u64| part * 100 >= total * u64::from(percent);
        let decision = decide(&pools, Some(percent), true, &memory).fail_open.unwrap();
        prop_assert_eq!(decision.weight, UpWeight { up, awaited, total });
        let is_open = decision.open_pool().is_some();
        let plain = decide(&pools, None, true, &memory);
        let knows_pool = memory.is_open
            || plain.state != FrontendState::Unknown
            || last_pool(&pools, &memory).is_some();
        let begins = knows_pool && !has(up + awaited);
        prop_assert_eq!(is_open, !has(up) && (memory.is_open || begins));
        let is_undecided = decision.state == FailOpenState::Undecided;
        prop_assert_eq!(is_undecided, !has(up) && !is_open);
    }

    /// So no server loses anything, and none is flushed that would not be.
    #[test]
    fn it_only_adds_weight_and_only_takes_flushes_away(
        pools in any_pools(), percent in 1u8..=100, flush in any::<bool>(), memory in any_memory(),
    ) {
        let with = decide(&pools, Some(percent), flush, &memory);
        let plain = decide(&pools, None, flush, &memory);
        prop_assert!(with.desired.servers.keys().eq(plain.desired.servers.keys()));
        for (open, plain) in servers(&with).iter().zip(servers(&plain)) {
            prop_assert!(rank(open.weight) >= rank(plain.weight), "{:?} {:?}", open, plain);
            prop_assert!(open.flush.is_none() || open.flush == plain.flush);
            if open.weight != plain.weight {
                prop_assert_eq!(open.flush, None, "who counts as up is not flushed");
            }
        }
    }

    #[test]
    fn while_open_every_enabled_backend_of_one_pool_has_its_weight(
        pools in any_pools(), percent in 1u8..=100, memory in any_memory(),
    ) {
        let with = decide(&pools, Some(percent), true, &memory);
        let Some(pool) = with.fail_open.unwrap().open_pool() else { return Ok(()) };
        prop_assert_eq!((with.state, with.active_pool), (FrontendState::Up, Some(pool)));
        for (member, target) in pools[pool].iter().zip(with.effective[pool].values()) {
            let weight = if is_enabled(member) { member.weight } else { 0 };
            prop_assert_eq!(rank(*target).1, weight);
        }
        prop_assert!(offers(&pools[pool]), "a pool that serves");
        let plain = decide(&pools, None, true, &memory);
        let first = || pools.iter().position(|it| offers(it));
        let expected = plain.active_pool.or(last_pool(&pools, &memory)).or_else(first);
        prop_assert_eq!(Some(pool), expected);
    }
}

/// `u`p, `d`own, `D`own with its first verdict, `?` waited for, `!` no longer, `n`ew,
/// `p`aused, `x` disabled, `0` down with weight 0. A word for each pool.
fn pools(text: &str) -> Vec<Vec<Member>> {
    let member = |letter| {
        let state = match letter {
            'u' => State::Up,
            'd' | 'D' | '0' => State::Down,
            'p' => State::Paused,
            'x' => State::Disabled,
            _ => State::Unknown,
        };
        Member {
            weight: if letter == '0' { 0 } else { 100 },
            state,
            first_down: letter == 'D',
            is_new: letter == 'n',
            waits: letter == '?',
        }
    };
    text.split(' ').map(|pool| pool.chars().map(member).collect()).collect()
}

/// The targets (`W`, `0`, `=`), and `f` for each that would be flushed.
fn outcome(text: &str, percent: u8, memory: &FailOpenMemory) -> (String, String) {
    let servers = servers(&decide(&pools(text), Some(percent), true, memory));
    let target = |server: &DesiredServer| ['0', '=', 'W'][usize::from(rank(server.weight).0)];
    let flush = |server: &DesiredServer| if server.flush.is_some() { 'f' } else { '-' };
    (servers.iter().map(target).collect(), servers.iter().map(flush).collect())
}

#[test]
fn which_servers_count_as_up() {
    let none = FailOpenMemory::default();
    for (text, percent, targets, flushes) in [
        ("udddd", 20, "W0000", "-ffff"),
        ("udddd", 21, "WWWWW", "-----"),
        ("dd", 1, "WW", "--"),
        // The primary died, and what is up of the fallback serves: with enough of it,
        // as always; with less, all of it.
        ("ddd u", 25, "000W", "fff-"),
        ("dddd ud", 20, "0000WW", "ffff--"),
        // Drains are no failures, and weight 0 is none at all.
        ("upppp", 100, "W0000", "-----"),
        ("uxxxx", 100, "W0000", "-ffff"),
        ("u0000", 100, "W0000", "-ffff"),
        // Flows of a server that counts as up at weight 0 stay.
        ("ddd0", 20, "WWW0", "----"),
        // The first results after a start: what they find down keeps its weight.
        ("Dd??", 20, "=0==", "-f--"),
        ("DDD?", 50, "====", "----"),
        ("DDDD", 20, "WWWW", "----"),
        // Unknown that is no longer waited for counts as down.
        ("!!!!", 20, "WWWW", "----"),
        ("unnnn", 50, "W0000", "-----"),
    ] {
        let expected = (targets.to_owned(), flushes.to_owned());
        assert_eq!(outcome(text, percent, &none), expected, "{text} {percent}%");
    }
}

#[test]
fn the_last_pool_that_served_counts_as_up() {
    let last = |pool: &str| FailOpenMemory { last_pool: Some(pool.into()), is_open: false };
    for (text, memory, targets) in [
        ("dd dd", FailOpenMemory::default(), "WW00"),
        ("dd dd", last("0"), "WW00"),
        ("dd dd", last("1"), "00WW"),
        ("dd dd", last("gone"), "WW00"),
        ("dd pp", last("1"), "WW00"),
        ("00 dd", last("0"), "00WW"),
    ] {
        assert_eq!(outcome(text, 20, &memory).0, targets, "{text} {memory:?}");
    }
}

#[test]
fn missing_results_do_not_end_it() {
    let open = FailOpenMemory { last_pool: Some("0".into()), is_open: true };
    assert_eq!(outcome("d????", 20, &open).0, "WWWWW");
    assert_eq!(outcome("u????", 20, &open).0, "W====", "a verdict does");
}

#[test]
fn a_threshold_is_a_share() {
    assert_eq!(FailOpenThreshold::new(0), None);
    assert_eq!(FailOpenThreshold::new(101), None);
    assert_eq!(FailOpenThreshold::new(20).map(|it| it.to_string()).as_deref(), Some("20%"));
}
