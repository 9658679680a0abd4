//! Requests that more than one client needs: the objects of a daemon, one or
//! all of them.

use tokio::task::JoinSet;
use tonic::Code;

use super::connection::DaemonClient;
use super::error::{ClientError, ConnectionLoss};
use crate::pb;

/// Requests in flight at once while a list is fetched: enough to hide the
/// round trip to a distant daemon, below its limit of streams.
const MAX_IN_FLIGHT: usize = 100;

/// All frontends, sorted by name, and the VIPs of no frontend whose removal from VPP is
/// held.
///
/// # Errors
/// As [`ClientError::of_status`].
pub async fn frontends(
    client: &DaemonClient,
) -> Result<(Vec<pb::FrontendInfo>, Vec<String>), ClientError> {
    let mut grpc = client.grpc.clone();
    let response = grpc.list_frontends(pb::ListFrontendsRequest {}).await;
    let listed = client.message("ListFrontends", response)?;
    let frontends = each(client, listed.frontend_names, frontend).await?;
    Ok((frontends, listed.held_removals))
}

/// One frontend.
///
/// # Errors
/// As [`ClientError::of_status`].
pub async fn frontend(client: DaemonClient, name: String) -> Result<pb::FrontendInfo, ClientError> {
    let mut grpc = client.grpc.clone();
    client.message("GetFrontend", grpc.get_frontend(pb::GetFrontendRequest { name }).await)
}

/// All backends, sorted by name: with one request, or with one for each from a
/// daemon that lacks `GetBackends`.
///
/// # Errors
/// As [`ClientError::of_status`].
pub async fn backends(client: &DaemonClient) -> Result<Vec<pb::BackendInfo>, ClientError> {
    let mut grpc = client.grpc.clone();
    let response = grpc.get_backends(pb::GetBackendsRequest {}).await;
    match client.message("GetBackends", response) {
        Err(ClientError::Refused { code: Code::Unimplemented, .. }) => {
            let response = grpc.list_backends(pb::ListBackendsRequest {}).await;
            let names = client.message("ListBackends", response)?.backend_names;
            each(client, names, backend).await
        }
        response => Ok(response?.backends),
    }
}

/// One backend.
///
/// # Errors
/// As [`ClientError::of_status`].
pub async fn backend(client: DaemonClient, name: String) -> Result<pb::BackendInfo, ClientError> {
    let mut grpc = client.grpc.clone();
    client.message("GetBackend", grpc.get_backend(pb::GetBackendRequest { name }).await)
}

/// All health checks, sorted by name.
///
/// # Errors
/// As [`ClientError::of_status`].
pub async fn health_checks(client: &DaemonClient) -> Result<Vec<pb::HealthCheckInfo>, ClientError> {
    let mut grpc = client.grpc.clone();
    let response = grpc.list_health_checks(pb::ListHealthChecksRequest {}).await;
    let names = client.message("ListHealthChecks", response)?.names;
    each(client, names, health_check).await
}

/// One health check.
///
/// # Errors
/// As [`ClientError::of_status`].
pub async fn health_check(
    client: DaemonClient,
    name: String,
) -> Result<pb::HealthCheckInfo, ClientError> {
    let mut grpc = client.grpc.clone();
    let response = grpc.get_health_check(pb::GetHealthCheckRequest { name }).await;
    client.message("GetHealthCheck", response)
}

/// VPP's version, age and connection.
///
/// # Errors
/// As [`ClientError::of_status`]; a refusal while VPP is not connected.
pub async fn vpp_info(client: &DaemonClient) -> Result<pb::VppInfo, ClientError> {
    let mut grpc = client.grpc.clone();
    client.message("GetVPPInfo", grpc.get_vpp_info(pb::GetVppInfoRequest {}).await)
}

/// Requests every named object, several at once, and returns them in the order
/// of `names`. Objects that do not exist are left out: a reload may remove one
/// after it was listed.
///
/// # Errors
/// The first that a request returned.
pub async fn each<T, Get, Response>(
    client: &DaemonClient,
    names: impl IntoIterator<Item = String>,
    get: Get,
) -> Result<Vec<T>, ClientError>
where
    T: Send + 'static,
    Get: Fn(DaemonClient, String) -> Response,
    Response: Future<Output = Result<T, ClientError>> + Send + 'static,
{
    let mut names = names.into_iter().enumerate();
    let mut in_flight = JoinSet::new();
    let mut found = Vec::new();
    loop {
        while in_flight.len() < MAX_IN_FLIGHT
            && let Some((place, name)) = names.next()
        {
            let request = get(client.clone(), name);
            in_flight.spawn(async move { (place, request.await) });
        }
        match in_flight.join_next().await {
            None => break,
            // The task panicked, or the runtime shuts down.
            Some(Err(_)) => return Err(client.lost("get an object", ConnectionLoss::Broken)),
            Some(Ok((place, Ok(item)))) => found.push((place, item)),
            Some(Ok((_, Err(ClientError::Refused { code: Code::NotFound, .. })))) => {}
            Some(Ok((_, Err(error)))) => return Err(error),
        }
    }
    found.sort_by_key(|(place, _)| *place);
    Ok(found.into_iter().map(|(_, item)| item).collect())
}
