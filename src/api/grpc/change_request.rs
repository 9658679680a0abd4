//! What a request that changes something asks for, in words, for the audit.

use std::time::Duration;

use prost::{DecodeError, Message};

use crate::domain::duration;
use crate::domain::printable::printable;
use crate::pb;

/// gRPC's own bytes in front of a message: a flag and its length.
const PREFIX: usize = 5;
/// The most characters of a text of the request that are kept.
const LONGEST: usize = 200;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ChangeRequest {
    /// "pause backend a for 1h"
    pub(super) what: String,
    /// In the caller's words; empty: not said.
    pub(super) why: String,
    pub(super) backend: Option<String>,
    pub(super) frontend: Option<String>,
    /// It asks what would be done.
    pub(super) is_dry_run: bool,
    /// It asks whether it would be accepted.
    pub(super) is_validation: bool,
}

impl ChangeRequest {
    /// The request of a method that may change something, by the bytes of its body. What
    /// cannot be read is refused later, and is no dry run.
    pub(super) fn of(method: &str, body: &[u8]) -> Self {
        let read = message(body).and_then(|message| Self::read(method, message).ok());
        read.unwrap_or_else(|| Self {
            what: format!("{method} with a request that cannot be read"),
            ..Self::default()
        })
    }

    fn read(method: &str, message: &[u8]) -> Result<Self, DecodeError> {
        let backend = |verb| Ok(Self::of_backend(verb, pb::BackendRequest::decode(message)?));
        match method {
            "PauseBackend" => backend("pause backend"),
            "ResumeBackend" => backend("resume backend"),
            "EnableBackend" => backend("enable backend"),
            "DisableBackend" => backend("disable backend"),
            "UnsetBackend" => backend("unset backend"),
            "UndrainBackend" => backend("undrain backend"),
            "DrainBackend" => Ok(Self::of_drain(pb::DrainBackendRequest::decode(message)?)),
            "SetFrontendPoolBackendWeight" => {
                Ok(Self::of_weight(&pb::SetWeightRequest::decode(message)?))
            }
            "UnsetFrontendPoolBackendWeight" => {
                Ok(Self::of_unset_weight(pb::UnsetWeightRequest::decode(message)?))
            }
            "SetAnnouncement" => {
                Ok(Self::of_announcement(&pb::SetAnnouncementRequest::decode(message)?))
            }
            "UnsetAnnouncement" => {
                Ok(Self::of_unset_announcement(&pb::UnsetAnnouncementRequest::decode(message)?))
            }
            "ReloadConfig" => Ok(Self::of_reload(pb::ReloadConfigRequest::decode(message)?)),
            "SyncVPPLBState" => Ok(Self::of_sync(pb::SyncVpplbStateRequest::decode(message)?)),
            // A test has every method of the table that changes something here.
            other => Ok(Self { what: other.into(), ..Self::default() }),
        }
    }

    fn of_backend(verb: &str, request: pb::BackendRequest) -> Self {
        let pb::BackendRequest { name, wait_ns: _, for_ns, why, slowly, validate_only } = request;
        let backend = shown(&name);
        let slowly = if slowly { " slowly" } else { "" };
        Self {
            what: format!("{verb} {backend}{slowly}{}", lasting(for_ns)),
            why: shown(&why),
            backend: Some(backend),
            is_validation: validate_only,
            ..Self::default()
        }
    }

    fn of_drain(request: pb::DrainBackendRequest) -> Self {
        let pb::DrainBackendRequest { name, wait_ns: _, timeout_ns, flush, why } = request;
        let backend = shown(&name);
        let timeout = span(timeout_ns).map(|span| format!(" timeout {span}")).unwrap_or_default();
        let flush = if flush { " then flush" } else { "" };
        Self {
            what: format!("drain backend {backend}{timeout}{flush}"),
            why: shown(&why),
            backend: Some(backend),
            ..Self::default()
        }
    }

    fn of_weight(request: &pb::SetWeightRequest) -> Self {
        let pb::SetWeightRequest { frontend, pool, backend, weight, for_ns, .. } = request;
        let member = WeighedMember::of(frontend, pool, backend);
        Self {
            what: format!("set {member} weight {weight}{}", lasting(*for_ns)),
            why: shown(&request.why),
            is_validation: request.validate_only,
            ..member.request()
        }
    }

