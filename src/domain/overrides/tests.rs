//! The laws of overrides apart from what decides by them: time by both clocks, and writes
//! that take their time, fail, or are cut off.

use std::time::{Duration, Instant, SystemTime};

use proptest::prelude::*;

use super::writes::{NextWrite, OverrideWrites, PlannedChange};
use super::*;
use crate::domain::moment::Moment;

const YEAR_2026: Duration = Duration::from_secs(1_772_323_200);

fn moment(start: Instant, after: Duration) -> Moment {
    Moment { monotonic: start + after, wall: SystemTime::UNIX_EPOCH + YEAR_2026 + after }
}

fn seconds() -> impl Strategy<Value = Duration> {
    (0u64..1_000_000).prop_map(Duration::from_secs)
}

proptest! {
    /// What is left shrinks as the monotonic clock runs, and nothing else does anything.
    #[test]
    fn an_override_lasts_as_long_as_it_was_to(lasts in seconds(), passed in seconds()) {
        let start = Instant::now();
        let term = OverrideTerm::beginning(moment(start, Duration::ZERO), Some(lasts));
        prop_assert_eq!(term.left(start + passed), Some(lasts.saturating_sub(passed)));
        prop_assert_eq!(term.is_over(start + passed), passed >= lasts);
        prop_assert_eq!(term.age(start + passed), passed);
        prop_assert_eq!(term.ends(), Some(start + lasts));
    }

    /// A restart goes by the wall clock: it counts on where that says, in both directions,
    /// and never for longer than the override was to last.
    #[test]
    fn a_restart_counts_on_by_the_wall_clock(
        lasts in seconds(),
        away in seconds(),
        set_back in any::<bool>(),
        passed in seconds(),
    ) {
        let start = Instant::now();
        let begun = OverrideTerm::beginning(moment(start, Duration::ZERO), Some(lasts));
        // Another daemon's monotonic clock begins somewhere else.
        let other = start + Duration::from_secs(77);
        let wall = if set_back { begun.since - away } else { begun.since + away };
        let now = Moment { monotonic: other, wall };
        let term = OverrideTerm::restored(begun.since, begun.until, now);
        let away = if set_back { Duration::ZERO } else { away };
        prop_assert_eq!(term.left(other + passed), Some(lasts.saturating_sub(away + passed)));
        prop_assert_eq!(term.age(other + passed), away + passed);
        prop_assert_eq!((term.since, term.until), (begun.since, begun.until));
    }
}

#[test]
fn without_an_end_an_override_lasts() {
    let start = Instant::now();
    let term = OverrideTerm::beginning(moment(start, Duration::ZERO), None);
    let later = start + LONGEST_TERM * 3;
    assert_eq!((term.left(later), term.ends(), term.until), (None, None, None));
    assert!(!term.is_over(later));
    let long = OverrideTerm::beginning(moment(start, Duration::ZERO), Some(LONGEST_TERM * 2));
    assert_eq!(long.left(start), Some(LONGEST_TERM), "what ends has a longest term");
    let restored = OverrideTerm::restored(term.since, None, moment(start, LONGEST_TERM));
    assert_eq!((restored.left(later), restored.age(start)), (None, LONGEST_TERM));
}

/// A command for one of three backends; what it sets is told by who gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Order {
    number: u32,
    backend: u8,
    to: Option<Admin>,
}

#[derive(Clone, Debug)]
enum WriteInput {
    Request(u8, Option<Admin>),
    /// The write in progress ends: it succeeded, failed, or failed in doubt with the new
    /// text in its place or not.
    Written,
    Failed,
    InDoubt(bool),
    /// A reload, or the time, ends an override.
    End(u8),
    Retry,
}

fn any_write_input() -> impl Strategy<Value = WriteInput> {
    let admin = prop::option::of(prop::sample::select(vec![Admin::Paused, Admin::Disabled]));
    prop_oneof![
        4 => (0u8..3, admin).prop_map(|(backend, to)| WriteInput::Request(backend, to)),
        4 => Just(WriteInput::Written),
        1 => Just(WriteInput::Failed),
        1 => any::<bool>().prop_map(WriteInput::InDoubt),
        1 => (0u8..3).prop_map(WriteInput::End),
        1 => Just(WriteInput::Retry),
    ]
}

