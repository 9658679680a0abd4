//! Tests whose verdict a backend takes over at a reload.

use super::*;
use crate::domain::resolution::{BackendAddress, HostName, IpFamily, Resolution};

/// Renames a backend, in `backends` and in all pools.
pub(super) fn rename(config: &mut Config, from: &str, to: &str) {
    let settings = config.backends.remove(from).unwrap();
    config.backends.insert(to.into(), settings);
    for pool in config.frontends.values_mut().flat_map(|frontend| &mut frontend.pools) {
        if let Some(weight) = pool.backends.remove(from) {
            pool.backends.insert(to.into(), weight);
        }
    }
}

/// `a` has gone down and up again, `b` has gone down, `c` is up; the grace is over.
fn settled() -> ControllerState {
    let mut controller = started();
    controller.vpp_serves(BTreeSet::new());
    for (name, state) in [
        ("a", State::Up),
        ("b", State::Up),
        ("c", State::Up),
        ("a", State::Down),
        ("a", State::Up),
        ("b", State::Down),
    ] {
        transition(&mut controller, name, state);
    }
    controller.expire_startup_grace(START);
    assert_eq!(weights(&controller), "100 0 0");
    controller
}

/// The copies, stops and starts of probers, in order.
fn of_probers(effects: &[ControllerEffect]) -> Vec<String> {
    let described = effects.iter().filter_map(|effect| match effect {
        ControllerEffect::CopyVerdict { from, to, with_stats } => {
            Some(format!("{from}>{to}{}", if *with_stats { " with stats" } else { "" }))
        }
        ControllerEffect::StopProber(name) => Some(format!("-{name}")),
        ControllerEffect::StartProber { backend, settings, .. } => Some(match settings.inherited {
            None => format!("+{backend}"),
            Some(InheritedVerdict { state, has_same_check: true }) => format!("+{backend} {state}"),
            Some(InheritedVerdict { state, .. }) => format!("+{backend} {state}, another check"),
        }),
        _ => None,
    });
    described.collect()
}

/// The events of backends: name, states and reason.
fn events(effects: &[ControllerEffect]) -> Vec<String> {
    let described = effects.iter().filter_map(|effect| match effect {
        ControllerEffect::Publish(Event::Backend(name, it)) => {
            Some(format!("{name} {}>{}: {}", it.from, it.to, it.why))
        }
        _ => None,
    });
    described.collect()
}

#[test]
fn a_renamed_backend_goes_on_as_if_nothing_had_happened() {
    let mut controller = settled();
    let before = controller.desired();
    let mut changed = config();
    rename(&mut changed, "a", "web-a");
    rename(&mut changed, "b", "web-b");
    let effects = controller.reload(Arc::new(changed), START);
    let expected =
        ["a>web-a with stats", "b>web-b with stats", "-a", "-b", "+web-a up", "+web-b down"];
    assert_eq!(of_probers(&effects), expected);
    let expected = [
        "a up>removed: renamed to web-a",
        "b down>removed: renamed to web-b",
        "web-a removed>up: renamed from a",
        "web-b removed>down: renamed from b",
    ];
    assert_eq!(events(&effects), expected);
    assert_eq!(controller.desired(), before, "the weights and the flushes are the same");
    assert!(!effects.iter().any(|it| matches!(it, ControllerEffect::Desire(_))), "{effects:?}");
    let view = controller.backend("web-a").unwrap();
    let history: Vec<_> = view.transitions.iter().map(|it| &*it.why).collect();
    assert_eq!(history, ["probe", "renamed from a"]);
    assert_eq!(view.transition_counts.len(), 3, "{:?}", view.transition_counts);
    // The old prober's last report comes too late.
    let late = Transition { from: State::Up, to: State::Down, at: START, why: "late".into() };
    assert_eq!(controller.transitioned(ProberId(1), &"a".into(), late, Instant::now()), []);
}

#[test]
fn a_rename_takes_operators_overrides_along() {
    let mut controller = settled();
    controller.administer("c", AdminCommand::Pause, ("me", START)).unwrap();
    transition(&mut controller, "c", State::Paused);
    let half = Weight::try_from(50).unwrap();
    controller.set_weight("web", "main", "a", half, ("me", START)).unwrap();
    let before = controller.desired();
    let mut changed = config();
    rename(&mut changed, "a", "web-a");
    rename(&mut changed, "c", "web-c");
    let effects = controller.reload(Arc::new(changed), START);
    assert_eq!(controller.desired(), before);
    assert!(controller.backend("web-c").unwrap().admin_override.is_some());
    let dropped = |it: &ControllerEffect| matches!(it, ControllerEffect::OverrideEnded { .. });
    assert!(!effects.iter().any(dropped), "{effects:?}");
}

