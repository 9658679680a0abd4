//! When a server starts slowly, and what ends that.

use std::time::Instant;

use super::*;
use crate::domain::balancing::fail_open::FailOpenThreshold;
use crate::domain::balancing::slow_start::{RampId, RampRequest, plan};
use crate::domain::moment::Moment;

const SPAN: Duration = Duration::from_secs(60);

struct RampTestBed {
    controller: ControllerState,
    start: Instant,
    now: Duration,
    /// The ramps that wait to be planned.
    requests: Vec<(RampId, RampRequest)>,
    /// The next step of a ramp, and when it is due.
    timer: Option<(RampId, Duration)>,
}

impl RampTestBed {
    /// `a` and `b` have served for longer than the slow start takes.
    fn new() -> Self {
        Self::of(slow(config()))
    }

    fn started(config: Config) -> Self {
        let controller = ControllerState::new(Arc::new(config), START).0;
        let start = Instant::now();
        Self { controller, start, now: Duration::ZERO, requests: Vec::new(), timer: None }
    }

    fn of(config: Config) -> Self {
        let mut bed = Self::started(config);
        for name in ["a", "b", "c"] {
            bed.becomes(name, State::Up);
        }
        bed.now = 2 * SPAN;
        bed
    }

    fn moment(&self) -> Moment {
        Moment { monotonic: self.start + self.now, wall: START + self.now }
    }

    fn becomes(&mut self, name: &str, to: State) {
        let record = &self.controller.backends[name];
        let (from, at, why) = (record.state, self.moment().wall, "probe".into());
        let (prober, transition) = (record.prober, Transition { from, to, at, why });
        let effects =
            self.controller.transitioned(prober, &name.into(), transition, self.start + self.now);
        self.execute(effects);
    }

    fn execute(&mut self, effects: Vec<ControllerEffect>) {
        for effect in effects {
            match effect {
                ControllerEffect::PlanRamp(id, request) => self.requests.push((id, request)),
                ControllerEffect::SetRampTimer(id, after) => {
                    self.timer = Some((id, self.now + after));
                }
                _ => {}
            }
        }
    }

    /// The ramps that were asked for are planned.
    fn plan(&mut self) {
        for (id, request) in std::mem::take(&mut self.requests) {
            let effects = self.controller.ramp_planned(id, plan(&request), self.moment());
            self.execute(effects);
        }
    }

    /// Goes on to the next step. False: there is none.
    fn step(&mut self) -> bool {
        let Some((id, due)) = self.timer.take() else { return false };
        self.now = due;
        let effects = self.controller.ramp_due(id, self.moment());
        self.execute(effects);
        true
    }

    fn weights(&self) -> String {
        weights(&self.controller)
    }

    fn resume(&mut self, command: AdminCommand) {
        let at = self.moment().wall;
        self.controller.administer("a", command, ("me", at)).unwrap();
    }
}

fn slow(mut config: Config) -> Config {
    for pool in &mut config.frontends.get_mut("web").unwrap().pools {
        pool.slow_start = Some(SPAN);
    }
    config
}

/// The weight of `a`.
fn of_a(bed: &RampTestBed) -> u8 {
    bed.weights().split(' ').next().unwrap().parse().unwrap()
}

#[test]
fn a_server_that_comes_back_gets_its_weight_in_steps_and_in_time() {
    let mut bed = RampTestBed::new();
    bed.becomes("a", State::Down);
    assert_eq!(bed.weights(), "0 100 0");
    bed.becomes("a", State::Up);
    assert_eq!(bed.weights(), "1 100 0", "at once, and before it is planned");
    let began = bed.now;
    bed.plan();
    let mut before = of_a(&bed);
    while bed.step() {
        assert!(of_a(&bed) > before, "{} after {before}", of_a(&bed));
        assert!(bed.weights().ends_with(" 100 0"), "nobody else's");
        before = of_a(&bed);
        let ramps = bed.controller.backend("a").unwrap().ramps;
        assert_eq!(ramps.is_empty(), before == 100);
    }
    assert_eq!((before, bed.now - began), (100, SPAN));
}

