//! Servers that share a fate change together: what ends one, such as a switch or a bad
//! release, often ends its peers, and they need one more result than it did. Whoever is
//! about to follow a peer is probed at once, so that flows are sent neither to a server
//! that is about to go, nor all to the first one that comes.

use super::{ControllerEffect, ControllerState};
use crate::domain::config::Pool;
use crate::domain::health::State;
use crate::domain::names::BackendName;
use crate::domain::prober_id::ProberId;

impl ControllerState {
    /// Notes that one more result of a prober leads to `to`, or to no change.
    pub fn note_imminent(&mut self, prober: ProberId, to: Option<State>) {
        match to {
            Some(to) => self.imminent.insert(prober, to),
            None => self.imminent.remove(&prober),
        };
    }

    /// Has those peers of a backend that went to `to` probed which may follow it.
    pub(super) fn hasten_peers(
        &mut self,
        name: &BackendName,
        to: State,
        effects: &mut Vec<ControllerEffect>,
    ) {
        if self.imminent.is_empty() {
            return;
        }
        let mut imminent = std::mem::take(&mut self.imminent);
        let frontends = self.backends.get(name).map_or(&[][..], |record| &record.frontends);
        let frontends = frontends.iter().filter_map(|name| self.config.frontends.get(name));
        let pools = frontends.flat_map(|frontend| &frontend.pools);
        let pools = pools.filter(|pool| to == State::Down || self.is_first_up(name, pool));
        for peer in pools.flat_map(|pool| pool.backends.keys()) {
            let Some(record) = self.backends.get(peer) else { continue };
            if imminent.get(&record.prober) == Some(&to) {
                imminent.remove(&record.prober);
                effects.push(ControllerEffect::PeerChanged(peer.clone(), to));
            }
        }
        self.imminent = imminent;
    }

    /// Whether nobody else of the pool is up. Where somebody is, those that return can wait
    /// for their interval.
    fn is_first_up(&self, name: &BackendName, pool: &Pool) -> bool {
        let is_up = |name| self.backends.get(name).is_some_and(|it| it.state == State::Up);
        let mut others = pool.backends.keys().filter(|other| *other != name);
        pool.backends.contains_key(name) && !others.any(is_up)
    }
}
