//! A backend and its transitions.

use serde::Serialize;

use super::drain::DrainJson;
use super::explain::ProbeJson;
use super::overrides::OverrideJson;
use super::text::present;
use super::time::known_moment;
use crate::pb;

#[derive(Clone, Debug, PartialEq, Serialize)]
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
    /// How far its drain is; `None`: it is not drained.
    pub drain: Option<DrainJson>,
    /// Where it starts slowly.
    pub slow_starts: Vec<SlowStartJson>,
    /// Why it fails and keeps its state.
    pub doubt: Option<DoubtJson>,
    /// Why it passes and is kept out.
    pub damping: Option<DampingJson>,
    /// The server's certificate, where its check asks for that.
    pub certificate: Option<CertificateJson>,
    /// The moment of the last transition.
    pub since: Option<String>,
    /// Whether the file and the operator let it serve.
    pub enabled: bool,
    /// Whether `enabled` is an operator's override of the file.
    pub enabled_overridden: bool,
    /// That override.
    pub admin_override: Option<OverrideJson>,
    /// The name of its health check; `None`: it is always up.
    pub healthcheck: Option<String>,
    /// The port that is probed; `None`: the health check's.
    pub port: Option<u32>,
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

/// A backend that has come back, and gets its weight in steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SlowStartJson {
    pub frontend: String,
    /// The weight that the steps have come to.
    pub weight: u32,
    /// The configured weight.
    pub target: u32,
    /// Nanoseconds until it has that.
    pub left_ns: i64,
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

/// The certificate that a server showed last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CertificateJson {
    pub ends: Option<String>,
    /// Whether that is within the time that the check warns of, or past.
    pub soon: bool,
}

/// A backend that passes again, and is kept out because it flaps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DampingJson {
    /// When it had passed often enough.
    pub since: Option<String>,
    /// When it goes up, if it goes on passing.
    pub until: Option<String>,
    /// How often it went down within the window.
    pub falls: u32,
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
            drain: backend.drain.as_ref().map(DrainJson::from),
            slow_starts: backend.slow_starts.iter().map(SlowStartJson::from).collect(),
            doubt: backend.doubt.as_ref().map(DoubtJson::from),
            damping: backend.damping.as_ref().map(DampingJson::from),
            certificate: backend.certificate.as_ref().map(CertificateJson::from),
            since: backend.transitions.last().and_then(|last| known_moment(last.at_unix_ns)),
            enabled: backend.enabled,
            enabled_overridden: backend.enabled_overridden,
            admin_override: backend.admin_override.as_ref().map(OverrideJson::from),
            healthcheck: present(&backend.healthcheck),
            port: (backend.port > 0).then_some(backend.port),
            counter: backend.counter,
            last_result: present(&backend.last_result),
            programmed: backend.programmed,
            not_programmed: present(&backend.not_programmed),
            transitions: backend.transitions.iter().map(TransitionJson::from).collect(),
            probes: backend.probes.iter().map(ProbeJson::from).collect(),
        }
    }
}

impl From<&pb::SlowStartInfo> for SlowStartJson {
    fn from(info: &pb::SlowStartInfo) -> Self {
        let pb::SlowStartInfo { frontend_name, weight, target, left_ns } = info.clone();
        Self { frontend: frontend_name, weight, target, left_ns }
    }
}

impl From<&pb::DoubtInfo> for DoubtJson {
    fn from(doubt: &pb::DoubtInfo) -> Self {
        Self { since: known_moment(doubt.since_unix_ns), why: doubt.why.clone(), held: doubt.held }
    }
}

impl From<&pb::CertificateInfo> for CertificateJson {
    fn from(certificate: &pb::CertificateInfo) -> Self {
        Self { ends: known_moment(certificate.ends_unix_ns), soon: certificate.soon }
    }
}

impl From<&pb::DampingInfo> for DampingJson {
    fn from(damping: &pb::DampingInfo) -> Self {
        Self {
            since: known_moment(damping.since_unix_ns),
            until: known_moment(damping.until_unix_ns),
            falls: damping.falls,
        }
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
