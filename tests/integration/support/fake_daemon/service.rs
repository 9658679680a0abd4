//! The calls of the fixed daemon.

use std::pin::Pin;

use tokio::sync::broadcast;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status};
use vpp_maglev::pb::maglev_server::Maglev;
use vpp_maglev::pb::*;

use super::{
    Behaviour, announcements, data, diagnosis, events, explanation, overrides, prediction, vpp,
};

pub(super) struct FakeService {
    pub(super) behaviour: Behaviour,
    pub(super) happen: broadcast::Sender<event::Event>,
}

type Answer<T> = Result<Response<T>, Status>;

fn named<T>(kind: &str, name: &str, found: Option<T>) -> Answer<T> {
    let missing = || Status::not_found(format!("no {kind} `{name}`"));
    found.map(Response::new).ok_or_else(missing)
}

impl FakeService {
    fn set(&self, request: &BackendRequest, state: &str) -> Answer<BackendInfo> {
        let name = &request.name;
        let mut backend = named("backend", name, data::backend(name))?.into_inner();
        if backend.state == "disabled" && matches!(state, "paused" | "unknown") {
            return Err(Status::failed_precondition(format!(
                "backend `{name}` is disabled; enable it first"
            )));
        }
        if request.validate_only {
            return Ok(Response::new(backend));
        }
        if self.behaviour.fickle {
            return Err(Status::resource_exhausted("there is no room for it any more"));
        }
        backend.state = state.into();
        backend.programmed = true;
        Ok(Response::new(backend))
    }
}

#[tonic::async_trait]
impl Maglev for FakeService {
    async fn list_frontends(
        &self,
        _: Request<ListFrontendsRequest>,
    ) -> Answer<ListFrontendsResponse> {
        let frontend_names = if self.behaviour.empty { vec![] } else { data::frontend_names() };
        Ok(Response::new(ListFrontendsResponse {
            frontend_names,
            held_removals: vpp::held_removals(self.behaviour.contrary),
        }))
    }

    async fn get_frontend(&self, request: Request<GetFrontendRequest>) -> Answer<FrontendInfo> {
        let name = request.into_inner().name;
        named("frontend", &name, data::frontend(&name))
    }

    async fn list_backends(&self, _: Request<ListBackendsRequest>) -> Answer<ListBackendsResponse> {
        let backend_names = if self.behaviour.empty { vec![] } else { data::backend_names() };
        Ok(Response::new(ListBackendsResponse { backend_names }))
    }

    async fn get_backend(&self, request: Request<GetBackendRequest>) -> Answer<BackendInfo> {
        let name = request.into_inner().name;
        named("backend", &name, data::backend(&name))
    }

    async fn get_backends(&self, _: Request<GetBackendsRequest>) -> Answer<GetBackendsResponse> {
        if self.behaviour.old {
            return Err(Status::unimplemented(""));
        }
        let names = if self.behaviour.empty { vec![] } else { data::backend_names() };
        let backends = names.iter().filter_map(|name| data::backend(name)).collect();
        Ok(Response::new(GetBackendsResponse { backends }))
    }

    async fn pause_backend(&self, request: Request<BackendRequest>) -> Answer<BackendInfo> {
        let wanted = request.into_inner();
        let mut backend = self.set(&wanted, "paused")?;
        backend.get_mut().admin_override = Some(overrides::paused(&wanted));
        Ok(backend)
    }

    async fn resume_backend(&self, request: Request<BackendRequest>) -> Answer<BackendInfo> {
        self.set(&request.into_inner(), "unknown")
    }

    async fn enable_backend(&self, request: Request<BackendRequest>) -> Answer<BackendInfo> {
        self.set(&request.into_inner(), "enabled")
    }

    async fn disable_backend(&self, request: Request<BackendRequest>) -> Answer<BackendInfo> {
        self.set(&request.into_inner(), "disabled")
    }

    async fn get_announcements(
        &self,
        request: Request<GetAnnouncementsRequest>,
    ) -> Answer<Announcements> {
        Ok(Response::new(announcements::all(self.behaviour.empty, request.get_ref())))
    }

    async fn set_announcement(
        &self,
        request: Request<SetAnnouncementRequest>,
    ) -> Answer<Announcements> {
        let SetAnnouncementRequest { order, for_ns, .. } = request.into_inner();
        Ok(Response::new(announcements::ordered(&order, for_ns)))
    }

