//! Properties: what a reload leaves as it is, for random pairs of configurations.

use proptest::prelude::*;

use super::inheritance::rename;
use super::*;
use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::dataplane::observed::Observed;
use crate::domain::dataplane::plan::{self, Flushed, Scope};

/// A backend of a random configuration: its name, address and check.
type LawBackend = (u8, u8, bool);

/// A configuration with these backends, no two of which have one name. Each is in the
/// frontend of its number, in the first pool or the second, unless another of its
/// address is in that frontend.
fn random(members: &[(LawBackend, bool, u8, u8)]) -> Config {
    let mut config = config();
    let second = Arc::new(HealthCheck {
        source_v4: Some([192, 0, 2, 77].into()),
        ..(*config.checks["ping"]).clone()
    });
    config.checks.insert("other".into(), second);
    let web = config.frontends.remove("web").unwrap();
    config.backends.clear();
    let mut addresses = BTreeSet::new();
    for ((name, address, other), is_spare, frontend, weight) in members {
        let name: BackendName = format!("n{name}").as_str().into();
        let address = [10, 0, 0, *address];
        let check = if *other { "other" } else { "ping" };
        let settings = Backend {
            address: address.into(),
            check: Some(check.into()),
            port: None,
            enabled: true,
        };
        if config.backends.contains_key(&name) || !addresses.insert((*frontend, address)) {
            continue;
        }
        config.backends.insert(name.clone(), Arc::new(settings));
        let key: FrontendName = format!("f{frontend}").as_str().into();
        let entry = config.frontends.entry(key).or_insert_with(|| {
            let vip = Vip::new(format!("192.0.2.{frontend}/32").parse().unwrap(), Service::All);
            let pool = |name: &str| Pool {
                name: name.into(),
                backends: BTreeMap::new(),
                slow_start: None,
            };
            Frontend { vip, pools: vec![pool("main"), pool("spare")], ..web.clone() }
        });
        let weight = Weight::try_from(i64::from(*weight)).unwrap();
        entry.pools[usize::from(*is_spare)].backends.insert(name, weight);
    }
    config
}

fn any_members() -> impl Strategy<Value = Vec<(LawBackend, bool, u8, u8)>> {
    let member = ((0u8..8, 0u8..5, any::<bool>()), any::<bool>(), 1u8..4, 0u8..=100);
    prop::collection::vec(member, 1..9)
}

/// What the probes of each address with each check say.
fn verdict_of(verdicts: &[State], backend: &Backend) -> State {
    let Some(IpAddr::V4(address)) = backend.address.fixed() else { panic!("an IPv4 address") };
    let other = usize::from(backend.check == Some("other".into()));
    verdicts[2 * usize::from(address.octets()[3]) + other]
}

fn reported(config: &Config, verdicts: &[State]) -> ControllerState {
    let mut controller = ControllerState::new(Arc::new(config.clone()), START).0;
    for (name, backend) in &config.backends {
        let verdict = verdict_of(verdicts, backend);
        if verdict != State::Unknown {
            transition(&mut controller, name.as_str(), verdict);
        }
    }
    controller.expire_startup_grace(START);
    controller
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(2000)))]

    /// Nothing changes its weight because of a reload beyond what the weights of the file
    /// say: where all that a frontend uses was probed before in the same way, it is as if
    /// the daemon had always had the new file.
    #[test]
    fn what_was_probed_keeps_its_weight_whatever_its_name(
        before in any_members(),
        after in any_members(),
        verdicts in prop::collection::vec(
            prop::sample::select(vec![State::Up, State::Up, State::Down, State::Unknown]), 10),
    ) {
        let (before, after) = (random(&before), random(&after));
        let mut controller = reported(&before, &verdicts);
        controller.reload(Arc::new(after.clone()), START);
        let expected = reported(&after, &verdicts);
        let probe = |backend: &Backend| (backend.address.fixed(), backend.check.clone());
        let probed: Vec<_> = before.backends.values().map(|backend| probe(backend)).collect();
        let is_kept = |name: &BackendName| probed.contains(&probe(&after.backends[name]));
        for name in after.backends.keys().filter(|name| is_kept(name)) {
            let found = controller.backends[name].state;
            prop_assert_eq!(found, expected.backends[name].state, "{}", name);
        }
        for (name, frontend) in &after.frontends {
            if frontend.pools.iter().flat_map(|pool| pool.backends.keys()).all(is_kept) {
                let weights = |controller: &ControllerState| {
                    let servers = controller.desired().frontends[name].servers.clone();
                    servers.into_iter().map(|(it, server)| (it, server.weight)).collect::<Vec<_>>()
                };
                prop_assert_eq!(weights(&controller), weights(&expected), "{}", name);
            }
        }
    }

    /// New names for all backends are not a step in VPP.
    #[test]
    fn new_names_write_nothing(
        members in any_members(),
        inputs in prop::collection::vec((0u8..8, prop::sample::select(vec![State::Up, State::Down])), 0..30),
        names in Just((0u8..8).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let before = random(&members);
        let mut controller = reported(&before, &[State::Up; 10]);
        let mut observed =
            Observed::empty(LbDialect::Weights, before.lb.conf);
        let mut flushed = Flushed::new();
        let mut write = |controller: &ControllerState| {
            let desired = controller.desired();
            let steps = plan::plan(&desired, &observed, &flushed, &Scope::All);
            for planned in &steps {
                plan::apply(&mut observed, &planned.step);
                if let Some(frontend) =
                    planned.frontend.as_ref().and_then(|name| desired.frontends.get(name))
                {
                    plan::confirm(&mut flushed, frontend, &planned.step);
                }
            }
            steps
        };
        for (number, to) in inputs {
            let name = format!("n{number}");
            let Some(backend) = before.backends.get(name.as_str()) else { continue };
            // What is probed in the same way gives the same verdict.
            let alike = before.backends.iter().filter(|(_, other)| {
                (&other.address, &other.check) == (&backend.address, &backend.check)
            });
            for (name, _) in alike {
                if controller.backends[name].state != to {
                    transition(&mut controller, name.as_str(), to);
                }
            }
            write(&controller);
        }
        write(&controller);
        let mut after = before.clone();
        for number in 0..8 {
            let name = format!("n{number}");
            if after.backends.contains_key(name.as_str()) {
                rename(&mut after, &name, &format!("x{number}"));
            }
        }
        // Some of the new names are names of others.
        for (number, name) in names.iter().enumerate() {
            let from = format!("x{number}");
            if after.backends.contains_key(from.as_str()) {
                rename(&mut after, &from, &format!("n{name}"));
            }
        }
        controller.reload(Arc::new(after), START);
        prop_assert_eq!(write(&controller), vec![]);
    }
}
