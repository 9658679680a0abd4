//! Tests verdicts that need a witness.

use super::*;
use crate::domain::health::doubt::{DoubtKind, Judgement};

/// A backend that is up, and whose probes end one second after one another.
struct DoubtTestBed {
    bed: HealthTestBed,
    start: Instant,
    /// Seconds since the start.
    now: u64,
}

/// What another backend did, as a probe's judge knows it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Other {
    Silent,
    /// It passed before this probe began.
    Passed,
    /// It passed while this probe ran.
    PassedMeanwhile,
}

impl DoubtTestBed {
    fn up(rise: u32, fall: u32) -> Self {
        let mut bed = HealthTestBed::new(rise, fall);
        bed.result(true);
        assert_eq!(bed.health.state, State::Up);
        Self { bed, start: Instant::now(), now: 0 }
    }

    fn at(&self, tenths: u64) -> Instant {
        self.start + Duration::from_millis(tenths * 100)
    }

    /// The result of a probe that takes half a second, a second after the last one.
    fn probe(&mut self, code: ResultCode, other: Other) -> HealthEffects {
        self.now += 10;
        let ended = self.at(self.now);
        let witness = match other {
            Other::Silent => Witness::default(),
            Other::Passed => {
                let began = Some(self.at(self.now - 6));
                Witness { before: began, latest: began }
            }
            Other::PassedMeanwhile => Witness { before: None, latest: Some(self.at(self.now - 4)) },
        };
        let run = self.bed.start_probe();
        self.bed.probing = None;
        let (took, result) = (Duration::from_millis(500), ProbeResult::new(code, "it"));
        self.step(HealthInput::ProbeDone { run, result, took, ended, witness })
    }

    fn step(&mut self, input: HealthInput) -> HealthEffects {
        let timing = self.bed.timing;
        let (_, effects) = step(Some(&timing), self.bed.health.clone(), input.clone(), NO_JITTER);
        self.bed.step(input);
        effects
    }

    fn judged(&mut self, judgement: Judgement) {
        let id = self.bed.health.doubt.as_ref().expect("a doubt").id;
        self.step(HealthInput::Judged(id, judgement));
    }

    fn hold(&mut self) {
        self.judged(Judgement::Unwitnessed(self.at(self.now)));
        assert!(matches!(self.kind(), Some(DoubtKind::Held { .. })));
    }

    fn kind(&self) -> Option<DoubtKind> {
        self.bed.health.doubt.as_ref().map(|doubt| doubt.kind)
    }

    fn state(&self) -> State {
        self.bed.health.state
    }
}

const SILENT: ResultCode = ResultCode::L4Timeout;
const ANSWERED: ResultCode = ResultCode::L7Status;

#[test]
fn a_witness_between_the_first_failure_and_the_deciding_one_is_enough() {
    for (other, expected) in [
        (Other::Passed, State::Down),
        // The way may have come back only then: what was lost before proves nothing.
        (Other::PassedMeanwhile, State::Up),
        (Other::Silent, State::Up),
    ] {
        let mut bed = DoubtTestBed::up(2, 2);
        bed.probe(SILENT, Other::Silent);
        assert_eq!((bed.state(), bed.kind()), (State::Up, None));
        bed.probe(SILENT, other);
        assert_eq!(bed.state(), expected, "{other:?}");
        assert_eq!(bed.kind().is_some(), expected == State::Up, "{other:?}");
    }
}

#[test]
fn where_one_failure_decides_the_witness_passes_meanwhile() {
    for (other, expected) in [
        (Other::PassedMeanwhile, State::Down),
        (Other::Passed, State::Up),
        (Other::Silent, State::Up),
    ] {
        let mut bed = DoubtTestBed::up(2, 1);
        bed.probe(SILENT, other);
        assert_eq!(bed.state(), expected, "{other:?}");
    }
}

#[test]
fn a_server_that_answered_with_an_error_is_down_once_somebody_passes() {
    let mut bed = DoubtTestBed::up(2, 1);
    bed.probe(ANSWERED, Other::Silent);
    bed.judged(Judgement::Witnessed);
    assert_eq!((bed.state(), bed.kind()), (State::Down, None));
    assert_eq!(bed.bed.wait(), Duration::from_secs(30));
}

#[test]
fn a_server_that_was_silent_is_probed_again_once_somebody_passes() {
    for (code, expected) in [(SILENT, State::Down), (ResultCode::L4Ok, State::Up)] {
        let mut bed = DoubtTestBed::up(2, 1);
        bed.probe(SILENT, Other::Silent);
        bed.judged(Judgement::Witnessed);
        assert_eq!((bed.state(), bed.bed.wait()), (State::Up, Duration::ZERO));
        bed.probe(code, Other::Passed);
        assert_eq!((bed.state(), bed.kind()), (expected, None));
    }
}

