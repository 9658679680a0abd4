//! The RPCs of `proto/maglev.proto`.

use std::sync::Arc;

use tokio_stream::Empty;
use tonic::{Request, Response, Status};

use super::names::{parse_name, parse_name_field};
use super::status::OrStatus;
use super::watch::{self, EventStream};
use super::{check_info, lb, table};
use crate::actors::controller::{GetConfig, PredictWeight};
use crate::actors::reconciler::{GetHeldRemovals, GetVip};
use crate::actors::vpp_connection::GetVppInfo;
use crate::api::actors::Actors;
use crate::api::rights::in_force::RightsInForce;
use crate::api::transport::tls::Certificates;
use crate::domain::config::Config;
use crate::domain::controller::AdminCommand;
use crate::domain::dataplane::net::Weight;
use crate::pb;
use crate::pb::maglev_server::Maglev;

pub struct MaglevService {
    pub(in crate::api) actors: Actors,
    /// Renewed by a reload of the configuration.
    pub(in crate::api) certificates: Option<Certificates>,
    /// The same.
    pub(in crate::api) rights: RightsInForce,
}

impl MaglevService {
    #[must_use]
    pub fn new(actors: Actors) -> Self {
        Self { actors, certificates: None, rights: RightsInForce::default() }
    }

    /// The stream of `WatchEvents`.
    pub(super) async fn watch(
        &self,
        request: &Request<pb::WatchRequest>,
    ) -> Result<EventStream, Status> {
        let subscribe = watch::subscribe(request.get_ref())?;
        let broadcaster = &self.actors.broadcaster;
        Ok(broadcaster.send(subscribe).await.or_status()?.or_status()?.into())
    }

    async fn config(&self) -> Result<Arc<Config>, Status> {
        self.actors.controller.send(GetConfig).await.or_status()
    }
}

/// Computes on a thread for blocking work, so that streams are not delayed.
pub(super) async fn blocking<T: Send + 'static>(
    compute: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Status> {
    let computed = tokio::task::spawn_blocking(compute).await;
    computed.map_err(|_| Status::unavailable("maglevd is stopping"))
}

fn by_the_interceptor() -> Status {
    Status::unimplemented("the interceptor serves this method")
}

