//! Has each call that changes something recorded, with what came of it: also one that was
//! denied, and one whose caller did not wait for the answer.

use std::time::SystemTime;

use actix::Addr;
use tonic::codegen::http::response::Parts;
use tonic::{Code, Status};
use tracing::warn;

use super::caller::Caller;
use super::change_request::ChangeRequest;
use crate::actors::audit;
use crate::actors::broadcaster::Broadcaster;
use crate::domain::events::{AuditOutcome, AuditRecord};
use crate::host::logging::{AUDIT, RateLimitedLog};

/// Where records go. Clones share the bound of those that were denied.
#[derive(Clone)]
pub(super) struct AuditLog {
    broadcaster: Addr<Broadcaster>,
    denials: RateLimitedLog,
}

/// What a method knows of its outcome beside its status, as an extension of its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ChangeOutcome {
    pub(super) outcome: AuditOutcome,
    pub(super) detail: String,
}

/// A call whose outcome is not known yet. If it is dropped, its caller has gone.
pub(super) struct PendingAudit {
    log: AuditLog,
    /// As of a caller who has gone; `None`: it is recorded.
    record: Option<AuditRecord>,
}

impl AuditLog {
    pub(super) fn new(broadcaster: Addr<Broadcaster>) -> Self {
        let denials = RateLimitedLog::of_denials(move |withheld| {
            warn!(target: AUDIT, withheld, "audit: more calls were denied, and have no record");
        });
        Self { broadcaster, denials }
    }

    /// A call that begins.
    pub(super) fn begin(
        &self,
        caller: &Caller,
        method: &'static str,
        change: ChangeRequest,
    ) -> PendingAudit {
        let outcome = (AuditOutcome::Abandoned, ABANDONED.to_owned());
        let record = record(caller, method, change, outcome);
        PendingAudit { log: self.clone(), record: Some(record) }
    }

    /// A call that was denied.
    pub(super) fn denied(
        &self,
        caller: &Caller,
        method: &'static str,
        change: ChangeRequest,
        why: &str,
    ) {
        let Some(withheld) = self.denials.is_due() else { return };
        let outcome = (AuditOutcome::Denied, why.to_owned());
        let record = record(caller, method, change, outcome);
        audit::record(&self.broadcaster, AuditRecord { withheld, ..record });
    }
}

const ABANDONED: &str = "the caller did not wait for the answer: it may have been done";

fn record(
    caller: &Caller,
    method: &'static str,
    change: ChangeRequest,
    (outcome, detail): (AuditOutcome, String),
) -> AuditRecord {
    let now = SystemTime::now();
    AuditRecord {
        who: caller.to_string(),
        identity: caller.grant.identity.clone(),
        listener: Some(caller.client.entrance.address.clone()),
        peer: caller.client.peer.to_string(),
        role: caller.grant.role,
        method,
        what: change.what,
        why: change.why,
        outcome,
        detail,
        backend: change.backend.as_deref().map(Into::into),
        frontend: change.frontend.as_deref().map(Into::into),
        began: now,
        at: now,
        withheld: 0,
    }
}

impl PendingAudit {
    /// Records the call with what its answer says.
    pub(super) fn answered(mut self, answer: &Parts) {
        let ended = match Status::from_header_map(&answer.headers) {
            Some(status) if status.code() != Code::Ok => ChangeOutcome::of_status(&status),
            _ => answer.extensions.get::<ChangeOutcome>().cloned().unwrap_or(ChangeOutcome::DONE),
        };
        self.end(ended);
    }

    fn end(&mut self, ChangeOutcome { outcome, detail }: ChangeOutcome) {
        if let Some(record) = self.record.take() {
            let at = SystemTime::now();
            audit::record(&self.log.broadcaster, AuditRecord { outcome, detail, at, ..record });
        }
    }
}

impl Drop for PendingAudit {
    fn drop(&mut self) {
        if let Some(record) = self.record.take() {
            let at = SystemTime::now();
            audit::record(&self.log.broadcaster, AuditRecord { at, ..record });
        }
    }
}

impl ChangeOutcome {
    const DONE: Self = Self { outcome: AuditOutcome::Done, detail: String::new() };

    pub(super) fn failed(detail: impl Into<String>) -> Self {
        Self { outcome: AuditOutcome::Failed, detail: detail.into() }
    }

    pub(super) fn refused(detail: impl Into<String>) -> Self {
        Self { outcome: AuditOutcome::Refused, detail: detail.into() }
    }

    fn of_status(status: &Status) -> Self {
        let detail = status.message().to_owned();
        match status.code() {
            Code::InvalidArgument
            | Code::NotFound
            | Code::FailedPrecondition
            | Code::AlreadyExists
            | Code::OutOfRange
            | Code::Unimplemented => Self::refused(detail),
            _ => Self::failed(detail),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_done_as_asked_is_told_from_what_failed() {
        let of = |status: Status| ChangeOutcome::of_status(&status).outcome;
        assert_eq!(of(Status::not_found("no such backend")), AuditOutcome::Refused);
        assert_eq!(of(Status::failed_precondition("disabled")), AuditOutcome::Refused);
        assert_eq!(of(Status::unavailable("no VPP")), AuditOutcome::Failed);
        assert_eq!(of(Status::internal("broken")), AuditOutcome::Failed);
    }
}
