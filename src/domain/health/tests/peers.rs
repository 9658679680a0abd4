//! Tests that a backend which needs one more result is probed at once when a peer changed.

use super::*;

/// A backend after these results; `+` is a passed probe and `-` a failed one.
fn after(rise: u32, fall: u32, results: &str) -> HealthTestBed {
    let mut bed = HealthTestBed::new(rise, fall);
    results.chars().for_each(|result| bed.result(result == '+'));
    bed
}

fn is_hastened(mut bed: HealthTestBed, peer: State) -> bool {
    bed.step(HealthInput::PeerChanged(peer));
    bed.waiting.is_some_and(|(_, wait)| wait.is_zero())
}

#[test]
fn only_whoever_needs_one_more_result_for_the_same_state_is_probed_at_once() {
    for (rise, fall, results, hastened) in [
        (2, 2, "+", None),
        (2, 2, "+-", Some(State::Down)),
        (2, 3, "+-", None),
        (2, 3, "+--", Some(State::Down)),
        (2, 3, "+--+", None),
        (2, 2, "+--", None),
        (2, 2, "+--+", Some(State::Up)),
        (3, 2, "+--+", None),
        (3, 2, "+--++", Some(State::Up)),
        (3, 2, "+--++-", None),
        // One result decides, and there was none yet.
        (1, 1, "+", None),
        (1, 1, "+-", None),
        (2, 2, "", None),
    ] {
        for peer in [State::Up, State::Down] {
            let is = is_hastened(after(rise, fall, results), peer);
            assert_eq!(is, hastened == Some(peer), "rise {rise} fall {fall} {results} {peer}");
        }
    }
}

#[test]
fn a_probe_in_progress_is_not_repeated() {
    let mut bed = after(2, 2, "+-");
    let run = bed.start_probe();
    bed.step(HealthInput::PeerChanged(State::Down));
    assert_eq!((bed.probing, bed.waiting), (Some(run), None));
    bed.probing = None;
    bed.step(found(run, true));
    assert!(bed.wait() > Duration::ZERO, "no other probe follows at once");
}

#[test]
fn that_a_change_is_imminent_is_reported_when_it_begins_and_when_it_ends() {
    let mut bed = after(2, 2, "");
    let mut reports = Vec::new();
    for result in "+-+---++".chars() {
        let run = bed.start_probe();
        bed.probing = None;
        let input = found(run, result == '+');
        let effects = step(Some(&bed.timing), bed.health.clone(), input.clone(), NO_JITTER).1;
        reports.push((result, effects.imminent));
        bed.step(input);
    }
    let (down, up, none) = (Some(Some(State::Down)), Some(Some(State::Up)), Some(None));
    let expected =
        [None, down, none, down, None, None, up, None].into_iter().zip("+-+---++".chars());
    assert_eq!(reports, expected.map(|(report, result)| (result, report)).collect::<Vec<_>>());
}

proptest! {
    /// A peer's change changes when a backend is probed, and nothing else.
    #[test]
    fn a_peer_takes_nobody_up_or_down(
        rise in 1u32..5, fall in 1u32..5, results in prop::collection::vec(any::<bool>(), 0..20),
        to_up: bool,
    ) {
        let mut bed = HealthTestBed::new(rise, fall);
        results.into_iter().for_each(|passed| bed.result(passed));
        let (state, counter) = (bed.health.state, bed.health.counter);
        bed.step(HealthInput::PeerChanged(if to_up { State::Up } else { State::Down }));
        prop_assert_eq!((bed.health.state, bed.health.counter), (state, counter));
        prop_assert!(bed.waiting.is_some());
    }
}
