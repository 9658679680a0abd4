//! What operators set, at one daemon: the change itself, the question whether it would
//! be accepted, and what undoes it.

use std::time::Duration;

use super::answer::CliAnswer;
use crate::cli::command::request::{BackendChange, DaemonRequest, OverrideTerms};
use crate::client::connection::DaemonClient;
use crate::client::error::ClientError;
use crate::pb;

/// Whether to change anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetMode {
    /// How long to wait for VPP, or for those who announce.
    pub(super) wait: Duration,
    /// Only ask.
    pub(super) validate_only: bool,
}

impl SetMode {
    /// The answer comes once VPP has confirmed the change, or after `wait`.
    #[must_use]
    pub fn change(wait: Duration) -> Self {
        Self { wait, validate_only: false }
    }

    /// Changes nothing.
    pub const ASK: Self = Self { wait: Duration::ZERO, validate_only: true };
}

/// Nanoseconds, or the most that fit.
pub(super) fn nanoseconds(span: Duration) -> i64 {
    i64::try_from(span.as_nanos()).unwrap_or(i64::MAX)
}

/// # Errors
/// As [`ClientError::of_status`].
pub async fn backend(
    client: &DaemonClient,
    name: String,
    change: BackendChange,
    terms: OverrideTerms,
    mode: SetMode,
) -> Result<CliAnswer, ClientError> {
    let SetMode { wait, validate_only } = mode;
    let (for_ns, why) = in_request(terms);
    let (wait_ns, slowly) = (nanoseconds(wait), change == BackendChange::ResumeSlowly);
    let request = pb::BackendRequest { name, wait_ns, for_ns, why, validate_only, slowly };
    let mut grpc = client.grpc.clone();
    let (rpc, response) = match change {
        BackendChange::Pause => ("PauseBackend", grpc.pause_backend(request).await),
        BackendChange::Resume | BackendChange::ResumeSlowly => {
            ("ResumeBackend", grpc.resume_backend(request).await)
        }
        BackendChange::Enable => ("EnableBackend", grpc.enable_backend(request).await),
        BackendChange::Disable => ("DisableBackend", grpc.disable_backend(request).await),
        BackendChange::Unset => ("UnsetBackend", grpc.unset_backend(request).await),
    };
    let backend = client.message(rpc, response)?.into();
    Ok(CliAnswer::BackendSet { backend, is_to_end: for_ns > 0 })
}

/// Sets the weight of a backend in a pool: frontend, pool, backend. `weight`: `None`: as
/// the file has it.
///
/// # Errors
/// As [`ClientError::of_status`].
pub async fn weight(
    client: &DaemonClient,
    (frontend, pool, backend): (String, String, String),
    weight: Option<u8>,
    terms: OverrideTerms,
    mode: SetMode,
) -> Result<CliAnswer, ClientError> {
    let SetMode { wait, validate_only } = mode;
    let (for_ns, why) = in_request(terms);
    let (pool_name, name, wait_ns) = (pool.clone(), backend.clone(), nanoseconds(wait));
    let mut grpc = client.grpc.clone();
    let (rpc, response) = match weight {
        Some(weight) => {
            let weight = weight.into();
            let request = pb::SetWeightRequest {
                frontend,
                pool,
                backend,
                weight,
                wait_ns,
                for_ns,
                why,
                validate_only,
            };
            let response = grpc.set_frontend_pool_backend_weight(request).await;
            ("SetFrontendPoolBackendWeight", response)
        }
        None => {
            let request =
                pb::UnsetWeightRequest { frontend, pool, backend, wait_ns, why, validate_only };
            let response = grpc.unset_frontend_pool_backend_weight(request).await;
            ("UnsetFrontendPoolBackendWeight", response)
        }
    };
    let frontend = client.message(rpc, response)?;
    Ok(CliAnswer::WeightSet { frontend, pool: pool_name, backend: name, is_to_end: for_ns > 0 })
}

pub(super) fn in_request(OverrideTerms { lasts, reason }: OverrideTerms) -> (i64, String) {
    (lasts.map_or(0, nanoseconds), reason.unwrap_or_default())
}

/// Whether a request sets something, so that it can be undone.
#[must_use]
pub fn can_be_undone(request: &DaemonRequest) -> bool {
    matches!(request, DaemonRequest::SetBackend { .. } | DaemonRequest::SetWeight { .. })
}

/// Asks whether a daemon would accept a request of [`can_be_undone`]. The answer is how
/// things are before it; `None` for another request.
///
/// # Errors
/// As [`ClientError::of_status`]; a refusal by a daemon that cannot be asked so.
pub async fn ask(
    client: &DaemonClient,
    request: DaemonRequest,
) -> Result<Option<CliAnswer>, ClientError> {
    // An older daemon would not read that it is only asked, and would do it. It knows
    // neither of these calls.
    let mut grpc = client.grpc.clone();
    Ok(match request {
        DaemonRequest::SetBackend { name, change, terms } => {
            let question = pb::ExplainRequest { name: name.clone() };
            client.message("ExplainBackend", grpc.explain_backend(question).await)?;
            Some(backend(client, name, change, terms, SetMode::ASK).await?)
        }
        DaemonRequest::SetWeight { frontend, pool, backend, weight: to, terms } => {
            let question = pb::ExplainRequest { name: frontend.clone() };
            client.message("ExplainFrontend", grpc.explain_frontend(question).await)?;
            Some(weight(client, (frontend, pool, backend), to, terms, SetMode::ASK).await?)
        }
        _ => None,
    })
}

