//! What a mirror requests again, and when: after an event the objects that it
//! concerns, after a gap everything, and at long intervals what no event
//! carries (VPP's version, the weights of a daemon without `ChangeEvent`).

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::pb;
use crate::pb::event::Event;

/// How long events are gathered before the objects that they concern are
/// requested: a rack that fails causes one round of requests, not forty.
pub const GATHER: Duration = Duration::from_millis(200);

/// How often the frontends and VPP are requested as a whole.
pub const REFRESH_INTERVAL: Duration = Duration::from_secs(15);

/// How often the backends that are drained are requested.
pub(super) const DRAIN_INTERVAL: Duration = Duration::from_secs(3);

/// More backends than this at one time are requested together with all others.
const MANY_BACKENDS: usize = 64;

/// How closely a daemon is mirrored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshPolicy {
    /// How often the frontends and VPP are requested as a whole.
    pub interval: Duration,
    /// How often all backends are; `None`: events report what matters of them.
    pub backends_interval: Option<Duration>,
    /// Whether a backend is requested again once its state has changed.
    pub after_transitions: bool,
    /// How long to rest for each object that was requested: however much happens, the
    /// daemon is not asked for more in a second.
    pub rest: Duration,
}

impl Default for RefreshPolicy {
    fn default() -> Self {
        Self {
            interval: REFRESH_INTERVAL,
            backends_interval: None,
            after_transitions: false,
            rest: Duration::ZERO,
        }
    }
}

/// What to request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MirrorQuery {
    /// All frontends and VPP.
    Everything {
        /// And all backends.
        backends: bool,
    },
    /// These objects.
    Parts {
        /// Frontends by name.
        frontends: Vec<String>,
        /// Backends by name.
        backends: Vec<String>,
        vpp: bool,
    },
}

/// What is out of date.
#[derive(Debug, Default)]
pub struct Refresh {
    policy: RefreshPolicy,
    /// The backends of each frontend.
    members: BTreeMap<String, BTreeSet<String>>,
    frontends: BTreeSet<String>,
    /// Backends that an event introduced.
    backends: BTreeSet<String>,
    vpp: bool,
    /// The ways whose verdicts wait for evidence. No event says which backends are doubted.
    held: BTreeSet<String>,
    /// The backends that are drained. No event says how many flows they have left.
    draining: BTreeSet<String>,
    /// When they are requested again; `None`: none is drained.
    drain_due: Option<Instant>,
    /// There was a gap: anything may have changed.
    everything: bool,
    /// When the objects above are requested; `None`: there are none.
    due: Option<Instant>,
    /// When everything is requested; `None`: not connected.
    full_due: Option<Instant>,
    /// When all backends are requested with it.
    backends_due: Option<Instant>,
    /// Until then nothing is requested.
    rest_until: Option<Instant>,
}

impl Refresh {
    #[must_use]
    pub fn new(policy: RefreshPolicy) -> Self {
        Self { policy, ..Self::default() }
    }

    /// Notes that a stream was opened: everything is requested at once.
    pub fn connected(&mut self, now: Instant) {
        self.everything = true;
        self.full_due = Some(now);
    }

    /// Notes that the daemon was lost: nothing is requested until it is back.
    pub fn lost(&mut self) {
        let members = std::mem::take(&mut self.members);
        *self = Self { members, policy: self.policy, ..Self::default() };
    }

