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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::domain::health::Admin;
    use crate::domain::moment::Moment;
    use crate::domain::overrides::{OverrideOrigin, OverrideTerm};

    #[test]
    fn age_and_what_is_left_are_those_of_the_moment() {
        let (monotonic, wall) = (Instant::now(), SystemTime::UNIX_EPOCH);
        let lasts = Some(Duration::from_secs(100));
        let term = OverrideTerm::beginning(Moment { monotonic, wall }, lasts);
        let origin = OverrideOrigin { who: "alice".into(), why: None, term, drain: None };
        let (value, configured) = (Admin::Paused, Admin::Enabled);
        let what = Overridden::Admin { backend: "web1".into(), value, configured };
        let entry = OverrideEntry { what, origin: Arc::new(origin) };
        let seconds = |count| ns(Duration::from_secs(count));
        let info = info(&entry, monotonic + Duration::from_secs(40));
        assert_eq!((info.age_ns, info.left_ns), (seconds(40), Some(seconds(60))));
        assert_eq!((&*info.kind, &*info.value, &*info.configured), ("admin", "paused", "enabled"));
    }
}
