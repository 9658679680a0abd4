//! Laws over every order of events: the roster and the plan together, and a VPP
//! that strangers write to, that restarts, and that plans do not always reach.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::domain::dataplane::observed::Observed;
use crate::domain::dataplane::plan::{self, Flushed, Planned, Scope};
use crate::domain::dataplane::step::Step;

/// What can happen.
#[derive(Clone, Debug)]
enum ControllerInput {
    /// The backend's prober tells of a state, perhaps twice.
    Told(Index, State, bool),
    /// A prober that was replaced tells of one.
    Stale(Index, State),
    Commanded(Index, AdminCommand),
    Weighed(Index, u8),
    /// The file's version of this number is loaded.
    Reloaded(u8),
    PatienceOver,
    /// Somebody else sets the weight of a server in VPP, or removes a VIP.
    Meddled(Index, Option<u8>),
    Restarted,
    /// So much of what is due is written.
    Written(Index),
    AllWritten,
}

fn any_state() -> impl Strategy<Value = State> {
    prop::sample::select(vec![State::Up, State::Up, State::Down, State::Unknown])
}

fn any_happening() -> impl Strategy<Value = ControllerInput> {
    let command = prop::sample::select(vec![
        AdminCommand::Pause,
        AdminCommand::Resume,
        AdminCommand::Enable,
        AdminCommand::Disable,
    ]);
    prop_oneof![
        6 => (any::<Index>(), any_state(), any::<bool>())
            .prop_map(|(who, state, twice)| ControllerInput::Told(who, state, twice)),
        1 => (any::<Index>(), any_state()).prop_map(|(who, state)| ControllerInput::Stale(who, state)),
        2 => (any::<Index>(), command).prop_map(|(who, what)| ControllerInput::Commanded(who, what)),
        2 => (any::<Index>(), 0u8..=100).prop_map(|(place, weight)| ControllerInput::Weighed(place, weight)),
        2 => (0u8..64).prop_map(ControllerInput::Reloaded),
        1 => Just(ControllerInput::PatienceOver),
        1 => (any::<Index>(), prop::option::of(any::<u8>()))
            .prop_map(|(place, weight)| ControllerInput::Meddled(place, weight)),
        1 => Just(ControllerInput::Restarted),
        3 => any::<Index>().prop_map(ControllerInput::Written),
        3 => Just(ControllerInput::AllWritten),
    ]
}

