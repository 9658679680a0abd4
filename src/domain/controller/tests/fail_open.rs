//! Tests what a frontend that fails open remembers, publishes and has flushed.

use super::*;
use crate::domain::balancing::fail_open::{FailOpenThreshold, UpWeight};
use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::dataplane::observed::Observed;
use crate::domain::dataplane::plan::{self, Flushed, Scope};
use crate::domain::dataplane::step::Step;
use crate::domain::events::FailOpenChange;

/// `web` fails open below 50 % of its 300.
fn open_config() -> Config {
    let mut config = config();
    config.frontends.get_mut("web").unwrap().fail_open = FailOpenThreshold::new(50);
    config
}

/// All are up, and the start is long ago.
fn settled() -> ControllerState {
    let (mut controller, _) = ControllerState::new(Arc::new(open_config()), START);
    for name in ["a", "b", "c"] {
        transition(&mut controller, name, State::Up);
    }
    controller.expire_startup_grace(START);
    assert_eq!(weights(&controller), "100 100 0");
    controller
}

fn changes(effects: &[ControllerEffect]) -> Vec<&FailOpenChange> {
    let change = |effect| match effect {
        &ControllerEffect::Publish(Event::FailOpen(ref change)) => Some(&**change),
        _ => None,
    };
    effects.iter().filter_map(change).collect()
}

#[test]
fn the_beginning_and_the_end_are_published_with_the_figures() {
    let mut controller = settled();
    assert!(changes(&transition(&mut controller, "b", State::Down)).is_empty());
    let effects = transition(&mut controller, "c", State::Down);
    let [change] = changes(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!((change.was_open, change.is_open), (false, true));
    assert_eq!(change.pool.as_ref().map(PoolName::as_str), Some("main"));
    let figures = change.decision.unwrap();
    assert_eq!(figures.weight, UpWeight { up: 100, awaited: 0, total: 300 });
    assert_eq!(&*change.why, "c down");
    assert_eq!(weights(&controller), "100 100 0");
    assert_eq!(controller.counts().frontends_open, 1);
    let view = controller.frontend("web").unwrap();
    assert_eq!((view.state, view.open_since), (FrontendState::Up, Some(START)));

    assert!(changes(&transition(&mut controller, "a", State::Down)).is_empty());
    assert_eq!(weights(&controller), "100 100 0", "the last that served");
    assert!(changes(&transition(&mut controller, "a", State::Up)).is_empty());
    let effects = transition(&mut controller, "c", State::Up);
    let [change] = changes(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!((change.was_open, change.is_open), (true, false));
    assert_eq!(change.pool.as_ref().map(PoolName::as_str), Some("main"));
    assert_eq!(weights(&controller), "100 0 0");
    assert_eq!(controller.frontend("web").unwrap().open_since, None);
}

#[test]
fn a_reload_keeps_what_served_last_where_the_pool_keeps_its_name() {
    let mut controller = settled();
    for name in ["a", "b"] {
        transition(&mut controller, name, State::Down);
    }
    assert_eq!(weights(&controller), "0 0 100", "the fallback serves");
    transition(&mut controller, "c", State::Down);
    assert_eq!(weights(&controller), "0 0 100", "and goes on");
    let mut other = open_config();
    other.frontends.get_mut("web").unwrap().description = "another".into();
    assert!(changes(&controller.reload(Arc::new(other.clone()), START)).is_empty());
    assert_eq!(weights(&controller), "0 0 100");
    other.frontends.get_mut("web").unwrap().pools[1].name = "renamed".into();
    assert!(changes(&controller.reload(Arc::new(other), START)).is_empty());
    assert_eq!(weights(&controller), "100 100 0", "the first, for want of the last");

    let effects = controller.reload(Arc::new(config()), START);
    let [change] = changes(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!((change.is_open, change.decision), (false, None));
    assert_eq!(weights(&controller), "0 0 0");
}

/// Backends that were never found down do not make a frontend fail open.
#[test]
fn what_a_reload_or_an_operator_brings_is_awaited() {
    let mut controller = settled();
    let mut more = open_config();
    for number in 4..14 {
        let name = format!("new{number}");
        let settings =
            Backend { address: [10, 0, 0, number].into(), ..(*more.backends["a"]).clone() };
        more.backends.insert(name.as_str().into(), Arc::new(settings));
        let web = more.frontends.get_mut("web").unwrap();
        web.pools[0].backends.insert(name.as_str().into(), Weight::FULL);
    }
    assert!(changes(&controller.reload(Arc::new(more), START)).is_empty());
    assert!(weights(&controller).starts_with("100 100 0 0 "), "{}", weights(&controller));
    // None of the new ones answers: then they count.
    let id = controller.last_reload;
    assert_eq!(changes(&controller.expire_reload_grace(id, START)).len(), 1);

    let mut controller = settled();
    for name in ["b", "c"] {
        transition(&mut controller, name, State::Paused);
    }
    for name in ["b", "c"] {
        assert!(changes(&transition(&mut controller, name, State::Unknown)).is_empty());
    }
    assert!(changes(&transition(&mut controller, "b", State::Down)).is_empty());
    assert_eq!(changes(&transition(&mut controller, "c", State::Down)).len(), 1);
}

/// The steps of the plan, which are done.
fn write(
    controller: &ControllerState,
    observed: &mut Observed,
    flushed: &mut Flushed,
) -> Vec<Step> {
    let desired = controller.desired();
    let steps = plan::plan(&desired, observed, flushed, &Scope::All);
    for planned in &steps {
        plan::apply(observed, &planned.step);
        if let Some(name) = &planned.frontend {
            plan::confirm(flushed, &desired.frontends[name], &planned.step);
        }
    }
    steps.into_iter().map(|planned| planned.step).collect()
}

#[test]
fn a_server_that_is_down_is_flushed_once_when_it_ends_and_not_before() {
    let mut controller = settled();
    let conf = controller.config.lb.conf;
    let mut observed = Observed::empty(LbDialect::Weights, conf);
    let mut flushed = Flushed::new();
    write(&controller, &mut observed, &mut flushed);
    let flushes = |steps: Vec<Step>| -> Vec<IpAddr> {
        let flush = |step| match step {
            Step::SetWeight { server, flush: true, .. } => Some(server),
            _ => None,
        };
        steps.into_iter().filter_map(flush).collect()
    };
    let mut after =
        |controller: &ControllerState| flushes(write(controller, &mut observed, &mut flushed));
    let [b, c] = [2, 3].map(|last| IpAddr::from([10, 0, 0, last]));
    transition(&mut controller, "c", State::Down);
    assert_eq!(after(&controller), [c], "of a pool that stands by");
    transition(&mut controller, "b", State::Down);
    let none: [IpAddr; 0] = [];
    assert_eq!(after(&controller), none, "it counts as up");
    transition(&mut controller, "a", State::Down);
    transition(&mut controller, "a", State::Up);
    assert_eq!(after(&controller), none);
    transition(&mut controller, "c", State::Up);
    assert_eq!(after(&controller), [b]);
    assert_eq!(after(&controller), none);
}
