//! What every request and every answer of the service passes.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use tonic::body::Body;
use tonic::codegen::{BoxFuture, http};
use tonic::server::{Grpc, NamedService};
use tonic::{Code, Status, codegen};

use crate::api::MaglevService;
use crate::api::grpc::watch::ready::{ReadyCodec, WatchEvents};
use crate::pb::maglev_server::MaglevServer;

const WATCH_EVENTS: &str = "/maglev.Maglev/WatchEvents";

/// The service as it is offered: events are encoded once for all streams, and
/// refusals carry the codes that gRPC's other libraries use.
#[derive(Clone)]
pub(in crate::api) struct WatchEventsInterceptor {
    service: Arc<MaglevService>,
    rest: MaglevServer<MaglevService>,
}

impl WatchEventsInterceptor {
    pub(in crate::api) fn new(service: MaglevService) -> Self {
        let service = Arc::new(service);
        Self { rest: MaglevServer::from_arc(Arc::clone(&service)), service }
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
                let streamed = Grpc::new(ReadyCodec).server_streaming(watch, request).await;
                Ok(too_long_is_exhausted(streamed))
            });
        }
        let answered = codegen::Service::call(&mut self.rest, request);
        Box::pin(async move { answered.await.map(too_long_is_exhausted) })
    }
}

/// tonic says OUT_OF_RANGE of a message over 4 MiB. The service itself never
/// does, and others say RESOURCE_EXHAUSTED, which is what gRPC's list of codes
/// has for it.
fn too_long_is_exhausted(response: http::Response<Body>) -> http::Response<Body> {
    let status = Status::from_header_map(response.headers());
    match status.filter(|status| status.code() == Code::OutOfRange) {
        Some(status) => Status::resource_exhausted(status.message()).into_http(),
        None => response,
    }
}