/// The file in one of 64 versions.
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
        let observed = Observed { conf, vips: BTreeMap::new(), strange: vec![] };
        Self { controller, observed, flushed: Flushed::new() }
    }

    fn due(&self) -> Vec<Planned> {
        plan::plan(&self.controller.desired(), &self.observed, &self.flushed, &Scope::All)
    }

    fn serves(&self, vip: &Vip) -> bool {
        let seen = self.observed.vips.get(vip);
        seen.is_some_and(|seen| seen.servers.values().any(|server| server.weight > 0))
    }

    /// Writes so many of the steps that are due. A VIP that serves, and has a
    /// server that is up, serves after each of them.
    fn write(&mut self, count: Option<Index>) {
        let desired = self.controller.desired();
        let steps = self.due();
        let rebuilt = |vip: &Vip| steps.iter().any(|p| p.step == Step::RemoveVip(*vip));
        let wanted =
            |weight| matches!(weight, TargetWeight::Weight(weight) if weight > Weight::ZERO);
        let must_serve: Vec<_> = desired
            .frontends
            .values()
            .filter(|frontend| frontend.servers.values().any(|server| wanted(server.weight)))
            .map(|frontend| frontend.spec.vip)
            .filter(|vip| self.serves(vip) && !rebuilt(vip))
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

    fn backend(&self, who: &Index) -> BackendName {
        let names = self.controller.backend_names();
        who.get(&names).clone()
    }

    /// The backend's prober tells of this state.
    fn told(&mut self, name: &BackendName, to: State, times: usize) {
        let BackendRecord { state: from, prober, .. } = *self.controller.backends[name];
        // A prober that does not probe has no verdict to tell.
        if from != to && matches!(from, State::Unknown | State::Up | State::Down) {
            let transition = Transition { from, to, at: START, why: "probe".into() };
            for _ in 0..times {
                self.controller.transitioned(prober, name, transition.clone());
            }
        }
    }

    /// As probers do what they are told.
    fn obey(&mut self, effects: Vec<ControllerEffect>) {
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
                let transition = Transition { from, to, at: START, why: "told".into() };
                self.controller.transitioned(prober, &backend, transition);
            }
        }
    }

    fn meddle(&mut self, place: &Index, weight: Option<u8>) {
        let vips: Vec<_> = self.observed.vips.keys().copied().collect();
        if vips.is_empty() {
            return;
        }
        let vip = place.get(&vips);
        match weight {
            None => drop(self.observed.vips.remove(vip)),
            Some(weight) => {
                let seen = self.observed.vips.get_mut(vip).unwrap();
                let last = seen.servers.values_mut().last();
                last.into_iter().for_each(|server| server.weight = weight);
            }
        }
    }

    fn happen(&mut self, happening: &ControllerInput) {
        match happening {
            ControllerInput::Told(who, state, twice) => {
                self.told(&self.backend(who), *state, 1 + usize::from(*twice));
            }
            ControllerInput::Stale(who, to) => {
                let name = self.backend(who);
                let before = self.controller.desired();
                let from = self.controller.backends[&name].state;
                let transition = Transition { from, to: *to, at: START, why: "late".into() };
                assert_eq!(self.controller.transitioned(ProberId(0), &name, transition), []);
                assert_eq!(self.controller.desired(), before);
            }
            ControllerInput::Commanded(who, command) => {
                let name = self.backend(who);
                if let Ok(effects) =
                    self.controller.administer(name.as_str(), *command, ("me", START))
                {
                    self.obey(effects);
                }
            }
            ControllerInput::Weighed(place, weight) => {
                let config = Arc::clone(self.controller.config());
                let pools = &config.frontends["web"].pools;
                let pool = place.get(pools);
                let (backend, _) = pool.backends.iter().next().unwrap();
                let weight = Weight::try_from(i64::from(*weight)).unwrap();
                let (pool, backend) = (pool.name.as_str(), backend.as_str());
                self.controller.set_weight("web", pool, backend, weight, ("me", START)).unwrap();
            }
            ControllerInput::Reloaded(number) => {
                let effects = self.controller.reload(Arc::new(version(*number)), START);
                self.obey(effects);
            }
            ControllerInput::PatienceOver => drop(self.controller.expire_startup_grace(START)),
            ControllerInput::Meddled(place, weight) => self.meddle(place, *weight),
            ControllerInput::Restarted => self.observed.vips.clear(),
            ControllerInput::Written(count) => self.write(Some(*count)),
            ControllerInput::AllWritten => self.write(None),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(1000)))]

    #[test]
    fn any_order_of_events_ends_in_what_is_wanted(
        happenings in prop::collection::vec(any_happening(), 1..40),
    ) {
        let mut world = ControllerModel::new();
        for happening in &happenings {
            world.happen(happening);
        }
        world.write(None);
        prop_assert_eq!(world.due(), vec![], "a second plan is empty");
        let desired = world.controller.desired();
        prop_assert_eq!(world.observed.conf, desired.conf);
        prop_assert_eq!(world.observed.vips.len(), desired.frontends.len());
        for frontend in desired.frontends.values() {
            let seen = &world.observed.vips[&frontend.spec.vip];
            prop_assert!(seen.servers.keys().eq(frontend.servers.keys()));
            for (address, wanted) in &frontend.servers {
                if let TargetWeight::Weight(weight) = wanted.weight {
                    prop_assert!(seen.servers[address].has(weight), "{} {}", address, weight);
                }
            }
        }
    }

    /// Whatever happened before, a daemon that starts with the same file and
    /// comes to the same verdicts, in any order, has nothing to write on its way.
    #[test]
    fn a_restart_writes_nothing_in_any_order_of_verdicts(
        happenings in prop::collection::vec(any_happening(), 1..30),
        verdicts in prop::collection::vec(any::<bool>(), 3),
        effect in Just(vec![0usize, 1, 2]).prop_shuffle(),
    ) {
        let mut world = ControllerModel::new();
        for happening in &happenings {
            world.happen(happening);
        }
        // Operators' words end with the daemon, so they end before it here.
        let config = Arc::clone(world.controller.config());
        for name in world.controller.backend_names() {
            for command in [AdminCommand::Enable, AdminCommand::Resume] {
                if let Ok(effects) = world.controller.administer(name.as_str(), command, ("me", START)) {
                    world.obey(effects);
                }
            }
        }
        for record in world.controller.frontends.values_mut() {
            record.overrides.clear();
        }
        for ((name, backend), up) in config.backends.iter().zip(&verdicts) {
            if backend.enabled {
                world.told(name, if *up { State::Up } else { State::Down }, 1);
            } else {
                let effects = world.controller.administer(name.as_str(), AdminCommand::Disable, ("me", START));
                world.obey(effects.unwrap());
            }
        }
        world.controller.expire_startup_grace(START);
        world.write(None);

        let (controller, _) = ControllerState::new(config, START);
        let mut morning = ControllerModel { controller, observed: world.observed, flushed: Flushed::new() };
        prop_assert_eq!(morning.due(), vec![]);
        for place in effect {
            let name = &morning.controller.backend_names()[place];
            morning.told(name, if verdicts[place] { State::Up } else { State::Down }, 1);
            prop_assert_eq!(morning.due(), vec![], "after the verdict on {}", name);
        }
        morning.controller.expire_startup_grace(START);
        prop_assert_eq!(morning.due(), vec![]);
    }
}
