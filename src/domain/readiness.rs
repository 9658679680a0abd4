//! When the daemon has come to know its world: from then on what it says of it
//! is worth asking for.

use std::collections::BTreeSet;

use super::events::Event;
use super::health::State;
use super::names::BackendName;
use super::roster::States;

/// Ready once VPP was looked at or found not to be there, and every backend has
/// its first verdict: its first probe has passed, failed or timed out, or
/// nobody wants it probed. What comes later, a reload or a VPP that goes, is
/// news and takes nothing back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    announced: bool,
    vpp: bool,
    unjudged: BTreeSet<BackendName>,
    ready: bool,
}

impl Readiness {
    /// These are the backends that there are at the start.
    pub fn announced(&mut self, states: &States) {
        let unknown = states.backends.iter().filter(|(_, state)| *state == State::Unknown);
        self.unjudged.extend(unknown.map(|(name, _)| name.clone()));
        self.announced = true;
        self.review();
    }

    /// VPP was looked at, or is not there to be looked at.
    pub fn vpp_known(&mut self) {
        self.vpp = true;
        self.review();
    }

    /// Something happened.
    pub fn happened(&mut self, event: &Event) {
        match event {
            Event::Backend(name, transition) if !self.ready => {
                if transition.to == State::Unknown {
                    self.unjudged.insert(name.clone());
                } else {
                    self.unjudged.remove(name);
                }
                self.review();
            }
            _ => {}
        }
    }

    fn review(&mut self) {
        self.ready |= self.announced && self.vpp && self.unjudged.is_empty();
        if self.ready {
            self.unjudged.clear();
        }
    }

    /// Whether it is ready.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ready
    }

    /// Whether VPP is what it waits for.
    #[must_use]
    pub fn waits_for_vpp(&self) -> bool {
        !self.ready && !self.vpp
    }

    /// How many backends it waits for.
    #[must_use]
    pub fn unjudged(&self) -> usize {
        self.unjudged.len()
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::domain::events::Transition;

    fn to(name: &str, to: State) -> Event {
        let (at, why) = (SystemTime::UNIX_EPOCH, String::new());
        Event::Backend(name.into(), Transition { from: State::Unknown, to, at, why })
    }

    fn started(backends: &[(&str, State)]) -> Readiness {
        let mut readiness = Readiness::default();
        let backends = backends.iter().map(|(name, state)| ((*name).into(), *state)).collect();
        readiness.announced(&States { backends, ..States::default() });
        readiness
    }

    #[test]
    fn it_takes_vpp_and_every_backend() {
        let mut readiness =
            started(&[("a", State::Unknown), ("b", State::Unknown), ("c", State::Disabled)]);
        readiness.happened(&to("a", State::Down));
        readiness.vpp_known();
        assert_eq!((readiness.is_ready(), readiness.unjudged()), (false, 1));
        readiness.happened(&to("d", State::Unknown));
        readiness.happened(&to("b", State::Paused));
        assert!(!readiness.is_ready());
        readiness.happened(&to("d", State::Removed));
        assert!(readiness.is_ready());
    }

    #[test]
    fn nothing_takes_it_back() {
        let mut readiness = started(&[]);
        assert!(readiness.waits_for_vpp() && !readiness.is_ready());
        readiness.vpp_known();
        assert!(readiness.is_ready());
        readiness.happened(&to("a", State::Unknown));
        assert_eq!((readiness.is_ready(), readiness.unjudged()), (true, 0));
    }

    #[test]
    fn before_it_knows_its_backends_it_is_not_ready() {
        let mut readiness = Readiness::default();
        readiness.vpp_known();
        assert!(!readiness.is_ready());
        readiness.announced(&States::default());
        assert!(readiness.is_ready());
    }
}
