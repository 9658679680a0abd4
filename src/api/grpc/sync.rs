//! `SyncVPPLBState`.

use tonic::{Response, Status};

use super::audit::ChangeOutcome;
use super::lb;
use super::names::parse_name_field;
use super::service::{MaglevService, blocking};
use super::status::OrStatus;
use crate::actors::reconciler::Sync;
use crate::domain::dataplane::plan::Scope;
use crate::pb;

impl MaglevService {
    pub(super) async fn sync(
        &self,
        request: pb::SyncVpplbStateRequest,
    ) -> Result<Response<pb::SyncVpplbStateResponse>, Status> {
        let scope = match request.frontend_name {
            None => Scope::All,
            Some(name) => Scope::One(parse_name_field("frontend_name", name)?.as_str().into()),
        };
        if request.force && scope != Scope::All {
            return Err(Status::invalid_argument(
                "force makes removals that are held, and the sync of a frontend removes no VIP: \
                 leave out the frontend, or force",
            ));
        }
        let message = Sync { scope, dry_run: request.dry_run, force: request.force };
        let report = self.actors.reconciler.send(message).await.or_status()?.or_status()?;
        // The tables of many steps take long to compute.
        let report = blocking(move || lb::report(&report)).await?;
        let refused = report.steps.iter().filter(|step| !step.error.is_empty()).count();
        let mut response = Response::new(report);
        if refused > 0 {
            let outcome = ChangeOutcome::failed(format!("VPP refused {refused} steps"));
            response.extensions_mut().insert(outcome);
        }
        Ok(response)
    }
}
