//! Every RPC of `proto/maglev.proto`.

use tonic::{Request, Response, Status};

use super::{convert, lb, table};
use crate::actors::controller::{
    AdministerBackend, CheckConfig, GetBackend, GetBackends, GetConfig, GetFrontend, LoadFailed,
    PredictWeight, Reload, SetWeight,
};
use crate::actors::reconciler::{GetRefusalOf, GetVip, Sync};
use crate::actors::vpp_connection::{GetCounters, GetVppInfo, Observe};
use crate::api::grpc::names::{named, named_as};
use crate::api::grpc::status::OrStatus;
use crate::api::grpc::watch::{self, EventStream, Events};
use crate::api::transport::tls::Certificates;
use crate::api::{Actors, ClientPeer};
use crate::config::LoadError;
use crate::domain::controller::AdminCommand;
use crate::domain::dataplane::net::Weight;
use crate::domain::dataplane::plan::Scope;
use crate::pb;
use crate::pb::maglev_server::Maglev;

/// The service over the actors that answer for it.
pub struct MaglevService {
    pub(in crate::api) actors: Actors,
    /// What is read again with the configuration.
    pub(in crate::api) certificates: Option<Certificates>,
}

impl MaglevService {
    /// A service that these actors answer for.
    #[must_use]
    pub fn new(actors: Actors) -> Self {
        Self { actors, certificates: None }
    }

    async fn backend(&self, name: String) -> Result<Response<pb::BackendInfo>, Status> {
        let (view, reading) =
            self.actors.checker.send(GetBackend(name)).await.or_status()?.or_status()?;
        Ok(Response::new(convert::backend(&view, &reading)))
    }

    async fn frontend(&self, name: String) -> Result<Response<pb::FrontendInfo>, Status> {
        let question = GetFrontend(name.clone());
        let view = self.actors.checker.send(question).await.or_status()?.or_status()?;
        let refusal = self.actors.reconciler.send(GetRefusalOf(name)).await.or_status()?;
        let sighted = self.actors.reconciler.send(GetVip(view.settings.vip)).await.or_status()?;
        let mut info = convert::frontend(&view, refusal);
        table::add_shares(&mut info, &view, &sighted);
        Ok(Response::new(info))
    }

    async fn administer(
        &self,
        request: Request<pb::BackendRequest>,
        command: AdminCommand,
    ) -> Result<Response<pb::BackendInfo>, Status> {
        let who = ClientPeer::of(&request).to_string();
        let backend = named(request.into_inner().name)?;
        let message = AdministerBackend { backend: backend.clone(), command, who };
        self.actors.checker.send(message).await.or_status()?.or_status()?;
        // The prober has obeyed, and told the Controller before it told us.
        self.backend(backend).await
    }

    /// What `WatchEvents` brings.
    pub(super) async fn watch(
        &self,
        request: &Request<pb::WatchRequest>,
    ) -> Result<Events, Status> {
        let subscribe = watch::subscribe(request.get_ref())?;
        let broadcaster = &self.actors.broadcaster;
        Ok(broadcaster.send(subscribe).await.or_status()?.or_status()?.into())
    }

    async fn config(&self) -> Result<std::sync::Arc<crate::domain::config::Config>, Status> {
        self.actors.checker.send(GetConfig).await.or_status()
    }
}

/// Has a computation done where it holds nobody up.
async fn blocking<T: Send + 'static>(
    compute: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Status> {
    let computed = tokio::task::spawn_blocking(compute).await;
    computed.map_err(|_| Status::unavailable("maglevd is stopping"))
}