type GrpcReply<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl Maglev for MaglevService {
    /// The generated server is never asked for this method.
    type WatchEventsStream = Empty<Result<pb::Event, Status>>;

    async fn list_frontends(
        &self,
        _: Request<pb::ListFrontendsRequest>,
    ) -> GrpcReply<pb::ListFrontendsResponse> {
        let config = self.config().await?;
        let held = self.actors.reconciler.send(GetHeldRemovals).await.or_status()?;
        let held_removals = held.iter().map(ToString::to_string).collect();
        let frontend_names = config.frontends.keys().map(ToString::to_string).collect();
        Ok(Response::new(pb::ListFrontendsResponse { frontend_names, held_removals }))
    }

    async fn get_frontend(
        &self,
        request: Request<pb::GetFrontendRequest>,
    ) -> GrpcReply<pb::FrontendInfo> {
        let name = parse_name(request.into_inner().name)?;
        Ok(Response::new(self.frontend(name).await?))
    }

    async fn list_backends(
        &self,
        _: Request<pb::ListBackendsRequest>,
    ) -> GrpcReply<pb::ListBackendsResponse> {
        let config = self.config().await?;
        let backend_names = config.backends.keys().map(ToString::to_string).collect();
        Ok(Response::new(pb::ListBackendsResponse { backend_names }))
    }

    async fn get_backend(
        &self,
        request: Request<pb::GetBackendRequest>,
    ) -> GrpcReply<pb::BackendInfo> {
        let name = parse_name(request.into_inner().name)?;
        Ok(Response::new(self.backend(name).await?))
    }

    async fn pause_backend(
        &self,
        request: Request<pb::BackendRequest>,
    ) -> GrpcReply<pb::BackendInfo> {
        self.administer(request, AdminCommand::Pause).await
    }

    async fn resume_backend(
        &self,
        request: Request<pb::BackendRequest>,
    ) -> GrpcReply<pb::BackendInfo> {
        let command = match request.get_ref().slowly {
            true => AdminCommand::ResumeSlowly,
            false => AdminCommand::Resume,
        };
        self.administer(request, command).await
    }

    async fn enable_backend(
        &self,
        request: Request<pb::BackendRequest>,
    ) -> GrpcReply<pb::BackendInfo> {
        self.administer(request, AdminCommand::Enable).await
    }

    async fn disable_backend(
        &self,
        request: Request<pb::BackendRequest>,
    ) -> GrpcReply<pb::BackendInfo> {
        self.administer(request, AdminCommand::Disable).await
    }

    async fn drain_backend(
        &self,
        request: Request<pb::DrainBackendRequest>,
    ) -> GrpcReply<pb::BackendInfo> {
        self.drain(request).await
    }

    async fn undrain_backend(
        &self,
        request: Request<pb::BackendRequest>,
    ) -> GrpcReply<pb::BackendInfo> {
        self.administer(request, AdminCommand::Undrain).await
    }

    async fn list_health_checks(
        &self,
        _: Request<pb::ListHealthChecksRequest>,
    ) -> GrpcReply<pb::ListHealthChecksResponse> {
        let config = self.config().await?;
        let names = config.checks.keys().map(ToString::to_string).collect();
        Ok(Response::new(pb::ListHealthChecksResponse { names }))
    }

    async fn get_health_check(
        &self,
        request: Request<pb::GetHealthCheckRequest>,
    ) -> GrpcReply<pb::HealthCheckInfo> {
        let name = parse_name(request.into_inner().name)?;
        let config = self.config().await?;
        let check = config
            .checks
            .get(name.as_str())
            .ok_or_else(|| Status::not_found(format!("there is no health check \"{name}\"")))?;
        Ok(Response::new(check_info::health_check(&name, check)))
    }

    async fn set_frontend_pool_backend_weight(
        &self,
        request: Request<pb::SetWeightRequest>,
    ) -> GrpcReply<pb::FrontendInfo> {
        self.set_weight(request).await
    }

    async fn get_overrides(
        &self,
        _: Request<pb::GetOverridesRequest>,
    ) -> GrpcReply<pb::GetOverridesResponse> {
        self.overrides().await
    }

    async fn unset_backend(
        &self,
        request: Request<pb::BackendRequest>,
    ) -> GrpcReply<pb::BackendInfo> {
        self.administer(request, AdminCommand::Unset).await
    }

    async fn unset_frontend_pool_backend_weight(
        &self,
        request: Request<pb::UnsetWeightRequest>,
    ) -> GrpcReply<pb::FrontendInfo> {
        self.unset_weight(request).await
    }

    // The interceptor serves these, with bytes that all who ask share, which the
    // generated server cannot.

    async fn watch_events(
        &self,
        _: Request<pb::WatchRequest>,
    ) -> GrpcReply<Self::WatchEventsStream> {
        Err(by_the_interceptor())
    }

    async fn get_backends(
        &self,
        _: Request<pb::GetBackendsRequest>,
    ) -> GrpcReply<pb::GetBackendsResponse> {
        Err(by_the_interceptor())
    }

    async fn check_config(
        &self,
        _: Request<pb::CheckConfigRequest>,
    ) -> GrpcReply<pb::CheckConfigResponse> {
        Err(by_the_interceptor())
    }

    async fn reload_config(
        &self,
        _: Request<pb::ReloadConfigRequest>,
    ) -> GrpcReply<pb::ReloadConfigResponse> {
        Err(by_the_interceptor())
    }

    async fn get_vpplb_state(
        &self,
        _: Request<pb::GetVpplbStateRequest>,
    ) -> GrpcReply<pb::VpplbState> {
        Err(by_the_interceptor())
    }

    async fn get_vpplb_counters(
        &self,
        _: Request<pb::GetVpplbCountersRequest>,
    ) -> GrpcReply<pb::VpplbCounters> {
        Err(by_the_interceptor())
    }

    async fn get_vpp_doctor(
        &self,
        _: Request<pb::GetVppDoctorRequest>,
    ) -> GrpcReply<pb::VppDoctor> {
        Err(by_the_interceptor())
    }

    async fn get_fingerprints(
        &self,
        _: Request<pb::GetFingerprintsRequest>,
    ) -> GrpcReply<pb::Fingerprints> {
        Err(by_the_interceptor())
    }

    async fn explain_backend(
        &self,
        request: Request<pb::ExplainRequest>,
    ) -> GrpcReply<pb::Explanation> {
        let name = parse_name(request.into_inner().name)?;
        Ok(Response::new(self.explain_backend(name).await?))
    }

    async fn explain_frontend(
        &self,
        request: Request<pb::ExplainRequest>,
    ) -> GrpcReply<pb::Explanation> {
        let name = parse_name(request.into_inner().name)?;
        Ok(Response::new(self.explain_frontend(name).await?))
    }

    async fn get_timeline(
        &self,
        request: Request<pb::GetTimelineRequest>,
    ) -> GrpcReply<pb::Timeline> {
        Ok(Response::new(self.timeline(request.into_inner()).await?))
    }

    async fn get_identity(
        &self,
        request: Request<pb::GetIdentityRequest>,
    ) -> GrpcReply<pb::CallerIdentity> {
        self.identity(&request)
    }

    async fn get_announcements(
        &self,
        request: Request<pb::GetAnnouncementsRequest>,
    ) -> GrpcReply<pb::Announcements> {
        self.announcements(request.into_inner()).await
    }

    async fn set_announcement(
        &self,
        request: Request<pb::SetAnnouncementRequest>,
    ) -> GrpcReply<pb::Announcements> {
        self.order_announcement(request).await
    }

    async fn unset_announcement(
        &self,
        request: Request<pb::UnsetAnnouncementRequest>,
    ) -> GrpcReply<pb::Announcements> {
        self.end_announce_order(request).await
    }

    async fn get_vpp_info(&self, _: Request<pb::GetVppInfoRequest>) -> GrpcReply<pb::VppInfo> {
        let info = self.actors.vpp.send(GetVppInfo).await.or_status()?.or_status()?;
        let held = self.actors.reconciler.send(GetHeldRemovals).await.or_status()?;
        Ok(Response::new(lb::info(&info, &held)))
    }

    async fn sync_vpplb_state(
        &self,
        request: Request<pb::SyncVpplbStateRequest>,
    ) -> GrpcReply<pb::SyncVpplbStateResponse> {
        self.sync(request.into_inner()).await
    }

    async fn predict_change(
        &self,
        request: Request<pb::PredictChangeRequest>,
    ) -> GrpcReply<pb::PredictChangeResponse> {
        let pb::PredictChangeRequest { frontend, backend, weight } = request.into_inner();
        let frontend = parse_name_field("frontend", frontend)?;
        let backend = parse_name_field("backend", backend)?;
        let weight = Weight::try_from(i64::from(weight)).or_status()?;
        let message = PredictWeight { frontend, backend, weight };
        let prediction = self.actors.controller.send(message).await.or_status()?.or_status()?;
        let observed = self.actors.reconciler.send(GetVip(prediction.vip)).await.or_status()?;
        let response = blocking(move || table::predict(&prediction, &observed)).await?;
        Ok(Response::new(response.or_status()?))
    }
}
