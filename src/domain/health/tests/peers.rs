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
fn a_trend_is_reported_when_it_begins_goes_on_and_ends() {
    let mut bed = after(2, 3, "");
    let mut reports = Vec::new();
    for result in "+-+---++".chars() {
        let run = bed.start_probe();
        bed.probing = None;
        let input = found(run, result == '+');
        let effects = step(Some(&bed.timing), bed.health.clone(), input.clone(), NO_JITTER).1;
        reports.push((result, effects.trend));
        bed.step(input);
    }
    let trend = |to, is_last| Some(Some(Trend { to, is_last }));
    let (down, last, up) =
        (trend(State::Down, false), trend(State::Down, true), trend(State::Up, true));
    // A change of state says itself that the trend is over.
    let expected = [None, down, Some(None), down, last, None, up, None];
    let expected = "+-+---++".chars().zip(expected);
    assert_eq!(reports, expected.collect::<Vec<_>>());
}

/// The wait for the next probe after a peer's trend, in tenths of a second. The fast
/// interval is a second, and the next probe was due in four.
fn wait_after_trend(mut bed: HealthTestBed, to: State, within: u64, since_last: u64) -> u128 {
    let tenths = |count| Duration::from_millis(100 * count);
    bed.waiting = bed.waiting.map(|(run, _)| (run, tenths(40)));
    bed.step(HealthInput::PeerTrend {
        to,
        within: tenths(within),
        since_last: tenths(since_last),
        left: tenths(40),
    });
    bed.wait().as_millis() / 100
}

#[test]
fn whoever_may_follow_a_peer_is_probed_soon_but_not_twice_in_half_a_fast_interval() {
    let up = || after(2, 3, "+");
    let down = || after(2, 3, "+---");
    for (within, since_last, wait) in [(0, 10, 0), (4, 10, 2), (0, 2, 3), (8, 2, 4), (0, 0, 5)] {
        let found = wait_after_trend(up(), State::Down, within, since_last);
        assert_eq!(found, wait, "up, within {within}, {since_last} since the last");
        let found = wait_after_trend(down(), State::Up, within, since_last);
        assert_eq!(found, wait, "down, within {within}, {since_last} since the last");
    }
    // It is what the peer becomes, or in question already.
    for (results, to) in
        [("+", State::Up), ("+---", State::Down), ("+-", State::Down), ("+---+", State::Up)]
    {
        assert_eq!(wait_after_trend(after(2, 3, results), to, 0, 10), 40, "{results} {to}");
    }
}

#[test]
fn a_probe_that_was_asked_for_as_a_witness_counts_when_a_peer_may_go_down() {
    for (peer, failures) in [(Some(State::Down), 1), (Some(State::Up), 0), (None, 0)] {
        let mut bed = after(2, 2, "+");
        bed.step(HealthInput::ProbeNow);
        if let Some(to) = peer {
            let (within, since_last) = (Duration::ZERO, Duration::from_secs(5));
            bed.step(HealthInput::PeerTrend { to, within, since_last, left: Duration::ZERO });
        }
        bed.result(false);
        let counted = bed.health.failing.as_ref().map_or(0, |streak| streak.failures);
        assert_eq!(counted, failures, "{peer:?}");
    }
}

#[test]
fn no_probe_is_put_off_by_a_peer() {
    let mut bed = after(2, 3, "+");
    let planned = Duration::from_millis(100);
    bed.waiting = bed.waiting.map(|(run, _)| (run, planned));
    let (within, since_last) = (Duration::from_secs(1), Duration::from_secs(5));
    bed.step(HealthInput::PeerTrend { to: State::Down, within, since_last, left: planned });
    assert_eq!(bed.wait(), planned);
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
        let to = if to_up { State::Up } else { State::Down };
        let (within, since_last) = (Duration::ZERO, Duration::from_secs(9));
        let left = bed.wait();
        bed.step(HealthInput::PeerTrend { to, within, since_last, left });
        bed.step(HealthInput::PeerChanged(to));
        prop_assert_eq!((bed.health.state, bed.health.counter), (state, counter));
        prop_assert!(bed.waiting.is_some());
    }
}