type GrpcReply<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl Maglev for MaglevService {
    type WatchEventsStream = EventStream;

    async fn list_frontends(
        &self,
        _: Request<pb::ListFrontendsRequest>,
    ) -> GrpcReply<pb::ListFrontendsResponse> {
        let config = self.config().await?;
        let frontend_names = config.frontends.keys().map(ToString::to_string).collect();
        Ok(Response::new(pb::ListFrontendsResponse { frontend_names }))
    }

    async fn get_frontend(
        &self,
        request: Request<pb::GetFrontendRequest>,
    ) -> GrpcReply<pb::FrontendInfo> {
        self.frontend(named(request.into_inner().name)?).await
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
        self.backend(named(request.into_inner().name)?).await
    }

    async fn get_backends(
        &self,
        _: Request<pb::GetBackendsRequest>,
    ) -> GrpcReply<pb::GetBackendsResponse> {
        let found = self.actors.checker.send(GetBackends).await.or_status()?;
        // Many take their time: not on the thread of the streams.
        let one = |(view, reading)| convert::backend(&view, &reading);
        let backends = blocking(move || found.into_iter().map(one).collect()).await?;
        Ok(Response::new(pb::GetBackendsResponse { backends }))
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
        self.administer(request, AdminCommand::Resume).await
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
        let name = named(request.into_inner().name)?;
        let config = self.config().await?;
        let check = config
            .checks
            .get(name.as_str())
            .ok_or_else(|| Status::not_found(format!("there is no health check \"{name}\"")))?;
        Ok(Response::new(convert::health_check(&name, check)))
    }

    async fn set_frontend_pool_backend_weight(
        &self,
        request: Request<pb::SetWeightRequest>,
    ) -> GrpcReply<pb::FrontendInfo> {
        let who = ClientPeer::of(&request).to_string();
        let pb::SetWeightRequest { frontend, pool, backend, weight } = request.into_inner();
        let frontend = named_as("frontend", frontend)?;
        let (pool, backend) = (named_as("pool", pool)?, named_as("backend", backend)?);
        let weight = Weight::try_from(i64::from(weight)).or_status()?;
        let message = SetWeight { frontend: frontend.clone(), pool, backend, weight, who };
        self.actors.checker.send(message).await.or_status()?.or_status()?;
        self.frontend(frontend).await
    }

    async fn watch_events(&self, request: Request<pb::WatchRequest>) -> GrpcReply<EventStream> {
        Ok(Response::new(self.watch(&request).await?.into()))
    }

    async fn check_config(
        &self,
        _: Request<pb::CheckConfigRequest>,
    ) -> GrpcReply<pb::CheckConfigResponse> {
        let response = match self.actors.checker.send(CheckConfig).await.or_status()? {
            Ok(loaded) => pb::CheckConfigResponse {
                ok: true,
                warnings: loaded.warnings.iter().map(ToString::to_string).collect(),
                ..pb::CheckConfigResponse::default()
            },
            Err(failed) => {
                let ConfigFaultFields { parse_error, semantic_error, other } =
                    ConfigFaultFields::of(&failed);
                let parse_error = parse_error + &other;
                pb::CheckConfigResponse { ok: false, parse_error, semantic_error, warnings: vec![] }
            }
        };
        Ok(Response::new(response))
    }

    async fn reload_config(
        &self,
        _: Request<pb::ReloadConfigRequest>,
    ) -> GrpcReply<pb::ReloadConfigResponse> {
        let response = match self.actors.checker.send(Reload).await.or_status()? {
            Ok(()) => {
                let renewed = match &self.certificates {
                    Some(certificates) => certificates.renew().await,
                    None => Ok(()),
                };
                let reload_error = renewed.err().map_or_else(String::new, |error| {
                    format!("the configuration was taken, the old certificates stay: {error}")
                });
                let ok = reload_error.is_empty();
                pb::ReloadConfigResponse { ok, reload_error, ..Default::default() }
            }
            Err(failed) => {
                let ConfigFaultFields { parse_error, semantic_error, other } =
                    ConfigFaultFields::of(&failed);
                let reload_error = other;
                pb::ReloadConfigResponse { ok: false, parse_error, semantic_error, reload_error }
            }
        };
        Ok(Response::new(response))
    }

    async fn get_vpp_info(&self, _: Request<pb::GetVppInfoRequest>) -> GrpcReply<pb::VppInfo> {
        let info = self.actors.vpp.send(GetVppInfo).await.or_status()?.or_status()?;
        Ok(Response::new(lb::info(&info)))
    }

    async fn get_vpplb_state(
        &self,
        _: Request<pb::GetVpplbStateRequest>,
    ) -> GrpcReply<pb::VpplbState> {
        let seen = self.actors.vpp.send(Observe).await.or_status()?.or_status()?;
        // The state is worth telling although the boot time is not known.
        let info = self.actors.vpp.send(GetVppInfo).await.or_status()?.ok();
        let booted_at = info.filter(|info| info.epoch == seen.epoch).and_then(|i| i.booted_at);
        Ok(Response::new(lb::state(&seen.observed, booted_at)))
    }

    async fn sync_vpplb_state(
        &self,
        request: Request<pb::SyncVpplbStateRequest>,
    ) -> GrpcReply<pb::SyncVpplbStateResponse> {
        let request = request.into_inner();
        let scope = match request.frontend_name {
            None => Scope::All,
            Some(name) => Scope::One(named_as("frontend_name", name)?.as_str().into()),
        };
        let message = Sync { scope, dry_run: request.dry_run };
        let report = self.actors.reconciler.send(message).await.or_status()?.or_status()?;
        // Tables of many steps take their time: not on the thread of the streams.
        let report = blocking(move || lb::report(&report)).await?;
        Ok(Response::new(report))
    }

    async fn predict_change(
        &self,
        request: Request<pb::PredictChangeRequest>,
    ) -> GrpcReply<pb::PredictChangeResponse> {
        let pb::PredictChangeRequest { frontend, backend, weight } = request.into_inner();
        let frontend = named_as("frontend", frontend)?;
        let backend = named_as("backend", backend)?;
        let weight = Weight::try_from(i64::from(weight)).or_status()?;
        let suppose = PredictWeight { frontend, backend, weight };
        let supposed = self.actors.checker.send(suppose).await.or_status()?.or_status()?;
        let sighted = self.actors.reconciler.send(GetVip(supposed.vip)).await.or_status()?;
        let predicted = blocking(move || table::predict(&supposed, &sighted)).await?;
        Ok(Response::new(predicted.or_status()?))
    }

    async fn get_vpplb_counters(
        &self,
        _: Request<pb::GetVpplbCountersRequest>,
    ) -> GrpcReply<pb::VpplbCounters> {
        let counted = self.actors.vpp.send(GetCounters).await.or_status()?.or_status()?;
        Ok(Response::new(lb::counters(&counted)))
    }
}

/// The faults of a configuration file, by the field that tells of them.
#[derive(Default)]
struct ConfigFaultFields {
    parse_error: String,
    semantic_error: String,
    other: String,
}

impl ConfigFaultFields {
    fn of(failed: &LoadFailed) -> Self {
        let mut faults = Self::default();
        let field = match failed {
            LoadFailed::Refused(error) => match **error {
                LoadError::Faults(_) => &mut faults.semantic_error,
                LoadError::Unreadable { .. } | LoadError::Syntax { .. } => &mut faults.parse_error,
            },
            LoadFailed::Namespace(_) | LoadFailed::Interrupted => &mut faults.other,
        };
        *field = failed.to_string();
        faults
    }
}
