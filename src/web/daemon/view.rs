//! What is known of a daemon, as JSON. Frontends and the timeline stand here as they are
//! sent; a backend is serialised when it has changed.

mod json;
#[cfg(test)]
mod tests;
mod timeline;

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use prost::bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

use super::backend_row::BackendRow;
use crate::api::views::time::rfc3339;
use crate::api::views::{FrontendJson, OverridesJson, VppInfoJson};
use crate::client::mirror::{MirrorSnapshot, MirrorUpdate, VppStatus};
use crate::domain::web::pending::TabBatch;
use crate::pb;
use crate::pb::event::Event;
use crate::web::json::to_json;

/// A moment by both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct ViewTime {
    pub(super) at: Instant,
    /// Unix time in nanoseconds.
    pub(super) unix_ns: i64,
}

/// Whether the daemon answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct ConnectionView {
    /// `connecting`, `up`, `down` or `refused`.
    pub(super) state: &'static str,
    pub(super) why: Option<String>,
    since: String,
}

/// What a daemon has said of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DaemonIdentity {
    pub(super) version: Option<String>,
    /// What this server may do there.
    pub(super) role: Option<String>,
}

pub(super) struct DaemonView {
    name: String,
    address: String,
    pub(super) connection: ConnectionView,
    as_of_ns: Option<i64>,
    clock_ahead_ms: Option<i64>,
    boot_id: Option<u64>,
    /// The last event of that life that is in the timeline.
    last_seq: u64,
    identity: DaemonIdentity,
    fingerprint: Option<String>,
    vpp: Value,
    held: BTreeMap<String, i64>,
    overrides: OverridesJson,
    frontends: BTreeMap<String, Bytes>,
    backends: BTreeMap<String, BackendRow>,
    timeline: VecDeque<Bytes>,
    /// What tabs are not told yet.
    pub(super) pending: TabBatch<Bytes>,
}

impl DaemonView {
    pub(super) fn new(name: &str, address: &str, now: ViewTime) -> Self {
        Self {
            name: name.to_owned(),
            address: address.to_owned(),
            connection: ConnectionView {
                state: "connecting",
                why: None,
                since: rfc3339(now.unix_ns),
            },
            as_of_ns: None,
            clock_ahead_ms: None,
            boot_id: None,
            last_seq: 0,
            identity: DaemonIdentity::default(),
            fingerprint: None,
            vpp: json!({ "state": "unknown", "why": null, "info": null }),
            held: BTreeMap::new(),
            overrides: OverridesJson { kept: false, overrides: Vec::new() },
            frontends: BTreeMap::new(),
            backends: BTreeMap::new(),
            timeline: VecDeque::new(),
            pending: TabBatch::default(),
        }
    }

    pub(super) fn apply(&mut self, update: MirrorUpdate, now: ViewTime) {
        if !matches!(update, MirrorUpdate::Lost(_)) {
            self.as_of_ns = Some(now.unix_ns);
        }
        match update {
            MirrorUpdate::Lost(error) => self.set_connection("down", Some(error.to_string()), now),
            MirrorUpdate::Event(event) => self.apply_event(&event),
            MirrorUpdate::Snapshot(snapshot) => self.replace_all(snapshot, now),
            MirrorUpdate::Frontends { names, frontends } => {
                for name in names {
                    if !frontends.iter().any(|frontend| frontend.name == name) {
                        self.remove_frontend(&name);
                    }
                }
                frontends.iter().for_each(|frontend| self.replace_frontend(frontend));
            }
            MirrorUpdate::Backend(backend) => self.replace_backend(*backend),
            MirrorUpdate::Vpp(vpp, received) => self.replace_vpp(vpp, received, now),
        }
    }

    pub(super) fn set_connection(
        &mut self,
        state: &'static str,
        why: Option<String>,
        now: ViewTime,
    ) {
        let is_same = self.connection.state == state;
        if is_same && self.connection.why == why {
            return;
        }
        let since = if is_same { self.connection.since.clone() } else { rfc3339(now.unix_ns) };
        self.connection = ConnectionView { state, why, since };
        self.pending.keys.insert("connection");
    }

    fn replace_all(&mut self, snapshot: MirrorSnapshot, now: ViewTime) {
        let MirrorSnapshot { frontends, backends, vpp, received } = snapshot;
        self.set_connection("up", None, now);
        let gone: Vec<_> = self
            .frontends
            .keys()
            .filter(|name| frontends.binary_search_by(|it| it.name.cmp(name)).is_err())
            .cloned()
            .collect();
        gone.iter().for_each(|name| self.remove_frontend(name));
        frontends.iter().for_each(|frontend| self.replace_frontend(frontend));
        if let Some(backends) = backends {
            let names = self.backends.keys();
            let is_gone =
                |name: &&String| backends.binary_search_by(|it| it.name.cmp(name)).is_err();
            let gone: Vec<_> = names.filter(is_gone).cloned().collect();
            gone.iter().for_each(|name| self.remove_backend(name));
            let clock = backends.last().map_or(0, |last| last.now_unix_ns);
            self.set_clock(clock, received, now);
            backends.into_iter().for_each(|backend| self.replace_backend(backend));
        }
        self.replace_vpp(vpp, received, now);
    }

    fn replace_frontend(&mut self, frontend: &pb::FrontendInfo) {
        let json = Bytes::from(to_json(&FrontendJson::from(frontend)));
        if self.frontends.get(&frontend.name) != Some(&json) {
            self.pending.frontends.change(&frontend.name);
            self.frontends.insert(frontend.name.clone(), json);
        }
    }