    async fn unset_announcement(
        &self,
        _: Request<UnsetAnnouncementRequest>,
    ) -> Answer<Announcements> {
        Ok(Response::new(announcements::ordered("", 0)))
    }

    async fn get_overrides(&self, _: Request<GetOverridesRequest>) -> Answer<GetOverridesResponse> {
        Ok(Response::new(overrides::all(self.behaviour.empty)))
    }

    async fn unset_backend(&self, request: Request<BackendRequest>) -> Answer<BackendInfo> {
        self.set(&request.into_inner(), "unknown")
    }

    async fn unset_frontend_pool_backend_weight(
        &self,
        request: Request<UnsetWeightRequest>,
    ) -> Answer<FrontendInfo> {
        let name = request.into_inner().frontend;
        named("frontend", &name, data::frontend(&name))
    }

    async fn drain_backend(&self, request: Request<DrainBackendRequest>) -> Answer<BackendInfo> {
        let DrainBackendRequest { name, timeout_ns, flush, .. } = request.into_inner();
        let request = BackendRequest { name, ..Default::default() };
        let mut backend = self.set(&request, "paused")?;
        let phase = "draining".into();
        let drain = DrainInfo { phase, timeout_ns, flush, ..DrainInfo::default() };
        backend.get_mut().drain = Some(drain);
        Ok(backend)
    }

    async fn undrain_backend(&self, request: Request<BackendRequest>) -> Answer<BackendInfo> {
        let mut backend = self.set(&request.into_inner(), "unknown")?;
        if backend.get_mut().drain.take().is_none() {
            let name = &backend.get_ref().name;
            return Err(Status::failed_precondition(format!("backend \"{name}\" is not drained")));
        }
        Ok(backend)
    }

    async fn list_health_checks(
        &self,
        _: Request<ListHealthChecksRequest>,
    ) -> Answer<ListHealthChecksResponse> {
        let names = if self.behaviour.empty { vec![] } else { data::check_names() };
        Ok(Response::new(ListHealthChecksResponse { names }))
    }

    async fn get_health_check(
        &self,
        request: Request<GetHealthCheckRequest>,
    ) -> Answer<HealthCheckInfo> {
        let name = request.into_inner().name;
        named("health check", &name, data::check(&name))
    }

    async fn predict_change(
        &self,
        request: Request<PredictChangeRequest>,
    ) -> Answer<PredictChangeResponse> {
        let wanted = request.into_inner();
        named("frontend", &wanted.frontend, data::frontend(&wanted.frontend))?;
        Ok(Response::new(prediction::predicted(&wanted)))
    }

    async fn set_frontend_pool_backend_weight(
        &self,
        request: Request<SetWeightRequest>,
    ) -> Answer<FrontendInfo> {
        let wanted = request.into_inner();
        let mut frontend = named("frontend", &wanted.frontend, data::frontend(&wanted.frontend))?;
        let member = frontend
            .get_mut()
            .pools
            .iter_mut()
            .filter(|pool| pool.name == wanted.pool)
            .flat_map(|pool| &mut pool.backends)
            .find(|member| member.name == wanted.backend)
            .ok_or_else(|| Status::not_found(format!("no backend `{}`", wanted.backend)))?;
        member.weight = wanted.weight;
        member.weight_overridden = true;
        Ok(frontend)
    }

    type WatchEventsStream = Pin<Box<dyn Stream<Item = Result<Event, Status>> + Send>>;

    async fn watch_events(
        &self,
        request: Request<WatchRequest>,
    ) -> Answer<Self::WatchEventsStream> {
        let wanted = request.into_inner();
        let boot_id = self.behaviour.boot_id;
        let resume = wanted.resume.filter(|point| point.boot_id == boot_id);
        let mut first = events::events(&wanted, boot_id);
        first.retain(|event| resume.is_none_or(|point| event.seq > point.seq));
        if let Some(count) = self.behaviour.leaving {
            let first = tokio_stream::iter(first.into_iter().take(count).map(Ok));
            let last = tokio_stream::once(Err(Status::unavailable("maglevd is stopping")));
            return Ok(Response::new(Box::pin(first.chain(last))));
        }
        // Subscribed before the first is sent, so that nothing falls between.
        let mut happening = self.happen.subscribe();
        let (sender, published) = tokio::sync::mpsc::channel(64);
        tokio::spawn(async move {
            let mut seq = 100;
            while let Ok(event) = happening.recv().await {
                seq += 1;
                if sender.send(Ok(Event { event: Some(event), seq, boot_id })).await.is_err() {
                    return;
                }
            }
        });
        let live = tokio_stream::wrappers::ReceiverStream::new(published);
        let first = tokio_stream::iter(first.into_iter().map(Ok));
        Ok(Response::new(Box::pin(first.chain(live).chain(tokio_stream::pending()))))
    }