    fn of_unset_weight(request: pb::UnsetWeightRequest) -> Self {
        let pb::UnsetWeightRequest { frontend, pool, backend, wait_ns: _, why, validate_only } =
            request;
        let member = WeighedMember::of(&frontend, &pool, &backend);
        Self {
            what: format!("unset {member} weight"),
            why: shown(&why),
            is_validation: validate_only,
            ..member.request()
        }
    }

    fn of_announcement(request: &pb::SetAnnouncementRequest) -> Self {
        let pb::SetAnnouncementRequest { address, frontend_name, all, order, for_ns, why, .. } =
            request;
        let (subject, frontend) = announcement(address, frontend_name, *all);
        Self {
            what: format!("set announcement {subject} {}{}", shown(order), lasting(*for_ns)),
            why: shown(why),
            frontend,
            is_validation: request.validate_only,
            ..Self::default()
        }
    }

    fn of_unset_announcement(request: &pb::UnsetAnnouncementRequest) -> Self {
        let pb::UnsetAnnouncementRequest { address, frontend_name, all, why, .. } = request;
        let (subject, frontend) = announcement(address, frontend_name, *all);
        Self {
            what: format!("unset announcement {subject}"),
            why: shown(why),
            frontend,
            is_validation: request.validate_only,
            ..Self::default()
        }
    }

    fn of_reload(pb::ReloadConfigRequest { force }: pb::ReloadConfigRequest) -> Self {
        let what = if force { "config reload force" } else { "config reload" };
        Self { what: what.into(), ..Self::default() }
    }

    fn of_sync(request: pb::SyncVpplbStateRequest) -> Self {
        let pb::SyncVpplbStateRequest { frontend_name, dry_run, force } = request;
        let frontend = frontend_name.map(|name| shown(&name));
        let of = frontend.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
        let force = if force { " force" } else { "" };
        let what = format!("sync vpp lb state{of}{force}");
        Self { what, frontend, is_dry_run: dry_run, ..Self::default() }
    }
}

/// The one message of a body, if it is one that is not compressed. The service reads no
/// more than the first: bytes behind it must not count as a part of it.
fn message(body: &[u8]) -> Option<&[u8]> {
    let ([0, length @ ..], message) = body.split_first_chunk::<PREFIX>()? else { return None };
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    (message.len() == length).then_some(message)
}

/// A backend in a pool of a frontend.
struct WeighedMember {
    frontend: String,
    pool: String,
    backend: String,
}

impl WeighedMember {
    fn of(frontend: &str, pool: &str, backend: &str) -> Self {
        Self { frontend: shown(frontend), pool: shown(pool), backend: shown(backend) }
    }

    fn request(self) -> ChangeRequest {
        let Self { frontend, backend, .. } = self;
        ChangeRequest {
            frontend: Some(frontend),
            backend: Some(backend),
            ..ChangeRequest::default()
        }
    }
}

impl std::fmt::Display for WeighedMember {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { frontend, pool, backend } = self;
        write!(f, "frontend {frontend} pool {pool} backend {backend}")
    }
}

/// Which announcement a request is about, and its frontend. What is wrong with the request
/// is said by the refusal.
fn announcement(address: &str, frontend: &str, all: bool) -> (String, Option<String>) {
    let all = if all { "all" } else { "" };
    let given = [address, frontend, all].into_iter().filter(|text| !text.is_empty());
    let subject = given.map(shown).collect::<Vec<_>>().join(" ");
    (subject, Some(shown(frontend)).filter(|name| !name.is_empty()))
}

/// A text of a request, of which nothing acts on a terminal and which does not go on.
fn shown(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return printable(text);
    }
    printable(&text.chars().take(LONGEST).chain(['…']).collect::<String>())
}

fn lasting(for_ns: i64) -> String {
    span(for_ns).map(|span| format!(" for {span}")).unwrap_or_default()
}

/// `None`: none is asked for.
fn span(ns: i64) -> Option<String> {
    match u64::try_from(ns) {
        Ok(0) => None,
        Ok(ns) => Some(duration::exact(Duration::from_nanos(ns))),
        Err(_) => Some(format!("{ns}ns")),
    }
}

#[cfg(test)]
mod tests;
