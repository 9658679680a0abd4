//! Tests which peers are probed when a backend is about to change, or does.

use super::*;
use crate::domain::moment::Moment;

/// `a`, `b` and `c` of frontend `web`, and `d` of another one. Checks decide with two
/// results and a fast interval of one second.
fn four(state: State) -> ControllerState {
    let mut config = config();
    let check = config.checks.get_mut("ping").map(Arc::make_mut).unwrap();
    check.timing.fast_interval = Duration::from_secs(1);
    let settings = Arc::clone(&config.backends["a"]);
    config.backends.insert("d".into(), settings);
    let mut other = config.frontends["web"].clone();
    other.vip = Vip::new("192.0.2.2/32".parse().unwrap(), Service::All);
    other.pools = vec![Pool {
        name: "p".into(),
        backends: [("d".into(), Weight::FULL)].into(),
        slow_start: None,
    }];
    config.frontends.insert("other".into(), other);
    let mut controller = ControllerState::new(Arc::new(config), START).0;
    for name in ["a", "b", "c", "d"] {
        transition(&mut controller, name, state);
    }
    // What the transitions brought about is over.
    controller.frontends.values_mut().for_each(|frontend| frontend.alerted.clear());
    controller
}

/// The prober of `name` reports a trend at so many tenths of a second; the peers that are
/// probed for that, and within how many milliseconds.
fn trend(
    controller: &mut ControllerState,
    (name, start, tenths): (&str, Instant, u64),
    trend: Option<(State, bool)>,
) -> (Vec<String>, u128) {
    let now = Moment { monotonic: start + Duration::from_millis(100 * tenths), wall: START };
    let prober = controller.backends[name].prober;
    let trend = trend.map(|(to, is_last)| Trend { to, is_last });
    let effects = controller.trend_changed(prober, &name.into(), trend, now);
    let mut alerted = (Vec::new(), 0);
    for effect in effects {
        let ControllerEffect::PeerTrend { backend, to, within } = effect else {
            panic!("{effect:?}")
        };
        assert_eq!(Some(to), trend.map(|trend| trend.to));
        alerted.0.push(backend.to_string());
        alerted.1 = within.as_millis();
    }
    alerted
}

/// These need one more result to go to `to`.
fn last_result(controller: &mut ControllerState, names: &[&str], to: State) {
    for name in names {
        let prober = controller.backends[*name].prober;
        controller.trends.insert(prober, Trend { to, is_last: true });
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

const FAILS: Option<(State, bool)> = Some((State::Down, false));
const PASSES: Option<(State, bool)> = Some((State::Up, false));

#[test]
fn peers_in_any_pool_are_probed_when_one_begins_to_fail_once_in_a_fast_interval() {
    let start = Instant::now();
    let mut controller = four(State::Up);
    let alert = |names: &[&str], within| {
        (names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), within)
    };
    assert_eq!(trend(&mut controller, ("a", start, 0), FAILS), alert(&["b", "c"], 2));
    assert_eq!(trend(&mut controller, ("b", start, 1), FAILS), alert(&[], 0), "they were told");
    assert_eq!(trend(&mut controller, ("a", start, 2), None), alert(&[], 0));
    assert_eq!(trend(&mut controller, ("a", start, 9), FAILS), alert(&[], 0), "too soon");
    assert_eq!(trend(&mut controller, ("a", start, 10), None), alert(&[], 0));
    assert_eq!(trend(&mut controller, ("a", start, 10), FAILS), alert(&["c"], 1), "b fails too");
    let goes_on = Some((State::Down, true));
    assert_eq!(trend(&mut controller, ("a", start, 30), goes_on), alert(&[], 0), "it began before");
}

#[test]
fn peers_of_the_pool_are_probed_when_one_begins_to_return_to_nobody() {
    let start = Instant::now();
    let mut controller = four(State::Down);
    assert_eq!(trend(&mut controller, ("a", start, 0), PASSES).0, ["b"], "c is of another pool");
    let mut controller = four(State::Down);
    transition(&mut controller, "b", State::Up);
    assert_eq!(trend(&mut controller, ("a", start, 20), PASSES).0, [""; 0], "b is up");
}

#[test]
fn where_one_result_decides_the_change_itself_has_peers_probed() {
    let mut controller = four(State::Up);
    let effects = transition(&mut controller, "a", State::Down);
    let told = |effect: &ControllerEffect| match effect {
        ControllerEffect::PeerTrend { backend, .. } => Some(backend.to_string()),
        _ => None,
    };
    assert_eq!(effects.iter().filter_map(told).collect::<Vec<_>>(), ["b", "c"]);
}

#[test]
fn whoever_needs_one_more_failure_is_probed_once_when_one_goes_down() {
    let mut controller = four(State::Up);
    last_result(&mut controller, &["b", "c", "d"], State::Down);
    assert_eq!(hastened(&mut controller, "a", State::Down), ["b", "c"]);
    assert_eq!(hastened(&mut controller, "b", State::Down), [""; 0]);
}

#[test]
fn whoever_needs_more_or_leads_elsewhere_is_left_alone_when_one_goes_down() {
    let mut controller = four(State::Up);
    last_result(&mut controller, &["c"], State::Up);
    let prober = controller.backends["b"].prober;
    controller.trends.insert(prober, Trend { to: State::Down, is_last: false });
    assert_eq!(hastened(&mut controller, "a", State::Down), [""; 0]);
}

#[test]
fn whoever_returns_with_the_first_of_a_pool_is_probed_at_once() {
    let mut controller = four(State::Down);
    last_result(&mut controller, &["b", "c", "d"], State::Up);
    assert_eq!(hastened(&mut controller, "a", State::Up), ["b"], "c is in another pool");
    transition(&mut controller, "a", State::Down);
    transition(&mut controller, "b", State::Up);
    last_result(&mut controller, &["c"], State::Up);
    assert_eq!(hastened(&mut controller, "a", State::Up), [""; 0], "b is there already");
}

#[test]
fn nothing_is_kept_of_a_prober_that_changed_or_stopped() {
    let start = Instant::now();
    let mut controller = four(State::Up);
    trend(&mut controller, ("a", start, 0), FAILS);
    trend(&mut controller, ("b", start, 0), FAILS);
    transition(&mut controller, "a", State::Down);
    trend(&mut controller, ("b", start, 1), None);
    assert!(controller.trends.is_empty(), "{:?}", controller.trends);
}
