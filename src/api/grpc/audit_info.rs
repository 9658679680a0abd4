//! An audit record in the interface's terms.

use super::nanos::unix_ns;
use crate::domain::events::AuditRecord;
use crate::pb;

pub(super) fn event(record: &AuditRecord) -> pb::AuditEvent {
    let text = |name: Option<&str>| name.unwrap_or_default().to_owned();
    pb::AuditEvent {
        who: record.who.clone(),
        identity: text(record.identity.as_ref().map(|name| name.as_str())),
        listener: text(record.listener.as_deref()),
        peer: record.peer.clone(),
        role: record.role.to_string(),
        method: record.method.into(),
        what: record.what.clone(),
        why: record.why.clone(),
        outcome: record.outcome.as_str().into(),
        detail: record.detail.clone(),
        backend_name: text(record.backend.as_ref().map(|name| name.as_str())),
        frontend_name: text(record.frontend.as_ref().map(|name| name.as_str())),
        began_unix_ns: unix_ns(record.began),
        at_unix_ns: unix_ns(record.at),
        withheld: record.withheld,
    }
}
