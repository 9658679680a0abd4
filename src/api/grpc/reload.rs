//! The method `ReloadConfig`. All who ask for the same at a time share one reload.

use std::sync::Arc;

use tonic::codegen::BoxFuture;
use tonic::server::UnaryService;
use tonic::{Request, Response, Status};

use super::service::MaglevService;
use super::status::OrStatus;
use crate::api::answers::shared::SharedAnswer;
use crate::pb;

type ReloadAnswer = SharedAnswer<Result<pb::ReloadConfigResponse, Status>>;

/// The reloads under way: those that use any file without a fault, and all others.
#[derive(Clone)]
pub(super) struct SharedReloads {
    forced: ReloadAnswer,
    guarded: ReloadAnswer,
}

impl SharedReloads {
    /// To be called where the answers are to be built.
    pub(super) fn new(service: &Arc<MaglevService>) -> Self {
        let shared = |force| {
            let service = Arc::clone(service);
            SharedAnswer::new(move || {
                let service = Arc::clone(&service);
                async move { service.reload(force).await }
            })
        };
        Self { forced: shared(true), guarded: shared(false) }
    }
}

impl UnaryService<pb::ReloadConfigRequest> for SharedReloads {
    type Response = pb::ReloadConfigResponse;
    type Future = BoxFuture<Response<pb::ReloadConfigResponse>, Status>;

    fn call(&mut self, request: Request<pb::ReloadConfigRequest>) -> Self::Future {
        let shared = if request.get_ref().force { &self.forced } else { &self.guarded }.clone();
        Box::pin(async move { Ok(Response::new(shared.ask().await.or_status()??)) })
    }
}