    /// Notes an event.
    pub fn event(&mut self, event: &pb::Event, now: Instant) {
        match &event.event {
            Some(Event::Backend(pb::BackendEvent { backend_name, transition })) => {
                let transition = transition.clone().unwrap_or_default();
                if transition.from == transition.to {
                    return;
                }
                let is_gone = transition.to == "removed";
                if transition.from == "removed" || self.policy.after_transitions && !is_gone {
                    self.backends.insert(backend_name.clone());
                }
                let users = self.members.iter().filter(|(_, used)| used.contains(backend_name));
                self.frontends.extend(users.map(|(frontend, _)| frontend.clone()));
            }
            Some(Event::Frontend(pb::FrontendEvent { frontend_name, transition })) => {
                if transition.as_ref().is_some_and(|last| last.from == last.to) {
                    return;
                }
                self.frontends.insert(frontend_name.clone());
            }
            Some(Event::FailOpen(pb::FailOpenEvent { frontend_name, transition, .. })) => {
                if transition.as_ref().is_some_and(|last| last.from == last.to) {
                    return;
                }
                self.frontends.insert(frontend_name.clone());
            }
            Some(Event::Dataplane(event)) if event.frontend_name.is_empty() => self.vpp = true,
            Some(Event::Dataplane(event)) => {
                self.frontends.insert(event.frontend_name.clone());
            }
            // A weight.
            Some(Event::Change(change)) if !change.frontend_name.is_empty() => {
                self.frontends.insert(change.frontend_name.clone());
            }
            // Other changes are followed by a transition of the backend.
            Some(Event::Change(change)) if change.kind == "config" => self.everything = true,
            Some(Event::Hold(hold)) => {
                match hold.kind.as_str() {
                    "began" => self.held.insert(hold.probes.clone()),
                    _ => self.held.remove(&hold.probes),
                };
                self.everything = true;
            }
            Some(Event::Drain(drain)) => {
                match drain.kind.as_str() {
                    "ended" | "drained" => self.draining.remove(&drain.backend_name),
                    _ => self.draining.insert(drain.backend_name.clone()),
                };
                self.backends.insert(drain.backend_name.clone());
                let is_any = !self.draining.is_empty();
                self.drain_due = is_any.then_some(now + DRAIN_INTERVAL);
            }
            Some(Event::Missed(_)) => {
                self.draining.clear();
                self.drain_due = None;
                self.held.clear();
                self.everything = true;
            }
            _ => return,
        }
        self.due.get_or_insert(now + GATHER);
    }

    /// Notes frontends that were received: all of them where `names` is
    /// `None`, and otherwise those of these names that exist.
    pub fn received(&mut self, names: Option<&[String]>, frontends: &[pb::FrontendInfo]) {
        match names {
            None => self.members.clear(),
            Some(names) => self.members.retain(|name, _| !names.contains(name)),
        }
        for frontend in frontends {
            let members = frontend.pools.iter().flat_map(|pool| &pool.backends);
            let members = members.map(|member| member.name.clone()).collect();
            self.members.insert(frontend.name.clone(), members);
        }
    }

