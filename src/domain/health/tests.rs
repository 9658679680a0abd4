//! Tests the rise/fall state machine.

mod damping;
mod evidence;
mod peers;
mod served;

use std::num::NonZeroU32;
use std::time::Instant;

use proptest::prelude::*;

use super::*;
use crate::domain::evidence::passes::Witness;
use crate::domain::health::probe_result::ProbeResult;
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
        damping: None,
    }
}

/// A state machine with the wait or the probe that it has requested.
struct HealthTestBed {
    timing: Timing,
    health: Health,
    waiting: Option<(RunId, Duration)>,
    probing: Option<RunId>,
    transitions: Vec<(State, State)>,
}

impl HealthTestBed {
    fn new(rise: u32, fall: u32) -> Self {
        Self::served(rise, fall, false)
    }

    fn served(rise: u32, fall: u32, served: bool) -> Self {
        let timing = timing(rise, fall);
        let health = Health::new(Some(&timing), Admin::Enabled, served);
        let mut bed = Self { timing, health, waiting: None, probing: None, transitions: vec![] };
        bed.step(HealthInput::Start { within: timing.interval });
        bed
    }

    fn step(&mut self, input: HealthInput) {
        let (health, effects) = step(Some(&self.timing), self.health.clone(), input, NO_JITTER);
        self.health = health;
        if effects.cancel {
            (self.waiting, self.probing) = (None, None);
        }
        self.transitions.extend(effects.change.map(|change| (change.from, change.to)));
        let idle = self.probing.is_none() && self.waiting.is_none();
        assert!(idle || effects.next.is_none(), "two waits or probes at a time");
        match effects.next {
            Some(NextProbe::Wait(run, delay)) => self.waiting = Some((run, delay)),
            Some(NextProbe::Probe(run)) => self.probing = Some(run),
            None => {}
        }
    }

    fn start_probe(&mut self) -> RunId {
        let (run, _) = self.waiting.take().expect("a probe is planned");
        self.step(HealthInput::Due(run));
        self.probing.expect("the probe has started")
    }

    fn result(&mut self, passed: bool) {
        let run = self.start_probe();
        self.probing = None;
        self.step(found(run, passed));
    }

    fn wait(&self) -> Duration {
        self.waiting.expect("a probe is planned").1
    }
}

fn found(run: RunId, passed: bool) -> HealthInput {
    let code = if passed { ResultCode::L4Ok } else { ResultCode::L4Timeout };
    result_of(run, ProbeResult::new(code, ""), Duration::ZERO)
}

/// A result, with other backends that pass all the time.
fn result_of(run: RunId, result: ProbeResult, took: Duration) -> HealthInput {
    let ended = Instant::now() + took;
    let witness = Witness { before: Some(ended), latest: Some(ended) };
    HealthInput::ProbeDone { run, result, took, ended, witness }
}

fn administer(admin: Admin) -> HealthInput {
    HealthInput::Administer { admin, why: "operator".into(), within: Duration::ZERO }
}

