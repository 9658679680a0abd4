//! The mirrored state of a daemon, as a value that updates change.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use super::clock::DaemonClock;
use crate::client::error::ClientError;
use crate::pb;
use crate::pb::event::Event;

/// How many recent changes are kept.
pub const RECENT_CHANGES: usize = 100;

/// Whether the daemon is reachable.
#[derive(Debug)]
pub enum DaemonStatus {
    /// Nothing was received yet.
    Connecting,
    /// It answers.
    Up,
    /// It was lost; the mirror holds what was last received.
    Down(ClientError),
}

/// What is known of VPP.
#[derive(Debug)]
pub enum VppStatus {
    /// Nothing was received yet.
    Unknown,
    /// It is connected.
    Connected(pb::VppInfo),
    /// The daemon refuses the request for it, because it is not connected.
    Away(ClientError),
}

/// The state of a backend or frontend, and how it came about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MirroredState {
    /// Of a backend; empty where it is not known.
    pub address: String,
    /// By the words of `BackendInfo.state` and `FrontendInfo.state`.
    pub state: String,
    /// Since when; Unix time in nanoseconds, 0: not known.
    pub since_ns: i64,
    /// The reason of the last transition.
    pub why: String,
    /// Of a backend that fails and keeps its state.
    pub doubt: Option<pb::DoubtInfo>,
    /// Of a backend that is drained.
    pub drain: Option<pb::DrainInfo>,
}

/// One change that was received as an event.
#[derive(Clone, Debug, PartialEq)]
pub struct RecentChange {
    /// Unix time in nanoseconds, by the daemon's clock.
    pub at_ns: i64,
    /// What changed.
    pub kind: RecentChangeKind,
}

/// What changed.
#[derive(Clone, Debug, PartialEq)]
pub enum RecentChangeKind {
    /// A backend's state.
    Backend {
        /// The backend.
        name: String,
        /// From which state to which, and why.
        transition: pb::TransitionRecord,
    },
    /// A frontend's state.
    Frontend {
        /// The frontend.
        name: String,
        /// From which state to which.
        transition: pb::TransitionRecord,
    },
    /// A frontend began or ceased to fail open.
    FailOpen(pb::FailOpenEvent),
    /// Something was written to VPP, or happened to its connection.
    Dataplane(pb::DataplaneEvent),
    /// Verdicts wait for evidence, or do so no longer.
    Hold(pb::HoldEvent),
    /// A drain came further.
    Drain(pb::DrainEvent),
    /// An announcement changed, or how a driver fares.
    Announcement(pb::AnnouncementEvent),
    /// This many events were lost.
    Missed(u64),
}

/// Objects that were requested at one time.
#[derive(Debug)]
pub struct MirrorSnapshot {
    pub frontends: Vec<pb::FrontendInfo>,
    /// All backends; `None`: not requested, because events report them.
    pub backends: Option<Vec<pb::BackendInfo>>,
    pub vpp: VppStatus,
    /// When it was received.
    pub received: Instant,
}

/// Something that was received.
#[derive(Debug)]
pub enum MirrorUpdate {
    /// The daemon was lost.
    Lost(ClientError),
    Event(pb::Event),
    /// The whole state. It also means that the daemon is reachable.
    Snapshot(MirrorSnapshot),
    /// Some frontends. Those that were requested and do not exist are removed.
    Frontends {
        /// The requested names.
        names: Vec<String>,
        /// Those that exist.
        frontends: Vec<pb::FrontendInfo>,
    },
    Backend(Box<pb::BackendInfo>),
    /// With when it was received.
    Vpp(VppStatus, Instant),
}

