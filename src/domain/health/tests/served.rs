//! Tests unknown backends that VPP serves.

use super::*;

/// The state after each of `results` of an unknown backend that VPP serves: `?`
/// unknown, `U`p or `D`own. `n` and `s` stand for VPP being read, without the backend
/// and with it.
fn served_verdicts(rise: u32, fall: u32, results: &str) -> String {
    let mut bed = HealthTestBed::served(rise, fall, true);
    let step = |result| {
        match result {
            'n' | 's' => bed.step(HealthInput::Served(result == 's')),
            'c' => bed.step(HealthInput::CheckChanged),
            _ => bed.result(result == '+'),
        }
        match bed.health.state {
            State::Up => 'U',
            State::Down => 'D',
            State::Unknown => '?',
            other => panic!("{other}"),
        }
    };
    results.chars().map(step).collect()
}

#[test]
fn an_unknown_backend_that_vpp_serves_needs_fall_failures_to_go_down() {
    for (rise, fall, results, expected) in [
        (2, 3, "---", "??D"),
        (2, 3, "--+---", "??UUUD"),
        (2, 1, "-", "D"),
        (4, 2, "+--", "UUD"),
        // Once VPP was read and does not serve it, the first failure counts.
        (2, 3, "n-++", "?DDU"),
        (2, 3, "-n-", "??D"),
        (2, 3, "ns---", "????D"),
        // A verdict, and what was read before it, are not revised.
        (2, 3, "---s+-+", "??DDDDD"),
        (2, 3, "+n---", "UUUUD"),
        // A new check gets all of its failures.
        (2, 3, "--c---", "?????D"),
    ] {
        let verdicts = served_verdicts(rise, fall, results);
        assert_eq!(verdicts, expected, "rise {rise} fall {fall} {results}");
    }
}

#[test]
fn a_backend_that_was_resumed_is_not_served() {
    let mut bed = HealthTestBed::served(2, 3, true);
    bed.step(administer(Admin::Paused));
    bed.step(administer(Admin::Enabled));
    bed.result(false);
    assert_eq!(bed.health.state, State::Down);
}