    /// When [`Self::take`] has something to request; `None`: never, before the
    /// daemon is connected again.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        let full_due = self.full_due?;
        let due = [self.due, self.drain_due].into_iter().flatten().chain([full_due]).min()?;
        Some(self.rest_until.map_or(due, |rested| due.max(rested)))
    }

    /// What is to be requested at `now`, if anything. It counts as requested.
    pub fn take(&mut self, now: Instant) -> Option<MirrorQuery> {
        if self.due()? > now {
            return None;
        }
        let frontends = std::mem::take(&mut self.frontends);
        let mut backends = std::mem::take(&mut self.backends);
        let vpp = std::mem::take(&mut self.vpp);
        self.due = None;
        let is_many = backends.len() > MANY_BACKENDS;
        if self.everything || is_many || self.full_due.is_some_and(|due| due <= now) {
            let gap = std::mem::take(&mut self.everything);
            self.full_due = Some(now + self.policy.interval);
            let is_due = self.backends_due.is_some_and(|due| due <= now);
            let backends = gap || is_due || !backends.is_empty() || !self.held.is_empty();
            if backends {
                self.backends_due = self.policy.backends_interval.map(|interval| now + interval);
            }
            self.rest(self.members.len(), now);
            return Some(MirrorQuery::Everything { backends });
        }
        if self.drain_due.is_some_and(|due| due <= now) {
            backends.extend(self.draining.iter().cloned());
            self.drain_due = Some(now + DRAIN_INTERVAL);
        }
        self.rest(frontends.len() + backends.len(), now);
        let (frontends, backends) =
            (frontends.into_iter().collect(), backends.into_iter().collect());
        Some(MirrorQuery::Parts { frontends, backends, vpp })
    }

    fn rest(&mut self, objects: usize, now: Instant) {
        let objects = u32::try_from(objects).unwrap_or(u32::MAX);
        self.rest_until = Some(now + self.policy.rest.saturating_mul(objects));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One that was connected at `start` and received everything then.
    fn fresh(start: Instant) -> Refresh {
        let mut refresh = Refresh::default();
        refresh.connected(start);
        assert_eq!(refresh.take(start), Some(MirrorQuery::Everything { backends: true }));
        let members = vec![pb::PoolBackendInfo { name: "nginx0".into(), ..Default::default() }];
        let pools = vec![pb::PoolInfo { name: "p".into(), backends: members }];
        let web = pb::FrontendInfo { name: "web".into(), pools, ..Default::default() };
        refresh.received(None, &[web]);
        refresh
    }

    /// What is requested because of an event.
    fn query(event: Event) -> Option<MirrorQuery> {
        let start = Instant::now();
        let mut refresh = fresh(start);
        refresh.event(&pb::Event { event: Some(event), ..Default::default() }, start);
        assert_eq!(refresh.take(start + GATHER - Duration::from_millis(1)), None);
        refresh.take(start + GATHER)
    }

    fn parts(frontends: &[&str], backends: &[&str], vpp: bool) -> Option<MirrorQuery> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Some(MirrorQuery::Parts { frontends: owned(frontends), backends: owned(backends), vpp })
    }

    fn backend(name: &str, from: &str, to: &str) -> Event {
        let transition =
            pb::TransitionRecord { from: from.into(), to: to.into(), ..Default::default() };
        let backend_name = name.into();
        Event::Backend(pb::BackendEvent { backend_name, transition: Some(transition) })
    }

    #[test]
    fn a_backend_concerns_the_frontends_that_use_it() {
        assert_eq!(query(backend("nginx0", "up", "down")), parts(&["web"], &[], false));
        assert_eq!(query(backend("other", "up", "down")), parts(&[], &[], false));
    }

    #[test]
    fn the_snapshot_of_a_stream_concerns_nothing() {
        assert_eq!(query(backend("nginx0", "up", "up")), None);
    }

    #[test]
    fn a_new_backend_is_requested() {
        assert_eq!(query(backend("new", "removed", "unknown")), parts(&[], &["new"], false));
    }

    #[test]
    fn a_connection_a_weight_and_a_reload_concern_what_they_change() {
        let dataplane = |frontend: &str| {
            let frontend_name = frontend.to_owned();
            query(Event::Dataplane(pb::DataplaneEvent { frontend_name, ..Default::default() }))
        };
        assert_eq!(dataplane(""), parts(&[], &[], true));
        assert_eq!(dataplane("web"), parts(&["web"], &[], false));
        let change = |kind: &str, frontend: &str| {
            let (kind, frontend_name) = (kind.to_owned(), frontend.to_owned());
            query(Event::Change(pb::ChangeEvent { kind, frontend_name, ..Default::default() }))
        };
        assert_eq!(change("weight", "web"), parts(&["web"], &[], false));
        let everything = Some(MirrorQuery::Everything { backends: true });
        assert_eq!(change("config", ""), everything);
        assert_eq!(change("admin", ""), None);
        assert_eq!(query(Event::Missed(pb::MissedEvent { count: 1 })), everything);
        assert_eq!(query(Event::Hold(pb::HoldEvent::default())), everything);
    }

    #[test]
    fn everything_but_the_backends_is_requested_at_intervals() {
        let start = Instant::now();
        let mut refresh = fresh(start);
        assert_eq!(refresh.due(), Some(start + REFRESH_INTERVAL));
        assert_eq!(
            refresh.take(start + REFRESH_INTERVAL),
            Some(MirrorQuery::Everything { backends: false })
        );
        assert_eq!(refresh.due(), Some(start + 2 * REFRESH_INTERVAL));
    }

    #[test]
    fn backends_are_requested_as_well_while_some_are_held() {
        let start = Instant::now();
        let mut refresh = fresh(start);
        let mut hold = |kind: &str, at: Instant| {
            let (kind, probes) = (kind.into(), "ipv4".into());
            let hold = pb::HoldEvent { kind, probes, ..Default::default() };
            let event = pb::Event { event: Some(Event::Hold(hold)), ..Default::default() };
            refresh.event(&event, at);
            let query = refresh.take(at + GATHER);
            let later = refresh.take(at + GATHER + REFRESH_INTERVAL);
            (query, later)
        };
        let everything = |backends| Some(MirrorQuery::Everything { backends });
        assert_eq!(hold("began", start), (everything(true), everything(true)));
        let end = start + 2 * REFRESH_INTERVAL;
        assert_eq!(hold("ended", end), (everything(true), everything(false)));
    }

    #[test]
    fn backends_are_requested_often_while_they_are_drained() {
        let start = Instant::now();
        let mut refresh = fresh(start);
        let mut drain = |kind: &str, at: Instant| {
            let (kind, backend_name) = (kind.into(), "nginx0".into());
            let drain = pb::DrainEvent { kind, backend_name, ..Default::default() };
            refresh
                .event(&pb::Event { event: Some(Event::Drain(drain)), ..Default::default() }, at);
            let query = refresh.take(at + GATHER);
            (query, refresh.take(at + DRAIN_INTERVAL), refresh.due().unwrap())
        };
        let asked = || parts(&[], &["nginx0"], false);
        assert_eq!(drain("draining", start), (asked(), asked(), start + 2 * DRAIN_INTERVAL));
        let end = start + DRAIN_INTERVAL;
        assert_eq!(drain("drained", end), (asked(), None, start + REFRESH_INTERVAL));
    }

    #[test]
    fn a_close_mirror_requests_what_changed_and_rests_for_each_object() {
        let start = Instant::now();
        let rest = Duration::from_secs(1);
        let policy = RefreshPolicy {
            interval: 10 * REFRESH_INTERVAL,
            backends_interval: Some(20 * REFRESH_INTERVAL),
            after_transitions: true,
            rest,
        };
        let mut refresh = Refresh::new(policy);
        refresh.connected(start);
        assert_eq!(refresh.take(start), Some(MirrorQuery::Everything { backends: true }));
        let event = |name: &str| {
            let event = Some(backend(name, "up", "down"));
            pb::Event { event, ..Default::default() }
        };
        refresh.event(&event("a"), start);
        refresh.event(&event("b"), start);
        assert_eq!(refresh.take(start + GATHER), parts(&[], &["a", "b"], false));
        let then = start + GATHER;
        refresh.event(&event("a"), then);
        assert_eq!(refresh.due(), Some(then + 2 * rest));
        assert_eq!(refresh.take(then + GATHER), None, "it rests");
        assert_eq!(refresh.take(then + 2 * rest), parts(&[], &["a"], false));

        let then = then + 4 * rest;
        for number in 0..=MANY_BACKENDS {
            refresh.event(&event(&number.to_string()), then);
        }
        let everything = |backends| Some(MirrorQuery::Everything { backends });
        assert_eq!(refresh.take(then + GATHER), everything(true));
        let then = then + GATHER;
        assert_eq!(refresh.take(then + 10 * REFRESH_INTERVAL), everything(false));
        assert_eq!(refresh.take(then + 20 * REFRESH_INTERVAL), everything(true));
    }

    #[test]
    fn nothing_is_requested_of_a_lost_daemon() {
        let start = Instant::now();
        let mut refresh = fresh(start);
        let missed = Some(Event::Missed(pb::MissedEvent { count: 1 }));
        refresh.event(&pb::Event { event: missed, ..Default::default() }, start);
        refresh.lost();
        assert_eq!((refresh.due(), refresh.take(start + REFRESH_INTERVAL)), (None, None));
    }
}