/// The state of a daemon.
#[derive(Debug)]
pub struct Mirror {
    /// Whether it is reachable.
    pub status: DaemonStatus,
    /// VPP's connection.
    pub vpp: VppStatus,
    /// How long the daemon has been connected to it, where it sends that.
    connected_for: Option<DaemonClock>,
    /// Where the daemon sends it.
    clock: Option<DaemonClock>,
    /// Frontends by name.
    pub frontends: BTreeMap<String, pb::FrontendInfo>,
    /// The states of frontends by name, where an event reported them.
    pub frontend_states: BTreeMap<String, MirroredState>,
    /// The states of backends by name.
    pub backend_states: BTreeMap<String, MirroredState>,
    /// The ways whose verdicts wait for evidence, and since when: Unix time in
    /// nanoseconds.
    pub held: BTreeMap<String, i64>,
    /// The latest first, at most [`RECENT_CHANGES`].
    pub recent: VecDeque<RecentChange>,
}

impl Default for Mirror {
    fn default() -> Self {
        Self {
            status: DaemonStatus::Connecting,
            vpp: VppStatus::Unknown,
            connected_for: None,
            clock: None,
            frontends: BTreeMap::new(),
            frontend_states: BTreeMap::new(),
            backend_states: BTreeMap::new(),
            held: BTreeMap::new(),
            recent: VecDeque::new(),
        }
    }
}

impl Mirror {
    /// Applies an update.
    pub fn apply(&mut self, update: MirrorUpdate) {
        match update {
            MirrorUpdate::Lost(error) => self.status = DaemonStatus::Down(error),
            MirrorUpdate::Vpp(vpp, received) => self.replace_vpp(None, vpp, received),
            MirrorUpdate::Event(event) => self.apply_event(event),
            MirrorUpdate::Backend(backend) => self.replace_backend(*backend),
            MirrorUpdate::Frontends { names, frontends } => {
                for name in names {
                    self.frontends.remove(&name);
                }
                self.frontends.extend(frontends.into_iter().map(|f| (f.name.clone(), f)));
            }
            MirrorUpdate::Snapshot(MirrorSnapshot { frontends, backends, vpp, received }) => {
                self.status = DaemonStatus::Up;
                self.frontends = frontends.into_iter().map(|f| (f.name.clone(), f)).collect();
                self.frontend_states.retain(|name, _| self.frontends.contains_key(name));
                self.replace_vpp(backends.as_deref(), vpp, received);
                if let Some(backends) = backends {
                    self.backend_states.clear();
                    backends.into_iter().for_each(|backend| self.replace_backend(backend));
                }
            }
        }
    }

    /// The daemon's clock at `now`; `fallback` where it does not send it.
    #[must_use]
    pub fn now_ns(&self, now: Instant, fallback: i64) -> i64 {
        self.clock.map_or(fallback, |clock| clock.at(now))
    }

    /// How long the daemon has been connected to VPP, in nanoseconds at `now`; 0: it
    /// is not, or does not say.
    #[must_use]
    pub fn connected_for_ns(&self, now: Instant) -> i64 {
        self.connected_for.map_or(0, |clock| clock.at(now))
    }

    fn replace_vpp(
        &mut self,
        backends: Option<&[pb::BackendInfo]>,
        vpp: VppStatus,
        received: Instant,
    ) {
        let (of_vpp, connected_for) = match &vpp {
            VppStatus::Connected(info) => (info.now_unix_ns, info.connected_for_ns),
            VppStatus::Unknown | VppStatus::Away(_) => (0, 0),
        };
        // VPP is asked last.
        let of_backend = backends.and_then(|all| all.last()).map_or(0, |last| last.now_unix_ns);
        let now_ns = if of_vpp == 0 { of_backend } else { of_vpp };
        self.clock = DaemonClock::new(now_ns, received).or(self.clock);
        self.connected_for = DaemonClock::new(connected_for, received);
        self.vpp = vpp;
    }

    fn replace_backend(&mut self, backend: pb::BackendInfo) {
        let last = backend.transitions.last().cloned().unwrap_or_default();
        let state = MirroredState {
            address: backend.address,
            state: backend.state,
            since_ns: last.at_unix_ns,
            why: if last.why.is_empty() { backend.last_result } else { last.why },
            doubt: backend.doubt,
            drain: backend.drain,
        };
        self.backend_states.insert(backend.name, state);
    }

