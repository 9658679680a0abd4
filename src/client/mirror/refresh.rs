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

/// How often backends that are drained are requested, and frontends that start slowly or
/// were written and not read back yet.
pub(super) const WATCH_INTERVAL: Duration = Duration::from_secs(3);

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
    /// Whether events tell of who has changed what, too.
    pub audit: bool,
}

impl Default for RefreshPolicy {
    fn default() -> Self {
        Self {
            interval: REFRESH_INTERVAL,
            backends_interval: None,
            after_transitions: false,
            rest: Duration::ZERO,
            audit: false,
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
    /// The frontends that start slowly, or were written and not read back yet. No event says
    /// how far that is.
    unsettled: BTreeSet<String>,
    /// Some backends fail and keep their state. No event says which, or when that ends.
    doubted: bool,
    /// When those that are drained or start slowly are requested again; `None`: there are
    /// none.
    watched_due: Option<Instant>,
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
            Some(Event::Change(change)) if change.kind == "announcement" => self.everything = true,
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
                self.watch(now);
            }
            Some(Event::Announcement(event)) if event.kind == "driver" => self.everything = true,
            Some(Event::Announcement(event)) => {
                self.frontends.extend(event.frontend_names.iter().cloned());
            }
            Some(Event::Missed(_)) => {
                self.draining.clear();
                self.watch(now);
                self.held.clear();
                self.everything = true;
            }
            _ => return,
        }
        self.due.get_or_insert(now + GATHER);
    }

    /// Notes frontends that were received: all of them where `names` is
    /// `None`, and otherwise those of these names that exist.
    pub fn received(
        &mut self,
        names: Option<&[String]>,
        frontends: &[pb::FrontendInfo],
        now: Instant,
    ) {
        match names {
            None => {
                self.members.clear();
                self.unsettled.clear();
            }
            Some(names) => {
                self.members.retain(|name, _| !names.contains(name));
                self.unsettled.retain(|name| !names.contains(name));
            }
        }
        let has = |frontend: &pb::FrontendInfo, what: fn(&pb::PoolBackendInfo) -> bool| {
            frontend.pools.iter().flat_map(|pool| &pool.backends).any(what)
        };
        let is_unsettled = |it: &&pb::FrontendInfo| {
            // No event tells that VPP was read back.
            let is_unread = it.state == "up" && it.programmed && !it.serving;
            is_unread || has(it, |member| member.slow_start.is_some())
        };
        let unsettled = frontends.iter().filter(is_unsettled);
        self.unsettled.extend(unsettled.map(|frontend| frontend.name.clone()));
        let is_doubted = frontends.iter().any(|it| has(it, |member| member.doubt.is_some()));
        if is_doubted && !self.doubted {
            // At once, since these were perhaps requested for something else.
            self.everything = true;
            self.due.get_or_insert(now + GATHER);
        }
        self.doubted = is_doubted || (self.doubted && names.is_some());
        self.watch(now);
        for frontend in frontends {
            let members = frontend.pools.iter().flat_map(|pool| &pool.backends);
            let members = members.map(|member| member.name.clone()).collect();
            self.members.insert(frontend.name.clone(), members);
        }
    }

    fn watch(&mut self, now: Instant) {
        let is_any = !self.draining.is_empty() || !self.unsettled.is_empty();
        self.watched_due = is_any.then(|| self.watched_due.unwrap_or(now + WATCH_INTERVAL));
    }

    /// When [`Self::take`] has something to request; `None`: never, before the
    /// daemon is connected again.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        let full_due = self.full_due?;
        let due = [self.due, self.watched_due].into_iter().flatten().chain([full_due]).min()?;
        Some(self.rest_until.map_or(due, |rested| due.max(rested)))
    }

    /// What is to be requested at `now`, if anything. It counts as requested.
    pub fn take(&mut self, now: Instant) -> Option<MirrorQuery> {
        if self.due()? > now {
            return None;
        }
        let mut frontends = std::mem::take(&mut self.frontends);
        let mut backends = std::mem::take(&mut self.backends);
        let vpp = std::mem::take(&mut self.vpp);
        self.due = None;
        let is_many = backends.len() > MANY_BACKENDS;
        if self.everything || is_many || self.full_due.is_some_and(|due| due <= now) {
            let gap = std::mem::take(&mut self.everything);
            self.full_due = Some(now + self.policy.interval);
            let is_due = self.backends_due.is_some_and(|due| due <= now);
            let backends =
                gap || is_due || !backends.is_empty() || !self.held.is_empty() || self.doubted;
            if backends {
                self.backends_due = self.policy.backends_interval.map(|interval| now + interval);
            }
            self.rest(self.members.len(), now);
            return Some(MirrorQuery::Everything { backends });
        }
        if self.watched_due.is_some_and(|due| due <= now) {
            backends.extend(self.draining.iter().cloned());
            frontends.extend(self.unsettled.iter().cloned());
            self.watched_due = Some(now + WATCH_INTERVAL);
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
mod tests;