/// What a request of [`can_be_undone`] sets: `pause`, `weight 50`.
#[must_use]
pub fn described(request: &DaemonRequest) -> Option<String> {
    match request {
        DaemonRequest::SetBackend { change, .. } => Some(match change {
            BackendChange::Pause => "pause".into(),
            BackendChange::Resume => "resume".into(),
            BackendChange::ResumeSlowly => "resume slowly".into(),
            BackendChange::Enable => "enable".into(),
            BackendChange::Disable => "disable".into(),
            BackendChange::Unset => "unset".into(),
        }),
        DaemonRequest::SetWeight { weight: Some(weight), .. } => Some(format!("weight {weight}")),
        DaemonRequest::SetWeight { weight: None, .. } => Some("weight unset".into()),
        _ => None,
    }
}

/// What a backend is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AdminWord {
    Enabled,
    Paused,
    Disabled,
}

impl AdminWord {
    fn of(word: &str) -> Self {
        match word {
            "paused" => Self::Paused,
            "disabled" => Self::Disabled,
            _ => Self::Enabled,
        }
    }
}

/// The requests that bring a daemon back to how it was `before` it did `request`, in
/// order, with the reason and the time that was left of an override. None where it
/// changed nothing.
#[must_use]
pub fn undo(request: &DaemonRequest, before: &CliAnswer) -> Vec<DaemonRequest> {
    match (request, before) {
        (
            DaemonRequest::SetBackend { name, change, terms },
            CliAnswer::BackendSet { backend, .. },
        ) => {
            let set =
                |(change, terms)| DaemonRequest::SetBackend { name: name.clone(), change, terms };
            undo_admin(*change, terms, backend).into_iter().map(set).collect()
        }
        (
            DaemonRequest::SetWeight { frontend, pool, backend, weight, terms },
            CliAnswer::WeightSet { frontend: info, .. },
        ) => {
            let mut pools = info.pools.iter().filter(|candidate| candidate.name == *pool);
            let members = pools.next().map(|pool| pool.backends.as_slice()).unwrap_or_default();
            let member = members.iter().find(|member| member.name == *backend);
            let Some(member) = member else { return Vec::new() };
            let before = member.weight_override.as_ref();
            let after = weight.map_or_else(
                || {
                    before
                        .map_or(member.weight, |it| it.configured.parse().unwrap_or(member.weight))
                },
                i32::from,
            );
            if after == member.weight && *terms == OverrideTerms::default() {
                return Vec::new();
            }
            vec![DaemonRequest::SetWeight {
                frontend: frontend.clone(),
                pool: pool.clone(),
                backend: backend.clone(),
                weight: before.and_then(|_| u8::try_from(member.weight).ok()),
                terms: before.map(terms_of).unwrap_or_default(),
            }]
        }
        _ => Vec::new(),
    }
}

fn undo_admin(
    change: BackendChange,
    terms: &OverrideTerms,
    info: &pb::BackendInfo,
) -> Vec<(BackendChange, OverrideTerms)> {
    let set = info.admin_override.as_ref();
    let before = match info.state.as_str() {
        _ if !info.enabled => AdminWord::Disabled,
        word => AdminWord::of(word),
    };
    let after = match (change, before) {
        (BackendChange::Unset, _) => set.map_or(before, |set| AdminWord::of(&set.configured)),
        (BackendChange::Disable, _) => AdminWord::Disabled,
        (BackendChange::Pause, _) | (BackendChange::Enable, AdminWord::Paused) => AdminWord::Paused,
        (BackendChange::Resume | BackendChange::ResumeSlowly | BackendChange::Enable, _) => {
            AdminWord::Enabled
        }
    };
    if after == before && *terms == OverrideTerms::default() {
        return Vec::new();
    }
    let Some(set) = set else {
        return vec![(BackendChange::Unset, OverrideTerms::default())];
    };
    let terms = terms_of(set);
    match (after, before) {
        (_, AdminWord::Disabled) => vec![(BackendChange::Disable, terms)],
        // What is disabled cannot be paused.
        (AdminWord::Disabled, AdminWord::Paused) => {
            let plain = (BackendChange::Enable, OverrideTerms::default());
            vec![plain, (BackendChange::Pause, terms)]
        }
        (_, AdminWord::Paused) => vec![(BackendChange::Pause, terms)],
        (AdminWord::Disabled, AdminWord::Enabled) => vec![(BackendChange::Enable, terms)],
        // An override that enables has no end of its own once it is resumed.
        (_, AdminWord::Enabled) => vec![(BackendChange::Resume, OverrideTerms::default())],
    }
}

/// What is left of an override.
fn terms_of(set: &pb::OverrideInfo) -> OverrideTerms {
    let left = set.left_ns.and_then(|left| u64::try_from(left).ok()).map(Duration::from_nanos);
    let reason = Some(set.why.clone()).filter(|why| !why.is_empty());
    OverrideTerms { lasts: left, reason }
}

#[cfg(test)]
mod tests;