    async fn check_config(&self, _: Request<CheckConfigRequest>) -> Answer<CheckConfigResponse> {
        Ok(Response::new(vpp::checked(self.behaviour.contrary)))
    }

    async fn reload_config(&self, _: Request<ReloadConfigRequest>) -> Answer<ReloadConfigResponse> {
        Ok(Response::new(vpp::reloaded(self.behaviour.contrary)))
    }

    async fn get_vpp_info(&self, _: Request<GetVppInfoRequest>) -> Answer<VppInfo> {
        if self.behaviour.empty {
            return Err(Status::unavailable("VPP is not connected"));
        }
        Ok(Response::new(vpp::vpp_info(self.behaviour.contrary)))
    }

    async fn get_vpplb_state(&self, _: Request<GetVpplbStateRequest>) -> Answer<VpplbState> {
        Ok(Response::new(vpp::lb_state(self.behaviour.empty)))
    }

    async fn sync_vpplb_state(
        &self,
        request: Request<SyncVpplbStateRequest>,
    ) -> Answer<SyncVpplbStateResponse> {
        let wanted = request.into_inner();
        if let Some(name) = &wanted.frontend_name {
            named("frontend", name, data::frontend(name))?;
        }
        let steps = if self.behaviour.empty {
            vec![]
        } else {
            vpp::steps(&wanted, self.behaviour.contrary)
        };
        Ok(Response::new(SyncVpplbStateResponse { applied: !wanted.dry_run, steps }))
    }

    async fn explain_backend(&self, request: Request<ExplainRequest>) -> Answer<Explanation> {
        if self.behaviour.old {
            return Err(Status::unimplemented(""));
        }
        let name = request.into_inner().name;
        named("backend", &name, data::backend(&name))?;
        Ok(Response::new(explanation::of_backend(&name)))
    }

    async fn explain_frontend(&self, request: Request<ExplainRequest>) -> Answer<Explanation> {
        if self.behaviour.old {
            return Err(Status::unimplemented(""));
        }
        let name = request.into_inner().name;
        named("frontend", &name, data::frontend(&name))?;
        Ok(Response::new(explanation::of_frontend(&name)))
    }

    async fn get_fingerprints(&self, _: Request<GetFingerprintsRequest>) -> Answer<Fingerprints> {
        if self.behaviour.old {
            return Err(Status::unimplemented(""));
        }
        Ok(Response::new(explanation::fingerprints(self.behaviour.contrary)))
    }

    async fn get_timeline(&self, request: Request<GetTimelineRequest>) -> Answer<Timeline> {
        let wanted = request.into_inner();
        if !wanted.backend_name.is_empty() {
            named("backend", &wanted.backend_name, data::backend(&wanted.backend_name))?;
        }
        let events = events::history(self.behaviour.boot_id);
        let events = if self.behaviour.empty { vec![] } else { events };
        let truncated = wanted.last_ns == 0 && !self.behaviour.empty;
        Ok(Response::new(Timeline { events, truncated, now_unix_ns: data::NOW_NS }))
    }

    async fn get_identity(&self, _: Request<GetIdentityRequest>) -> Answer<CallerIdentity> {
        if self.behaviour.old {
            return Err(Status::unimplemented(""));
        }
        Ok(Response::new(diagnosis::identity(self.behaviour.contrary)))
    }

    async fn get_vpp_doctor(&self, _: Request<GetVppDoctorRequest>) -> Answer<VppDoctor> {
        Ok(Response::new(diagnosis::doctor(self.behaviour.contrary)))
    }

    async fn get_vpplb_counters(
        &self,
        _: Request<GetVpplbCountersRequest>,
    ) -> Answer<VpplbCounters> {
        if self.behaviour.contrary {
            return Err(Status::unimplemented(""));
        }
        Ok(Response::new(vpp::lb_counters(self.behaviour.empty)))
    }
}
