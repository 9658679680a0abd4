//! Drains: what they do to weights, when flows are counted for them, what ends them.

mod readings;

use std::time::Instant;

use super::*;
use crate::domain::drain::{DrainId, DrainOrder, DrainPhase, DrainTimeout, FlowCounts, FlowTimer};
use crate::domain::moment::Moment;
use crate::domain::reconcile::FrontendProgress;

const SECOND: Duration = Duration::from_secs(1);

/// A controller whose backends are up and whose VPP confirms all at once.
struct DrainTestBed {
    controller: ControllerState,
    start: Instant,
    now: Duration,
    /// The timers that run, by when they are due.
    flow_timer: Option<FlowTimer>,
    drain_timers: Vec<DrainId>,
    events: Vec<String>,
    reads: usize,
}

impl DrainTestBed {
    fn new() -> Self {
        Self::of(config())
    }

    fn of(config: Config) -> Self {
        let mut controller = ControllerState::new(Arc::new(config), START).0;
        for name in ["a", "b", "c"] {
            transition(&mut controller, name, State::Up);
        }
        let mut bed = Self {
            controller,
            start: Instant::now(),
            now: Duration::ZERO,
            flow_timer: None,
            drain_timers: Vec::new(),
            events: Vec::new(),
            reads: 0,
        };
        bed.confirm();
        bed
    }

    fn moment(&self) -> Moment {
        Moment { monotonic: self.start + self.now, wall: START + self.now }
    }

    fn confirm(&mut self) {
        let all = self.controller.frontend_names();
        let changes = all.into_iter().map(|frontend| FrontendProgress {
            frontend,
            programmed: true,
            serving: true,
        });
        self.controller.progressed(self.controller.generation(), changes.collect());
    }

    fn execute(&mut self, effects: Vec<ControllerEffect>) {
        for effect in effects {
            match effect {
                ControllerEffect::SetFlowTimer(timer, _) => self.flow_timer = Some(timer),
                ControllerEffect::SetDrainTimer(id, _) => self.drain_timers.push(id),
                ControllerEffect::ReadFlows { .. } => self.reads += 1,
                ControllerEffect::Administer { backend, admin, .. } => {
                    let to = match admin {
                        Admin::Enabled => State::Unknown,
                        Admin::Paused => State::Paused,
                        Admin::Disabled => State::Disabled,
                    };
                    if self.controller.backends[&backend].state != to {
                        let effects = transition(&mut self.controller, backend.as_str(), to);
                        self.execute(effects);
                    }
                }
                ControllerEffect::Publish(Event::Drain(change)) => {
                    let flows = change.flows.map_or("?".into(), |flows| flows.to_string());
                    self.events.push(format!("{} {} {flows}", change.backend, change.kind()));
                }
                _ => {}
            }
        }
    }

    fn drain(&mut self, name: &str, timeout: Option<DrainTimeout>) {
        let order = DrainOrder { timeout };
        let effects = self.controller.give(&self.order(name, order)).unwrap();
        self.execute(effects);
    }

    fn order(&self, backend: &str, order: DrainOrder) -> OperatorCommand {
        let command = OverrideCommand::Drain { backend: backend.into(), order };
        let at = self.moment();
        OperatorCommand { command, who: "me".into(), why: None, lasts: None, at }
    }

    fn command(&mut self, name: &str, command: AdminCommand) {
        let at = self.moment().wall;
        let effects = self.controller.administer(name, command, ("me", at)).unwrap();
        self.execute(effects);
    }

    /// The timer fires. True if VPP is asked.
    fn fire(&mut self) -> bool {
        let before = self.reads;
        if let Some(timer) = self.flow_timer.take() {
            self.now += SECOND;
            let effects = self.controller.flow_timer_fired(timer);
            self.execute(effects);
        }
        self.reads > before
    }

