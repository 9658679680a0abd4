//! What operators set, at one daemon: the change itself, the question whether it would
//! be accepted, and what undoes it.

use std::time::Duration;

use super::answer::CliAnswer;
use crate::cli::command::request::{BackendChange, DaemonRequest};
use crate::client::connection::DaemonClient;
use crate::client::error::ClientError;
use crate::pb;

/// Whether to change anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetMode {
    /// How long to wait for VPP.
    wait: Duration,
    /// Only ask.
    validate_only: bool,
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
    mode: SetMode,
) -> Result<CliAnswer, ClientError> {
    let SetMode { wait, validate_only } = mode;
    let request = pb::BackendRequest { name, wait_ns: nanoseconds(wait), validate_only };
    let mut grpc = client.grpc.clone();
    let (rpc, response) = match change {
        BackendChange::Pause => ("PauseBackend", grpc.pause_backend(request).await),
        BackendChange::Resume => ("ResumeBackend", grpc.resume_backend(request).await),
        BackendChange::Enable => ("EnableBackend", grpc.enable_backend(request).await),
        BackendChange::Disable => ("DisableBackend", grpc.disable_backend(request).await),
    };
    Ok(CliAnswer::BackendSet(client.message(rpc, response)?))
}

/// Sets the weight of a backend in a pool: frontend, pool, backend.
///
/// # Errors
/// As [`ClientError::of_status`].
pub async fn weight(
    client: &DaemonClient,
    (frontend, pool, backend): (String, String, String),
    weight: u8,
    mode: SetMode,
) -> Result<CliAnswer, ClientError> {
    let SetMode { wait, validate_only } = mode;
    let request = pb::SetWeightRequest {
        frontend,
        pool: pool.clone(),
        backend: backend.clone(),
        weight: weight.into(),
        wait_ns: nanoseconds(wait),
        validate_only,
    };
    let response = client.grpc.clone().set_frontend_pool_backend_weight(request).await;
    let frontend = client.message("SetFrontendPoolBackendWeight", response)?;
    Ok(CliAnswer::WeightSet { frontend, pool, backend })
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
        DaemonRequest::SetBackend { name, change } => {
            let question = pb::ExplainRequest { name: name.clone() };
            client.message("ExplainBackend", grpc.explain_backend(question).await)?;
            Some(backend(client, name, change, SetMode::ASK).await?)
        }
        DaemonRequest::SetWeight { frontend, pool, backend, weight: to } => {
            let question = pb::ExplainRequest { name: frontend.clone() };
            client.message("ExplainFrontend", grpc.explain_frontend(question).await)?;
            Some(weight(client, (frontend, pool, backend), to, SetMode::ASK).await?)
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
            BackendChange::Enable => "enable".into(),
            BackendChange::Disable => "disable".into(),
        }),
        DaemonRequest::SetWeight { weight, .. } => Some(format!("weight {weight}")),
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

