//! What is run when, on a clock of the test's own.

use proptest::prelude::*;

use super::super::placement::RoutePlacement::{Announced, Drained};
use super::*;

const INTERVAL: Duration = Duration::from_secs(15);

/// A loop with its clock, and the run and the timer that it asked for last.
struct LoopBed {
    driver: DriverLoop,
    now: Instant,
    running: Option<Option<WantedRoutes>>,
    timer: Option<Instant>,
    runs: usize,
}

impl LoopBed {
    fn new() -> Self {
        let now = Instant::now();
        let driver = DriverLoop::new(INTERVAL, now);
        Self { driver, now, running: None, timer: None, runs: 0 }
    }

    fn send(&mut self, input: LoopInput) {
        for effect in self.driver.step(input, self.now) {
            let run = match effect {
                LoopEffect::SetTimer(at) => {
                    assert!(at >= self.now, "a time that is over");
                    self.timer = Some(at);
                    continue;
                }
                LoopEffect::Read => None,
                LoopEffect::Apply(wanted) => Some((*wanted).clone()),
            };
            assert!(self.running.is_none(), "two runs at a time");
            self.running = Some(run);
            self.runs += 1;
        }
    }

    fn end(&mut self, outcome: RunOutcome) -> Option<WantedRoutes> {
        let run = self.running.take().expect("no run is under way");
        self.send(LoopInput::RunEnded { outcome, chance: 1.0 });
        run
    }

    /// Lets the time pass until the timer fires.
    fn fire(&mut self) -> Duration {
        let at = self.timer.take().expect("no timer is set");
        let passed = at - self.now;
        self.now = at;
        self.send(LoopInput::TimerFired);
        passed
    }
}

fn wanted(drained: bool) -> WantedRoutes {
    let placement = if drained { Drained } else { Announced };
    [("192.0.2.1/32".parse().unwrap(), placement)].into()
}

#[test]
fn before_a_set_is_wanted_it_only_reads() {
    let mut bed = LoopBed::new();
    bed.send(LoopInput::Started);
    assert_eq!(bed.end(RunOutcome::Complete), None);
    bed.fire();
    assert_eq!(bed.end(RunOutcome::Complete), None);
    bed.send(LoopInput::WantedReplaced(wanted(false)));
    assert_eq!(bed.end(RunOutcome::Complete), Some(wanted(false)));
}

#[test]
fn what_comes_during_a_run_costs_one_more_with_the_newest_set() {
    let mut bed = LoopBed::new();
    bed.send(LoopInput::Started);
    bed.send(LoopInput::WantedReplaced(wanted(false)));
    bed.send(LoopInput::Changed);
    bed.send(LoopInput::WantedReplaced(wanted(true)));
    assert_eq!((bed.end(RunOutcome::Complete), bed.runs), (None, 2));
    assert_eq!(bed.end(RunOutcome::Complete), Some(wanted(true)));
    assert_eq!((bed.running.take(), bed.runs), (None, 2));
}

#[test]
fn an_equal_set_is_no_cause() {
    let mut bed = LoopBed::new();
    bed.send(LoopInput::WantedReplaced(wanted(false)));
    bed.end(RunOutcome::Complete);
    bed.send(LoopInput::WantedReplaced(wanted(false)));
    assert_eq!(bed.running, None);
}

#[test]
fn failures_are_tried_again_after_growing_pauses() {
    let mut bed = LoopBed::new();
    bed.send(LoopInput::WantedReplaced(wanted(false)));
    let mut pauses = Vec::new();
    for _ in 0..8 {
        bed.end(RunOutcome::Incomplete);
        pauses.push(bed.fire().as_millis());
    }
    assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    bed.end(RunOutcome::Complete);
    assert_eq!(bed.fire(), INTERVAL);
    bed.end(RunOutcome::Unread);
    assert_eq!(bed.fire(), FIRST_RETRY);
}

#[test]
fn another_set_does_not_wait_for_the_pause() {
    let mut bed = LoopBed::new();
    bed.send(LoopInput::WantedReplaced(wanted(false)));
    bed.end(RunOutcome::Unread);
    bed.send(LoopInput::WantedReplaced(wanted(true)));
    assert_eq!(bed.running, Some(Some(wanted(true))));
}

#[test]
fn a_change_is_read_at_once_and_many_are_read_seldom() {
    let mut bed = LoopBed::new();
    bed.send(LoopInput::Started);
    bed.end(RunOutcome::Complete);
    bed.now += Duration::from_secs(1);
    bed.send(LoopInput::Changed);
    assert_eq!(bed.end(RunOutcome::Complete), None);
    bed.send(LoopInput::Changed);
    assert_eq!(bed.running, None);
    assert_eq!(bed.fire(), CHANGE_PAUSE);
    assert_eq!(bed.running, Some(None));
    bed.send(LoopInput::Changed);
    bed.end(RunOutcome::Complete);
    assert_eq!(bed.fire(), CHANGE_PAUSE);
}

#[test]
fn the_age_of_the_last_read_is_known() {
    let mut bed = LoopBed::new();
    assert_eq!(bed.driver.since_good_read(bed.now), None);
    bed.send(LoopInput::Started);
    bed.end(RunOutcome::Incomplete);
    bed.now += Duration::from_secs(3);
    assert_eq!(bed.driver.since_good_read(bed.now), Some(Duration::from_secs(3)));
    bed.send(LoopInput::Changed);
    bed.end(RunOutcome::Unread);
    assert_eq!(bed.driver.since_good_read(bed.now), Some(Duration::from_secs(3)));
}

#[derive(Clone, Copy, Debug)]
enum Move {
    Want(bool),
    Change,
    End(RunOutcome),
    Fire,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        any::<bool>().prop_map(Move::Want),
        Just(Move::Change),
        Just(Move::End(RunOutcome::Complete)),
        Just(Move::End(RunOutcome::Incomplete)),
        Just(Move::End(RunOutcome::Unread)),
        Just(Move::Fire),
    ];
    proptest::collection::vec(one, 0..60)
}

proptest! {
    /// The bed asserts that there is one run at a time.
    #[test]
    fn the_newest_set_is_applied_in_the_end(moves in moves()) {
        let mut bed = LoopBed::new();
        bed.send(LoopInput::Started);
        let (mut newest, mut applied) = (None, None);
        for one in moves {
            match one {
                Move::Want(drained) => {
                    newest = Some(wanted(drained));
                    bed.send(LoopInput::WantedReplaced(wanted(drained)));
                }
                Move::Change => bed.send(LoopInput::Changed),
                Move::End(outcome) if bed.running.is_some() => applied = bed.end(outcome),
                Move::Fire if bed.timer.is_some() => { bed.fire(); }
                Move::End(_) | Move::Fire => {}
            }
            // It never stops.
            prop_assert!(bed.running.is_some() || bed.timer.is_some());
        }
        while bed.running.is_some() {
            applied = bed.end(RunOutcome::Complete);
        }
        prop_assert_eq!(applied, newest);
        let next = bed.fire();
        prop_assert!(next <= INTERVAL);
        prop_assert!(bed.running.is_some());
    }
}
