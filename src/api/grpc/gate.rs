//! Lets each request through to its service, or denies it: the one place where roles are
//! asked about.

use std::sync::Arc;

use actix::Addr;
use prost::bytes::Bytes;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::Request;
use tracing::warn;

use super::audit::{AuditLog, PendingAudit};
use super::caller::{Caller, take_on_behalf_of};
use super::change_request::ChangeRequest;
use super::revocable::RevocableBody;
use crate::actors::broadcaster::Broadcaster;
use crate::api::rights::bearer::{BearerError, take_token};
use crate::api::rights::denied::{DenialCause, DeniedCalls};
use crate::api::rights::in_force::RightsInForce;
use crate::api::transport::peer::{Entrance, IdentifiedClient};
use crate::domain::rights::{
    Grant, GrantReason, Requirement, Role, TokenDigest, method, requirement,
};
use crate::host::logging::RateLimitedLog;

const SERVICE: &str = "/maglev.Maglev/";

/// Clones share it.
#[derive(Clone)]
pub(in crate::api) struct Gate {
    rights: RightsInForce,
    entrances: Arc<[Arc<Entrance>]>,
    denied: DeniedCalls,
    denials: RateLimitedLog,
    audit: AuditLog,
}

/// A request that was let through.
pub(super) struct AdmittedCall {
    /// Of one that changes something.
    pub(super) audit: Option<PendingAudit>,
    caller: Caller,
    /// The role that it takes, for as long as it lasts.
    needed: Role,
}

/// Why a request is not let through.
struct Denial {
    caller: Caller,
    cause: DenialCause,
    status: Status,
}

impl Gate {
    pub(in crate::api) fn new(
        rights: RightsInForce,
        entrances: Vec<Arc<Entrance>>,
        denied: DeniedCalls,
        broadcaster: Addr<Broadcaster>,
    ) -> Self {
        let audit = AuditLog::new(broadcaster);
        let denials = RateLimitedLog::of_events(move |withheld| {
            warn!(withheld, "api-denied: more of them, unlogged");
        });
        Self { rights, entrances: entrances.into(), denied, denials, audit }
    }

    /// Identifies the caller, which the request has from then on, and lets it through if
    /// it has the role that the method takes. `body`: the whole of it, where it is of one
    /// message.
    ///
    /// # Errors
    /// PERMISSION_DENIED; UNAUTHENTICATED for a token that is of nobody or must not be
    /// sent over this connection.
    pub(super) fn admit(
        &self,
        request: &mut Request<Body>,
        client: &IdentifiedClient,
        body: Option<&Bytes>,
    ) -> Result<AdmittedCall, Status> {
        let path = request.uri().path().to_owned();
        let name = path.strip_prefix(SERVICE).unwrap_or(&path);
        let requirement = requirement(name);
        let change = match (method(name), body) {
            (Some((name, it)), Some(body)) if it.may_change() => {
                Some((name, ChangeRequest::of(name, body)))
            }
            _ => None,
        };
        let needed = needed(requirement, change.as_ref().map(|(_, change)| change));
        let token = take_token(request.headers_mut());
        let on_behalf_of = take_on_behalf_of(request.headers_mut());
        let change = change.filter(|(_, change)| !change.is_dry_run && !change.is_validation);
        match self.judge(client, token, name, needed) {
            Ok(mut caller) => {
                caller.on_behalf_of = on_behalf_of.filter(|_| caller.grant.role == Role::Operator);
                let audit = change.map(|(name, change)| self.audit.begin(&caller, name, change));
                request.extensions_mut().insert(caller.clone());
                Ok(AdmittedCall { audit, caller, needed })
            }
            Err(denial) => {
                let Denial { caller, cause, status } = *denial;
                self.denied.count(name, cause);
                let why = status.message();
                if let Some(withheld) = self.denials.is_due() {
                    let role = caller.grant.role.as_str();
                    let listener = &*caller.client.entrance.address;
                    let method = method(name).map_or("other", |(name, _)| name);
                    warn!(who = %caller, role, listener, method, why, withheld, "api-denied");
                }
                if let Some((name, change)) = change {
                    self.audit.denied(&caller, name, change, why);
                }
                Err(status)
            }
        }
    }

    fn judge(
        &self,
        client: &IdentifiedClient,
        token: Result<Option<TokenDigest>, BearerError>,
        method: &str,
        needed: Role,
    ) -> Result<Caller, Box<Denial>> {
        let unauthenticated = |why: String| {
            let (caller, status) = (nobody(client), Status::unauthenticated(why));
            Box::new(Denial { caller, cause: DenialCause::Token, status })
        };
        let token = token.map_err(|error| unauthenticated(error.to_string()))?;
        if token.is_some() && client.is_readable {
            return Err(unauthenticated(READABLE.into()));
        }
        let rights = self.rights.current();
        let caller = Caller::identify(client, token.as_ref(), &rights).map_err(|error| {
            unauthenticated(format!("{error}: have its digest put there, or send none"))
        })?;
        if caller.grant.role >= needed {
            return Ok(caller);
        }
        let status = Status::permission_denied(self.explain(&caller, method, needed));
        Err(Denial { caller, cause: DenialCause::Role, status }.into())
    }

    /// Who asks, which role is missing, and how to get it.
    fn explain(&self, caller: &Caller, method: &str, needed: Role) -> String {
        let Grant { role, identity, reason } = &caller.grant;
        let has = match (identity, reason) {
            (Some(name), reason) => format!("rights.{name} of the rights file, by {reason}"),
            (None, _) => format!("the listener {}", caller.client.entrance.address),
        };
        let others = self.entrances.iter().filter(|entrance| entrance.role >= needed);
        let others: Vec<_> = others.map(|entrance| entrance.address.as_str()).collect();
        let other = match (identity, others.as_slice()) {
            (None, [_, ..]) => format!("ask over {}, or ", others.join(" or ")),
            _ => String::new(),
        };
        let file = match (self.rights.has_file(), identity) {
            (true, Some(_)) => "have the role changed there",
            (true, None) => "have yourself named in the rights file",
            (false, _) => "have yourself named in a rights file (maglevd --rights)",
        };
        format!(
            "{method} takes the role {needed}, and {caller} has {}, by {has}: {other}{file}; \
             `maglevc show identity` says whom the daemon takes you for",
            if *role == Role::Nobody { "no role" } else { role.as_str() },
        )
    }

    /// A stream of answers that ends once the rights that it was let through by are taken
    /// away.
    pub(super) fn guard(&self, body: Body, call: AdmittedCall) -> Body {
        if !self.rights.has_file() {
            return body;
        }
        let AdmittedCall { caller, needed, .. } = call;
        Body::new(RevocableBody::new(body, self.rights.subscribe(), caller, needed))
    }
}

const READABLE: &str = "a token must not be sent over a connection that others on the way can \
    read, and this one is to be replaced: use TLS (maglevd --grpc-tls-cert), or a listener on \
    loopback or a Unix socket";

fn needed(requirement: Requirement, change: Option<&ChangeRequest>) -> Role {
    requirement.role(change.is_some_and(|change| change.is_dry_run))
}

/// A caller whose token counts for nothing.
fn nobody(client: &IdentifiedClient) -> Caller {
    let (role, identity, reason) = (Role::Nobody, None, GrantReason::Token);
    let grant = Grant { role, identity, reason };
    Caller { client: client.clone(), grant, token: None, on_behalf_of: None }
}

#[cfg(test)]
mod tests;
