//! Tests that a backend that flaps returns later each time.

use super::*;
use crate::domain::health::damping::FlapDamping;

const DAMPING: FlapDamping = FlapDamping {
    window: Duration::from_secs(600),
    delay: Duration::from_secs(10),
    max_delay: Duration::from_secs(60),
};

/// A backend with `rise: 2` and `fall: 2`, whose probes end at given seconds.
struct DampedTestBed {
    bed: HealthTestBed,
    start: Instant,
    last: HealthEffects,
}

impl DampedTestBed {
    fn new() -> Self {
        let mut bed = HealthTestBed::new(2, 2);
        bed.timing.damping = Some(DAMPING);
        Self { bed, start: Instant::now(), last: HealthEffects::default() }
    }

    fn probe(&mut self, second: u64, passed: bool) -> State {
        let run = self.bed.start_probe();
        self.bed.probing = None;
        let ended = self.start + Duration::from_secs(second);
        let witness = Witness { before: Some(ended), latest: Some(ended) };
        let code = if passed { ResultCode::L4Ok } else { ResultCode::L4Timeout };
        let (result, took) = (ProbeResult::new(code, ""), Duration::ZERO);
        self.step(HealthInput::ProbeDone { run, result, took, ended, witness })
    }

    fn step(&mut self, input: HealthInput) -> State {
        let timing = self.bed.timing;
        self.last = step(Some(&timing), self.bed.health.clone(), input.clone(), NO_JITTER).1;
        self.bed.step(input);
        self.bed.health.state
    }

    /// Up at first, then down and passing twice, so often; each takes five seconds.
    fn after_falls(count: u64) -> Self {
        let mut bed = Self::new();
        assert_eq!(bed.probe(0, true), State::Up);
        for fall in 0..count {
            let begin = 100 * fall;
            assert_eq!(bed.probe(begin + 1, false), State::Up);
            assert_eq!(bed.probe(begin + 2, false), State::Down);
            if fall + 1 < count {
                for second in 3..100 {
                    bed.probe(begin + second, true);
                }
                assert_eq!(bed.bed.health.state, State::Up, "after fall {fall}");
            }
        }
        bed
    }

    /// Passes each second until it is up: how many seconds after the second pass.
    fn returns_after(&mut self, from: u64) -> u64 {
        self.probe(from, true);
        (0..200).find(|second| self.probe(from + 1 + second, true) == State::Up).unwrap()
    }
}

#[test]
fn each_return_waits_twice_as_long_up_to_the_bound() {
    for (falls, wait) in [(1, 0), (2, 10), (3, 20), (4, 40), (5, 60), (6, 60)] {
        let mut bed = DampedTestBed::after_falls(falls);
        assert_eq!(bed.returns_after(100 * falls), wait, "{falls} falls");
    }
}

#[test]
fn falls_of_before_the_window_do_not_count() {
    let mut bed = DampedTestBed::after_falls(2);
    // Falls began at seconds 1 and 101; the second pass is the moment that counts.
    assert_eq!(bed.returns_after(601), 0, "the first one is 601 s ago");
    let mut bed = DampedTestBed::after_falls(2);
    assert_eq!(bed.returns_after(600), 10, "the first one is 600 s ago");
}

#[test]
fn a_failure_begins_the_return_anew_and_is_no_fall() {
    let mut bed = DampedTestBed::after_falls(2);
    for second in 200..209 {
        assert_eq!(bed.probe(second, true), State::Down);
    }
    assert_eq!(bed.probe(209, false), State::Down);
    assert_eq!(bed.last.damped, Some(None), "it does not wait meanwhile");
    assert_eq!(bed.returns_after(210), 10);
}

#[test]
fn a_first_verdict_is_no_fall() {
    let mut bed = DampedTestBed::new();
    bed.bed = HealthTestBed::served(2, 2, true);
    bed.bed.timing.damping = Some(DAMPING);
    assert_eq!(bed.probe(1, false), State::Unknown, "VPP serves it");
    assert_eq!(bed.probe(2, false), State::Down);
    assert_eq!(bed.returns_after(3), 0);
    assert_eq!((bed.probe(5, false), bed.probe(6, false)), (State::Up, State::Down));
    assert_eq!(bed.returns_after(7), 0, "the first fall");
}

#[test]
fn the_wait_is_reported_and_the_next_probe_comes_when_it_ends() {
    let mut bed = DampedTestBed::after_falls(2);
    bed.probe(200, true);
    bed.probe(201, true);
    let damped = bed.last.damped.flatten().expect("its return waits");
    assert_eq!((damped.wait, damped.falls), (DAMPING.delay, 2));
    assert_eq!(damped.left(bed.start + Duration::from_secs(205)), Duration::from_secs(6));
    assert_eq!(bed.bed.wait(), bed.bed.timing.interval);
    bed.probe(206, true);
    bed.probe(208, true);
    assert_eq!(bed.bed.wait(), Duration::from_secs(3));
    assert_eq!(bed.probe(211, true), State::Up);
    assert_eq!(bed.bed.health.flaps.damped, None);
}

