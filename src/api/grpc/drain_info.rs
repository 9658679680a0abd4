//! How far a drain is, as the API has it.

use std::time::Instant;

use super::nanos::{ns, unix_ns};
use crate::domain::drain::{Drain, DrainView};
use crate::domain::events::DrainChange;
use crate::pb;

pub(super) fn info(drain: &Drain) -> pb::DrainInfo {
    let DrainView {
        phase,
        order,
        who,
        since,
        lasted,
        left,
        flows,
        of_frontends,
        in_use,
        quiet,
        counted_ago,
        rate,
        ends_in,
        uncounted,
    } = drain.view(Instant::now());
    let frontends = of_frontends
        .into_iter()
        .map(|(frontend, flows)| pb::DrainFlows { frontend_name: frontend.to_string(), flows });
    pb::DrainInfo {
        phase: phase.as_str().into(),
        since_unix_ns: unix_ns(since),
        lasted_ns: ns(lasted),
        who,
        timeout_ns: order.timeout.map_or(0, |timeout| ns(timeout.after)),
        flush: order.timeout.is_some_and(|timeout| timeout.flush),
        left_ns: left.map(ns),
        flows: flows.map(|(_, last)| last),
        first_flows: flows.map(|(first, _)| first),
        frontends: frontends.collect(),
        counted_ago_ns: counted_ago.map(ns),
        rate,
        ends_in_ns: ends_in.map(ns),
        uncounted: uncounted.unwrap_or_default(),
        in_use,
        quiet_ns: quiet.map(|(quiet, _)| ns(quiet)),
        forgets_after_ns: quiet.map(|(_, after)| ns(after)),
    }
}

pub(super) fn event(change: &DrainChange) -> pb::DrainEvent {
    pb::DrainEvent {
        backend_name: change.backend.to_string(),
        kind: change.kind().into(),
        flows: change.flows,
        since_unix_ns: unix_ns(change.since),
        who: change.who.to_string(),
        why: change.why.to_string(),
        at_unix_ns: unix_ns(change.at),
    }
}
