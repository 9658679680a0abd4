//! Properties of the Controller's decisions and the plan together, for every order of
//! inputs, with a VPP that others write to, that restarts, and to which plans are
//! often written only in part.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::domain::balancing::fail_open::FailOpenThreshold;
use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::dataplane::observed::Observed;
use crate::domain::dataplane::plan::{self, Flushed, Planned, Scope};
use crate::domain::dataplane::step::Step;

#[derive(Clone, Debug)]
enum ControllerInput {
    /// The backend's prober reports a state, once or twice.
    Transition(Index, State, bool),
    /// A prober that was replaced reports a state.
    StaleTransition(Index, State),
    Command(Index, AdminCommand),
    SetWeight(Index, u8),
    /// Loads this version of the file.
    Reload(u8),
    GraceOver,
    /// Something else sets the weight of a server in VPP, or removes a VIP.
    ForeignWrite(Index, Option<u8>),
    RestartVpp,
    /// Writes the first steps of the plan.
    WriteSome(Index),
    WriteAll,
}

fn any_state() -> impl Strategy<Value = State> {
    prop::sample::select(vec![State::Up, State::Up, State::Down, State::Unknown])
}

fn any_input() -> impl Strategy<Value = ControllerInput> {
    let command = prop::sample::select(vec![
        AdminCommand::Pause,
        AdminCommand::Resume,
        AdminCommand::Enable,
        AdminCommand::Disable,
    ]);
    prop_oneof![
        6 => (any::<Index>(), any_state(), any::<bool>())
            .prop_map(|(backend, state, twice)| ControllerInput::Transition(backend, state, twice)),
        1 => (any::<Index>(), any_state())
            .prop_map(|(backend, state)| ControllerInput::StaleTransition(backend, state)),
        2 => (any::<Index>(), command)
            .prop_map(|(backend, command)| ControllerInput::Command(backend, command)),
        2 => (any::<Index>(), 0u8..=100)
            .prop_map(|(pool, weight)| ControllerInput::SetWeight(pool, weight)),
        2 => (0u8..128).prop_map(ControllerInput::Reload),
        1 => Just(ControllerInput::GraceOver),
        1 => (any::<Index>(), prop::option::of(any::<u8>()))
            .prop_map(|(vip, weight)| ControllerInput::ForeignWrite(vip, weight)),
        1 => Just(ControllerInput::RestartVpp),
        3 => any::<Index>().prop_map(ControllerInput::WriteSome),
        3 => Just(ControllerInput::WriteAll),
    ]
}

/// One of 128 versions of the file.
fn version(number: u8) -> Config {
    let mut config = config();
    let mut mail = config.frontends["web"].clone();
    let port = 25.try_into().unwrap();
    mail.vip = Vip::new("192.0.2.2/32".parse().unwrap(), Service::Port { protocol: 6, port });
    mail.pools[0].backends = [("c".into(), Weight::FULL)].into();
    mail.pools[1].backends = [("a".into(), Weight::FULL), ("b".into(), Weight::ZERO)].into();
    if number & 1 == 0 {
        config.frontends.insert("mail".into(), mail);
    }
    let web = config.frontends.get_mut("web").unwrap();
    web.flush_on_down = number & 2 == 0;
    web.src_ip_sticky = number & 4 != 0;
    if number & 8 != 0 {
        web.pools[0].backends.insert("a".into(), Weight::try_from(9).unwrap());
        web.pools[1].name = "other".into();
    }
    if number & 16 != 0 {
        backend(&mut config, "b").address = [10, 0, 0, 77].into();
        config.lb.conf.flow_timeout_s = 50;
    }
    backend(&mut config, "c").enabled = number & 32 == 0;
    if number & 64 != 0 {
        let web = config.frontends.get_mut("web").unwrap();
        web.fail_open = FailOpenThreshold::new(50);
    }
    config
}

struct ControllerModel {
    controller: ControllerState,
    observed: Observed,
    flushed: Flushed,
}

impl ControllerModel {
    fn new() -> Self {
        let (controller, _) = ControllerState::new(Arc::new(version(0)), START);
        let conf = LbConf { flow_timeout_s: 1, ..controller.config.lb.conf };
        let observed = Observed::empty(LbDialect::Weights, conf);
        Self { controller, observed, flushed: Flushed::new() }
    }