    fn remove_frontend(&mut self, name: &str) {
        if self.frontends.remove(name).is_some() {
            self.pending.frontends.remove(name);
        }
    }

    fn replace_backend(&mut self, backend: pb::BackendInfo) {
        let mut view = BackendRow::new(backend);
        if let Some(before) = self.backends.get(&view.name) {
            if view.has_cause_of(before) && before.kind.is_some() {
                view.reason.clone_from(&before.reason);
                view.kind.clone_from(&before.kind);
            }
            if *before == view {
                return;
            }
        }
        self.pending.backends.change(&view.name);
        self.backends.insert(view.name.clone(), view);
    }

    fn remove_backend(&mut self, name: &str) {
        if self.backends.remove(name).is_some() {
            self.pending.backends.remove(name);
        }
    }

    fn replace_vpp(&mut self, vpp: VppStatus, received: Instant, now: ViewTime) {
        let (state, why, info) = match vpp {
            VppStatus::Unknown => ("unknown", None, None),
            VppStatus::Away(error) => ("away", Some(error.to_string()), None),
            VppStatus::Connected(info) => {
                self.set_clock(info.now_unix_ns, received, now);
                ("connected", None, Some(VppInfoJson::from(&info)))
            }
        };
        let vpp = json!({ "state": state, "why": why, "info": info });
        if self.vpp != vpp {
            self.vpp = vpp;
            self.pending.keys.insert("vpp");
        }
    }

    /// Notes the daemon's clock, where it sends that. A few milliseconds of difference
    /// are the way that the answer took.
    fn set_clock(&mut self, daemon_ns: i64, received: Instant, now: ViewTime) {
        if daemon_ns == 0 {
            return;
        }
        let age = now.at.saturating_duration_since(received);
        let received_ns = now.unix_ns - i64::try_from(age.as_nanos()).unwrap_or(0);
        let ahead = (daemon_ns - received_ns) / 1_000_000;
        if self.clock_ahead_ms.is_none_or(|known| (known - ahead).abs() > 100) {
            self.clock_ahead_ms = Some(ahead);
            self.pending.keys.insert("clock_ahead_ms");
        }
    }

    fn apply_event(&mut self, event: &pb::Event) {
        if self.boot_id != Some(event.boot_id) {
            (self.boot_id, self.last_seq) = (Some(event.boot_id), 0);
            self.pending.keys.insert("boot_id");
        }
        match &event.event {
            Some(Event::Backend(pb::BackendEvent { backend_name: name, transition })) => {
                let transition = transition.clone().unwrap_or_default();
                if transition.to == "removed" {
                    self.remove_backend(name);
                } else {
                    let known = self.backends.entry(name.clone());
                    let view = known.or_insert_with(|| BackendRow::of_event(name));
                    let before = view.clone();
                    view.change(&transition);
                    if *view != before {
                        self.pending.backends.change(name);
                    }
                }
            }
            Some(Event::Frontend(pb::FrontendEvent { frontend_name, transition }))
                if transition.as_ref().is_some_and(|last| last.to == "removed") =>
            {
                self.remove_frontend(frontend_name);
            }
            Some(Event::Hold(hold)) => {
                match hold.kind.as_str() {
                    "began" => self.held.insert(hold.probes.clone(), hold.at_unix_ns),
                    _ => self.held.remove(&hold.probes),
                };
                self.pending.keys.insert("held");
            }
            Some(Event::Missed(_)) if !self.held.is_empty() => {
                // The present state follows, and says which there are.
                self.held.clear();
                self.pending.keys.insert("held");
            }
            _ => {}
        }
        self.add_to_timeline(event);
    }

    pub(super) fn set_overrides(&mut self, answer: &pb::GetOverridesResponse) {
        let overrides = OverridesJson::from(answer);
        if self.overrides != overrides {
            self.overrides = overrides;
            self.pending.keys.extend(["overrides", "overrides_kept"]);
        }
    }

    pub(super) fn set_identity(&mut self, identity: DaemonIdentity) {
        if self.identity != identity {
            self.identity = identity;
            self.pending.keys.extend(["version", "role"]);
        }
    }

    pub(super) fn set_fingerprint(&mut self, fingerprint: Option<String>) {
        if self.fingerprint != fingerprint {
            self.fingerprint = fingerprint;
            self.pending.keys.insert("fingerprint");
        }
    }

    /// The cause of a backend's state, unless something has happened since it was asked.
    pub(super) fn explain(&mut self, asked: &BackendRow, explanation: &pb::Explanation) {
        let Some(view) = self.backends.get_mut(&asked.name) else { return };
        if view.has_cause_of(asked) {
            view.reason = Some(explanation.cause.clone());
            view.kind = Some(explanation.kind.clone());
            self.pending.backends.change(&asked.name);
        }
    }

    /// A backend with an explanation that says more than its state, behind `after` by
    /// name.
    pub(super) fn unexplained(&self, after: &str) -> Option<&BackendRow> {
        let range = (std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded);
        let mut behind = self.backends.range::<str, _>(range).map(|(_, view)| view);
        behind.find(|view| view.is_to_be_explained())
    }

    pub(super) fn counts(&self) -> (usize, usize) {
        (self.frontends.len(), self.backends.len())
    }
}
