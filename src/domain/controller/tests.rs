//! Tests the Controller's decisions without actors.

mod announce_orders;
mod announcing;
mod any_command;
mod damping;
mod draining;
mod event_stream;
mod evidence;
mod fail_open;
mod grace;
mod inheritance;
mod inheritance_laws;
mod laws;
mod names;
mod overrides;
mod peers;
mod ports;
mod reload_guard;
mod situations;
mod slow_start;

use super::*;
use crate::domain::announce::{AnnounceSettings, AnnouncerSettings};
use crate::domain::balancing::weights::TargetWeight;
use crate::domain::config::{
    CheckKind, Frontend, HealthCheckerSettings, LbConf, LbSettings, Pool, Timing,
};
use crate::domain::dataplane::net::{Encap, Service, TableLength, Vip};
use crate::domain::moment::Moment;

const START: SystemTime = SystemTime::UNIX_EPOCH;

/// A backend of `config`, to be modified.
fn backend<'a>(config: &'a mut Config, name: &str) -> &'a mut Backend {
    Arc::make_mut(config.backends.get_mut(name).unwrap())
}

/// Backends `a` and `b` in pool `main`, `c` in pool `spare`, of frontend `web`, which is
/// announced.
fn config() -> Config {
    let seconds = Duration::from_secs;
    let one = std::num::NonZeroU32::MIN;
    let timing = Timing {
        interval: seconds(5),
        fast_interval: seconds(5),
        down_interval: seconds(5),
        timeout: seconds(1),
        rise: one,
        fall: one,
        damping: None,
    };
    let check = HealthCheck {
        kind: CheckKind::Icmp,
        timing,
        source_v4: None,
        source_v6: None,
        proxy: None,
    };
    let backend = |number| Backend {
        address: [10, 0, 0, number].into(),
        check: Some("ping".into()),
        port: None,
        enabled: true,
    };
    let pool = |name: &str, backends: &[&str]| Pool {
        name: name.into(),
        slow_start: None,
        backends: backends.iter().map(|backend| ((*backend).into(), Weight::FULL)).collect(),
    };
    let web = Frontend {
        description: String::new(),
        vip: Vip::new("192.0.2.1/32".parse().unwrap(), Service::All),
        encap: Encap::Gre4,
        src_ip_sticky: false,
        flush_on_down: true,
        fail_open: None,
        announce: Some(AnnounceSettings::default()),
        table_length: TableLength::DEFAULT,
        pools: vec![pool("main", &["a", "b"]), pool("spare", &["c"])],
    };
    Config {
        healthchecker: HealthCheckerSettings {
            transition_history: 2,
            netns: None,
            max_probes: None,
            nameservers: vec![],
            doubt_limit: seconds(5),
            witnesses: vec![],
        },
        announcer: AnnouncerSettings::default(),
        lb: LbSettings {
            sync_interval: seconds(30),
            startup_min_delay: seconds(0),
            startup_max_delay: seconds(8),
            conf: LbConf {
                ip4_src: [192, 0, 2, 9].into(),
                ip6_src: "2001:db8::9".parse().unwrap(),
                sticky_buckets_per_core: 1024,
                flow_timeout_s: 40,
            },
        },
        checks: [("ping".into(), Arc::new(check))].into(),
        backends: [("a", 1), ("b", 2), ("c", 3)]
            .map(|(n, i)| (n.into(), Arc::new(backend(i))))
            .into(),
        frontends: [("web".into(), web)].into(),
    }
}

fn started() -> ControllerState {
    ControllerState::new(Arc::new(config()), START).0
}

impl ControllerState {
    /// Executes an operator's command, as where nothing is kept over restarts.
    fn administer(
        &mut self,
        name: &str,
        command: AdminCommand,
        (who, at): (&str, SystemTime),
    ) -> Result<Vec<ControllerEffect>, CommandRefused> {
        let backend = name.into();
        self.command(OverrideCommand::Admin { backend, command }, (who, at))
    }

    fn set_weight(
        &mut self,
        frontend: &str,
        pool: &str,
        backend: &str,
        weight: Weight,
        (who, at): (&str, SystemTime),
    ) -> Result<Vec<ControllerEffect>, CommandRefused> {
        let (frontend, pool, backend) = (frontend.into(), pool.into(), backend.into());
        let weight = Some(weight);
        self.command(OverrideCommand::Weight { frontend, pool, backend, weight }, (who, at))
    }

    fn command(
        &mut self,
        command: OverrideCommand,
        (who, wall): (&str, SystemTime),
    ) -> Result<Vec<ControllerEffect>, CommandRefused> {
        let at = Moment { monotonic: Instant::now(), wall };
        self.give(&OperatorCommand { command, who: who.into(), why: None, lasts: None, at })
    }

