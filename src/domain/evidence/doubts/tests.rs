//! Tests who is asked, and what follows.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::domain::config::WitnessAddress;
use crate::domain::resolution::IpFamily;

const GROUP: ProbeGroup = ProbeGroup { family: IpFamily::V4, source: None };
const LIMIT: Duration = Duration::from_secs(5);

/// The doubts of backends 1 to 6, and a record of what follows.
struct DoubtsTestBed {
    doubts: Doubts,
    start: Instant,
    /// Milliseconds since the start.
    now: u64,
    witnesses: usize,
    /// The question that was asked last, and how many have not answered yet.
    question: Option<(QuestionId, usize)>,
    asked: Vec<String>,
    timers: Vec<(DoubtTimer, Duration)>,
    judged: BTreeMap<BackendName, Vec<Judgement>>,
    holds: Vec<String>,
}

impl DoubtsTestBed {
    fn new(limit: Duration) -> Self {
        Self {
            doubts: Doubts::new(limit),
            start: Instant::now(),
            now: 0,
            witnesses: 0,
            question: None,
            asked: vec![],
            timers: vec![],
            judged: BTreeMap::new(),
            holds: vec![],
        }
    }

    fn at(&self, millis: u64) -> Instant {
        self.start + Duration::from_millis(millis)
    }

    fn moment(&self) -> Moment {
        let wall = SystemTime::UNIX_EPOCH + Duration::from_millis(self.now);
        Moment { monotonic: self.at(self.now), wall }
    }

