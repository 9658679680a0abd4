//! Serves `WatchEvents` and the calls whose answers are shared, and passes every
//! other request to the generated server.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use tonic::body::Body;
use tonic::codegen;
use tonic::codegen::{BoxFuture, http};
use tonic::server::{Grpc, NamedService};
use tonic_prost::ProstCodec;

use super::costly::{self, CostlyCalls};
use super::reload::SharedReloads;
use super::service::MaglevService;
use super::watch::codec::EventCodec;
use super::watch::rpc::WatchEvents;
use crate::api::answers::pool::AnswerPool;
use crate::pb::maglev_server::MaglevServer;

const WATCH_EVENTS: &str = "/maglev.Maglev/WatchEvents";
const RELOAD_CONFIG: &str = "/maglev.Maglev/ReloadConfig";

/// The service as the listeners serve it: events are encoded once for all streams,
/// and costly answers are built once for all who ask at a time.
#[derive(Clone)]
pub(in crate::api) struct WatchEventsInterceptor {
    service: Arc<MaglevService>,
    costly: CostlyCalls,
    reloads: SharedReloads,
    server: MaglevServer<MaglevService>,
}

impl WatchEventsInterceptor {
    pub(in crate::api) fn new(service: MaglevService, answers: &AnswerPool) -> Self {
        let service = Arc::new(service);
        let costly = CostlyCalls::new(&service, answers);
        let reloads = SharedReloads::new(&service);
        let server = MaglevServer::from_arc(Arc::clone(&service));
        Self { costly, reloads, server, service }
    }
}

impl NamedService for WatchEventsInterceptor {
    const NAME: &'static str = <MaglevServer<MaglevService> as NamedService>::NAME;
}

impl codegen::Service<http::Request<Body>> for WatchEventsInterceptor {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        if request.uri().path() == WATCH_EVENTS {
            let watch = WatchEvents(Arc::clone(&self.service));
            return Box::pin(async move {
                let response = Grpc::new(EventCodec).server_streaming(watch, request).await;
                Ok(response)
            });
        }
        if request.uri().path() == RELOAD_CONFIG {
            let reloads = self.reloads.clone();
            return Box::pin(async move {
                Ok(Grpc::new(ProstCodec::default()).unary(reloads, request).await)
            });
        }
        if let Some(shared) = self.costly.of(request.uri().path()) {
            return Box::pin(async move { Ok(costly::answer(shared).await) });
        }
        let response = codegen::Service::call(&mut self.server, request);
        Box::pin(response)
    }
}