    fn give(&mut self, given: &OperatorCommand) -> Result<Vec<ControllerEffect>, CommandRefused> {
        let change = self.plan_override(&self.overrides, given)?;
        Ok(self.apply_override(change, given))
    }
}

/// The backend's prober reports a transition.
fn transition(controller: &mut ControllerState, name: &str, to: State) -> Vec<ControllerEffect> {
    let prober = controller.backends[name].prober;
    let transition =
        Transition { from: controller.backends[name].state, to, at: START, why: "probe".into() };
    controller.transitioned(prober, &name.into(), transition, Instant::now())
}

/// Each server's target weight in the order of addresses; `=`: kept.
fn weights(controller: &ControllerState) -> String {
    let text = |server: &crate::domain::balancing::weights::DesiredServer| match server.weight {
        TargetWeight::Keep => "=".into(),
        TargetWeight::Weight(weight) => weight.to_string(),
    };
    let desired = controller.desired();
    desired.frontends["web"].servers.values().map(text).collect::<Vec<_>>().join(" ")
}

#[test]
fn each_backend_is_first_probed_within_half_of_the_startup_delay() {
    let (_, effects) = ControllerState::new(Arc::new(config()), START);
    let within = effects.iter().filter_map(|effect| match effect {
        ControllerEffect::StartProber { settings, .. } => Some(settings.within),
        _ => None,
    });
    assert_eq!(within.collect::<Vec<_>>(), [Duration::from_secs(4); 3]);
}

#[test]
fn verdicts_become_weights_that_are_sent_before_events_are_published() {
    let mut controller = started();
    assert_eq!(weights(&controller), "= = =");
    let effects = transition(&mut controller, "a", State::Up);
    assert_eq!(weights(&controller), "100 = =");
    assert!(matches!(effects[0], ControllerEffect::Desire(_)), "{effects:?}");
    assert!(
        matches!(&effects[2], ControllerEffect::Publish(Event::Frontend(_, t)) if t.to == FrontendState::Up)
    );
    transition(&mut controller, "b", State::Down);
    transition(&mut controller, "c", State::Up);
    assert_eq!(weights(&controller), "100 0 0");
    transition(&mut controller, "a", State::Down);
    assert_eq!(weights(&controller), "0 0 100");
}

#[test]
fn the_report_of_a_prober_that_was_replaced_is_ignored() {
    let mut controller = started();
    let transition =
        Transition { from: State::Unknown, to: State::Up, at: START, why: Arc::default() };
    assert_eq!(controller.transitioned(ProberId(99), &"a".into(), transition, Instant::now()), []);
}

#[test]
fn operators_pause_resume_disable_and_enable() {
    let mut controller = started();
    let mut command = |command| {
        controller.administer("a", command, ("me", START)).map(|effects| match &effects[..] {
            [ControllerEffect::Administer { admin, .. }, ..] => *admin,
            other => panic!("{other:?}"),
        })
    };
    let disabled = |command| Err(CommandRefused::Disabled { backend: "a".into(), command });
    assert_eq!(command(AdminCommand::Pause), Ok(Admin::Paused));
    assert_eq!(command(AdminCommand::Enable), Ok(Admin::Paused), "enable does not resume");
    assert_eq!(command(AdminCommand::Disable), Ok(Admin::Disabled));
    assert_eq!(command(AdminCommand::Pause), disabled(AdminCommand::Pause));
    assert_eq!(command(AdminCommand::Resume), disabled(AdminCommand::Resume));
    assert_eq!(command(AdminCommand::Enable), Ok(Admin::Enabled));
    assert_eq!(controller.backend("a").unwrap().admin_override, None, "back to what the file says");
    assert_eq!(
        controller.administer("z", AdminCommand::Pause, ("me", START)),
        Err(CommandRefused::NoBackend("z".into()))
    );
}

#[test]
fn an_override_lives_until_the_file_says_something_else() {
    let mut controller = started();
    transition(&mut controller, "a", State::Up);
    let half = Weight::try_from(50).unwrap();
    controller.set_weight("web", "main", "a", half, ("me", START)).unwrap();
    assert_eq!(weights(&controller), "50 = =");
    assert_eq!(controller.reload(Arc::new(config()), START), [], "the same file changes nothing");
    assert_eq!(weights(&controller), "50 = =");
    let mut changed = config();
    let web = changed.frontends.get_mut("web").unwrap();
    web.pools[0].backends.insert("a".into(), Weight::try_from(70).unwrap());
    let effects = controller.reload(Arc::new(changed), START);
    assert!(
        effects.iter().any(|effect| matches!(effect, ControllerEffect::OverrideEnded { .. })),
        "{effects:?}"
    );
    assert_eq!(weights(&controller), "70 = =");
}

