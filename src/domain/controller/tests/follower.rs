//! Whoever has seen the start and every event since knows what there is.

use proptest::prelude::*;

use super::*;

/// A file with some of the backends, at one of two addresses each, and with
/// some of the frontends `web` and `api` over all that there are.
fn some_of(present: [bool; 3], moved: [bool; 3], frontends: [bool; 2]) -> Config {
    let full = config();
    let mut config = full.clone();
    let places = ["a", "b", "c"].into_iter().zip(present).zip(moved);
    for (number, ((name, present), moved)) in (1..).zip(places) {
        match config.backends.get_mut(name) {
            Some(backend) if moved => Arc::make_mut(backend).address = [10, 0, 1, number].into(),
            _ => {}
        }
        if !present {
            config.backends.remove(name);
        }
    }
    let members = config.backends.keys().map(|name| (name.clone(), Weight::FULL)).collect();
    let pools = vec![Pool { name: "main".into(), backends: members }];
    config.frontends.clear();
    let names = [("web", 1), ("api", 2)].into_iter().zip(frontends);
    for (name, last) in names.filter_map(|(name, present)| present.then_some(name)) {
        let prefix = format!("192.0.2.{last}/32").parse().unwrap();
        let vip = Vip::new(prefix, Service::All);
        let frontend = Frontend { vip, pools: pools.clone(), ..full.frontends["web"].clone() };
        config.frontends.insert(name.into(), frontend);
    }
    config
}

/// What somebody knows who has seen the start and every event since.
struct Follower {
    backends: BTreeMap<BackendName, State>,
    frontends: BTreeMap<FrontendName, FrontendState>,
}

impl Follower {
    fn hear(&mut self, effects: &[ControllerEffect]) {
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
                    }
                }
                _ => {}
            }
        }
    }
}

#[derive(Clone, Debug)]
enum FollowedEvent {
    Reload([bool; 3], [bool; 3], [bool; 2]),
    Told(&'static str, State),
}

fn happening() -> impl Strategy<Value = FollowedEvent> {
    let states = [State::Unknown, State::Up, State::Down, State::Paused, State::Disabled];
    let told = (prop::sample::select(vec!["a", "b", "c"]), prop::sample::select(states.to_vec()));
    prop_oneof![
        1 => any::<([bool; 3], [bool; 3], [bool; 2])>().prop_map(|(p, m, f)| FollowedEvent::Reload(p, m, f)),
        3 => told.prop_map(|(name, state)| FollowedEvent::Told(name, state)),
    ]
}

proptest! {
    #[test]
    fn whoever_follows_the_events_knows_what_there_is(
        happenings in prop::collection::vec(happening(), 1..30)
    ) {
        let mut controller = started();
        let States { backends, frontends } = controller.states();
        let mut follower = Follower {
            backends: backends.into_iter().collect(),
            frontends: frontends.into_iter().collect(),
        };
        for happening in happenings {
            let effects = match happening {
                FollowedEvent::Reload(present, moved, frontends) => {
                    controller.reload(Arc::new(some_of(present, moved, frontends)), START)
                }
                FollowedEvent::Told(name, state) => match controller.backends.get(name) {
                    Some(known) if known.state != state => tell(&mut controller, name, state),
                    _ => continue,
                },
            };
            follower.hear(&effects);
            let States { backends, frontends } = controller.states();
            prop_assert_eq!(&follower.backends, &backends.into_iter().collect());
            prop_assert_eq!(&follower.frontends, &frontends.into_iter().collect());
        }
    }
}
