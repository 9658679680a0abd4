//! The last transition of every backend and frontend, and the holds and drains that have
//! not ended, as the events that a new subscription begins with.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use super::shared_event::SharedEvent;
use crate::domain::balancing::weights::FrontendState;
use crate::domain::controller::States;
use crate::domain::events::{Event, Seq, Transition};
use crate::domain::evidence::group::ProbeGroup;
use crate::domain::evidence::hold::HoldChangeKind;
use crate::domain::health::State;
use crate::domain::names::{BackendName, FrontendName};

#[derive(Default)]
pub(super) struct StateSnapshot {
    backends: BTreeMap<BackendName, Arc<SharedEvent>>,
    frontends: BTreeMap<FrontendName, Arc<SharedEvent>>,
    /// Those that fail open.
    open: BTreeMap<FrontendName, Arc<SharedEvent>>,
    /// The groups whose verdicts wait.
    held: BTreeMap<ProbeGroup, Arc<SharedEvent>>,
    /// The drains that are followed, and those that are over and were not ended.
    drains: BTreeMap<BackendName, Arc<SharedEvent>>,
    /// Made once for all subscriptions between two changes.
    events: Option<Arc<[Arc<SharedEvent>]>>,
}

impl StateSnapshot {
    /// Sets all names and states. Where the last transition led to the state, it
    /// is kept.
    pub(super) fn set(&mut self, states: States, at: SystemTime) {
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
            Event::Backend(name, without_transition(state, at))
        });
        replace(&mut self.frontends, states.frontends, frontend, |name, state| {
            Event::Frontend(name, without_transition(state, at))
        });
    }

    /// Applies an event that was published.
    pub(super) fn apply(&mut self, published: &Arc<SharedEvent>) {
        match &published.event {
            Event::Backend(name, transition) if transition.to == State::Removed => {
                self.backends.remove(name);
                self.drains.remove(name);
            }
            Event::Backend(name, _) => {
                self.backends.insert(name.clone(), Arc::clone(published));
            }
            Event::Frontend(name, transition) if transition.to == FrontendState::Removed => {
                self.frontends.remove(name);
                self.open.remove(name);
            }
            Event::Frontend(name, _) => {
                self.frontends.insert(name.clone(), Arc::clone(published));
            }
            Event::FailOpen(change) if change.is_open => {
                self.open.insert(change.frontend.clone(), Arc::clone(published));
            }
            Event::FailOpen(change) => drop(self.open.remove(&change.frontend)),
            Event::Hold(change) => match change.kind {
                HoldChangeKind::Began { .. } => {
                    self.held.insert(change.group, Arc::clone(published));
                }
                HoldChangeKind::Ended { .. } => drop(self.held.remove(&change.group)),
            },
            Event::Drain(change) if change.phase.is_some() => {
                self.drains.insert(change.backend.clone(), Arc::clone(published));
            }
            Event::Drain(change) => drop(self.drains.remove(&change.backend)),
            Event::Log(_)
            | Event::Dataplane(_)
            | Event::Change(_)
            | Event::Audit(_)
            | Event::Announcement(_) => return,
        }
        self.events = None;
    }

    /// Transitions with from = to, and the begins of holds. They have the number 0: a
    /// client that received only part of the snapshot cannot resume.
    pub(super) fn events(&mut self) -> Arc<[Arc<SharedEvent>]> {
        let Self { backends, frontends, open, held, drains, events } = self;
        let events = events.get_or_insert_with(|| {
            let states = backends.values().chain(frontends.values());
            let last = states.chain(open.values()).chain(held.values()).chain(drains.values());
            last.map(|last| unnumbered(at_rest(&last.event))).collect()
        });
        Arc::clone(events)
    }
}

fn unnumbered(event: Event) -> Arc<SharedEvent> {
    Arc::new(SharedEvent::new(Seq(0), event))
}

/// Replaces `known` by the names and states of `now`. `state` is the state that
/// an event led to; `first` makes an event of a state without a known transition.
fn replace<N: Ord + Clone, S: PartialEq>(
    known: &mut BTreeMap<N, Arc<SharedEvent>>,
    now: Vec<(N, S)>,
    state: impl Fn(&Event) -> Option<S>,
    first: impl Fn(N, S) -> Event,
) {
    let mut before = std::mem::take(known);
    known.extend(now.into_iter().map(|(name, now)| {
        let last = before.remove(&name).filter(|last| state(&last.event).as_ref() == Some(&now));
        let last = last.unwrap_or_else(|| unnumbered(first(name.clone(), now)));
        (name, last)
    }));
}

fn without_transition<S: Copy>(state: S, at: SystemTime) -> Transition<S> {
    Transition { from: state, to: state, at, why: Arc::default() }
}

/// The state that a transition led to, as an event.
fn at_rest(last: &Event) -> Event {
    match last.clone() {
        Event::Backend(name, last) => Event::Backend(name, Transition { from: last.to, ..last }),
        Event::Frontend(name, last) => Event::Frontend(name, Transition { from: last.to, ..last }),
        Event::FailOpen(mut change) => {
            change.was_open = change.is_open;
            Event::FailOpen(change)
        }
        other => other,
    }
}
