//! What there is: every backend and frontend with its state.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use crate::domain::events::{Event, Numbered, Seq, Transition};
use crate::domain::health::State;
use crate::domain::names::{BackendName, FrontendName};
use crate::domain::roster::States;
use crate::domain::weights::FrontendState;

/// The present state, as events tell of it.
#[derive(Default)]
pub(super) struct Present {
    backends: BTreeMap<BackendName, Transition<State>>,
    frontends: BTreeMap<FrontendName, Transition<FrontendState>>,
    /// Made once for all who ask between two changes.
    events: Option<Arc<[Arc<Numbered>]>>,
}

impl Present {
    /// Takes the names and states that there are at the start.
    pub(super) fn announce(&mut self, states: States, at: SystemTime) {
        self.events = None;
        replace(&mut self.backends, states.backends, at);
        replace(&mut self.frontends, states.frontends, at);
    }

    pub(super) fn remember(&mut self, event: &Event) {
        match event {
            Event::Backend(name, transition) if transition.to == State::Removed => {
                self.backends.remove(name);
            }
            Event::Backend(name, transition) => {
                self.backends.insert(name.clone(), transition.clone());
            }
            Event::Frontend(name, transition) if transition.to == FrontendState::Removed => {
                self.frontends.remove(name);
            }
            Event::Frontend(name, transition) => {
                self.frontends.insert(name.clone(), transition.clone());
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
            let backends = backends.iter().map(|(name, last)| {
                Event::Backend(name.clone(), Transition { from: last.to, ..last.clone() })
            });
            let frontends = frontends.iter().map(|(name, last)| {
                Event::Frontend(name.clone(), Transition { from: last.to, ..last.clone() })
            });
            let events = backends.chain(frontends);
            events.map(|event| Arc::new(Numbered::new(Seq(0), event))).collect()
        });
        Arc::clone(made)
    }
}

/// Takes the names and states of `now`, and keeps the transitions that led
/// there where they are known.
fn replace<N: Ord, S: Copy + PartialEq>(
    known: &mut BTreeMap<N, Transition<S>>,
    now: Vec<(N, S)>,
    at: SystemTime,
) {
    let mut before = std::mem::take(known);
    known.extend(now.into_iter().map(|(name, state)| {
        let last = before.remove(&name).filter(|last| last.to == state);
        let first = || Transition { from: state, to: state, at, why: String::new() };
        (name, last.unwrap_or_else(first))
    }));
}
