//! Carries out requests: one or several calls to the daemon, one answer.

use std::collections::BTreeSet;

use tokio::task::JoinSet;
use tonic::{Code, Status};

use super::answer::Answer;
use super::command::{BackendChange, Request};
use super::error::{CliError, Loss};
use super::server::Client;
use crate::pb;

/// Calls that may be under way at once when a list is fetched: enough to hide
/// the way to a distant daemon, few enough for its limit of streams.
const UNDER_WAY: usize = 100;

/// Asks the daemon and waits for the whole answer.
///
/// # Errors
/// [`CliError::Refused`] in the daemon's words, [`CliError::Unreachable`] when
/// the connection is lost.
pub async fn execute(client: &Client, request: Request) -> Result<Answer, CliError> {
    answer(client, request).await.map_err(|failure| failure.of(client))
}

/// The named frontends; those that do not exist are left out.
///
/// # Errors
/// As [`execute`].
pub async fn frontends(
    client: &Client,
    names: &[String],
) -> Result<Vec<pb::FrontendInfo>, CliError> {
    let names = names.iter().cloned();
    all(client, names, frontend).await.map_err(|failure| failure.of(client))
}

/// Why an answer is missing.
enum Failure {
    Status(Box<Status>),
    /// A call ended without any answer.
    Cut,
}

impl Failure {
    fn of(self, client: &Client) -> CliError {
        match self {
            Self::Status(status) => client.error(&status),
            Self::Cut => client.lost(Loss::Broken),
        }
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::Status(Box::new(status))
    }
}

async fn answer(client: &Client, request: Request) -> Result<Answer, Failure> {
    let mut grpc = client.grpc.clone();
    Ok(match request {
        Request::ShowFrontends => {
            let names = grpc.list_frontends(pb::ListFrontendsRequest {}).await?.into_inner();
            Answer::Frontends(all(client, names.frontend_names, frontend).await?)
        }
        Request::ShowFrontend { name } => {
            let frontend = frontend(client.clone(), name).await?;
            let members = frontend.pools.iter().flat_map(|pool| &pool.backends);
            let names: BTreeSet<String> = members.map(|member| member.name.clone()).collect();
            let backends = all(client, names, backend).await?;
            Answer::Frontend { frontend, backends }
        }
        Request::Predict { frontend, backend, weight } => {
            let request = pb::PredictChangeRequest {
                frontend: frontend.clone(),
                backend: backend.clone(),
                weight: weight.into(),
            };
            let predicted = grpc.predict_change(request).await?.into_inner();
            Answer::Predicted { frontend, backend, predicted }
        }
        Request::ShowBackends => Answer::Backends(backends(client).await?),
        Request::ShowBackend { name } => {
            let backend = backend(client.clone(), name).await?;
            let named = Some(backend.healthcheck.clone()).filter(|name| !name.is_empty());
            let check = all(client, named, health_check).await?.pop();
            Answer::Backend { backend, check }
        }
        Request::ShowHealthChecks => {
            let names = grpc.list_health_checks(pb::ListHealthChecksRequest {}).await?.into_inner();
            Answer::HealthChecks(all(client, names.names, health_check).await?)
        }
        Request::ShowHealthCheck { name } => {
            Answer::HealthCheck(health_check(client.clone(), name).await?)
        }
        Request::ShowVppInfo => {
            Answer::VppInfo(grpc.get_vpp_info(pb::GetVppInfoRequest {}).await?.into_inner())
        }
        Request::ShowVppLbState => {
            Answer::LbState(grpc.get_vpplb_state(pb::GetVpplbStateRequest {}).await?.into_inner())
        }
        Request::ShowVppLbCounters => {
            let request = pb::GetVpplbCountersRequest {};
            Answer::LbCounters(grpc.get_vpplb_counters(request).await?.into_inner())
        }
        Request::SetBackend { name, change } => {
            let request = pb::BackendRequest { name };
            let response = match change {
                BackendChange::Pause => grpc.pause_backend(request).await?,
                BackendChange::Resume => grpc.resume_backend(request).await?,
                BackendChange::Enable => grpc.enable_backend(request).await?,
                BackendChange::Disable => grpc.disable_backend(request).await?,
            };
            Answer::BackendSet(response.into_inner())
        }
        Request::SetWeight { frontend, pool, backend, weight } => {
            let request = pb::SetWeightRequest {
                frontend,
                pool: pool.clone(),
                backend: backend.clone(),
                weight: weight.into(),
            };
            let response = grpc.set_frontend_pool_backend_weight(request).await?;
            Answer::WeightSet { frontend: response.into_inner(), pool, backend }
        }
        Request::Sync { frontend, dry_run } => {
            let request = pb::SyncVpplbStateRequest { frontend_name: frontend, dry_run };
            let sync = grpc.sync_vpplb_state(request).await?.into_inner();
            Answer::Synced { sync, dry_run }
        }
        Request::ConfigCheck => {
            let response = grpc.check_config(pb::CheckConfigRequest {}).await?;
            Answer::Checked(response.into_inner().into())
        }
        Request::ConfigReload => {
            let response = grpc.reload_config(pb::ReloadConfigRequest {}).await?;
            Answer::Reloaded(response.into_inner().into())
        }
    })
}

