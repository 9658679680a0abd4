//! Property: the initial snapshot and all events since then give the present state.

use proptest::prelude::*;

use super::*;
use crate::domain::balancing::fail_open::FailOpenThreshold;

/// A configuration with some of the backends, each at one of two addresses, and with
/// some of the frontends `web` and `api`, which have all these backends.
fn variant(present: [bool; 3], readdressed: [bool; 3], frontends: [bool; 2]) -> Config {
    let full = config();
    let mut config = full.clone();
    let backends = ["a", "b", "c"].into_iter().zip(present).zip(readdressed);
    for (number, ((name, present), readdressed)) in (1..).zip(backends) {
        match config.backends.get_mut(name) {
            Some(backend) if readdressed => {
                Arc::make_mut(backend).address = [10, 0, 1, number].into();
            }
            _ => {}
        }
        if !present {
            config.backends.remove(name);
        }
    }
    let members = config.backends.keys().map(|name| (name.clone(), Weight::FULL)).collect();
    let pools = vec![Pool { name: "main".into(), backends: members, slow_start: None }];
    config.frontends.clear();
    let names = [("web", 1), ("api", 2)].into_iter().zip(frontends);
    for (name, last) in names.filter_map(|(name, present)| present.then_some(name)) {
        let prefix = format!("192.0.2.{last}/32").parse().unwrap();
        let vip = Vip::new(prefix, Service::All);
        // `api` fails open, and `web` only while it is alone.
        let fails_open = name == "api" || frontends == [true, false];
        let fail_open = FailOpenThreshold::new(60).filter(|_| fails_open);
        let pools = pools.clone();
        let frontend = Frontend { vip, pools, fail_open, ..full.frontends["web"].clone() };
        config.frontends.insert(name.into(), frontend);
    }
    config
}

/// The state according to the snapshot and the events.
struct EventReplica {
    backends: BTreeMap<BackendName, State>,
    frontends: BTreeMap<FrontendName, FrontendState>,
    /// Those that fail open.
    open: BTreeSet<FrontendName>,
}

impl EventReplica {
    fn apply(&mut self, effects: &[ControllerEffect]) {
        for effect in effects {
            match effect {
                ControllerEffect::Publish(Event::Backend(name, change)) => {
                    let known = self.backends.remove(name).unwrap_or(State::Removed);
                    assert_eq!(change.from, known, "{name}: {change:?}");
                    if change.to != State::Removed {
                        self.backends.insert(name.clone(), change.to);
                    }
                }
                ControllerEffect::Publish(Event::Frontend(name, change)) => {
                    let known = self.frontends.remove(name).unwrap_or(FrontendState::Removed);
                    assert_eq!(change.from, known, "{name}: {change:?}");
                    if change.to != FrontendState::Removed {
                        self.frontends.insert(name.clone(), change.to);
                    } else {
                        self.open.remove(name);
                    }
                }
                ControllerEffect::Publish(Event::FailOpen(change)) => {
                    let name = &change.frontend;
                    assert_eq!(change.was_open, self.open.contains(name), "{change:?}");
                    if change.is_open {
                        self.open.insert(name.clone());
                    } else {
                        assert!(self.open.remove(name), "{change:?}");
                    }
                }
                _ => {}
            }
        }
    }
}

#[derive(Clone, Debug)]
enum StreamInput {
    Reload([bool; 3], [bool; 3], [bool; 2]),
    Transition(&'static str, State),
}

fn any_input() -> impl Strategy<Value = StreamInput> {
    let states = [State::Unknown, State::Up, State::Down, State::Paused, State::Disabled];
    let transition =
        (prop::sample::select(vec!["a", "b", "c"]), prop::sample::select(states.to_vec()));
    prop_oneof![
        1 => any::<([bool; 3], [bool; 3], [bool; 2])>()
            .prop_map(|(present, readdressed, frontends)| StreamInput::Reload(present, readdressed, frontends)),
        3 => transition.prop_map(|(name, state)| StreamInput::Transition(name, state)),
    ]
}

proptest! {
    #[test]
    fn the_snapshot_and_all_events_give_the_present_state(
        inputs in prop::collection::vec(any_input(), 1..30)
    ) {
        let mut controller = started();
        let States { backends, frontends } = controller.states();
        let mut replica = EventReplica {
            backends: backends.into_iter().collect(),
            frontends: frontends.into_iter().collect(),
            open: BTreeSet::new(),
        };
        for input in inputs {
            let effects = match input {
                StreamInput::Reload(present, readdressed, frontends) => {
                    controller.reload(Arc::new(variant(present, readdressed, frontends)), START)
                }
                StreamInput::Transition(name, state) => match controller.backends.get(name) {
                    Some(record) if record.state != state => {
                        transition(&mut controller, name, state)
                    }
                    _ => continue,
                },
            };
            replica.apply(&effects);
            let open = controller.frontends.iter().filter(|(_, it)| it.fail_open.is_open);
            prop_assert_eq!(&replica.open, &open.map(|(name, _)| name.clone()).collect());
            let States { backends, frontends } = controller.states();
            prop_assert_eq!(&replica.backends, &backends.into_iter().collect());
            prop_assert_eq!(&replica.frontends, &frontends.into_iter().collect());
        }
    }
}
