use std::num::NonZeroU32;

use proptest::prelude::*;

use super::*;
use crate::domain::health::probe_result::ResultCode;

const NO_JITTER: f64 = 0.5;

fn timing(rise: u32, fall: u32) -> Timing {
    let seconds = Duration::from_secs;
    Timing {
        interval: seconds(5),
        fast_interval: seconds(1),
        down_interval: seconds(30),
        timeout: seconds(2),
        rise: NonZeroU32::new(rise).unwrap(),
        fall: NonZeroU32::new(fall).unwrap(),
    }
}

/// A machine with the wait or probe that it asked for.
struct HealthTestBed {
    timing: Timing,
    health: Health,
    waiting: Option<(Run, Duration)>,
    probing: Option<Run>,
    told: Vec<(State, State)>,
}

impl HealthTestBed {
    fn new(rise: u32, fall: u32) -> Self {
        let timing = timing(rise, fall);
        let health = Health::new(Some(&timing), Admin::Enabled);
        let mut bench = Self { timing, health, waiting: None, probing: None, told: vec![] };
        bench.feed(HealthInput::Start { within: timing.interval });
        bench
    }

    fn feed(&mut self, input: HealthInput) {
        let (health, effects) = step(Some(&self.timing), self.health.clone(), input, NO_JITTER);
        self.health = health;
        if effects.cancel {
            (self.waiting, self.probing) = (None, None);
        }
        self.told.extend(effects.change.map(|change| (change.from, change.to)));
        let idle = self.probing.is_none() && self.waiting.is_none();
        assert!(idle || effects.next.is_none(), "two at a time");
        match effects.next {
            Some(NextProbe::Wait(run, delay)) => self.waiting = Some((run, delay)),
            Some(NextProbe::Probe(run)) => self.probing = Some(run),
            None => {}
        }
    }

    fn start_probe(&mut self) -> Run {
        let (run, _) = self.waiting.take().expect("a probe is planned");
        self.feed(HealthInput::Due(run));
        self.probing.expect("the probe has started")
    }

    fn result(&mut self, passed: bool) {
        let run = self.start_probe();
        self.probing = None;
        self.feed(found(run, passed));
    }

    fn wait(&self) -> Duration {
        self.waiting.expect("a probe is planned").1
    }
}

fn found(run: Run, passed: bool) -> HealthInput {
    let code = if passed { ResultCode::L4Ok } else { ResultCode::L4Timeout };
    HealthInput::Found { run, result: ProbeResult::new(code, ""), took: Duration::ZERO }
}

fn administer(admin: Admin) -> HealthInput {
    HealthInput::Administer { admin, why: "operator".into() }
}

/// `+` and `-` are results; the answer has the state after each: `U`p, `D`own.
fn verdicts(rise: u32, fall: u32, results: &str) -> String {
    let mut bench = HealthTestBed::new(rise, fall);
    results
        .chars()
        .map(|result| {
            bench.result(result == '+');
            if bench.health.state == State::Up { 'U' } else { 'D' }
        })
        .collect()
}

#[test]
fn rise_and_fall_are_consecutive() {
    for (rise, fall, results, expected) in [
        (2, 3, "+-+----++-++", "UUUUUDDDUUUU"),
        (1, 1, "+-+-", "UDUD"),
        (3, 2, "-++-+++--", "DDDDDDUUD"),
        (2, 3, "-", "D"),
        (2, 3, "+--+--+---", "UUUUUUUUUD"),
    ] {
        assert_eq!(verdicts(rise, fall, results), expected, "rise {rise} fall {fall} {results}");
    }
}

#[test]
fn the_interval_follows_the_counter() {
    let mut bench = HealthTestBed::new(2, 2);
    bench.result(true);
    assert_eq!(bench.wait(), Duration::from_secs(5), "top");
    bench.result(false);
    assert_eq!(bench.wait(), Duration::from_secs(1), "falling");
    bench.result(false);
    assert_eq!(bench.wait(), Duration::from_secs(30), "bottom");
    bench.result(true);
    assert_eq!(bench.wait(), Duration::from_secs(1), "rising");
}

#[test]
fn the_interval_counts_from_the_start_of_the_probe() {
    let mut bench = HealthTestBed::new(1, 1);
    for (took, wait) in [(2, 3), (9, 0)] {
        let run = bench.start_probe();
        bench.probing = None;
        let result = ProbeResult::new(ResultCode::L4Ok, "");
        bench.feed(HealthInput::Found { run, result, took: Duration::from_secs(took) });
        assert_eq!(bench.wait(), Duration::from_secs(wait));
    }
}