fn name(backend: u8) -> BackendName {
    format!("b{backend}").as_str().into()
}

/// To pause what is disabled is refused, as it is of backends.
fn plan(start: Instant, set: &OverrideSet, order: &Order) -> PlannedChange<&'static str> {
    let backend = name(order.backend);
    let is_disabled = set.admin(backend.as_str()).is_some_and(|it| it.value == Admin::Disabled);
    if is_disabled && order.to == Some(Admin::Paused) {
        return Err("disabled");
    }
    let term = OverrideTerm::beginning(moment(start, Duration::ZERO), None);
    let who = order.number.to_string().into();
    let origin = Arc::new(OverrideOrigin { who, why: None, term, drain: None });
    let to = order.to.map(|value| Override { value, configured: Admin::Enabled, origin });
    Ok(OverrideChange::Admin { backend, to })
}

/// What the actor does, with a disk that does as it is told.
struct WriteModel {
    start: Instant,
    writes: OverrideWrites<Order, &'static str>,
    in_force: OverrideSet,
    disk: OverrideSet,
    /// The write in progress.
    writing: Option<OverrideSet>,
    asked: u32,
    answered: Vec<u32>,
}

impl WriteModel {
    fn advance(&mut self) {
        loop {
            let start = self.start;
            match self.writes.begin(&self.in_force, |set, order| plan(start, set, order)) {
                NextWrite::None => return,
                NextWrite::Settle => self.settle(),
                NextWrite::Write(set) => {
                    assert!(self.writing.replace(set).is_none(), "two writes at a time");
                    return;
                }
            }
        }
    }

    fn settle(&mut self) {
        let start = self.start;
        let plan = |set: &OverrideSet, order: &Order| plan(start, set, order);
        for (order, planned) in self.writes.written(&self.in_force, plan) {
            if let Ok(change) = planned {
                self.in_force.change(change);
            }
            self.answer(order.number);
        }
    }

    fn answer(&mut self, number: u32) {
        self.answered.push(number);
    }

    fn fail(&mut self, is_in_doubt: bool) {
        for (order, _) in self.writes.failed(is_in_doubt) {
            self.answer(order.number);
        }
    }

    fn step(&mut self, input: &WriteInput) {
        match input {
            WriteInput::Request(backend, to) => {
                self.asked += 1;
                let order = Order { number: self.asked, backend: *backend, to: *to };
                self.writes.request(order);
            }
            WriteInput::Written => {
                if let Some(set) = self.writing.take() {
                    self.disk = set;
                    self.settle();
                }
            }
            WriteInput::Failed => {
                if self.writing.take().is_some() {
                    self.fail(false);
                }
            }
            WriteInput::InDoubt(is_replaced) => {
                if let Some(set) = self.writing.take() {
                    if *is_replaced {
                        self.disk = set;
                    }
                    self.fail(true);
                }
            }
            WriteInput::End(backend) => {
                let backend = name(*backend);
                self.in_force.change(OverrideChange::Admin { backend, to: None });
            }
            WriteInput::Retry => drop(self.writes.retry()),
        }
        self.advance();
    }
}

proptest! {
    /// Whatever is in force was on the disk before; commands are answered once and in
    /// order; and once writes succeed, the disk has what is in force.
    #[test]
    fn what_takes_effect_is_stored_and_no_command_is_lost(
        inputs in prop::collection::vec(any_write_input(), 1..60),
    ) {
        let mut model = WriteModel {
            start: Instant::now(),
            writes: OverrideWrites::new(Some(OverrideSet::default())),
            in_force: OverrideSet::default(),
            disk: OverrideSet::default(),
            writing: None,
            asked: 0,
            answered: vec![],
        };
        let mut in_doubt = false;
        for input in &inputs {
            let before = model.in_force.clone();
            model.step(input);
            in_doubt |= matches!(input, WriteInput::InDoubt(true));
            if matches!(input, WriteInput::Written) {
                in_doubt = false;
            }
            for entry in model.in_force.entries() {
                let is_new = before.entries().all(|old| old != entry);
                let is_stored = model.disk.entries().any(|stored| stored == entry);
                prop_assert!(is_stored || in_doubt || !is_new, "{:?} {:?}", input, entry);
            }
        }
        model.step(&WriteInput::Retry);
        while model.writing.is_some() {
            model.step(&WriteInput::Written);
        }
        prop_assert_eq!(&model.disk, &model.in_force);
        prop_assert_eq!(model.answered, (1..=model.asked).collect::<Vec<_>>());
    }
}

