//! What there is: every backend and frontend with its state.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use crate::domain::balancing::weights::FrontendState;
use crate::domain::controller::States;
use crate::domain::events::{Event, Numbered, Seq, Transition};
use crate::domain::health::State;
use crate::domain::names::{BackendName, FrontendName};

/// The present state, as events tell of it: the last of each.
#[derive(Default)]
pub(super) struct StateSnapshot {
    backends: BTreeMap<BackendName, Arc<Numbered>>,
    frontends: BTreeMap<FrontendName, Arc<Numbered>>,
    /// Made once for all who ask between two changes.
    events: Option<Arc<[Arc<Numbered>]>>,
}

impl StateSnapshot {
    /// Takes the names and states that there are at the start, and keeps the
    /// transitions that led there where they are known.
    pub(super) fn announce(&mut self, states: States, at: SystemTime) {
        self.events = None;
        let backend = |event: &Event| match event {
            Event::Backend(_, last) => Some(last.to),
            _ => None,
        };
        let frontend = |event: &Event| match event {
            Event::Frontend(_, last) => Some(last.to),
            _ => None,
        };
        replace(&mut self.backends, states.backends, backend, |name, state| {
            Event::Backend(name, standing(state, at))
        });
        replace(&mut self.frontends, states.frontends, frontend, |name, state| {
            Event::Frontend(name, standing(state, at))
        });
    }

    pub(super) fn remember(&mut self, happened: &Arc<Numbered>) {
        match &happened.event {
            Event::Backend(name, transition) if transition.to == State::Removed => {
                self.backends.remove(name);
            }
            Event::Backend(name, _) => {
                self.backends.insert(name.clone(), Arc::clone(happened));
            }
            Event::Frontend(name, transition) if transition.to == FrontendState::Removed => {
                self.frontends.remove(name);
            }
            Event::Frontend(name, _) => {
                self.frontends.insert(name.clone(), Arc::clone(happened));
            }
            Event::Log(_) | Event::Dataplane(_) | Event::Change(_) => return,
        }
        self.events = None;
    }

    /// As events with from = to, and with the number 0: who has seen a part of
    /// them has seen nothing that could be gone on from.
    pub(super) fn events(&mut self) -> Arc<[Arc<Numbered>]> {
        let Self { backends, frontends, events } = self;
        let made = events.get_or_insert_with(|| {
            let last = backends.values().chain(frontends.values());
            last.map(|last| told(at_rest(&last.event))).collect()
        });
        Arc::clone(made)
    }
}

fn told(event: Event) -> Arc<Numbered> {
    Arc::new(Numbered::new(Seq(0), event))
}

/// Takes the names and states of `now`. `state` is what an event led to, and
/// `first` the event of a state that none is known to have led to.
fn replace<N: Ord + Clone, S: PartialEq>(
    known: &mut BTreeMap<N, Arc<Numbered>>,
    now: Vec<(N, S)>,
    state: impl Fn(&Event) -> Option<S>,
    first: impl Fn(N, S) -> Event,
) {
    let mut before = std::mem::take(known);
    known.extend(now.into_iter().map(|(name, now)| {
        let last = before.remove(&name).filter(|last| state(&last.event).as_ref() == Some(&now));
        let last = last.unwrap_or_else(|| told(first(name.clone(), now)));
        (name, last)
    }));
}

/// A state that nobody has seen come about.
fn standing<S: Copy>(state: S, at: SystemTime) -> Transition<S> {
    Transition { from: state, to: state, at, why: Arc::default() }
}

/// The state that a transition led to, as an event.
fn at_rest(last: &Event) -> Event {
    match last.clone() {
        Event::Backend(name, last) => Event::Backend(name, Transition { from: last.to, ..last }),
        Event::Frontend(name, last) => Event::Frontend(name, Transition { from: last.to, ..last }),
        other => other,
    }
}
