//! A drain: an operator's pause whose remaining flows are counted until none is left.
//!
//! A drain is no state of its own. Its backend is paused: it gets no new flows, keeps
//! the established ones and is not probed. What a drain adds is an end: VPP's counts of
//! the server's flows are read now and then, and the drain is over when they are 0.
//!
//! What VPP counts are entries of its table of established flows that lead to the
//! server. An entry of a flow that has ended stays until a new flow of any server takes
//! its place, and no message tells the two apart. So the count is never too low, and it
//! may rest above 0 although nothing is left; a timeout that flushes ends such a drain.

mod estimate;
mod flows;
mod followed;
mod history;
mod pace;

use std::fmt;
use std::time::{Duration, Instant, SystemTime};

use super::names::FrontendName;
pub use estimate::{DrainEnd, DrainEstimate, estimate};
pub use flows::FlowCounts;
pub use followed::{FlowTimer, FollowedDrain, FollowedDrains};
pub use history::{FlowHistory, FlowSample};
pub use pace::next_reading;

/// Numbers the drains of a daemon's life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct DrainId(u64);

impl DrainId {
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// What an operator asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DrainOrder {
    /// `None`: it takes as long as it takes.
    pub timeout: Option<DrainTimeout>,
}

/// When a drain has taken too long, and what is done then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrainTimeout {
    pub after: Duration,
    /// Whether VPP then forgets what is left.
    pub flush: bool,
}

/// How far a drain is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DrainPhase {
    /// Flows are left, or were not counted yet.
    Draining,
    /// The timeout is over and flows are left. They are still counted.
    Overdue,
    /// The timeout is over, and VPP was asked to forget what was left.
    Flushing,
    /// No flow is left.
    Drained,
}

impl DrainPhase {
    /// The name in the API, the logs and the events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draining => "draining",
            Self::Overdue => "overdue",
            Self::Flushing => "flushing",
            Self::Drained => "drained",
        }
    }
}

impl fmt::Display for DrainPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The flows of a backend in one frontend.
pub type FrontendFlows = Vec<(FrontendName, u64)>;

/// The drain of one backend.
#[derive(Clone, Debug, PartialEq)]
pub struct Drain {
    pub id: DrainId,
    order: DrainOrder,
    /// The operator.
    who: String,
    since: SystemTime,
    began: Instant,
    phase: DrainPhase,
    history: FlowHistory,
    /// Of the last reading.
    of_frontends: FrontendFlows,
    /// Why the last reading does not count; `None`: it does, or there was none yet.
    uncounted: Option<String>,
    ended: Option<Instant>,
}

/// A drain as the API, the metrics and the log show it.
#[derive(Clone, Debug, PartialEq)]
pub struct DrainView {
    pub phase: DrainPhase,
    pub order: DrainOrder,
    pub who: String,
    pub since: SystemTime,
    /// How long it has lasted, until its end if it is over.
    pub lasted: Duration,
    /// Until the timeout; `None`: there is none, or it is over.
    pub left: Option<Duration>,
    /// The flows that were counted first and last; `None`: not counted yet.
    pub flows: Option<(u64, u64)>,
    /// The last count by frontend, sorted.
    pub of_frontends: FrontendFlows,
    /// How long ago they were counted.
    pub counted_ago: Option<Duration>,
    /// Flows that end in a second; below 0 while they become more, `None`: not known yet.
    pub rate: Option<f64>,
    /// When the last flow is expected to end, from now; `None`: there is no saying.
    pub ends_in: Option<Duration>,
    /// Why the last reading does not count.
    pub uncounted: Option<String>,
}

impl Drain {
    #[must_use]
    pub fn new(id: DrainId, order: DrainOrder, who: &str, since: SystemTime, now: Instant) -> Self {
        Self {
            id,
            order,
            who: who.into(),
            since,
            began: now,
            phase: DrainPhase::Draining,
            history: FlowHistory::default(),
            of_frontends: Vec::new(),
            uncounted: None,
            ended: None,
        }
    }

    #[must_use]
    pub fn phase(&self) -> DrainPhase {
        self.phase
    }

    /// Whether its flows are still counted.
    #[must_use]
    pub fn is_followed(&self) -> bool {
        self.phase != DrainPhase::Drained
    }

    #[must_use]
    pub fn order(&self) -> DrainOrder {
        self.order
    }

    #[must_use]
    pub fn since(&self) -> SystemTime {
        self.since
    }

    #[must_use]
    pub fn who(&self) -> &str {
        &self.who
    }

    /// The last count; `None`: there was none.
    #[must_use]
    pub fn flows(&self) -> Option<u64> {
        self.history.last().map(|sample| sample.flows)
    }

    /// How long it has lasted.
    #[must_use]
    pub fn lasted(&self, now: Instant) -> Duration {
        self.ended.unwrap_or(now).saturating_duration_since(self.began)
    }

    /// Notes a count of all its flows. The answer is true if the drain is over by it.
    pub fn count(&mut self, of_frontends: FrontendFlows, now: Instant) -> bool {
        if !self.is_followed() {
            return false;
        }
        let flows = of_frontends.iter().fold(0, |sum: u64, (_, flows)| sum.saturating_add(*flows));
        self.of_frontends = of_frontends;
        self.uncounted = None;
        self.history.add(FlowSample { at: self.lasted(now), flows });
        let is_over = flows == 0;
        if is_over {
            self.phase = DrainPhase::Drained;
            self.ended = Some(now);
        }
        is_over
    }

