//! A backend and its transitions.

use serde::Serialize;

use super::explain::ProbeJson;
use super::text::present;
use super::time::known_moment;
use crate::pb;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BackendJson {
    /// The key in the configuration file.
    pub name: String,
    /// An IPv4 or IPv6 address; `None`: its DNS name was never resolved.
    pub address: Option<String>,
    /// The DNS name that the address was resolved from; `None`: it was given.
    pub dns_name: Option<String>,
    /// Why that name does not resolve at present.
    pub unresolved: Option<String>,
    /// `unknown`, `up`, `down`, `paused`, `disabled` or `removed`.
    pub state: String,
    /// Why it fails and keeps its state.
    pub doubt: Option<DoubtJson>,
    /// The moment of the last transition.
    pub since: Option<String>,
    /// Whether the file and the operator let it serve.
    pub enabled: bool,
    /// Whether `enabled` is an operator's override of the file.
    pub enabled_overridden: bool,
    /// The name of its health check; `None`: it is always up.
    pub healthcheck: Option<String>,
    /// HAProxy's rise/fall counter, 0..=rise+fall-1; up from `rise` on.
    pub counter: i32,
    /// The result of the last probe: a code and a sentence.
    pub last_result: Option<String>,
    /// Whether VPP has confirmed every write that was due for the frontends that
    /// use it.
    pub programmed: bool,
    /// Why it has not; only where one backend was requested.
    pub not_programmed: Option<String>,
    /// The oldest first.
    pub transitions: Vec<TransitionJson>,
    /// The last probes, oldest first; only where one backend was requested.
    pub probes: Vec<ProbeJson>,
}

/// A backend that fails, without evidence that it is the backend that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DoubtJson {
    /// When the doubt began.
    pub since: Option<String>,
    /// The last failure, and what there is no evidence for.
    pub why: String,
    /// `false` while others are still asked whether they pass.
    pub held: bool,
}

/// A change of state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TransitionJson {
    /// The state before.
    pub from: String,
    /// The state after.
    pub to: String,
    /// The moment of the transition.
    pub at: Option<String>,
    /// The reason, for people.
    pub why: Option<String>,
}

impl From<&pb::BackendInfo> for BackendJson {
    fn from(backend: &pb::BackendInfo) -> Self {
        Self {
            name: backend.name.clone(),
            address: present(&backend.address),
            dns_name: present(&backend.dns_name),
            unresolved: present(&backend.unresolved),
            state: backend.state.clone(),
            doubt: backend.doubt.as_ref().map(DoubtJson::from),
            since: backend.transitions.last().and_then(|last| known_moment(last.at_unix_ns)),
            enabled: backend.enabled,
            enabled_overridden: backend.enabled_overridden,
            healthcheck: present(&backend.healthcheck),
            counter: backend.counter,
            last_result: present(&backend.last_result),
            programmed: backend.programmed,
            not_programmed: present(&backend.not_programmed),
            transitions: backend.transitions.iter().map(TransitionJson::from).collect(),
            probes: backend.probes.iter().map(ProbeJson::from).collect(),
        }
    }
}

impl From<&pb::DoubtInfo> for DoubtJson {
    fn from(doubt: &pb::DoubtInfo) -> Self {
        Self { since: known_moment(doubt.since_unix_ns), why: doubt.why.clone(), held: doubt.held }
    }
}

impl From<&pb::TransitionRecord> for TransitionJson {
    fn from(transition: &pb::TransitionRecord) -> Self {
        Self {
            from: transition.from.clone(),
            to: transition.to.clone(),
            at: known_moment(transition.at_unix_ns),
            why: present(&transition.why),
        }
    }
}
