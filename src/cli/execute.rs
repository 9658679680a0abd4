//! Executes requests: one or several RPCs, one answer.

use std::collections::BTreeSet;
use std::time::Duration;

use super::announcing;
use super::answer::CliAnswer;
use super::error::CliError;
use super::set::{self, SetMode, nanoseconds};
use crate::cli::command::request::{DaemonRequest, DrainOptions};
use crate::client::connection::DaemonClient;
use crate::client::error::ClientError;
use crate::client::requests;
use crate::pb;

/// Sends a request and waits for the whole answer. A change is answered once VPP
/// has confirmed it, or after `wait`.
///
/// # Errors
/// [`CliError::Daemon`].
pub async fn execute(
    client: &DaemonClient,
    request: DaemonRequest,
    wait: Duration,
) -> Result<CliAnswer, CliError> {
    Ok(answer(client, request, wait).await?)
}

async fn answer(
    client: &DaemonClient,
    request: DaemonRequest,
    wait: Duration,
) -> Result<CliAnswer, ClientError> {
    let wait_ns = nanoseconds(wait);
    let mut grpc = client.grpc.clone();
    Ok(match request {
        DaemonRequest::ShowFrontends => {
            let (frontends, held_removals) = requests::frontends(client).await?;
            CliAnswer::Frontends { frontends, held_removals }
        }
        DaemonRequest::ShowFrontend { name } => {
            let frontend = requests::frontend(client.clone(), name).await?;
            let members = frontend.pools.iter().flat_map(|pool| &pool.backends);
            let names: BTreeSet<String> = members.map(|member| member.name.clone()).collect();
            let backends = requests::each(client, names, requests::backend).await?;
            CliAnswer::Frontend { frontend, backends }
        }
        DaemonRequest::Predict { frontend, backend, weight } => {
            let request = pb::PredictChangeRequest {
                frontend: frontend.clone(),
                backend: backend.clone(),
                weight: weight.into(),
            };
            let response = grpc.predict_change(request).await;
            let predicted = client.message("PredictChange", response)?;
            CliAnswer::Predicted { frontend, backend, predicted }
        }
        DaemonRequest::ShowBackends => CliAnswer::Backends(requests::backends(client).await?),
        DaemonRequest::ShowBackend { name } => {
            let backend = requests::backend(client.clone(), name).await?;
            let named = Some(backend.healthcheck.clone()).filter(|name| !name.is_empty());
            let check = requests::each(client, named, requests::health_check).await?.pop();
            CliAnswer::Backend { backend: Box::new(backend), check }
        }
        DaemonRequest::ShowHealthChecks => {
            CliAnswer::HealthChecks(requests::health_checks(client).await?)
        }
        DaemonRequest::ShowHealthCheck { name } => {
            CliAnswer::HealthCheck(requests::health_check(client.clone(), name).await?)
        }
        DaemonRequest::ShowVppInfo => CliAnswer::VppInfo(requests::vpp_info(client).await?),
        DaemonRequest::ShowVppLbState => {
            let response = grpc.get_vpplb_state(pb::GetVpplbStateRequest {}).await;
            CliAnswer::LbState(client.message("GetVPPLBState", response)?)
        }
        DaemonRequest::ShowVppLbCounters => {
            let response = grpc.get_vpplb_counters(pb::GetVpplbCountersRequest {}).await;
            CliAnswer::LbCounters(client.message("GetVPPLBCounters", response)?)
        }
        DaemonRequest::ShowVppDoctor => {
            let response = grpc.get_vpp_doctor(pb::GetVppDoctorRequest {}).await;
            CliAnswer::Doctor(client.message("GetVPPDoctor", response)?)
        }
        DaemonRequest::ShowIdentity => {
            let response = grpc.get_identity(pb::GetIdentityRequest {}).await;
            CliAnswer::Identity(client.message("GetIdentity", response)?)
        }
        DaemonRequest::ShowOverrides => {
            let response = grpc.get_overrides(pb::GetOverridesRequest {}).await;
            CliAnswer::Overrides(client.message("GetOverrides", response)?)
        }
        DaemonRequest::ShowAnnouncements { subject } => {
            CliAnswer::Announcements(announcing::show(client, subject).await?)
        }
        DaemonRequest::OrderAnnouncement { subject, order, terms } => {
            let mode = SetMode::change(wait);
            let announcements = announcing::order(client, subject, order, terms, mode).await?;
            CliAnswer::AnnouncementSet { announcements, has_waited: !wait.is_zero() }
        }
        DaemonRequest::ExplainBackend { name } => {
            let response = grpc.explain_backend(pb::ExplainRequest { name }).await;
            CliAnswer::Explained(client.message("ExplainBackend", response)?)
        }
        DaemonRequest::ExplainFrontend { name } => {
            let response = grpc.explain_frontend(pb::ExplainRequest { name }).await;
            CliAnswer::Explained(client.message("ExplainFrontend", response)?)
        }
        DaemonRequest::ShowTimeline(query) => {
            let request = pb::GetTimelineRequest {
                backend_name: query.backend.unwrap_or_default(),
                frontend_name: query.frontend.unwrap_or_default(),
                last_ns: query.since.map_or(0, nanoseconds),
            };
            let response = grpc.get_timeline(request).await;
            CliAnswer::Timeline(client.message("GetTimeline", response)?)
        }
        DaemonRequest::SetBackend { name, change, terms } => {
            set::backend(client, name, change, terms, SetMode::change(wait)).await?
        }
        DaemonRequest::Drain(DrainOptions { name, timeout, flush, why }) => {
            let why = why.unwrap_or_default();
            let timeout_ns = timeout.map_or(0, nanoseconds);
            let request = pb::DrainBackendRequest { name, wait_ns, timeout_ns, flush, why };
            let response = grpc.drain_backend(request).await;
            let backend = client.message("DrainBackend", response)?.into();
            CliAnswer::BackendSet { backend, is_to_end: false }
        }
        DaemonRequest::Undrain { name, why } => {
            let why = why.unwrap_or_default();
            let request = pb::BackendRequest { name, wait_ns, why, ..Default::default() };
            let response = grpc.undrain_backend(request).await;
            let backend = client.message("UndrainBackend", response)?.into();
            CliAnswer::BackendSet { backend, is_to_end: false }
        }
        DaemonRequest::SetWeight { frontend, pool, backend, weight, terms } => {
            let member = (frontend, pool, backend);
            set::weight(client, member, weight, terms, SetMode::change(wait)).await?
        }
        DaemonRequest::Sync { frontend, dry_run, force } => {
            let request = pb::SyncVpplbStateRequest { frontend_name: frontend, dry_run, force };
            let sync = client.message("SyncVPPLBState", grpc.sync_vpplb_state(request).await)?;
            CliAnswer::Synced { sync, dry_run }
        }
        DaemonRequest::ConfigCheck => {
            let response = grpc.check_config(pb::CheckConfigRequest {}).await;
            CliAnswer::Checked((&client.message("CheckConfig", response)?).into())
        }
        DaemonRequest::ConfigReload { force } => {
            let response = grpc.reload_config(pb::ReloadConfigRequest { force }).await;
            CliAnswer::Reloaded((&client.message("ReloadConfig", response)?).into())
        }
    })
}
