//! Serves `WatchEvents` itself and passes every other request to the generated
//! server.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use tonic::body::Body;
use tonic::codegen::{BoxFuture, http};
use tonic::server::{Grpc, NamedService};
use tonic::{Code, Status, codegen};

use super::service::MaglevService;
use super::watch::codec::EventCodec;
use super::watch::rpc::WatchEvents;
use crate::pb::maglev_server::MaglevServer;

const WATCH_EVENTS: &str = "/maglev.Maglev/WatchEvents";

/// The service as the listeners serve it: events are encoded once for all streams,
/// and errors have the codes that other gRPC libraries use.
#[derive(Clone)]
pub(in crate::api) struct WatchEventsInterceptor {
    service: Arc<MaglevService>,
    server: MaglevServer<MaglevService>,
}

impl WatchEventsInterceptor {
    pub(in crate::api) fn new(service: MaglevService) -> Self {
        let service = Arc::new(service);
        Self { server: MaglevServer::from_arc(Arc::clone(&service)), service }
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
                Ok(out_of_range_as_exhausted(response))
            });
        }
        let response = codegen::Service::call(&mut self.server, request);
        Box::pin(async move { response.await.map(out_of_range_as_exhausted) })
    }
}

/// tonic returns OUT_OF_RANGE for a message over 4 MiB. Other libraries, and the
/// list of gRPC's codes, have RESOURCE_EXHAUSTED for that. The service itself never
/// returns OUT_OF_RANGE.
fn out_of_range_as_exhausted(response: http::Response<Body>) -> http::Response<Body> {
    let status = Status::from_header_map(response.headers());
    match status.filter(|status| status.code() == Code::OutOfRange) {
        Some(status) => Status::resource_exhausted(status.message()).into_http(),
        None => response,
    }
}