    fn run(&mut self, act: impl FnOnce(&mut Doubts, &FindAskable<'_>, Moment) -> Vec<DoubtEffect>) {
        let moment = self.moment();
        let witness = WitnessAddress { address: [192, 0, 2, 1].into(), port: None };
        let witnesses = vec![witness; self.witnesses];
        let askable = |group, is_suspect: &dyn Fn(ProberId) -> bool| {
            assert_eq!(group, GROUP);
            let free = (1..=6).filter(|number| !is_suspect(ProberId(*number)));
            Askable { backends: free.map(name).take(2).collect(), witnesses: witnesses.clone() }
        };
        for effect in act(&mut self.doubts, &askable, moment) {
            match effect {
                DoubtEffect::Ask { question, since, whom, .. } => {
                    assert_eq!(since, moment.monotonic);
                    let names: Vec<_> = whom.backends.iter().map(ToString::to_string).collect();
                    self.question = Some((question, names.len() + whom.witnesses.len()));
                    self.asked.push(names.join(" "));
                }
                DoubtEffect::Order(DoubtOrder::Witness { backend, doubt, .. }) => {
                    if doubt.is_some() {
                        self.judged.entry(backend).or_default().push(Judgement::Witnessed);
                    }
                }
                DoubtEffect::Order(DoubtOrder::Judge { backend, judgement, .. }) => {
                    self.judged.entry(backend).or_default().push(judgement);
                }
                DoubtEffect::Order(DoubtOrder::SetTimer { timer, after, .. }) => {
                    self.timers.push((timer, after));
                }
                DoubtEffect::Began(_) => self.holds.push("began".into()),
                DoubtEffect::Ended { outcome, .. } => self.holds.push(outcome.as_str().into()),
            }
        }
    }

    fn suspect(&mut self, number: u64, suspicion: &Suspicion) {
        let backend = name(number);
        self.run(|doubts, askable, now| {
            doubts.suspect((GROUP, ProberId(number), &backend), suspicion, askable, now)
        });
    }

    /// The streak of this backend, which decides now, began at this time.
    fn asking(&mut self, number: u64, since: u64) {
        let kind = DoubtKind::Asking { since: self.at(since) };
        self.suspect(
            number,
            &Suspicion::Doubted(Doubt { id: DoubtId(number), kind, why: "L4TOUT".into() }),
        );
    }

    fn answer(&mut self, passed: Option<(u64, u64)>) {
        let Some((question, missing)) = self.question else { return };
        self.question = (missing > 1 && passed.is_none()).then_some((question, missing - 1));
        let passed = passed.map(|(number, began)| (ProberId(number), self.at(began)));
        self.run(|doubts, askable, now| doubts.answered(GROUP, question, passed, askable, now));
    }

    fn fire(&mut self, timer: DoubtTimer) {
        self.run(|doubts, askable, now| doubts.fired(GROUP, timer, askable, now));
    }

    fn limit_timer(&self) -> DoubtTimer {
        self.timers.iter().rev().find(|(_, after)| *after == LIMIT).expect("a limit").0
    }

    fn judgements(&self, number: u64) -> &[Judgement] {
        self.judged.get(&name(number)).map_or(&[], Vec::as_slice)
    }
}

fn name(number: u64) -> BackendName {
    format!("b{number}").as_str().into()
}

#[test]
fn two_others_are_asked_and_one_pass_is_a_witness() {
    let mut bed = DoubtsTestBed::new(LIMIT);
    bed.now = 100;
    bed.asking(1, 50);
    assert_eq!(bed.asked, ["b2 b3"]);
    bed.answer(None);
    assert_eq!(bed.judgements(1), []);
    bed.answer(Some((3, 101)));
    assert_eq!(bed.judgements(1), [Judgement::Witnessed]);
    assert_eq!(bed.holds, [""; 0]);
}

#[test]
fn whoever_is_held_is_released_by_any_pass() {
    let mut bed = DoubtsTestBed::new(LIMIT);
    bed.now = 100;
    bed.asking(1, 50);
    bed.answer(None);
    bed.answer(None);
    assert_eq!(bed.judgements(1), [Judgement::Unwitnessed(bed.at(100))]);
    assert_eq!(bed.holds, ["began"]);
    // A second one whose streak is as old is answered by the same question.
    bed.now = 150;
    bed.asking(2, 60);
    assert_eq!(bed.judgements(2), [Judgement::Unwitnessed(bed.at(150))]);
    // After a second others are asked again.
    let again = bed.timers.iter().rev().find(|(_, after)| *after != LIMIT).unwrap().0;
    bed.now = 1100;
    bed.fire(again);
    assert_eq!(bed.asked, ["b2 b3", "b3 b4"]);
    bed.answer(Some((4, 1101)));
    assert_eq!(bed.judgements(1)[1..], [Judgement::Witnessed]);
    assert_eq!(bed.judgements(2)[1..], [Judgement::Witnessed]);
    assert_eq!(bed.holds, ["began", "passed"]);
}

#[test]
fn a_hold_ends_as_passed_if_its_last_backend_saw_another_pass() {
    for (passed, outcome) in [(Some(3), "passed"), (Some(1), "passed"), (None, "dropped")] {
        let mut bed = DoubtsTestBed::new(LIMIT);
        bed.now = 100;
        bed.asking(1, 50);
        bed.answer(None);
        bed.answer(None);
        bed.now = 400;
        let passed = passed.map(|by| (ProberId(by), bed.at(300)));
        bed.suspect(1, &Suspicion::Over { passed });
        assert_eq!(bed.holds, ["began", outcome], "{passed:?}");
    }
}

#[test]
fn the_limit_runs_only_while_vpp_is_there() {
    let mut bed = DoubtsTestBed::new(LIMIT);
    bed.run(|doubts, _, _| doubts.set_vpp_present(false));
    bed.asking(1, 0);
    bed.answer(None);
    bed.answer(None);
    assert!(bed.timers.iter().all(|(_, after)| *after != LIMIT), "{:?}", bed.timers);
    bed.run(|doubts, _, _| doubts.set_vpp_present(true));
    let first = bed.limit_timer();
    bed.run(|doubts, _, _| doubts.set_vpp_present(false));
    bed.fire(first);
    assert_eq!(bed.judgements(1).len(), 1, "the first limit was interrupted");
    bed.run(|doubts, _, _| doubts.set_vpp_present(true));
    let second = bed.limit_timer();
    bed.fire(second);
    assert_eq!(bed.judgements(1)[1..], [Judgement::Believed]);
    assert_eq!(bed.holds, ["began", "believed"]);
}

#[test]
fn a_limit_of_zero_believes_at_once() {
    let mut bed = DoubtsTestBed::new(Duration::ZERO);
    bed.asking(1, 0);
    assert_eq!(bed.judgements(1), [Judgement::Believed]);
    assert_eq!(bed.asked, [""; 0]);
}

#[test]
fn a_lone_backend_is_held_and_a_configured_witness_is_asked_in_its_place() {
    for witnesses in [0, 1] {
        let mut bed = DoubtsTestBed::new(LIMIT);
        bed.witnesses = witnesses;
        for number in 2..=6 {
            bed.asking(number, 0);
        }
        while bed.question.is_some() {
            bed.answer(None);
        }
        bed.asked.clear();
        bed.now = 2000;
        bed.asking(1, 1000);
        assert_eq!(bed.asked.len(), witnesses);
        if witnesses == 0 {
            assert_eq!(bed.judgements(1), [Judgement::Unwitnessed(bed.at(2000))]);
        } else {
            bed.answer(Some((0, 2001)));
            assert_eq!(bed.judgements(1), [Judgement::Witnessed]);
        }
    }
}

#[test]
fn a_pass_that_is_older_than_the_streak_is_no_witness() {
    let mut bed = DoubtsTestBed::new(LIMIT);
    bed.now = 100;
    bed.asking(1, 50);
    bed.now = 300;
    // Its streak began after the question.
    bed.asking(2, 200);
    bed.answer(Some((3, 150)));
    assert_eq!(bed.judgements(1), [Judgement::Witnessed]);
    assert_eq!(bed.judgements(2), []);
    assert_eq!(bed.asked.len(), 2, "others are asked for the second one");
}

proptest! {
    /// Whatever happens: nobody is believed before the limit, each question is asked only
    /// once all answers to the one before are there or somebody passed, and with the limit
    /// every doubt ends.
    #[test]
    fn every_doubt_is_judged(inputs in prop::collection::vec((0u8..7, 1u64..7), 1..80)) {
        let mut bed = DoubtsTestBed::new(LIMIT);
        let (mut doubted, mut is_away) = (BTreeSet::new(), false);
        for (input, number) in inputs {
            bed.now += 100;
            let asked = bed.asked.len();
            let was_open = bed.question.is_some();
            match input {
                0 | 1 => if doubted.insert(number) {
                    bed.judged.remove(&name(number));
                    bed.asking(number, bed.now.saturating_sub(150));
                },
                2 => {
                    let since = Suspicion::Ahead(bed.at(bed.now));
                    if !doubted.contains(&number) { bed.suspect(number, &since) }
                },
                3 => bed.answer(None),
                4 => bed.answer(Some((number, bed.now - 50))),
                5 => {
                    doubted.remove(&number);
                    let passed = Some((ProberId(number), bed.at(bed.now - 20)));
                    bed.suspect(number, &Suspicion::Over { passed });
                }
                _ => {
                    is_away ^= true;
                    bed.run(|doubts, _, _| doubts.set_vpp_present(!is_away));
                }
            }
            if was_open && matches!(input, 0..3) {
                prop_assert_eq!(bed.asked.len(), asked, "two questions at a time");
            }
            // Those that were released are doubted no more.
            let judged = &bed.judged;
            doubted.retain(|number| {
                let last = judged.get(&name(*number)).and_then(|judgements| judgements.last());
                last != Some(&Judgement::Witnessed)
            });
            let believed = |judgements: &Vec<Judgement>| judgements.contains(&Judgement::Believed);
            prop_assert!(!bed.judged.values().any(believed));
        }
        if is_away {
            bed.run(|doubts, _, _| doubts.set_vpp_present(true));
        }
        if !doubted.is_empty() {
            let limit = bed.limit_timer();
            bed.fire(limit);
        }
        for number in doubted {
            prop_assert_eq!(bed.judgements(number).last(), Some(&Judgement::Believed));
        }
    }
}