#[test]
fn an_operators_resume_ends_it_and_what_led_to_it() {
    let mut bed = DampedTestBed::after_falls(2);
    bed.probe(200, true);
    bed.probe(201, true);
    assert_eq!(bed.step(administer(Admin::Enabled)), State::Up);
    bed.probe(202, false);
    bed.probe(203, false);
    assert_eq!(bed.returns_after(204), 0, "the falls of before are forgotten");

    let mut bed = DampedTestBed::after_falls(2);
    assert_eq!(bed.step(administer(Admin::Enabled)), State::Down, "a dead one stays down");
    assert_eq!(bed.returns_after(204), 0);
}

#[test]
fn the_controller_ends_a_wait_and_nothing_else() {
    let mut bed = DampedTestBed::after_falls(2);
    let end = || HealthInput::EndDamping { why: "nobody else is up".into() };
    assert_eq!(bed.step(end()), State::Down, "it does not pass yet");
    bed.probe(200, true);
    bed.probe(201, true);
    assert_eq!(bed.step(end()), State::Up);
}

#[test]
fn a_peer_that_returns_does_not_hasten_a_return_that_waits() {
    let mut bed = DampedTestBed::after_falls(2);
    bed.probe(200, true);
    bed.probe(201, true);
    let planned = bed.bed.waiting;
    bed.step(HealthInput::PeerChanged(State::Up));
    assert_eq!(bed.bed.waiting, planned);
}

/// Up or not after each result, by the definition of the module, from all results.
fn by_definition(
    damping: &FlapDamping,
    rise: usize,
    fall: usize,
    results: &[(u64, bool)],
) -> Vec<bool> {
    let window = damping.window.as_secs();
    let mut falls: Vec<u64> = Vec::new();
    let mut states: Vec<bool> = Vec::new();
    for (index, &(now, passed)) in results.iter().enumerate() {
        let was_up = states.last().copied();
        let run = results[..=index].iter().rev().take_while(|(_, it)| *it == passed).count();
        let first_of_run = index + 1 - run;
        let is_up = match was_up {
            None => passed,
            Some(true) if !passed && run >= fall => {
                falls.push(results[first_of_run].0);
                false
            }
            Some(false) if passed && run >= rise => {
                // A run that began while it was up did not bring it up.
                let risen = results[first_of_run + rise - 1].0;
                let counting = falls.iter().filter(|at| risen - **at <= window).count();
                let doubled = 2u64.pow(counting.saturating_sub(2).try_into().unwrap());
                let wait = (damping.delay.as_secs() * doubled).min(damping.max_delay.as_secs());
                now - risen >= if counting < 2 { 0 } else { wait }
            }
            Some(same) => same,
        };
        states.push(is_up);
    }
    states
}

proptest! {
    #[test]
    fn damping_is_as_defined(
        rise in 1u32..4, fall in 1u32..4,
        (window, delay, most) in (1u64..300, 1u64..30, 30u64..120),
        results in prop::collection::vec((1u64..20, prop::bool::weighted(0.6)), 1..80),
    ) {
        let seconds = Duration::from_secs;
        let damping = FlapDamping { window: seconds(window), delay: seconds(delay), max_delay: seconds(most) };
        let mut now = 0;
        let results: Vec<_> = results
            .into_iter()
            .map(|(after, passed)| {
                now += after;
                (now, passed)
            })
            .collect();
        let expected = by_definition(&damping, rise as usize, fall as usize, &results);
        let mut bed = DampedTestBed::new();
        bed.bed = HealthTestBed::new(rise, fall);
        bed.bed.timing.damping = Some(damping);
        for ((second, passed), expected) in results.into_iter().zip(expected) {
            let state = bed.probe(second, passed);
            prop_assert_eq!(state == State::Up, expected, "at {}", second);
        }
    }

    /// Whatever is configured: without it nobody returns later, and with it nobody is
    /// up who would not be without.
    #[test]
    fn damping_only_keeps_out(
        delay in 1u64..30,
        results in prop::collection::vec((1u64..20, any::<bool>()), 1..60),
    ) {
        let mut damped = DampedTestBed::new();
        damped.bed.timing.damping =
            Some(FlapDamping { delay: Duration::from_secs(delay), ..DAMPING });
        let mut plain = DampedTestBed::new();
        plain.bed.timing.damping = None;
        let mut second = 0;
        for (after, passed) in results {
            second += after;
            let up = damped.probe(second, passed) == State::Up;
            prop_assert!(plain.probe(second, passed) == State::Up || !up);
        }
    }
}