#[test]
fn changes_that_come_during_a_write_share_the_next_and_none_is_lost() {
    let start = Instant::now();
    let mut writes = OverrideWrites::new(Some(OverrideSet::default()));
    let mut in_force = OverrideSet::default();
    let order = |number, backend, to| Order { number, backend, to };
    let plan = |set: &OverrideSet, order: &Order| plan(start, set, order);
    writes.request(order(1, 0, Some(Admin::Paused)));
    let NextWrite::Write(first) = writes.begin(&in_force, plan) else { panic!() };
    writes.request(order(2, 1, Some(Admin::Disabled)));
    writes.request(order(3, 1, Some(Admin::Paused)));
    assert_eq!(writes.begin(&in_force, plan), NextWrite::None, "one write at a time");
    assert_eq!(first.entries().count(), 1);
    for (_, planned) in writes.written(&in_force, plan) {
        in_force.change(planned.unwrap());
    }
    let NextWrite::Write(second) = writes.begin(&in_force, plan) else { panic!() };
    assert_eq!(second.entries().count(), 2, "the first is still there");
    let written = writes.written(&in_force, plan);
    assert_eq!(written[1].1, Err("disabled"), "planned behind the second");
    in_force.change(written[0].1.clone().unwrap());
    assert_eq!(writes.begin(&in_force, plan), NextWrite::None);
    // What changes nothing needs no disk.
    writes.request(order(4, 2, None));
    assert_eq!(writes.begin(&in_force, plan), NextWrite::Settle);
}

#[test]
fn after_a_failure_nothing_is_written_until_somebody_asks_or_it_is_time() {
    let start = Instant::now();
    let mut writes = OverrideWrites::<Order, _>::new(Some(OverrideSet::default()));
    let plan = |set: &OverrideSet, order: &Order| plan(start, set, order);
    let mut in_force = OverrideSet::default();
    let order = Order { number: 1, backend: 0, to: Some(Admin::Paused) };
    let change = plan(&in_force, &order).unwrap();
    in_force.change(change);
    assert!(matches!(writes.begin(&in_force, plan), NextWrite::Write(_)), "it is behind");
    assert_eq!(writes.failed(false).len(), 0);
    assert_eq!(writes.begin(&in_force, plan), NextWrite::None);
    assert!(writes.retry());
    assert!(matches!(writes.begin(&in_force, plan), NextWrite::Write(_)));
    writes.failed(true);
    writes.request(order);
    assert!(matches!(writes.begin(&in_force, plan), NextWrite::Write(_)));
    writes.written(&in_force, plan);
    assert!(!writes.retry());
}

#[test]
fn what_is_stored_is_written_again_after_a_failure_ever_less_often_until_that_succeeds() {
    let start = Instant::now();
    let mut writes = OverrideWrites::<Order, _>::new(Some(OverrideSet::default()));
    let plan = |set: &OverrideSet, order: &Order| plan(start, set, order);
    let in_force = OverrideSet::default();
    writes.request(Order { number: 1, backend: 0, to: Some(Admin::Paused) });
    let is_written = |writes: &mut OverrideWrites<Order, _>| {
        matches!(writes.begin(&in_force, plan), NextWrite::Write(_))
    };
    assert!(is_written(&mut writes));
    assert_eq!(writes.failed(false).len(), 1);
    assert!(!is_written(&mut writes), "not at once");
    let mut waits = Vec::new();
    for _ in 0..40 {
        waits.push(writes.retry_after().as_secs());
        assert!(writes.retry() && is_written(&mut writes));
        writes.failed(false);
    }
    assert_eq!(waits[..7], [10, 20, 40, 80, 160, 320, 320]);
    assert_eq!(waits[39], 320);
    assert!(writes.retry() && is_written(&mut writes));
    writes.written(&in_force, plan);
    assert!(!writes.retry() && !is_written(&mut writes), "it is stored");
    assert_eq!(writes.retry_after(), Duration::from_secs(10));
}