/// The state after each of `results`, `U`p or `D`own; `+` is a passed probe and `-` a
/// failed one.
fn verdicts(rise: u32, fall: u32, results: &str) -> String {
    let mut bed = HealthTestBed::new(rise, fall);
    results
        .chars()
        .map(|result| {
            bed.result(result == '+');
            if bed.health.state == State::Up { 'U' } else { 'D' }
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
    let mut bed = HealthTestBed::new(2, 2);
    bed.result(true);
    assert_eq!(bed.wait(), Duration::from_secs(5), "top");
    bed.result(false);
    assert_eq!(bed.wait(), Duration::from_secs(1), "falling");
    bed.result(false);
    assert_eq!(bed.wait(), Duration::from_secs(30), "bottom");
    bed.result(true);
    assert_eq!(bed.wait(), Duration::from_secs(1), "rising");
}

#[test]
fn the_interval_counts_from_the_start_of_the_probe() {
    let mut bed = HealthTestBed::new(1, 1);
    for (took, wait) in [(2, 3), (9, 0)] {
        let run = bed.start_probe();
        bed.probing = None;
        let result = ProbeResult::new(ResultCode::L4Ok, "");
        bed.step(result_of(run, result, Duration::from_secs(took)));
        assert_eq!(bed.wait(), Duration::from_secs(wait));
    }
}

#[test]
fn first_probes_are_spread_over_one_interval_and_later_ones_by_a_tenth() {
    let timing = timing(2, 3);
    let wait = |input, chance| {
        let mut health = Health::new(Some(&timing), Admin::Enabled, false);
        if let HealthInput::ProbeDone { .. } = input {
            (health.state, health.counter, health.probing) = (State::Up, 4, true);
        }
        match step(Some(&timing), health, input, chance).1 {
            HealthEffects {
                cancel: false,
                change: None,
                next: Some(NextProbe::Wait(_, wait)),
                ..
            } => wait,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(wait(HealthInput::Start { within: timing.interval }, 0.0), Duration::ZERO);
    assert_eq!(wait(HealthInput::Start { within: timing.interval }, 1.0), timing.interval);
    assert_eq!(wait(found(RunId(0), true), 0.0), Duration::from_millis(4500));
    assert_eq!(wait(found(RunId(0), true), 1.0), Duration::from_millis(5500));
}

#[test]
fn probes_after_a_change_of_many_backends_are_spread_over_one_interval() {
    let timing = timing(2, 3);
    let wait = |state, input: HealthInput, chance| {
        let health = Health { state, ..Health::new(Some(&timing), Admin::Enabled, false) };
        match step(Some(&timing), health, input, chance).1.next {
            Some(NextProbe::Wait(_, wait)) => wait,
            other => panic!("{other:?}"),
        }
    };
    let enabled =
        |within| HealthInput::Administer { admin: Admin::Enabled, why: "".into(), within };
    for (chance, part) in [(0.0, 0), (0.25, 1), (0.5, 2), (1.0, 4)] {
        for state in [State::Unknown, State::Up, State::Down] {
            let expected = timing.fast_interval / 4 * part;
            assert_eq!(wait(state, HealthInput::CheckChanged, chance), expected, "{state}");
        }
        let expected = timing.interval / 4 * part;
        assert_eq!(wait(State::Disabled, enabled(timing.interval), chance), expected);
        assert_eq!(wait(State::Paused, enabled(Duration::ZERO), chance), Duration::ZERO);
    }
}

#[test]
fn pause_stops_probing_at_once_and_resume_starts_from_unknown() {
    let mut bed = HealthTestBed::new(2, 3);
    bed.result(true);
    let run = bed.start_probe();
    bed.step(administer(Admin::Paused));
    assert_eq!((bed.waiting, bed.probing), (None, None));
    bed.step(found(run, false));
    assert_eq!(bed.health.state, State::Paused, "the result of a cancelled probe is ignored");
    bed.step(administer(Admin::Enabled));
    assert_eq!(bed.wait(), Duration::ZERO);
    bed.result(true);
    let expected = [
        (State::Unknown, State::Up),
        (State::Up, State::Paused),
        (State::Paused, State::Unknown),
        (State::Unknown, State::Up),
    ];
    assert_eq!(bed.transitions, expected);
}

#[test]
fn a_changed_check_keeps_the_verdict() {
    let mut bed = HealthTestBed::new(2, 3);
    bed.result(true);
    bed.timing = timing(4, 1);
    bed.step(HealthInput::CheckChanged);
    assert_eq!((bed.health.state, bed.health.counter), (State::Up, 4));
    assert_eq!(bed.transitions.len(), 1);
    bed.result(false);
    assert_eq!(bed.health.state, State::Down);
}

#[test]
fn without_a_check_a_backend_is_up_whenever_it_is_enabled() {
    let health = Health::new(None, Admin::Enabled, false);
    assert_eq!(health.state, State::Up);
    let (health, effects) =
        step(None, health, HealthInput::Start { within: Duration::ZERO }, NO_JITTER);
    assert_eq!(effects, HealthEffects::default());
    let (health, _) = step(None, health, administer(Admin::Disabled), NO_JITTER);
    assert_eq!(health.state, State::Disabled);
    let (health, effects) = step(None, health, administer(Admin::Enabled), NO_JITTER);
    assert_eq!(health.state, State::Up);
    assert!(
        matches!(effects, HealthEffects { cancel: true, change: Some(_), next: None, .. }),
        "{effects:?}"
    );
}

proptest! {
    /// Compares with the definition: up after `rise` passed probes in a row, down
    /// after `fall` failures in a row, otherwise unchanged.
    #[test]
    fn a_flip_needs_its_full_streak(
        rise in 1u32..6, fall in 1u32..6, results in prop::collection::vec(any::<bool>(), 1..60),
    ) {
        let mut bed = HealthTestBed::new(rise, fall);
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
            bed.result(passed);
            prop_assert_eq!(bed.health.state == State::Up, up == Some(true));
            prop_assert!(bed.health.counter < rise + fall);
        }
    }

    /// Whatever the inputs, stale ones included: at most one probe is in progress
    /// (asserted in `HealthTestBed`), each transition starts from the state of the
    /// one before, and a probed backend always has a wait or a probe.
    #[test]
    fn no_order_of_inputs_breaks_the_state_machine(
        inputs in prop::collection::vec(0u8..10, 1..80), served: bool,
    ) {
        let mut bed = HealthTestBed::served(2, 3, served);
        let mut stale = vec![RunId(0)];
        for input in inputs {
            let old = stale[usize::from(input) % stale.len()];
            match input {
                0 | 1 => if bed.waiting.is_some() { stale.push(bed.start_probe()) },
                2 | 3 => if let Some(run) = bed.probing.take() { bed.step(found(run, input == 2)) },
                4 => bed.step(administer(Admin::Paused)),
                5 => bed.step(administer(Admin::Enabled)),
                6 => bed.step(HealthInput::CheckChanged),
                7 => bed.step(HealthInput::Served(!bed.health.served)),
                8 => bed.step(HealthInput::PeerChanged(State::Down)),
                _ => if bed.probing != Some(old) {
                    let before = bed.health.clone();
                    bed.step(found(old, false));
                    prop_assert_eq!(&bed.health, &before);
                },
            }
            let in_progress = bed.waiting.is_some() || bed.probing.is_some();
            prop_assert_eq!(in_progress, is_probed(bed.health.state));
        }
        let mut state = State::Unknown;
        for (from, to) in bed.transitions {
            prop_assert!(from == state && to != from);
            state = to;
        }
    }
}
