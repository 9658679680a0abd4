//! The method `WatchEvents`, in the form that tonic's server calls.

use std::sync::Arc;

use tonic::codegen::BoxFuture;
use tonic::server::ServerStreamingService;
use tonic::{Request, Response, Status};

use super::{EventStream, WatchItem};
use crate::api::grpc::service::MaglevService;
use crate::pb;

pub(in crate::api::grpc) struct WatchEvents(pub(in crate::api::grpc) Arc<MaglevService>);

impl ServerStreamingService<pb::WatchRequest> for WatchEvents {
    type Response = WatchItem;
    type ResponseStream = EventStream;
    type Future = BoxFuture<Response<EventStream>, Status>;

    fn call(&mut self, request: Request<pb::WatchRequest>) -> Self::Future {
        let service = Arc::clone(&self.0);
        Box::pin(async move { Ok(Response::new(service.watch(&request).await?)) })
    }
}