/// The requests that bring a daemon back to how it was `before` it did `request`, in
/// order. None where it changed nothing.
#[must_use]
pub fn undo(request: &DaemonRequest, before: &CliAnswer) -> Vec<DaemonRequest> {
    match (request, before) {
        (DaemonRequest::SetBackend { name, change }, CliAnswer::BackendSet(info)) => {
            let before = match info.state.as_str() {
                _ if !info.enabled => AdminWord::Disabled,
                "paused" => AdminWord::Paused,
                _ => AdminWord::Enabled,
            };
            let after = match (change, before) {
                (BackendChange::Disable, _) => AdminWord::Disabled,
                (BackendChange::Pause, _) | (BackendChange::Enable, AdminWord::Paused) => {
                    AdminWord::Paused
                }
                (BackendChange::Resume | BackendChange::Enable, _) => AdminWord::Enabled,
            };
            let back: &[BackendChange] = match (after, before) {
                _ if after == before => &[],
                (AdminWord::Disabled, AdminWord::Paused) => {
                    &[BackendChange::Enable, BackendChange::Pause]
                }
                (AdminWord::Disabled, _) => &[BackendChange::Enable],
                (_, AdminWord::Disabled) => &[BackendChange::Disable],
                (_, AdminWord::Paused) => &[BackendChange::Pause],
                (_, AdminWord::Enabled) => &[BackendChange::Resume],
            };
            let set = |change: &BackendChange| DaemonRequest::SetBackend {
                name: name.clone(),
                change: *change,
            };
            back.iter().map(set).collect()
        }
        (
            DaemonRequest::SetWeight { frontend, pool, backend, weight },
            CliAnswer::WeightSet { frontend: info, .. },
        ) => {
            let mut pools = info.pools.iter().filter(|candidate| candidate.name == *pool);
            let members = pools.next().map(|pool| pool.backends.as_slice()).unwrap_or_default();
            let member = members.iter().find(|member| member.name == *backend);
            let before = member.and_then(|member| u8::try_from(member.weight).ok());
            let before = before.filter(|before| before != weight);
            let set = |weight| DaemonRequest::SetWeight {
                frontend: frontend.clone(),
                pool: pool.clone(),
                backend: backend.clone(),
                weight,
            };
            before.map(set).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn before(state: &str) -> CliAnswer {
        let (enabled, state) = (state != "disabled", state.into());
        CliAnswer::BackendSet(pb::BackendInfo { enabled, state, ..Default::default() })
    }

    /// The commands that undo one, by the state before.
    fn undone(change: BackendChange, state: &str) -> Vec<BackendChange> {
        let request = DaemonRequest::SetBackend { name: "web1".into(), change };
        let undo = undo(&request, &before(state)).into_iter().map(|request| match request {
            DaemonRequest::SetBackend { name, change } if name == "web1" => change,
            other => panic!("{other:?}"),
        });
        undo.collect()
    }

    /// The rules of the daemon (`domain::controller::commands`), of which pausing and
    /// resuming a disabled backend is refused.
    fn done(change: BackendChange, before: AdminWord) -> AdminWord {
        match (change, before) {
            (BackendChange::Pause, _) => AdminWord::Paused,
            (BackendChange::Disable, _) => AdminWord::Disabled,
            (BackendChange::Enable, AdminWord::Paused) => AdminWord::Paused,
            (BackendChange::Enable | BackendChange::Resume, _) => AdminWord::Enabled,
        }
    }

    #[test]
    fn what_is_undone_is_as_before() {
        use BackendChange::{Disable, Enable, Pause, Resume};
        let states = [
            ("up", AdminWord::Enabled),
            ("down", AdminWord::Enabled),
            ("paused", AdminWord::Paused),
            ("disabled", AdminWord::Disabled),
        ];
        let mut undone_any = 0;
        for (state, admin) in states {
            for change in [Pause, Resume, Enable, Disable] {
                if admin == AdminWord::Disabled && matches!(change, Pause | Resume) {
                    continue;
                }
                let after = done(change, admin);
                let back = undone(change, state);
                let ended = back.iter().fold(after, |admin, change| done(*change, admin));
                assert_eq!(ended, admin, "{change:?} of {state}, undone by {back:?}");
                assert_eq!(back.is_empty(), after == admin, "{change:?} of {state}");
                undone_any += usize::from(!back.is_empty());
            }
        }
        assert_eq!(undone_any, 7);
        assert_eq!(undone(Disable, "paused"), [Enable, Pause]);
    }

    #[test]
    fn a_weight_is_set_back() {
        let member = pb::PoolBackendInfo { name: "web1".into(), weight: 50, ..Default::default() };
        let pool = pb::PoolInfo { name: "main".into(), backends: vec![member] };
        let frontend = pb::FrontendInfo { pools: vec![pool], ..Default::default() };
        let (pool, backend) = ("main".to_owned(), "web1".to_owned());
        let before =
            CliAnswer::WeightSet { frontend, pool: pool.clone(), backend: backend.clone() };
        let set = |weight| DaemonRequest::SetWeight {
            frontend: "www".into(),
            pool: pool.clone(),
            backend: backend.clone(),
            weight,
        };
        assert_eq!(undo(&set(7), &before), [set(50)]);
        assert_eq!(undo(&set(50), &before), []);
    }
}