    /// Notes that its flows could not be counted.
    pub fn not_counted(&mut self, why: String) {
        if self.is_followed() {
            self.uncounted = Some(why);
        }
    }

    /// Ends the time that it was given. The answer is the phase that follows; `None`: it
    /// changes nothing.
    pub fn time_out(&mut self) -> Option<DrainPhase> {
        if self.phase != DrainPhase::Draining {
            return None;
        }
        let flush = self.order.timeout.is_some_and(|timeout| timeout.flush);
        self.phase = if flush { DrainPhase::Flushing } else { DrainPhase::Overdue };
        Some(self.phase)
    }

    /// Forgets what was counted: the backend has another address.
    pub fn restart_counting(&mut self) {
        self.history = FlowHistory::default();
        self.of_frontends.clear();
        (self.uncounted, self.ended) = (None, None);
        if self.phase == DrainPhase::Drained {
            self.phase = DrainPhase::Draining;
        }
    }

    #[must_use]
    pub fn view(&self, now: Instant) -> DrainView {
        let lasted = self.lasted(now);
        let samples = self.history.samples();
        let last = samples.last();
        let counted_ago = last.map(|last| lasted.saturating_sub(last.at));
        let DrainEstimate { rate, end } = estimate(samples);
        let ends_in = match end {
            DrainEnd::Reached | DrainEnd::Unknown => None,
            DrainEnd::In(span) => Some(span.saturating_sub(counted_ago.unwrap_or_default())),
        };
        let left = self.order.timeout.filter(|_| self.phase == DrainPhase::Draining);
        DrainView {
            phase: self.phase,
            order: self.order,
            who: self.who.clone(),
            since: self.since,
            lasted,
            left: left.map(|timeout| timeout.after.saturating_sub(lasted)),
            flows: self.history.first().zip(last).map(|(first, last)| (first.flows, last.flows)),
            of_frontends: self.of_frontends.clone(),
            counted_ago,
            rate,
            ends_in,
            uncounted: self.uncounted.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(timeout: Option<DrainTimeout>, now: Instant) -> Drain {
        let id = DrainId::default().next();
        Drain::new(id, DrainOrder { timeout }, "me", SystemTime::UNIX_EPOCH, now)
    }

    fn flows(counts: &[u64]) -> FrontendFlows {
        ["api", "www"].into_iter().map(FrontendName::from).zip(counts.iter().copied()).collect()
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn it_is_over_when_no_frontend_has_a_flow() {
        let start = Instant::now();
        let mut drain = drain(None, start);
        assert!(!drain.count(flows(&[3, 5]), start + SECOND));
        assert!(!drain.count(flows(&[0, 1]), start + 2 * SECOND));
        assert_eq!((drain.phase(), drain.flows()), (DrainPhase::Draining, Some(1)));
        assert!(drain.count(flows(&[0, 0]), start + 3 * SECOND));
        let view = drain.view(start + 9 * SECOND);
        assert_eq!((view.phase, view.flows), (DrainPhase::Drained, Some((8, 0))));
        assert_eq!((view.lasted, view.ends_in), (3 * SECOND, None), "it no longer lasts");
        assert!(!drain.count(flows(&[7, 0]), start + 9 * SECOND), "once is enough");
        assert_eq!(drain.phase(), DrainPhase::Drained);
        assert_eq!(drain.time_out(), None);
    }

    #[test]
    fn a_timeout_flushes_where_that_was_ordered() {
        let start = Instant::now();
        for (flush, phase) in [(false, DrainPhase::Overdue), (true, DrainPhase::Flushing)] {
            let mut drain = drain(Some(DrainTimeout { after: 9 * SECOND, flush }), start);
            drain.count(flows(&[2, 0]), start + SECOND);
            assert_eq!(drain.view(start + 4 * SECOND).left, Some(5 * SECOND));
            assert_eq!(drain.time_out(), Some(phase));
            assert_eq!(drain.time_out(), None, "once");
            assert_eq!(drain.view(start + 9 * SECOND).left, None);
            assert!(drain.count(flows(&[0, 0]), start + 10 * SECOND), "it still may end");
        }
    }

    #[test]
    fn what_cannot_be_counted_is_told_and_no_zero() {
        let start = Instant::now();
        let mut drain = drain(None, start);
        drain.not_counted("VPP is away".into());
        let view = drain.view(start + SECOND);
        assert_eq!((view.flows, view.uncounted.as_deref()), (None, Some("VPP is away")));
        assert_eq!(view.phase, DrainPhase::Draining);
        drain.count(flows(&[2, 0]), start + SECOND);
        assert_eq!(drain.view(start + SECOND).uncounted, None);
    }

    #[test]
    fn another_address_is_counted_anew() {
        let start = Instant::now();
        let mut drain = drain(None, start);
        drain.count(flows(&[0, 0]), start + SECOND);
        drain.restart_counting();
        let view = drain.view(start + 2 * SECOND);
        assert_eq!((view.phase, view.flows), (DrainPhase::Draining, None));
        assert_eq!(view.lasted, 2 * SECOND);
    }
}
