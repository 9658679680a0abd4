//! Records what changes something, or was to: in the log, and as an event.

use actix::Addr;
use tracing::info;

use super::broadcaster::{Broadcaster, Publish};
use crate::domain::events::{AuditRecord, Event};
use crate::host::logging::AUDIT;

/// Logs a record, whatever the level of the log is, and publishes it.
pub fn record(broadcaster: &Addr<Broadcaster>, record: AuditRecord) {
    let took_ms = record.at.duration_since(record.began).unwrap_or_default().as_millis();
    info!(
        target: AUDIT,
        who = record.who,
        identity = record.identity.as_ref().map_or("", |name| name.as_str()),
        listener = record.listener.as_deref().unwrap_or_default(),
        peer = record.peer,
        role = record.role.as_str(),
        method = record.method,
        what = record.what,
        because = record.why,
        outcome = record.outcome.as_str(),
        detail = record.detail,
        took_ms = u64::try_from(took_ms).unwrap_or(u64::MAX),
        withheld = record.withheld,
        "audit"
    );
    // Operators make few changes, and what is denied has a bound of its own: the record
    // need not wait for a place. Without a receiver the daemon is stopping.
    broadcaster.do_send(Publish(vec![Event::Audit(record.into())]));
}
