//! Carries out requests: one or several calls to the daemon, one answer.

use std::collections::BTreeSet;

use tokio::task::JoinSet;
use tonic::{Code, Status};

use super::answer::CliAnswer;
use super::error::{CliError, ConnectionLoss};
use crate::cli::command::request::{BackendChange, DaemonRequest};
use crate::client::server::DaemonClient;
use crate::pb;

/// Calls that may be under way at once when a list is fetched: enough to hide
/// the way to a distant daemon, few enough for its limit of streams.
const UNDER_WAY: usize = 100;

/// Asks the daemon and waits for the whole answer.
///
/// # Errors
/// [`CliError::Refused`] in the daemon's words, [`CliError::Unreachable`] when
/// the connection is lost.
pub async fn execute(client: &DaemonClient, request: DaemonRequest) -> Result<CliAnswer, CliError> {
    answer(client, request).await.map_err(|failure| failure.of(client))
}

/// The named frontends; those that do not exist are left out.
///
/// # Errors
/// As [`execute`].
pub async fn frontends(
    client: &DaemonClient,
    names: &[String],
) -> Result<Vec<pb::FrontendInfo>, CliError> {
    let names = names.iter().cloned();
    all(client, names, frontend).await.map_err(|failure| failure.of(client))
}

/// Why an answer is missing.
enum MissingAnswer {
    Status(Box<Status>),
    /// A call ended without any answer.
    Cut,
}

impl MissingAnswer {
    fn of(self, client: &DaemonClient) -> CliError {
        match self {
            Self::Status(status) => client.error(&status),
            Self::Cut => client.lost(ConnectionLoss::Broken),
        }
    }
}

impl From<Status> for MissingAnswer {
    fn from(status: Status) -> Self {
        Self::Status(Box::new(status))
    }
}

async fn answer(client: &DaemonClient, request: DaemonRequest) -> Result<CliAnswer, MissingAnswer> {
    let mut grpc = client.grpc.clone();
    Ok(match request {
        DaemonRequest::ShowFrontends => {
            let names = grpc.list_frontends(pb::ListFrontendsRequest {}).await?.into_inner();
            CliAnswer::Frontends(all(client, names.frontend_names, frontend).await?)
        }
        DaemonRequest::ShowFrontend { name } => {
            let frontend = frontend(client.clone(), name).await?;
            let members = frontend.pools.iter().flat_map(|pool| &pool.backends);
            let names: BTreeSet<String> = members.map(|member| member.name.clone()).collect();
            let backends = all(client, names, backend).await?;
            CliAnswer::Frontend { frontend, backends }
        }
        DaemonRequest::Predict { frontend, backend, weight } => {
            let request = pb::PredictChangeRequest {
                frontend: frontend.clone(),
                backend: backend.clone(),
                weight: weight.into(),
            };
            let predicted = grpc.predict_change(request).await?.into_inner();
            CliAnswer::Predicted { frontend, backend, predicted }
        }
        DaemonRequest::ShowBackends => CliAnswer::Backends(backends(client).await?),
        DaemonRequest::ShowBackend { name } => {
            let backend = backend(client.clone(), name).await?;
            let named = Some(backend.healthcheck.clone()).filter(|name| !name.is_empty());
            let check = all(client, named, health_check).await?.pop();
            CliAnswer::Backend { backend, check }
        }
        DaemonRequest::ShowHealthChecks => {
            let names = grpc.list_health_checks(pb::ListHealthChecksRequest {}).await?.into_inner();
            CliAnswer::HealthChecks(all(client, names.names, health_check).await?)
        }
        DaemonRequest::ShowHealthCheck { name } => {
            CliAnswer::HealthCheck(health_check(client.clone(), name).await?)
        }
        DaemonRequest::ShowVppInfo => {
            CliAnswer::VppInfo(grpc.get_vpp_info(pb::GetVppInfoRequest {}).await?.into_inner())
        }
        DaemonRequest::ShowVppLbState => CliAnswer::LbState(
            grpc.get_vpplb_state(pb::GetVpplbStateRequest {}).await?.into_inner(),
        ),
        DaemonRequest::ShowVppLbCounters => {
            let request = pb::GetVpplbCountersRequest {};
            CliAnswer::LbCounters(grpc.get_vpplb_counters(request).await?.into_inner())
        }
        DaemonRequest::SetBackend { name, change } => {
            let request = pb::BackendRequest { name };
            let response = match change {
                BackendChange::Pause => grpc.pause_backend(request).await?,
                BackendChange::Resume => grpc.resume_backend(request).await?,
                BackendChange::Enable => grpc.enable_backend(request).await?,
                BackendChange::Disable => grpc.disable_backend(request).await?,
            };
            CliAnswer::BackendSet(response.into_inner())
        }
        DaemonRequest::SetWeight { frontend, pool, backend, weight } => {
            let request = pb::SetWeightRequest {
                frontend,
                pool: pool.clone(),
                backend: backend.clone(),
                weight: weight.into(),
            };
            let response = grpc.set_frontend_pool_backend_weight(request).await?;
            CliAnswer::WeightSet { frontend: response.into_inner(), pool, backend }
        }
        DaemonRequest::Sync { frontend, dry_run } => {
            let request = pb::SyncVpplbStateRequest { frontend_name: frontend, dry_run };
            let sync = grpc.sync_vpplb_state(request).await?.into_inner();
            CliAnswer::Synced { sync, dry_run }
        }
        DaemonRequest::ConfigCheck => {
            let response = grpc.check_config(pb::CheckConfigRequest {}).await?;
            CliAnswer::Checked(response.into_inner().into())
        }
        DaemonRequest::ConfigReload => {
            let response = grpc.reload_config(pb::ReloadConfigRequest {}).await?;
            CliAnswer::Reloaded(response.into_inner().into())
        }
    })
}

