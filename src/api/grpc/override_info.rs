//! An operator's override as the interface has it.

use std::time::Instant;

use super::nanos::{ns, unix_ns};
use crate::domain::announce::orders::AnnounceOrder;
use crate::domain::overrides::{Overridden, OverrideEntry};
use crate::pb;

/// An override as it is now.
pub(super) fn present_info(entry: &OverrideEntry) -> pb::OverrideInfo {
    info(entry, tokio::time::Instant::now().into_std())
}

/// The same at a time.
pub(super) fn info(
    OverrideEntry { what, origin }: &OverrideEntry,
    now: Instant,
) -> pb::OverrideInfo {
    let term = &origin.term;
    let common = pb::OverrideInfo {
        who: origin.who.to_string(),
        why: origin.why.as_ref().map(ToString::to_string).unwrap_or_default(),
        since_unix_ns: unix_ns(term.since),
        until_unix_ns: term.until.map_or(0, unix_ns),
        age_ns: ns(term.age(now)),
        left_ns: term.left(now).map(ns),
        ..pb::OverrideInfo::default()
    };
    match what {
        Overridden::Admin { backend, value, configured } => pb::OverrideInfo {
            kind: "admin".into(),
            backend_name: backend.to_string(),
            value: value.as_str().into(),
            configured: configured.as_str().into(),
            ..common
        },
        Overridden::Weight { frontend, pool, backend, value, configured } => pb::OverrideInfo {
            kind: "weight".into(),
            frontend_name: frontend.to_string(),
            pool_name: pool.to_string(),
            backend_name: backend.to_string(),
            value: value.to_string(),
            configured: configured.to_string(),
            ..common
        },
        Overridden::Announcement { scope, order } => pb::OverrideInfo {
            kind: "announcement".into(),
            prefix: scope.to_string(),
            value: order_word(Some(*order)).into(),
            configured: order_word(None).into(),
            ..common
        },
    }
}

/// An order, or the word for none.
pub(super) fn order_word(order: Option<AnnounceOrder>) -> &'static str {
    order.map_or("rules", AnnounceOrder::as_str)
}