    /// VPP answers: these flows of these servers of `web`.
    fn answer(&mut self, flows: &[(u8, u64)]) {
        let servers = flows.iter().map(|(number, flows)| ([10, 0, 0, *number].into(), *flows));
        let vip = self.controller.config.frontends["web"].vip;
        let counts = FlowCounts::new([(vip, servers.collect())].into(), true);
        let effects = self.controller.flows_read(&Ok(counts), SECOND / 1000, self.moment());
        self.execute(effects);
    }

    fn events(&mut self) -> Vec<String> {
        std::mem::take(&mut self.events)
    }

    fn phase(&self, name: &str) -> Option<DrainPhase> {
        self.controller.backend(name).unwrap().drain.map(|drain| drain.phase())
    }
}

fn within(after: Duration, flush: bool) -> Option<DrainTimeout> {
    Some(DrainTimeout { after, flush })
}

#[test]
fn a_drain_is_a_pause_whose_flows_are_counted_until_there_is_none() {
    let mut bed = DrainTestBed::new();
    bed.drain("a", None);
    assert_eq!(weights(&bed.controller), "0 100 0");
    assert_eq!(bed.controller.backend("a").unwrap().state, State::Paused);
    assert!(!bed.fire(), "VPP has not confirmed the weight: new flows may come");
    bed.confirm();
    assert!(bed.fire());
    bed.answer(&[(1, 7), (2, 9)]);
    assert_eq!(bed.phase("a"), Some(DrainPhase::Draining));
    assert!(bed.fire());
    bed.answer(&[(1, 0), (2, 9)]);
    assert_eq!(bed.events(), ["a draining ?", "a drained 0"]);
    assert!(!bed.fire() && bed.flow_timer.is_none(), "nothing is left to be read");
    bed.command("a", AdminCommand::Undrain);
    assert_eq!((bed.events(), bed.phase("a")), (vec!["a ended 0".into()], None));
    assert_eq!(bed.controller.backend("a").unwrap().state, State::Unknown);
}

#[test]
fn a_server_without_packets_for_longer_than_the_flow_timeout_is_drained_whatever_is_counted() {
    let mut bed = DrainTestBed::new();
    bed.drain("a", None);
    bed.confirm();
    let mut phases = Vec::new();
    // The timeout is 40 s.
    for (after, packets) in [(0, 100), (30, 130), (31, 130), (11, 130)] {
        assert!(bed.fire());
        bed.now += SECOND * after;
        let address = IpAddr::from([10, 0, 0, 1]);
        let vip = bed.controller.config.frontends["web"].vip;
        let counts = FlowCounts::new([(vip, [(address, 7)].into())].into(), true)
            .with_packets([(address, [(12, packets)].into())].into());
        let effects = bed.controller.flows_read(&Ok(counts), SECOND / 1000, bed.moment());
        bed.execute(effects);
        phases.push(bed.phase("a").unwrap());
    }
    assert_eq!(phases[..3], [DrainPhase::Draining; 3]);
    assert_eq!(
        (phases[3], bed.events()),
        (DrainPhase::Drained, vec!["a draining ?".into(), "a drained 0".into()])
    );
}

#[test]
fn a_timeout_flushes_what_is_left_only_where_that_was_ordered() {
    for flush in [false, true] {
        let mut bed = DrainTestBed::new();
        bed.drain("a", within(SECOND, flush));
        bed.confirm();
        bed.fire();
        bed.answer(&[(1, 7)]);
        let desired =
            |bed: &DrainTestBed| bed.controller.desired().frontends["web"].servers.clone();
        let server = |bed: &DrainTestBed| desired(bed)[&IpAddr::from([10, 0, 0, 1])];
        assert_eq!(server(&bed).flush, None);
        let id = bed.drain_timers[0];
        let effects = bed.controller.drain_timed_out(id, bed.moment());
        let is_desired = effects.iter().any(|it| matches!(it, ControllerEffect::Desire(_)));
        bed.execute(effects);
        assert_eq!((is_desired, server(&bed).flush.is_some()), (flush, flush));
        assert_eq!(server(&bed).weight, TargetWeight::Weight(Weight::ZERO));
        let phase = if flush { "a flushing 7" } else { "a overdue 7" };
        assert_eq!(bed.events(), ["a draining ?", phase]);
        bed.confirm();
        bed.fire();
        bed.answer(&[(1, 0)]);
        assert_eq!(bed.events(), ["a drained 0"]);
        bed.command("a", AdminCommand::Undrain);
        assert_eq!(server(&bed).flush, None, "only the drain flushed");
        bed.command("a", AdminCommand::Pause);
        assert_eq!(server(&bed).flush, None, "a pause does not");
    }
}