async fn frontend(client: DaemonClient, name: String) -> Result<pb::FrontendInfo, Status> {
    let mut grpc = client.grpc;
    Ok(grpc.get_frontend(pb::GetFrontendRequest { name }).await?.into_inner())
}

async fn backend(client: DaemonClient, name: String) -> Result<pb::BackendInfo, Status> {
    let mut grpc = client.grpc;
    Ok(grpc.get_backend(pb::GetBackendRequest { name }).await?.into_inner())
}

/// All backends by one call; by one for each from a daemon that is older.
async fn backends(client: &DaemonClient) -> Result<Vec<pb::BackendInfo>, MissingAnswer> {
    let mut grpc = client.grpc.clone();
    match grpc.get_backends(pb::GetBackendsRequest {}).await {
        Err(status) if status.code() == Code::Unimplemented => {
            let names = grpc.list_backends(pb::ListBackendsRequest {}).await?.into_inner();
            all(client, names.backend_names, backend).await
        }
        response => Ok(response?.into_inner().backends),
    }
}

async fn health_check(client: DaemonClient, name: String) -> Result<pb::HealthCheckInfo, Status> {
    let mut grpc = client.grpc;
    Ok(grpc.get_health_check(pb::GetHealthCheckRequest { name }).await?.into_inner())
}

/// Gets every named item, several at once, and returns them in the order of
/// their names. One that a reload removed since it was listed is left out.
async fn all<T, Get, Got>(
    client: &DaemonClient,
    names: impl IntoIterator<Item = String>,
    get: Get,
) -> Result<Vec<T>, MissingAnswer>
where
    T: Send + 'static,
    Get: Fn(DaemonClient, String) -> Got,
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
            Some(Err(_)) => return Err(MissingAnswer::Cut),
            Some(Ok((place, Ok(item)))) => found.push((place, item)),
            Some(Ok((_, Err(status)))) if status.code() == Code::NotFound => {}
            Some(Ok((_, Err(status)))) => return Err(status.into()),
        }
    }
    found.sort_by_key(|(place, _)| *place);
    Ok(found.into_iter().map(|(_, item)| item).collect())
}