    fn due(&self) -> Vec<Planned> {
        plan::plan(&self.controller.desired(), &self.observed, &self.flushed, &Scope::All)
    }

    fn serves(&self, vip: &Vip) -> bool {
        let seen = self.observed.vips.get(vip);
        seen.is_some_and(|seen| seen.servers.values().any(|server| server.weight > 0))
    }

    /// Writes the first `count` steps of the plan, or all. Asserts that a VIP that
    /// serves, and should have a server with a weight, serves after each step.
    fn write(&mut self, count: Option<Index>) {
        let desired = self.controller.desired();
        let steps = self.due();
        let is_recreated = |vip: &Vip| steps.iter().any(|p| p.step == Step::RemoveVip(*vip));
        let is_positive =
            |weight| matches!(weight, TargetWeight::Weight(weight) if weight > Weight::ZERO);
        let must_serve: Vec<_> = desired
            .frontends
            .values()
            .filter(|frontend| frontend.servers.values().any(|server| is_positive(server.weight)))
            .map(|frontend| frontend.spec.vip)
            .filter(|vip| self.serves(vip) && !is_recreated(vip))
            .collect();
        let count = count.map_or(steps.len(), |index| index.index(steps.len() + 1));
        for planned in &steps[..count] {
            plan::apply(&mut self.observed, &planned.step);
            let name = planned.frontend.as_ref();
            if let Some(frontend) = name.and_then(|name| desired.frontends.get(name)) {
                plan::confirm(&mut self.flushed, frontend, &planned.step);
            }
            for vip in &must_serve {
                assert!(self.serves(vip), "{vip} after {}", planned.step);
            }
        }
    }

    fn backend(&self, index: &Index) -> BackendName {
        let names = self.controller.backend_names();
        index.get(&names).clone()
    }

    /// The backend's prober reports this state.
    fn transition(&mut self, name: &BackendName, to: State, times: usize) {
        let BackendRecord { state: from, prober, .. } = *self.controller.backends[name];
        // A prober that is paused or disabled reports no verdict.
        if from != to && matches!(from, State::Unknown | State::Up | State::Down) {
            let transition = Transition { from, to, at: START, why: "probe".into() };
            for _ in 0..times {
                self.controller.transitioned(prober, name, transition.clone(), Instant::now());
            }
        }
    }

    /// Plays the probers' part of the effects.
    fn execute(&mut self, effects: Vec<ControllerEffect>) {
        for effect in effects {
            let ControllerEffect::Administer { backend, admin, .. } = effect else { continue };
            let BackendRecord { state: from, prober, .. } = *self.controller.backends[&backend];
            let to = match admin {
                Admin::Paused => State::Paused,
                Admin::Disabled => State::Disabled,
                Admin::Enabled if matches!(from, State::Paused | State::Disabled) => State::Unknown,
                Admin::Enabled => from,
            };
            if from != to {
                let transition = Transition { from, to, at: START, why: "command".into() };
                self.controller.transitioned(prober, &backend, transition, Instant::now());
            }
        }
    }

    fn write_as_other(&mut self, index: &Index, weight: Option<u8>) {
        let vips: Vec<_> = self.observed.vips.keys().copied().collect();
        if vips.is_empty() {
            return;
        }
        let vip = index.get(&vips);
        match weight {
            None => drop(self.observed.vips.remove(vip)),
            Some(weight) => {
                let seen = self.observed.vips.get_mut(vip).unwrap();
                let last = seen.servers.values_mut().last();
                last.into_iter().for_each(|server| server.weight = weight);
            }
        }
    }