#[test]
fn first_probes_are_spread_over_one_interval_and_later_ones_by_a_tenth() {
    let timing = timing(2, 3);
    let wait = |input, chance| {
        let mut health = Health::new(Some(&timing), Admin::Enabled);
        if let HealthInput::Found { .. } = input {
            (health.state, health.counter, health.probing) = (State::Up, 4, true);
        }
        match step(Some(&timing), health, input, chance).1 {
            HealthEffects { cancel: false, change: None, next: Some(NextProbe::Wait(_, wait)) } => {
                wait
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(wait(HealthInput::Start { within: timing.interval }, 0.0), Duration::ZERO);
    assert_eq!(wait(HealthInput::Start { within: timing.interval }, 1.0), timing.interval);
    assert_eq!(wait(found(Run(0), true), 0.0), Duration::from_millis(4500));
    assert_eq!(wait(found(Run(0), true), 1.0), Duration::from_millis(5500));
}

#[test]
fn pause_stops_probing_at_once_and_resume_starts_from_unknown() {
    let mut bench = HealthTestBed::new(2, 3);
    bench.result(true);
    let run = bench.start_probe();
    bench.feed(administer(Admin::Paused));
    assert_eq!((bench.waiting, bench.probing), (None, None));
    bench.feed(found(run, false));
    assert_eq!(bench.health.state, State::Paused, "the result of a cancelled probe is ignored");
    bench.feed(administer(Admin::Enabled));
    assert_eq!(bench.wait(), Duration::ZERO);
    bench.result(true);
    let expected = [
        (State::Unknown, State::Up),
        (State::Up, State::Paused),
        (State::Paused, State::Unknown),
        (State::Unknown, State::Up),
    ];
    assert_eq!(bench.told, expected);
}

#[test]
fn a_changed_check_keeps_the_verdict() {
    let mut bench = HealthTestBed::new(2, 3);
    bench.result(true);
    bench.timing = timing(4, 1);
    bench.feed(HealthInput::CheckChanged);
    assert_eq!((bench.health.state, bench.health.counter), (State::Up, 4));
    assert_eq!(bench.told.len(), 1);
    bench.result(false);
    assert_eq!(bench.health.state, State::Down);
}

#[test]
fn without_a_check_a_backend_is_up_whenever_it_is_enabled() {
    let health = Health::new(None, Admin::Enabled);
    assert_eq!(health.state, State::Up);
    let (health, effects) =
        step(None, health, HealthInput::Start { within: Duration::ZERO }, NO_JITTER);
    assert_eq!(effects, HealthEffects::default());
    let (health, _) = step(None, health, administer(Admin::Disabled), NO_JITTER);
    assert_eq!(health.state, State::Disabled);
    let (health, effects) = step(None, health, administer(Admin::Enabled), NO_JITTER);
    assert_eq!(health.state, State::Up);
    assert!(
        matches!(effects, HealthEffects { cancel: true, change: Some(_), next: None }),
        "{effects:?}"
    );
}

proptest! {
    /// Against the definition: up after `rise` passes in a row, down after
    /// `fall` failures in a row, and otherwise as before.
    #[test]
    fn a_flip_needs_its_full_streak(
        rise in 1u32..6, fall in 1u32..6, results in prop::collection::vec(any::<bool>(), 1..60),
    ) {
        let mut bench = HealthTestBed::new(rise, fall);
        let mut up = None;
        let mut streak = (false, 0);
        for passed in results {
            streak = if streak.0 == passed { (passed, streak.1 + 1) } else { (passed, 1) };
            up = match up {
                None => Some(passed),
                Some(true) if !passed && streak.1 >= fall => Some(false),
                Some(false) if passed && streak.1 >= rise => Some(true),
                same => same,
            };
            bench.result(passed);
            prop_assert_eq!(bench.health.state == State::Up, up == Some(true));
            prop_assert!(bench.health.counter < rise + fall);
        }
    }

    /// Any order of inputs, stale ones included: one probe at a time (`HealthTestBed`
    /// checks it), transitions that join up, and a plan to go on while probed.
    #[test]
    fn no_order_of_events_confuses_it(inputs in prop::collection::vec(0u8..8, 1..80)) {
        let mut bench = HealthTestBed::new(2, 3);
        let mut stale = vec![Run(0)];
        for input in inputs {
            let old = stale[usize::from(input) % stale.len()];
            match input {
                0 | 1 => if bench.waiting.is_some() { stale.push(bench.start_probe()) },
                2 | 3 => if let Some(run) = bench.probing.take() { bench.feed(found(run, input == 2)) },
                4 => bench.feed(administer(Admin::Paused)),
                5 => bench.feed(administer(Admin::Enabled)),
                6 => bench.feed(HealthInput::CheckChanged),
                _ => if bench.probing != Some(old) {
                    let before = bench.health.clone();
                    bench.feed(found(old, false));
                    prop_assert_eq!(&bench.health, &before);
                },
            }
            let under_way = bench.waiting.is_some() || bench.probing.is_some();
            prop_assert_eq!(under_way, is_probed(bench.health.state));
        }
        let mut state = State::Unknown;
        for (from, to) in bench.told {
            prop_assert!(from == state && to != from);
            state = to;
        }
    }
}