#[test]
fn a_reload_starts_stops_and_keeps() {
    let mut controller = started();
    transition(&mut controller, "a", State::Up);
    transition(&mut controller, "b", State::Up);
    let mut changed = config();
    changed.backends.remove("c");
    backend(&mut changed, "b").address = [10, 0, 0, 20].into();
    let d = changed.backends["a"].clone();
    changed.backends.insert("d".into(), d);
    backend(&mut changed, "d").address = [10, 0, 0, 4].into();
    let web = changed.frontends.get_mut("web").unwrap();
    web.pools[1].backends = [("d".into(), Weight::FULL)].into();
    let effects = controller.reload(Arc::new(changed), START);
    let probers = effects.iter().filter_map(|effect| match effect {
        ControllerEffect::StartProber { backend, .. } => Some(format!("+{backend}")),
        ControllerEffect::StopProber(backend) => Some(format!("-{backend}")),
        _ => None,
    });
    assert_eq!(probers.collect::<Vec<_>>(), ["-c", "-b", "+b", "+d"]);
    let a = controller.backend("a").unwrap();
    assert_eq!((a.state, a.transitions.len()), (State::Up, 1), "unchanged");
    let b = controller.backend("b").unwrap();
    assert_eq!((b.state, b.transitions.len()), (State::Unknown, 2), "another server");
    assert_eq!(weights(&controller), "100 = =");
}

#[test]
fn flushes_are_counted_by_transition_and_not_by_a_first_verdict() {
    let mut controller = started();
    let flush = |controller: &ControllerState| controller.backends["a"].flush;
    transition(&mut controller, "a", State::Down);
    assert_eq!(flush(&controller), FlushSeq::NONE);
    transition(&mut controller, "a", State::Up);
    transition(&mut controller, "a", State::Down);
    assert_eq!(flush(&controller), FlushSeq::NONE.next());
    transition(&mut controller, "a", State::Disabled);
    assert_eq!(flush(&controller), FlushSeq::NONE.next().next());
    assert_eq!(controller.backend("a").unwrap().transitions.len(), 2, "transition-history");
}

#[test]
fn after_the_startup_delay_unknown_counts_as_down() {
    let mut controller = started();
    let effects = controller.expire_startup_grace(START);
    assert_eq!(weights(&controller), "0 0 0");
    assert!(matches!(&effects[0], ControllerEffect::Desire(changed) if changed.len() == 1));
}

#[test]
fn every_override_that_a_reload_ends_is_reported() {
    let dropped = |change: &dyn Fn(&mut Config)| {
        let mut controller = started();
        controller.administer("a", AdminCommand::Disable, ("me", START)).unwrap();
        controller.administer("c", AdminCommand::Pause, ("me", START)).unwrap();
        controller.set_weight("web", "main", "b", Weight::ZERO, ("me", START)).unwrap();
        let mut changed = config();
        change(&mut changed);
        let effects = controller.reload(Arc::new(changed), START);
        let dropped = effects.into_iter().filter_map(|effect| match effect {
            ControllerEffect::OverrideEnded { entry, .. } => Some(entry.what.to_string()),
            _ => None,
        });
        dropped.collect::<Vec<_>>()
    };
    let without = |name| move |config: &mut Config| config.backends.remove(name).map_or((), drop);
    assert_eq!(dropped(&|_| ()), Vec::<String>::new());
    // A changed address does not change the file's administrative state.
    let readdressed = |config: &mut Config| {
        backend(config, "a").address = [10, 0, 0, 9].into();
    };
    assert_eq!(dropped(&readdressed), Vec::<String>::new());
    let disabled = |config: &mut Config| {
        readdressed(config);
        backend(config, "a").enabled = false;
    };
    assert_eq!(dropped(&disabled), ["disabled of backend a"]);
    let weight = ["weight 0 of b in web/main"];
    let no_frontend = |config: &mut Config| config.frontends.clear();
    assert_eq!(dropped(&no_frontend), weight);
    let renamed = |config: &mut Config| {
        config.frontends.get_mut("web").unwrap().pools[0].name = "first".into();
    };
    assert_eq!(dropped(&renamed), weight);
    let no_spare = |config: &mut Config| {
        config.frontends.get_mut("web").unwrap().pools.pop();
        without("c")(config);
    };
    assert_eq!(dropped(&no_spare), ["paused of backend c"]);
}