#[test]
fn the_first_of_a_pool_and_those_that_come_back_with_it_are_needed_at_once() {
    let mut bed = RampTestBed::new();
    bed.becomes("a", State::Down);
    bed.becomes("b", State::Down);
    assert_eq!(bed.weights(), "0 0 100");
    bed.becomes("a", State::Up);
    assert_eq!(bed.weights(), "100 0 0", "the first");
    bed.now += SPAN - Duration::from_secs(1);
    bed.becomes("b", State::Up);
    assert_eq!((bed.weights().as_str(), bed.requests.len()), ("100 100 0", 0), "with it");
    bed.becomes("b", State::Down);
    bed.now += Duration::from_secs(1);
    bed.becomes("b", State::Up);
    assert_eq!((bed.weights().as_str(), bed.requests.len()), ("100 1 0", 1));
}

#[test]
fn nobody_starts_slowly_at_a_start_or_without_being_asked_to() {
    let mut bed = RampTestBed::new();
    assert_eq!(bed.requests.len(), 0, "the start");
    bed.resume(AdminCommand::Pause);
    bed.becomes("a", State::Paused);
    bed.resume(AdminCommand::Resume);
    bed.becomes("a", State::Unknown);
    bed.becomes("a", State::Up);
    assert_eq!(bed.weights(), "100 100 0", "an operator's resume");
    bed.resume(AdminCommand::Pause);
    bed.becomes("a", State::Paused);
    bed.resume(AdminCommand::ResumeSlowly);
    bed.becomes("a", State::Unknown);
    bed.becomes("a", State::Up);
    assert_eq!(bed.weights(), "1 100 0", "a slow one");

    let mut bed = RampTestBed::of(config());
    bed.becomes("a", State::Down);
    bed.becomes("a", State::Up);
    assert_eq!((bed.weights().as_str(), bed.requests.len()), ("100 100 0", 0), "no slow-start");
}

#[test]
fn a_slow_resume_is_of_what_is_paused_and_of_one_return() {
    let mut bed = RampTestBed::new();
    bed.resume(AdminCommand::Pause);
    bed.becomes("a", State::Paused);
    bed.resume(AdminCommand::ResumeSlowly);
    bed.becomes("a", State::Unknown);
    bed.becomes("a", State::Up);
    assert_eq!(bed.weights(), "1 100 0");
    bed.resume(AdminCommand::Disable);
    bed.becomes("a", State::Disabled);
    bed.resume(AdminCommand::Enable);
    bed.becomes("a", State::Unknown);
    bed.becomes("a", State::Up);
    assert_eq!(bed.weights(), "100 100 0", "one return");

    // `a` has had no result yet.
    let mut bed = RampTestBed::started(slow(config()));
    bed.becomes("b", State::Up);
    bed.controller.expire_startup_grace(START);
    bed.now = 2 * SPAN;
    bed.resume(AdminCommand::ResumeSlowly);
    bed.becomes("a", State::Up);
    assert_eq!((bed.weights().as_str(), bed.requests.len()), ("100 100 0", 0), "it never paused");
}

#[test]
fn where_there_is_no_lesser_weight_nothing_is_planned() {
    for configured in [0, 1] {
        let mut config = slow(config());
        let pool = &mut config.frontends.get_mut("web").unwrap().pools[0];
        pool.backends.insert("a".into(), Weight::try_from(configured).unwrap());
        let mut bed = RampTestBed::of(config);
        bed.becomes("a", State::Down);
        bed.becomes("a", State::Up);
        assert_eq!((bed.weights(), bed.requests.len()), (format!("{configured} 100 0"), 0));
    }
}

