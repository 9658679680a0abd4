//! Tests which peers are probed at once when a backend changes.

use super::*;

/// `a`, `b` and `c` of frontend `web`, and `d` of another one.
fn four(state: State) -> ControllerState {
    let mut config = config();
    let settings = Arc::clone(&config.backends["a"]);
    config.backends.insert("d".into(), settings);
    let mut other = config.frontends["web"].clone();
    other.vip = Vip::new("192.0.2.2/32".parse().unwrap(), Service::All);
    other.pools = vec![Pool { name: "p".into(), backends: [("d".into(), Weight::FULL)].into() }];
    config.frontends.insert("other".into(), other);
    let mut controller = ControllerState::new(Arc::new(config), START).0;
    for name in ["a", "b", "c", "d"] {
        transition(&mut controller, name, state);
    }
    controller
}

/// These need one more result to go to `to`.
fn imminent(controller: &mut ControllerState, names: &[&str], to: State) {
    for name in names {
        let prober = controller.backends[*name].prober;
        controller.note_imminent(prober, Some(to));
    }
}

/// Who is probed at once when `name` goes to `to`.
fn hastened(controller: &mut ControllerState, name: &str, to: State) -> Vec<String> {
    let effects = transition(controller, name, to);
    let desire = effects.iter().position(|effect| matches!(effect, ControllerEffect::Desire(_)));
    let mut hastened = Vec::new();
    for (index, effect) in effects.iter().enumerate() {
        if let ControllerEffect::PeerChanged(peer, state) = effect {
            assert!(desire < Some(index) && *state == to, "weights come first: {effects:?}");
            hastened.push(peer.to_string());
        }
    }
    hastened
}

#[test]
fn whoever_fails_in_any_pool_of_the_frontend_is_probed_once_when_one_goes_down() {
    let mut controller = four(State::Up);
    imminent(&mut controller, &["b", "c", "d"], State::Down);
    assert_eq!(hastened(&mut controller, "a", State::Down), ["b", "c"]);
    assert_eq!(hastened(&mut controller, "b", State::Down), [""; 0]);
}

#[test]
fn whoever_passed_meanwhile_or_is_about_to_come_up_is_left_alone_when_one_goes_down() {
    let mut controller = four(State::Up);
    imminent(&mut controller, &["b"], State::Down);
    imminent(&mut controller, &["c"], State::Up);
    let prober = controller.backends["b"].prober;
    controller.note_imminent(prober, None);
    assert_eq!(hastened(&mut controller, "a", State::Down), [""; 0]);
}

#[test]
fn whoever_returns_with_the_first_of_a_pool_is_probed_at_once() {
    let mut controller = four(State::Down);
    imminent(&mut controller, &["b", "c", "d"], State::Up);
    assert_eq!(hastened(&mut controller, "a", State::Up), ["b"], "c is in another pool");
    transition(&mut controller, "a", State::Down);
    transition(&mut controller, "b", State::Up);
    imminent(&mut controller, &["c"], State::Up);
    assert_eq!(hastened(&mut controller, "a", State::Up), [""; 0], "b is there already");
}

#[test]
fn nothing_is_kept_of_a_prober_that_changed_or_passed() {
    let mut controller = four(State::Up);
    imminent(&mut controller, &["a", "b"], State::Down);
    transition(&mut controller, "a", State::Down);
    assert!(controller.imminent.is_empty(), "{:?}", controller.imminent);
}
