//! How far the drain of a backend is.

use std::collections::BTreeMap;

use serde::Serialize;

use super::text::present;
use super::time::known_moment;
use crate::pb;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DrainJson {
    /// `draining`, `overdue`, `flushing` or `drained`.
    pub phase: String,
    /// When it began.
    pub since: Option<String>,
    /// How long it has lasted, in nanoseconds; until its end if it is over.
    pub lasted_ns: i64,
    /// Who began it.
    pub who: Option<String>,
    /// Nanoseconds; `None`: it takes as long as it takes.
    pub timeout_ns: Option<i64>,
    /// Whether VPP forgets what is left at the timeout.
    pub flush: bool,
    /// Nanoseconds until the timeout.
    pub left_ns: Option<i64>,
    /// VPP's last count of flows; `None`: they were not counted yet.
    pub flows: Option<u64>,
    /// The first count.
    pub first_flows: Option<u64>,
    /// How many of them are in use, about; `None`: packets do not tell.
    pub in_use: Option<u64>,
    /// How long VPP has sent the server no packet, in nanoseconds.
    pub quiet_ns: Option<i64>,
    /// How long that has to last until VPP has forgotten every flow.
    pub forgets_after_ns: Option<i64>,
    /// The last count by frontend.
    pub frontends: BTreeMap<String, u64>,
    /// How long ago that was, in nanoseconds.
    pub counted_ago_ns: Option<i64>,
    /// Flows that end in a second; below 0 while they become more.
    pub rate: Option<f64>,
    /// Nanoseconds until the last flow is expected to end.
    pub ends_in_ns: Option<i64>,
    /// Why the flows could not be counted the last time.
    pub uncounted: Option<String>,
}

impl From<&pb::DrainInfo> for DrainJson {
    fn from(drain: &pb::DrainInfo) -> Self {
        let frontends = drain.frontends.iter().map(|it| (it.frontend_name.clone(), it.flows));
        Self {
            phase: drain.phase.clone(),
            since: known_moment(drain.since_unix_ns),
            lasted_ns: drain.lasted_ns,
            who: present(&drain.who),
            timeout_ns: Some(drain.timeout_ns).filter(|timeout| *timeout > 0),
            flush: drain.flush,
            left_ns: drain.left_ns,
            flows: drain.flows,
            first_flows: drain.first_flows,
            in_use: drain.in_use,
            quiet_ns: drain.quiet_ns,
            forgets_after_ns: drain.forgets_after_ns,
            frontends: frontends.collect(),
            counted_ago_ns: drain.counted_ago_ns,
            rate: drain.rate,
            ends_in_ns: drain.ends_in_ns,
            uncounted: present(&drain.uncounted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_null_and_no_zero() {
        let phase = "draining".to_owned();
        let drain = DrainJson::from(&pb::DrainInfo { phase: phase.clone(), ..Default::default() });
        assert_eq!((drain.timeout_ns, drain.left_ns, drain.flows), (None, None, None));
        assert_eq!((drain.who, drain.since, drain.uncounted), (None, None, None));
        let (uncounted, timeout_ns) = ("VPP is away".to_owned(), 7);
        let info = pb::DrainInfo { phase, timeout_ns, uncounted, ..Default::default() };
        let drain = DrainJson::from(&info);
        assert_eq!((drain.timeout_ns, drain.uncounted.as_deref()), (Some(7), Some("VPP is away")));
    }
}
