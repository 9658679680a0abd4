//! The method `ReloadConfig`. All who ask for the same at a time share one reload.

use std::sync::Arc;

use tonic::codegen::BoxFuture;
use tonic::server::UnaryService;
use tonic::{Request, Response, Status};

use super::audit::ChangeOutcome;
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
        Box::pin(async move {
            let answer = shared.ask().await.or_status()??;
            let outcome = outcome(&answer);
            let mut response = Response::new(answer);
            outcome.map(|outcome| response.extensions_mut().insert(outcome));
            Ok(response)
        })
    }
}

/// What came of a reload; `None`: it was done.
fn outcome(answer: &pb::ReloadConfigResponse) -> Option<ChangeOutcome> {
    let pb::ReloadConfigResponse { ok, parse_error, semantic_error, reload_error } = answer;
    let faults = [parse_error, semantic_error, reload_error].map(|text| text.replace('\n', "; "));
    let detail = faults.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
    (!ok).then(|| ChangeOutcome::refused(detail))
}