    fn apply_event(&mut self, event: pb::Event) {
        match event.event {
            Some(Event::Backend(pb::BackendEvent {
                backend_name: name,
                transition: Some(transition),
            })) => {
                set_state(&mut self.backend_states, &name, &transition);
                if is_change(&transition) {
                    let at_ns = transition.at_unix_ns;
                    self.add_recent(at_ns, RecentChangeKind::Backend { name, transition });
                }
            }
            Some(Event::Frontend(pb::FrontendEvent {
                frontend_name: name,
                transition: Some(transition),
            })) => {
                if let Some(frontend) = self.frontends.get_mut(&name) {
                    frontend.state.clone_from(&transition.to);
                }
                set_state(&mut self.frontend_states, &name, &transition);
                if is_change(&transition) {
                    let at_ns = transition.at_unix_ns;
                    self.add_recent(at_ns, RecentChangeKind::Frontend { name, transition });
                }
            }
            Some(Event::FailOpen(event)) => {
                let last = event.transition.clone().unwrap_or_default();
                if is_change(&last) {
                    self.add_recent(last.at_unix_ns, RecentChangeKind::FailOpen(event));
                }
            }
            Some(Event::Dataplane(event)) => {
                self.add_recent(event.at_unix_ns, RecentChangeKind::Dataplane(event));
            }
            Some(Event::Hold(hold)) => {
                let at_ns = hold.at_unix_ns;
                let known = self.held.remove(&hold.probes);
                let began = hold.kind == "began";
                if began {
                    self.held.insert(hold.probes.clone(), at_ns);
                }
                // A snapshot repeats those that have not ended.
                if !began || known != Some(at_ns) {
                    self.add_recent(at_ns, RecentChangeKind::Hold(hold));
                }
            }
            Some(Event::Drain(event)) => self.apply_drain(event),
            Some(Event::Announcement(event)) => {
                self.add_recent(event.at_unix_ns, RecentChangeKind::Announcement(event));
            }
            Some(Event::Missed(missed)) => {
                self.held.clear();
                // It has no time of its own.
                let at_ns = self.recent.front().map_or(0, |change| change.at_ns);
                self.add_recent(at_ns, RecentChangeKind::Missed(missed.count));
            }
            _ => {}
        }
    }

    /// The figures are requested; the event has what changes at once.
    fn apply_drain(&mut self, event: pb::DrainEvent) {
        let known = self.backend_states.get_mut(&event.backend_name);
        let mut is_news = true;
        if let Some(state) = known {
            if event.kind == "ended" {
                state.drain = None;
            } else {
                let drain = state.drain.get_or_insert_default();
                // A snapshot repeats those that have not ended.
                is_news = drain.phase != event.kind || drain.since_unix_ns != event.since_unix_ns;
                drain.phase.clone_from(&event.kind);
                drain.since_unix_ns = event.since_unix_ns;
            }
        }
        if is_news {
            self.add_recent(event.at_unix_ns, RecentChangeKind::Drain(event));
        }
    }

    fn add_recent(&mut self, at_ns: i64, kind: RecentChangeKind) {
        self.recent.truncate(RECENT_CHANGES - 1);
        self.recent.push_front(RecentChange { at_ns, kind });
    }
}

/// Events of a snapshot have equal states and change nothing.
fn is_change(transition: &pb::TransitionRecord) -> bool {
    transition.from != transition.to
}

fn set_state(
    states: &mut BTreeMap<String, MirroredState>,
    name: &str,
    transition: &pb::TransitionRecord,
) {
    if transition.to == "removed" {
        states.remove(name);
        return;
    }
    let state = states.entry(name.to_owned()).or_default();
    state.state.clone_from(&transition.to);
    state.why.clone_from(&transition.why);
    state.since_ns = transition.at_unix_ns;
    if is_change(transition) {
        state.doubt = None;
    }
}

#[cfg(test)]
mod tests;
