//! Tests how long unknown backends are waited for, and what follows from what VPP serves.

use super::*;
use crate::domain::readiness::ReloadRefusal;

/// `<name>` is replaced in its pools by `web-<name>`, which probes the same address in
/// another way. What else uses `<name>` goes on.
fn replaced(mut config: Config, name: &str) -> Config {
    let mut slow = (*config.checks["ping"]).clone();
    slow.timing.fast_interval = Duration::from_secs(1);
    config.checks.insert("slow".into(), Arc::new(slow));
    let settings = Backend { check: Some("slow".into()), ..(*config.backends[name]).clone() };
    let new = format!("web-{name}");
    config.backends.insert(new.as_str().into(), Arc::new(settings));
    let web = config.frontends.get_mut("web").unwrap();
    web.pools[0].backends.remove(name);
    web.pools[0].backends.insert(new.as_str().into(), Weight::FULL);
    config
}

/// A daemon that has run for long: `a` and `c` are up, `b` is down.
fn settled() -> ControllerState {
    let mut controller = started();
    controller.vpp_serves([IpAddr::from([10, 0, 0, 1])].into());
    for (name, state) in [("a", State::Up), ("b", State::Down), ("c", State::Up)] {
        transition(&mut controller, name, state);
    }
    controller.expire_startup_grace(START);
    assert_eq!(weights(&controller), "100 0 0");
    controller
}

fn reload(controller: &mut ControllerState, config: Config) -> Vec<ControllerEffect> {
    controller.reload(Arc::new(config), START)
}

/// The settings of the prober that an effect starts.
fn started_prober(effects: &[ControllerEffect]) -> &ProberSettings {
    let mut settings = effects.iter().filter_map(|effect| match effect {
        ControllerEffect::StartProber { settings, .. } => Some(settings),
        _ => None,
    });
    settings.next().expect("a prober is started")
}

fn grace_timer(effects: &[ControllerEffect]) -> Option<ReloadId> {
    let mut timers = effects.iter().filter_map(|effect| match effect {
        ControllerEffect::SetGraceTimer(id) => Some(*id),
        _ => None,
    });
    timers.next()
}

#[test]
fn a_server_that_a_reload_probes_in_another_way_keeps_its_weight_until_its_first_verdict() {
    for (verdict, expected) in [(State::Up, "100 0 0"), (State::Down, "0 0 100")] {
        let mut controller = settled();
        let effects = reload(&mut controller, replaced(config(), "a"));
        assert_eq!(weights(&controller), "= 0 =");
        let settings = started_prober(&effects);
        assert_eq!(settings.within, Duration::from_secs(1), "it is probed soon");
        assert!(settings.served, "it needs `fall` failures to go down");
        transition(&mut controller, "web-a", verdict);
        assert_eq!(weights(&controller), expected);
        let flush = controller.desired().frontends["web"].servers.values().next().unwrap().flush;
        assert_eq!(flush, None, "a first verdict flushes nothing");
    }
}

#[test]
fn a_new_backend_without_a_verdict_is_waited_for_until_the_delay_is_over() {
    let mut controller = settled();
    let once = replaced(config(), "a");
    let first = grace_timer(&reload(&mut controller, once.clone())).expect("a timer");
    let again = replaced(once, "b");
    let second = grace_timer(&reload(&mut controller, again)).expect("another timer");
    // `web-b` was down: there is nothing to keep.
    assert_eq!(weights(&controller), "= 0 =");
    controller.expire_reload_grace(second, START);
    assert_eq!(weights(&controller), "= 0 =", "`web-a` came with the first");
    controller.expire_reload_grace(first, START);
    assert_eq!(weights(&controller), "0 0 100");
    assert_eq!(controller.expire_reload_grace(first, START), []);
}

#[test]
fn what_vpp_does_not_serve_is_not_waited_for_after_a_reload() {
    let mut controller = settled();
    let mut changed = config();
    backend(&mut changed, "a").address = [10, 0, 0, 77].into();
    let effects = reload(&mut controller, changed);
    assert!(!started_prober(&effects).served);
    // In the order of addresses: b, c, a. The other pool serves at once.
    assert_eq!(weights(&controller), "0 100 0");
}

#[test]
fn a_frontend_can_be_renamed_together_with_its_backends() {
    let mut controller = settled();
    let mut changed = replaced(config(), "a");
    let web = changed.frontends.remove("web").unwrap();
    changed.frontends.insert("www".into(), web);
    reload(&mut controller, changed);
    let desired = controller.desired();
    let first = desired.frontends["www"].servers.values().next().unwrap();
    assert_eq!(first.weight, TargetWeight::Keep);
}

#[test]
fn a_reload_without_new_backends_sets_no_timer() {
    let mut controller = settled();
    let mut changed = config();
    changed.backends.remove("c");
    changed.frontends.get_mut("web").unwrap().pools.pop();
    assert_eq!(grace_timer(&reload(&mut controller, changed)), None);
}

#[test]
fn a_file_that_enables_many_backends_spreads_their_first_probes() {
    let mut controller = started();
    let mut disabled = config();
    backend(&mut disabled, "a").enabled = false;
    reload(&mut controller, disabled);
    let within = reload(&mut controller, config()).into_iter().find_map(|effect| match effect {
        ControllerEffect::Administer { within, .. } => Some(within),
        _ => None,
    });
    assert_eq!(within, Some(Duration::from_secs(5)));
}

#[test]
fn backends_without_a_verdict_learn_whether_vpp_serves_them() {
    let (mut controller, effects) = ControllerState::new(Arc::new(config()), START);
    assert!(!started_prober(&effects).served, "there may be no VPP");
    let served = |name: &str, served| ControllerEffect::Served(name.into(), served);
    let all = ["a", "b", "c"].map(|name| served(name, true));
    assert_eq!(controller.await_vpp(), all, "VPP was not read: it may serve them");
    transition(&mut controller, "b", State::Up);
    let effects = controller.vpp_serves([IpAddr::from([10, 0, 0, 1])].into());
    assert_eq!(effects, [served("a", true), served("c", false)]);
}

#[test]
fn a_refused_reload_is_remembered_until_one_is_accepted() {
    let mut controller = started();
    assert!(controller.reload_status().refusal.is_none());
    controller.reload_refused(ReloadRefusal::Fault);
    let refused = ReloadStatus { refusal: Some(ReloadRefusal::Fault), last_success: START };
    assert_eq!(controller.reload_status(), refused);
    assert_eq!(controller.counts().config_refused, Some(ReloadRefusal::Fault));
    let later = START + Duration::from_secs(9);
    controller.reload(Arc::new(config()), later);
    let accepted = ReloadStatus { refusal: None, last_success: later };
    assert_eq!(controller.reload_status(), accepted);
    assert_eq!(controller.counts().config_refused, None);
}