#[test]
fn a_hold_ends_with_a_pass_of_another_and_failures_count_anew() {
    let mut bed = DoubtTestBed::up(2, 3);
    for _ in 0..3 {
        bed.probe(SILENT, Other::Silent);
    }
    bed.hold();
    bed.probe(SILENT, Other::Silent);
    bed.judged(Judgement::Witnessed);
    assert_eq!((bed.state(), bed.kind(), bed.bed.health.counter), (State::Up, None, 4));
    for expected in [State::Up, State::Up, State::Down] {
        bed.probe(SILENT, Other::Passed);
        assert_eq!(bed.state(), expected);
    }
}

#[test]
fn a_hold_ends_with_a_pass_that_its_own_thread_knows_of() {
    let mut bed = DoubtTestBed::up(2, 2);
    bed.probe(SILENT, Other::Silent);
    bed.probe(SILENT, Other::Silent);
    bed.hold();
    // This failure is the first of another streak.
    bed.probe(SILENT, Other::Passed);
    assert_eq!((bed.state(), bed.kind()), (State::Up, None));
    bed.probe(SILENT, Other::Passed);
    assert_eq!(bed.state(), State::Down);
}

#[test]
fn the_limit_ends_a_doubt_of_either_kind() {
    for is_held in [false, true] {
        let mut bed = DoubtTestBed::up(2, 1);
        bed.probe(SILENT, Other::Silent);
        if is_held {
            bed.hold();
        }
        bed.judged(Judgement::Believed);
        assert_eq!((bed.state(), bed.kind()), (State::Down, None));
    }
}

#[test]
fn the_first_failure_asks_ahead_unless_somebody_passed_lately() {
    for (other, asks) in [(Other::Silent, true), (Other::Passed, false)] {
        let mut bed = DoubtTestBed::up(2, 3);
        let first = bed.probe(SILENT, other).ask;
        assert_eq!(first, asks.then(|| bed.at(bed.now)), "{other:?}");
        assert_eq!(bed.probe(SILENT, Other::Silent).ask, None);
    }
}

#[test]
fn a_failure_as_anothers_witness_does_not_count() {
    let mut bed = DoubtTestBed::up(2, 1);
    bed.step(HealthInput::ProbeNow);
    assert_eq!(bed.bed.wait(), Duration::ZERO);
    bed.probe(SILENT, Other::PassedMeanwhile);
    assert_eq!((bed.state(), bed.bed.health.counter), (State::Up, 2));
    assert_eq!(bed.bed.wait(), Duration::from_millis(500), "it is looked at again soon");
    bed.probe(SILENT, Other::PassedMeanwhile);
    assert_eq!(bed.state(), State::Down);
}

#[test]
fn an_unknown_backend_that_vpp_serves_needs_a_witness_too() {
    let mut bed =
        DoubtTestBed { bed: HealthTestBed::served(2, 2, true), start: Instant::now(), now: 0 };
    bed.probe(SILENT, Other::Silent);
    bed.probe(SILENT, Other::Silent);
    assert_eq!(bed.state(), State::Unknown);
    assert!(bed.kind().is_some());
    bed.judged(Judgement::Believed);
    assert_eq!(bed.state(), State::Down);
}

proptest! {
    /// What this machine could not probe changes no verdict, wherever it happens.
    #[test]
    fn a_probe_that_could_not_be_sent_counts_for_nothing(
        rise in 1u32..5, fall in 1u32..5,
        results in prop::collection::vec((any::<bool>(), any::<bool>()), 1..60),
    ) {
        let (mut with, mut without) = (HealthTestBed::new(rise, fall), HealthTestBed::new(rise, fall));
        for (passed, is_preceded) in results {
            if is_preceded {
                let run = with.start_probe();
                with.probing = None;
                let result = ProbeResult::new(ResultCode::SocketError, "no descriptors");
                with.step(result_of(run, result, Duration::ZERO));
            }
            with.result(passed);
            without.result(passed);
            prop_assert_eq!(with.health.state, without.health.state);
            prop_assert_eq!(with.health.counter, without.health.counter);
        }
    }

    /// Without a witness nothing goes down, whatever fails and however often.
    #[test]
    fn without_a_witness_nothing_goes_down(
        rise in 1u32..5, fall in 1u32..5, served: bool,
        results in prop::collection::vec(0u8..4, 1..60),
    ) {
        let mut bed = match served {
            false => DoubtTestBed::up(rise, fall),
            true => DoubtTestBed {
                bed: HealthTestBed::served(rise, fall, true), start: Instant::now(), now: 0,
            },
        };
        for result in results {
            match result {
                0 => { bed.probe(ResultCode::L4Ok, Other::Silent); }
                1 => { bed.probe(ANSWERED, Other::Silent); }
                2 => { bed.probe(SILENT, Other::Silent); }
                _ => if matches!(bed.kind(), Some(DoubtKind::Asking { .. })) { bed.hold() },
            }
            prop_assert!(matches!(bed.state(), State::Up | State::Unknown));
        }
    }
}
