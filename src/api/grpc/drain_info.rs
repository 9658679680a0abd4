//! How far a drain is, as the API has it.

use std::time::Instant;

use super::nanos::{ns, unix_ns};
use crate::domain::drain::{Drain, DrainView};
use crate::domain::events::DrainChange;
use crate::pb;

/// A drain as it is now.
pub(super) fn info(drain: &Drain) -> pb::DrainInfo {
    info_at(drain, Instant::now())
}

fn info_at(drain: &Drain, now: Instant) -> pb::DrainInfo {
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
    } = drain.view(now);
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::domain::drain::{DrainId, DrainOrder, DrainTimeout, PacketReading, SentPackets};

    const SECOND: Duration = Duration::from_secs(1);

    /// Flows end, and packets with them; none comes at the last.
    #[test]
    fn each_figure_of_a_drain_is_in_its_place() {
        let start = Instant::now();
        let timeout = Some(DrainTimeout { after: 3600 * SECOND, flush: true });
        let id = DrainId::default().next();
        let order = DrainOrder { timeout };
        let mut drain = Drain::new(id, order, "alice", SystemTime::UNIX_EPOCH, start);
        for (second, flows, sent) in [(10, 90, 0), (20, 80, 900), (30, 70, 1700), (60, 70, 1700)] {
            let packets = SentPackets::from([(1, sent)]);
            let at = start + second * SECOND;
            let reading = PacketReading {
                packets: Some(&packets),
                flow_timeout: 120 * SECOND,
                begun: at,
                ended: at,
            };
            assert_eq!(drain.count(vec![("www".into(), flows)], reading), None);
        }
        let info = info_at(&drain, start + 100 * SECOND);
        assert_eq!((info.first_flows, info.flows, info.in_use), (Some(90), Some(70), Some(0)));
        assert_eq!((info.frontends.len(), info.frontends[0].flows), (1, 70));
        assert_eq!((info.timeout_ns, info.flush), (ns(3600 * SECOND), true));
        assert_eq!((info.lasted_ns, info.left_ns), (ns(100 * SECOND), Some(ns(3500 * SECOND))));
        assert_eq!(info.counted_ago_ns, Some(ns(40 * SECOND)));
        assert_eq!(info.quiet_ns, Some(ns(70 * SECOND)), "since the last packet was seen");
        assert_eq!(info.forgets_after_ns, Some(ns(122 * SECOND)));
        assert_eq!(info.ends_in_ns, Some(ns(52 * SECOND)));
        assert_eq!(info.rate.map(|rate| rate > 0.0), Some(true));
    }
}