#[test]
fn two_names_at_the_address_of_one_both_take_over_its_verdict() {
    let mut controller = settled();
    let mut changed = config();
    rename(&mut changed, "a", "one");
    let settings = changed.backends["one"].clone();
    changed.backends.insert("two".into(), settings);
    let mut mail = changed.frontends["web"].clone();
    mail.vip = Vip::new("192.0.2.2/32".parse().unwrap(), Service::All);
    mail.pools = vec![Pool {
        name: "main".into(),
        backends: [("two".into(), Weight::FULL)].into(),
        slow_start: None,
    }];
    changed.frontends.insert("mail".into(), mail);
    let effects = controller.reload(Arc::new(changed), START);
    assert_eq!(
        of_probers(&effects),
        ["a>one with stats", "a>two with stats", "-a", "+one up", "+two up"]
    );
    let mail = &controller.desired().frontends["mail"];
    let weights: Vec<_> = mail.servers.values().map(|server| server.weight).collect();
    assert_eq!(weights, [TargetWeight::Weight(Weight::FULL)]);
}

#[test]
fn a_swap_of_addresses_swaps_verdicts() {
    let mut controller = settled();
    let before = controller.desired();
    let mut changed = config();
    backend(&mut changed, "a").address = [10, 0, 0, 2].into();
    backend(&mut changed, "b").address = [10, 0, 0, 1].into();
    let effects = controller.reload(Arc::new(changed), START);
    assert_eq!(of_probers(&effects), ["b>a", "a>b", "-a", "+a down", "-b", "+b up"]);
    let expected =
        ["a up>down: takes over the verdict of b", "b down>up: takes over the verdict of a"];
    assert_eq!(events(&effects), expected);
    assert_eq!(controller.desired(), before);
    let flush = |name: &str| controller.backends[name].flush;
    assert_eq!((flush("a"), flush("b")), (FlushSeq::NONE.next(), FlushSeq::NONE.next()));
}

#[test]
fn another_check_keeps_the_verdict_of_a_renamed_backend_and_of_no_other() {
    let mut slow = config();
    let check = HealthCheck {
        timing: Timing { timeout: Duration::from_secs(3), ..slow.checks["ping"].timing },
        ..(*slow.checks["ping"]).clone()
    };
    slow.checks.insert("slow".into(), Arc::new(check));
    let mut controller = settled();
    let mut renamed = slow.clone();
    rename(&mut renamed, "a", "web-a");
    backend(&mut renamed, "web-a").check = Some("slow".into());
    let effects = controller.reload(Arc::new(renamed), START);
    let expected = ["a>web-a with stats", "-a", "+web-a up, another check"];
    assert_eq!(of_probers(&effects), expected);
    assert_eq!(weights(&controller), "100 0 0");

    // The name of the check does not matter.
    let mut other_name = slow.clone();
    let ping = other_name.checks.remove("ping").unwrap();
    other_name.checks.insert("icmp".into(), ping);
    for name in ["a", "b", "c"] {
        backend(&mut other_name, name).check = Some("icmp".into());
    }
    rename(&mut other_name, "c", "web-c");
    let effects = settled().reload(Arc::new(other_name), START);
    assert_eq!(of_probers(&effects), ["c>web-c with stats", "-c", "+web-c up"]);

    // `a` stays at the address: what probes it in another way knows nothing yet.
    let mut beside = slow;
    let settings = Backend { check: Some("slow".into()), ..(*beside.backends["a"]).clone() };
    beside.backends.insert("d".into(), Arc::new(settings));
    let effects = settled().reload(Arc::new(beside), START);
    assert_eq!(of_probers(&effects), ["+d"]);
}

#[test]
fn a_renamed_host_name_keeps_its_address() {
    let host = HostName { name: "a.example".into(), family: IpFamily::V4 };
    let mut named = config();
    backend(&mut named, "a").address = BackendAddress::Name(host.clone());
    let (mut controller, _) = ControllerState::new(Arc::new(named.clone()), START);
    let address = Resolution::At([10, 0, 0, 1].into());
    controller.resolved(&"a".into(), &host, address, START);
    transition(&mut controller, "a", State::Up);
    let before = controller.desired();
    rename(&mut named, "a", "web-a");
    controller.reload(Arc::new(named), START);
    assert_eq!(controller.desired(), before);
    assert_eq!(controller.backend("web-a").unwrap().state, State::Up);
}

#[test]
fn what_is_new_is_unknown_and_probed_within_the_fast_interval() {
    let mut changed = config();
    let check = Arc::make_mut(changed.checks.get_mut("ping").unwrap());
    check.timing.fast_interval = Duration::from_secs(1);
    let mut settings = (*changed.backends["a"]).clone();
    settings.address = [10, 0, 0, 99].into();
    changed.backends.insert("d".into(), Arc::new(settings));
    let effects = settled().reload(Arc::new(changed), START);
    let started = effects.iter().find_map(|effect| match effect {
        ControllerEffect::StartProber { backend, settings, .. } => {
            Some((backend.as_str(), settings.within, settings.inherited))
        }
        _ => None,
    });
    assert_eq!(started, Some(("d", Duration::from_secs(1), None)));
}