async fn frontend(client: Client, name: String) -> Result<pb::FrontendInfo, Status> {
    let mut grpc = client.grpc;
    Ok(grpc.get_frontend(pb::GetFrontendRequest { name }).await?.into_inner())
}

async fn backend(client: Client, name: String) -> Result<pb::BackendInfo, Status> {
    let mut grpc = client.grpc;
    Ok(grpc.get_backend(pb::GetBackendRequest { name }).await?.into_inner())
}

/// All backends by one call; by one for each from a daemon that is older.
async fn backends(client: &Client) -> Result<Vec<pb::BackendInfo>, Failure> {
    let mut grpc = client.grpc.clone();
    match grpc.get_backends(pb::GetBackendsRequest {}).await {
        Err(status) if status.code() == Code::Unimplemented => {
            let names = grpc.list_backends(pb::ListBackendsRequest {}).await?.into_inner();
            all(client, names.backend_names, backend).await
        }
        response => Ok(response?.into_inner().backends),
    }
}

async fn health_check(client: Client, name: String) -> Result<pb::HealthCheckInfo, Status> {
    let mut grpc = client.grpc;
    Ok(grpc.get_health_check(pb::GetHealthCheckRequest { name }).await?.into_inner())
}

/// Gets every named item, several at once, and returns them in the order of
/// their names. One that a reload removed since it was listed is left out.
async fn all<T, Get, Got>(
    client: &Client,
    names: impl IntoIterator<Item = String>,
    get: Get,
) -> Result<Vec<T>, Failure>
where
    T: Send + 'static,
    Get: Fn(Client, String) -> Got,
    Got: Future<Output = Result<T, Status>> + Send + 'static,
{
    let mut names = names.into_iter().enumerate();
    let mut calls = JoinSet::new();
    let mut found = Vec::new();
    loop {
        while calls.len() < UNDER_WAY
            && let Some((place, name)) = names.next()
        {
            let call = get(client.clone(), name);
            calls.spawn(async move { (place, call.await) });
        }
        match calls.join_next().await {
            None => break,
            Some(Err(_)) => return Err(Failure::Cut),
            Some(Ok((place, Ok(item)))) => found.push((place, item)),
            Some(Ok((_, Err(status)))) if status.code() == Code::NotFound => {}
            Some(Ok((_, Err(status)))) => return Err(status.into()),
        }
    }
    found.sort_by_key(|(place, _)| *place);
    Ok(found.into_iter().map(|(_, item)| item).collect())
}