#[test]
fn who_had_flows_because_its_frontend_failed_open_keeps_them() {
    let mut config = slow(config());
    config.frontends.get_mut("web").unwrap().fail_open = FailOpenThreshold::new(40);
    let mut bed = RampTestBed::of(config);
    bed.controller.expire_startup_grace(START);
    for name in ["c", "b", "a"] {
        bed.becomes(name, State::Down);
    }
    assert_eq!(bed.weights(), "100 100 0", "it fails open");
    bed.now += 2 * SPAN;
    for name in ["a", "b"] {
        bed.becomes(name, State::Up);
        assert_eq!((bed.weights().as_str(), bed.requests.len()), ("100 100 0", 0), "{name}");
    }
}

#[test]
fn a_failure_ends_a_slow_start_and_the_next_return_begins_another() {
    let mut bed = RampTestBed::new();
    bed.becomes("a", State::Down);
    bed.becomes("a", State::Up);
    bed.plan();
    bed.step();
    let stale = bed.timer.unwrap();
    bed.becomes("a", State::Down);
    assert_eq!(bed.weights(), "0 100 0");
    assert_eq!(bed.controller.backend("a").unwrap().ramps, []);
    assert_eq!(bed.controller.ramp_due(stale.0, bed.moment()), [], "its timer");
    bed.becomes("a", State::Up);
    assert_eq!(bed.weights(), "1 100 0");
}

#[test]
fn an_operators_weight_wins() {
    let seven = Weight::try_from(7).unwrap();
    let mut bed = RampTestBed::new();
    bed.becomes("a", State::Down);
    bed.becomes("a", State::Up);
    bed.plan();
    bed.controller.set_weight("web", "main", "a", seven, ("me", START)).unwrap();
    assert_eq!(bed.weights(), "7 100 0");
    bed.step();
    assert_eq!(bed.weights(), "7 100 0", "the ramp is over");
    bed.becomes("a", State::Down);
    bed.becomes("a", State::Up);
    assert_eq!((bed.weights().as_str(), bed.requests.len()), ("7 100 0", 0), "and none begins");
}

#[test]
fn a_reload_keeps_a_slow_start_under_any_name_unless_the_file_wants_none() {
    let ramping = || {
        let mut bed = RampTestBed::new();
        bed.becomes("a", State::Down);
        bed.becomes("a", State::Up);
        bed.plan();
        bed.step();
        bed
    };
    let mut bed = ramping();
    let before = bed.weights();
    assert_ne!(before, "100 100 0");
    bed.controller.reload(Arc::new(slow(config())), START);
    assert_eq!(bed.weights(), before);
    let mut renamed = slow(config());
    let a = renamed.backends.remove("a").unwrap();
    renamed.backends.insert("n".into(), a);
    renamed.frontends.get_mut("web").unwrap().pools[0].backends =
        ["n", "b"].map(|name| (name.into(), Weight::FULL)).into();
    bed.controller.reload(Arc::new(renamed), START);
    assert_eq!(bed.weights(), before);
    while bed.step() {}
    assert_eq!(bed.weights(), "100 100 0");

    let mut bed = ramping();
    let mut lower = slow(config());
    lower.frontends.get_mut("web").unwrap().pools[0]
        .backends
        .insert("a".into(), Weight::try_from(2).unwrap());
    bed.controller.reload(Arc::new(lower), START);
    assert_eq!(bed.weights(), "2 100 0", "never more than configured");
    let mut bed = ramping();
    bed.controller.reload(Arc::new(config()), START);
    assert_eq!(bed.weights(), "100 100 0");
}

#[test]
fn a_supposed_weight_is_that_of_an_operator_and_others_keep_their_slow_start() {
    let mut bed = RampTestBed::new();
    bed.becomes("a", State::Down);
    bed.becomes("a", State::Up);
    let after = |backend: &str| {
        let half = Weight::try_from(50).unwrap();
        let predicted = bed.controller.predict_weight("web", backend, half).unwrap();
        predicted.servers.iter().map(|server| server.3).collect::<Vec<_>>()
    };
    let weight = |number: i64| TargetWeight::Weight(Weight::try_from(number).unwrap());
    assert_eq!(after("a")[..2], [weight(50), weight(100)]);
    assert_eq!(after("b")[..2], [weight(1), weight(50)]);
}