    fn step(&mut self, input: &ControllerInput) {
        match input {
            ControllerInput::Transition(backend, state, twice) => {
                self.transition(&self.backend(backend), *state, 1 + usize::from(*twice));
            }
            ControllerInput::StaleTransition(backend, to) => {
                let name = self.backend(backend);
                let before = self.controller.desired();
                let from = self.controller.backends[&name].state;
                let transition = Transition { from, to: *to, at: START, why: "late".into() };
                assert_eq!(
                    self.controller.transitioned(ProberId(0), &name, transition, Instant::now()),
                    []
                );
                assert_eq!(self.controller.desired(), before);
            }
            ControllerInput::Command(backend, command) => {
                let name = self.backend(backend);
                if let Ok(effects) =
                    self.controller.administer(name.as_str(), *command, ("me", START))
                {
                    self.execute(effects);
                }
            }
            ControllerInput::SetWeight(pool, weight) => {
                let config = Arc::clone(self.controller.config());
                let pools = &config.frontends["web"].pools;
                let pool = pool.get(pools);
                let (backend, _) = pool.backends.iter().next().unwrap();
                let weight = Weight::try_from(i64::from(*weight)).unwrap();
                let (pool, backend) = (pool.name.as_str(), backend.as_str());
                self.controller.set_weight("web", pool, backend, weight, ("me", START)).unwrap();
            }
            ControllerInput::Reload(number) => {
                let effects = self.controller.reload(Arc::new(version(*number)), START);
                self.execute(effects);
            }
            ControllerInput::GraceOver => drop(self.controller.expire_startup_grace(START)),
            ControllerInput::ForeignWrite(vip, weight) => self.write_as_other(vip, *weight),
            ControllerInput::RestartVpp => self.observed.vips.clear(),
            ControllerInput::WriteSome(count) => self.write(Some(*count)),
            ControllerInput::WriteAll => self.write(None),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(1000)))]

    #[test]
    fn every_order_of_inputs_ends_in_the_desired_state(
        inputs in prop::collection::vec(any_input(), 1..40),
    ) {
        let mut model = ControllerModel::new();
        for input in &inputs {
            model.step(input);
        }
        model.write(None);
        prop_assert_eq!(model.due(), vec![], "a second plan is empty");
        let desired = model.controller.desired();
        prop_assert_eq!(model.observed.conf.known(), Some(desired.conf));
        prop_assert_eq!(model.observed.vips.len(), desired.frontends.len());
        for frontend in desired.frontends.values() {
            let seen = &model.observed.vips[&frontend.spec.vip];
            prop_assert!(seen.servers.keys().eq(frontend.servers.keys()));
            for (address, server) in &frontend.servers {
                if let TargetWeight::Weight(weight) = server.weight {
                    prop_assert!(seen.servers[address].has(weight), "{} {}", address, weight);
                }
            }
        }
    }

    /// A daemon that restarts with the same file and gets the same verdicts, in any
    /// order, never has anything to write.
    #[test]
    fn a_restart_writes_nothing_in_any_order_of_verdicts(
        inputs in prop::collection::vec(any_input(), 1..30),
        verdicts in prop::collection::vec(any::<bool>(), 3),
        order in Just(vec![0usize, 1, 2]).prop_shuffle(),
    ) {
        let mut model = ControllerModel::new();
        for input in &inputs {
            model.step(input);
        }
        // A restart ends all overrides; they end before it here.
        let config = Arc::clone(model.controller.config());
        for name in model.controller.backend_names() {
            for command in [AdminCommand::Enable, AdminCommand::Resume] {
                if let Ok(effects) = model.controller.administer(name.as_str(), command, ("me", START)) {
                    model.execute(effects);
                }
            }
        }
        model.controller.overrides = OverrideSet::default();
        for ((name, backend), up) in config.backends.iter().zip(&verdicts) {
            if backend.enabled {
                model.transition(name, if *up { State::Up } else { State::Down }, 1);
            } else {
                let effects = model.controller.administer(name.as_str(), AdminCommand::Disable, ("me", START));
                model.execute(effects.unwrap());
            }
        }
        model.controller.expire_startup_grace(START);
        model.write(None);
        // A restart forgets which pool served last, where none does by the verdicts.
        let forgets = model.controller.frontends.values().any(|record| {
            let is_forgotten = |pool: usize| pool > 0 && !verdicts.contains(&true);
            record.fail_open.is_open && record.decision.active_pool.is_some_and(is_forgotten)
        });
        prop_assume!(!forgets);

        let (controller, _) = ControllerState::new(config, START);
        let mut restarted = ControllerModel { controller, observed: model.observed, flushed: Flushed::new() };
        prop_assert_eq!(restarted.due(), vec![]);
        for index in order {
            let name = &restarted.controller.backend_names()[index];
            restarted.transition(name, if verdicts[index] { State::Up } else { State::Down }, 1);
            prop_assert_eq!(restarted.due(), vec![], "after the verdict on {}", name);
        }
        restarted.controller.expire_startup_grace(START);
        prop_assert_eq!(restarted.due(), vec![]);
    }
}