#[test]
fn a_drain_ends_with_its_pause() {
    for (command, ends) in [
        (AdminCommand::Pause, true),
        (AdminCommand::Resume, true),
        (AdminCommand::Undrain, true),
        (AdminCommand::Disable, true),
        (AdminCommand::Enable, false),
    ] {
        let mut bed = DrainTestBed::new();
        bed.drain("a", within(SECOND, true));
        let id = bed.drain_timers[0];
        bed.events();
        bed.command("a", command);
        assert_eq!(bed.events(), if ends { vec!["a ended ?"] } else { vec![] }, "{command}");
        assert_eq!(bed.phase("a").is_none(), ends, "{command}");
        let effects = bed.controller.drain_timed_out(id, bed.moment());
        assert_eq!(effects.is_empty(), ends, "{command}: its timer");
    }
}

#[test]
fn what_is_not_drained_is_not_undrained_and_what_is_disabled_is_not_drained() {
    let mut bed = DrainTestBed::new();
    let refused = |bed: &mut DrainTestBed, command| {
        bed.controller.administer("a", command, ("me", START)).unwrap_err()
    };
    assert_eq!(refused(&mut bed, AdminCommand::Undrain), CommandRefused::NotDrained("a".into()));
    bed.command("a", AdminCommand::Pause);
    assert_eq!(refused(&mut bed, AdminCommand::Undrain), CommandRefused::NotDrained("a".into()));
    bed.command("a", AdminCommand::Disable);
    let order = DrainOrder::default();
    let command = AdminCommand::Drain;
    let disabled = CommandRefused::Disabled { backend: "a".into(), command };
    assert_eq!(bed.controller.give(&bed.order("a", order)), Err(disabled));
    let unknown = CommandRefused::NoBackend("z".into());
    assert_eq!(bed.controller.give(&bed.order("z", order)), Err(unknown));
}

#[test]
fn a_reload_keeps_a_drain_under_any_name_and_ends_it_with_its_backend() {
    let mut bed = DrainTestBed::new();
    bed.drain("a", None);
    bed.confirm();
    bed.fire();
    bed.answer(&[(1, 7)]);
    bed.events();
    let effects = bed.controller.reload(Arc::new(config()), START);
    bed.execute(effects);
    assert_eq!((bed.events(), bed.phase("a")), (vec![], Some(DrainPhase::Draining)));

    let mut renamed = config();
    let a = renamed.backends.remove("a").unwrap();
    renamed.backends.insert("n".into(), a);
    let pool = &mut renamed.frontends.get_mut("web").unwrap().pools[0];
    pool.backends = ["n", "b"].map(|name| (name.into(), Weight::FULL)).into();
    let effects = bed.controller.reload(Arc::new(renamed), START);
    bed.execute(effects);
    assert_eq!((bed.events(), bed.phase("n")), (vec!["n draining 7".into()], bed.phase("n")));
    assert_eq!(bed.controller.backend("n").unwrap().drain.unwrap().flows(), Some(7));

    let mut without = config();
    without.backends.remove("a");
    without.frontends.get_mut("web").unwrap().pools[0].backends.remove("a");
    let effects = bed.controller.reload(Arc::new(without), START);
    bed.execute(effects);
    assert_eq!(bed.events(), ["n ended 7"]);
}
