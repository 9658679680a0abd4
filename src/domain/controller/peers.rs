//! Servers that share a fate change together: what ends one, such as a switch or a bad
//! release, often ends its peers. When one of a frontend begins to fail, the others are
//! probed as if they were in question too; when it goes down, those that need one more
//! failure are probed at once. So flows are not sent to a server that is about to go. And
//! when a pool returns with nobody up, so that not all goes to the first that comes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{ControllerEffect, ControllerState};
use crate::domain::config::Pool;
use crate::domain::health::{State, Trend};
use crate::domain::moment::Moment;
use crate::domain::names::BackendName;
use crate::domain::prober_id::ProberId;

/// Probes of peers are spread over this time for each of them, so that a large frontend
/// is not probed in one moment.
const SPREAD: Duration = Duration::from_millis(1);

impl ControllerState {
    /// Processes a prober's report that its results lead to another state, or no longer do.
    pub fn trend_changed(
        &mut self,
        prober: ProberId,
        name: &BackendName,
        trend: Option<Trend>,
        now: Moment,
    ) -> Vec<ControllerEffect> {
        let known = match trend {
            Some(trend) => self.trends.insert(prober, trend),
            None => self.trends.remove(&prober),
        };
        let mut effects = Vec::new();
        if let (None, Some(trend)) = (known, trend) {
            self.alert_peers(name, trend.to, now.monotonic, &mut effects);
        }
        effects
    }

    /// Has the peers of a backend that may go to `to`, or did, probed within a fast
    /// interval. One alert of a frontend within that time is enough.
    pub(super) fn alert_peers(
        &mut self,
        name: &BackendName,
        to: State,
        now: Instant,
        effects: &mut Vec<ControllerEffect>,
    ) {
        let Some(record) = self.backends.get(name) else { return };
        let check = super::check_of(&self.config, &record.settings);
        let Some(fast) = check.map(|check| check.timing.fast_interval) else { return };
        for frontend in record.frontends.clone() {
            let Some(settings) = self.config.frontends.get(&frontend) else { continue };
            let Some(record) = self.frontends.get(&frontend) else { continue };
            let is_recent = |at: &Instant| now.saturating_duration_since(*at) < fast;
            if record.alerted.get(&to).is_some_and(is_recent) {
                continue;
            }
            let peers: Vec<_> = self.peers(name, to, &settings.pools).collect();
            if let (Some(record), false) = (self.frontends.get_mut(&frontend), peers.is_empty()) {
                record.alerted.insert(to, now);
            }
            let count = u32::try_from(peers.len()).unwrap_or(u32::MAX);
            let within = SPREAD.saturating_mul(count).min(fast);
            let alert = |backend| ControllerEffect::PeerTrend { backend, to, within };
            effects.extend(peers.into_iter().map(alert));
        }
    }

    /// The peers that may follow a backend to `to` and show no sign of it so far.
    fn peers(
        &self,
        name: &BackendName,
        to: State,
        pools: &[Pool],
    ) -> impl Iterator<Item = BackendName> {
        let from = if to == State::Down { State::Up } else { State::Down };
        let pools = pools.iter().filter(move |pool| self.is_concerned(name, to, pool));
        let members = pools.flat_map(|pool| pool.backends.keys());
        let peers = members.filter(move |member| {
            let record = self.backends.get(*member);
            let follows = record.is_some_and(|record| {
                record.state == from && !self.trends.contains_key(&record.prober)
            });
            *member != name && follows
        });
        peers.cloned()
    }

    /// Has those peers of a backend that went to `to` probed at once which need one more
    /// result to follow it.
    pub(super) fn hasten_peers(
        &mut self,
        name: &BackendName,
        to: State,
        effects: &mut Vec<ControllerEffect>,
    ) {
        if self.trends.is_empty() {
            return;
        }
        let frontends = self.backends.get(name).map_or(&[][..], |record| &record.frontends);
        let frontends = frontends.iter().filter_map(|name| self.config.frontends.get(name));
        let pools = frontends.flat_map(|frontend| &frontend.pools);
        let pools = pools.filter(|pool| self.is_concerned(name, to, pool));
        let followers: BTreeMap<_, _> = pools
            .flat_map(|pool| pool.backends.keys())
            .filter_map(|peer| Some((self.backends.get(peer)?.prober, peer.clone())))
            .filter(|(prober, _)| self.trends.get(prober) == Some(&Trend { to, is_last: true }))
            .collect();
        for (prober, peer) in followers {
            self.trends.remove(&prober);
            effects.push(ControllerEffect::PeerChanged(peer, to));
        }
    }

    /// Whether a pool's backends are peers of one that may go to `to`: all that share a
    /// frontend with one that fails; the pool of one that returns, where nobody else is up.
    fn is_concerned(&self, name: &BackendName, to: State, pool: &Pool) -> bool {
        let is_up = |name| self.backends.get(name).is_some_and(|it| it.state == State::Up);
        match to {
            State::Down => true,
            State::Up => {
                let mut others = pool.backends.keys().filter(|other| *other != name);
                pool.backends.contains_key(name) && !others.any(is_up)
            }
            _ => false,
        }
    }
}
