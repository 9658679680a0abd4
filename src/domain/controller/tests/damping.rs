//! Tests whose damped return ends because nobody else serves.

use std::time::Instant;

use super::*;
use crate::domain::health::damping::DampedReturn;
use crate::domain::moment::Moment;

/// The prober of `name` reports that its return waits 20 s since a second ago.
fn damp(controller: &mut ControllerState, name: &str) -> Vec<String> {
    let now = Instant::now();
    let since = now - Duration::from_secs(1);
    let damped = DampedReturn { since, wait: Duration::from_secs(20), falls: 3 };
    let prober = controller.backends[name].prober;
    let now = Moment { monotonic: now, wall: START + Duration::from_secs(100) };
    ended(&controller.damped(prober, &name.into(), Some(damped), now))
}

/// Whose wait ends.
fn ended(effects: &[ControllerEffect]) -> Vec<String> {
    let of = |effect: &ControllerEffect| match effect {
        ControllerEffect::EndDamping { backend, .. } => Some(backend.to_string()),
        _ => None,
    };
    effects.iter().filter_map(of).collect()
}

/// Pool `main` of `a` and `b`, pool `spare` of `c`.
fn with(states: [State; 3]) -> ControllerState {
    let mut controller = started();
    for (name, state) in ["a", "b", "c"].into_iter().zip(states) {
        transition(&mut controller, name, state);
    }
    controller
}

#[test]
fn a_return_waits_while_anybody_serves_the_frontend() {
    for states in [[State::Down, State::Up, State::Down], [State::Down, State::Down, State::Up]] {
        let mut controller = with(states);
        assert_eq!(damp(&mut controller, "a"), [""; 0], "{states:?}");
        let shown = controller.backend("a").unwrap().damping.unwrap();
        let at = |seconds| START + Duration::from_secs(seconds);
        assert_eq!((shown.since, shown.until, shown.falls), (at(99), at(119), 3));
    }
}

#[test]
fn where_nobody_serves_it_ends_at_once() {
    let mut controller = with([State::Down; 3]);
    assert_eq!(damp(&mut controller, "a"), ["a"]);
}

#[test]
fn it_ends_when_the_last_server_goes_down_and_one_is_enough() {
    let mut controller = with([State::Down, State::Down, State::Up]);
    assert_eq!(damp(&mut controller, "a"), [""; 0]);
    assert_eq!(damp(&mut controller, "b"), [""; 0]);
    let effects = transition(&mut controller, "c", State::Down);
    assert_eq!(ended(&effects), ["a"]);
    transition(&mut controller, "a", State::Up);
    assert_eq!(controller.backend("a").unwrap().damping, None);
    assert!(controller.backend("b").unwrap().damping.is_some());
}

#[test]
fn the_report_of_a_prober_that_was_replaced_ends_nothing() {
    let mut controller = with([State::Down; 3]);
    let now = Moment { monotonic: Instant::now(), wall: START };
    let damped = DampedReturn { since: now.monotonic, wait: Duration::from_secs(9), falls: 2 };
    let effects = controller.damped(ProberId(99), &"a".into(), Some(damped), now);
    assert_eq!(effects, []);
    assert_eq!(controller.backend("a").unwrap().damping, None);
}
