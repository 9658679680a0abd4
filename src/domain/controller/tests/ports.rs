//! Tests backends that are probed at ports of their own.

use std::num::NonZeroU16;

use super::*;

/// All backends are probed at port 80, `b` at 8080.
fn with_ports() -> Config {
    let mut config = config();
    let check = Arc::make_mut(config.checks.get_mut("ping").unwrap());
    check.kind = CheckKind::Tcp { port: port(80), tls: None, steps: Vec::new() };
    backend(&mut config, "b").port = Some(port(8080));
    config
}

fn port(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).unwrap()
}

/// The port of each prober that is started or whose check changes.
fn probed(effects: &[ControllerEffect]) -> Vec<String> {
    let at = |check: &Option<Arc<HealthCheck>>| check.as_ref()?.kind.port();
    let described = effects.iter().filter_map(|effect| match effect {
        ControllerEffect::StartProber { backend, settings, .. } => {
            Some(format!("+{backend} {}", at(&settings.check)?))
        }
        ControllerEffect::CheckChanged(backend, check) => Some(format!("{backend} {}", at(check)?)),
        _ => None,
    });
    described.collect()
}

#[test]
fn a_backend_is_probed_at_its_own_port_and_the_others_at_that_of_the_check() {
    let (mut controller, effects) = ControllerState::new(Arc::new(with_ports()), START);
    assert_eq!(probed(&effects), ["+a 80", "+b 8080", "+c 80"]);
    let what = |controller: &ControllerState, name| {
        let now = Moment { monotonic: Instant::now(), wall: START };
        controller.backend_situation(name, now).unwrap().check.unwrap().what
    };
    assert_eq!(what(&controller, "b"), "tcp, port 8080");

    let mut changed = with_ports();
    backend(&mut changed, "a").port = Some(port(81));
    backend(&mut changed, "b").port = None;
    // The check's own, said once more: nothing changes.
    backend(&mut changed, "c").port = Some(port(80));
    assert_eq!(probed(&controller.reload(Arc::new(changed), START)), ["a 81", "b 80"]);
}

#[test]
fn a_verdict_goes_to_a_new_name_at_another_port_until_its_own_probes_say_otherwise() {
    for (number, has_same_check) in [(8080, true), (8081, false)] {
        let mut controller = ControllerState::new(Arc::new(with_ports()), START).0;
        transition(&mut controller, "b", State::Up);
        let mut changed = with_ports();
        inheritance::rename(&mut changed, "b", "bb");
        backend(&mut changed, "bb").port = Some(port(number));
        let effects = controller.reload(Arc::new(changed), START);
        let inherited = effects.iter().find_map(|effect| match effect {
            ControllerEffect::StartProber { settings, .. } => settings.inherited,
            _ => None,
        });
        assert_eq!(inherited, Some(InheritedVerdict { state: State::Up, has_same_check }));
    }
}
