//! `GetIdentity`: whom the daemon takes the caller for.

use tonic::{Request, Response, Status};

use super::caller::Caller;
use super::nanos::now_ns;
use super::service::MaglevService;
use crate::VERSION;
use crate::domain::rights::{GrantReason, Role};
use crate::pb;

impl MaglevService {
    pub(super) fn identity(
        &self,
        request: &Request<pb::GetIdentityRequest>,
    ) -> Result<Response<pb::CallerIdentity>, Status> {
        let caller = Caller::of(request.extensions());
        let caller = caller.ok_or_else(|| Status::internal("the caller is not known"))?;
        let (grant, entrance) = (&caller.grant, &caller.client.entrance);
        let name = grant.identity.as_ref().map(ToString::to_string).unwrap_or_default();
        let may_see = grant.role >= Role::Viewer;
        Ok(Response::new(pb::CallerIdentity {
            explanation: match &grant.reason {
                GrantReason::Listener => format!(
                    "nothing in a rights file names the caller; the listener {} gives {}",
                    entrance.address, entrance.role
                ),
                reason => format!("rights.{name} of the rights file, by {reason}"),
            },
            name,
            who: caller.to_string(),
            role: grant.role.to_string(),
            reason: reason_word(&grant.reason).into(),
            listener: entrance.address.clone(),
            listener_role: entrance.role.to_string(),
            proved: caller.proved(),
            rights_file: self.rights.has_file(),
            version: if may_see { VERSION.into() } else { String::new() },
            now_unix_ns: now_ns(),
        }))
    }
}

fn reason_word(reason: &GrantReason) -> &'static str {
    match reason {
        GrantReason::Listener => "listener",
        GrantReason::Token => "token",
        GrantReason::Certificate(_) => "certificate",
        GrantReason::User(_) => "user",
        GrantReason::Group(_) => "group",
    }
}
