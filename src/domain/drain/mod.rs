//! A drain: an operator's pause whose remaining flows are counted until none is left.
//!
//! A drain is no state of its own. Its backend is paused: it gets no new flows, keeps
//! the established ones and is not probed. What a drain adds is an end: VPP's counts of
//! the server's flows are read now and then, and the drain is over when they are 0.
//!
//! What VPP counts are entries of its table of established flows that lead to the
//! server. An entry of a flow that has ended stays until a new flow of any server takes
//! its place, and no message tells the two apart. So the count is never too low, and it
//! may rest above 0 although nothing is left. But VPP forgets a flow that had no packet
//! for its flow timeout: a server that it has sent none for as long has no flow left,
//! whatever is counted. That ends a drain too.

mod activity;
mod estimate;
mod flows;
mod followed;
mod history;
mod pace;

use std::fmt;
use std::time::{Duration, Instant, SystemTime};

use super::names::FrontendName;
pub use activity::{PacketActivity, PacketReading};
pub use estimate::{DrainEnd, DrainEstimate, Forgetting, estimate};
pub use flows::{FlowCounts, SentPackets};
pub use followed::{FlowTimer, FollowedDrain, FollowedDrains};
pub use history::{FlowHistory, FlowSample};
pub use pace::{ReadingPace, SHORTEST_WAIT};

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

/// How it is known that no flow is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastFlow {
    /// VPP counts none.
    NotCounted,
    /// VPP has sent the server no packet for so long that it has forgotten those that it
    /// still counts.
    Forgotten { counted: u64, quiet: Duration },
}

impl fmt::Display for LastFlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotCounted => f.write_str("no flow is left"),
            Self::Forgotten { counted, quiet } => {
                let seconds = quiet.as_secs();
                let (flows, have) = if *counted == 1 { ("flow", "has") } else { ("flows", "have") };
                write!(
                    f,
                    "no flow is left: VPP still counts {counted} {flows}, which {have} timed out, as \
                     it has sent the server no packet for {seconds}s"
                )
            }
        }
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
    /// How long it had lasted when this daemon began to follow it, and when that was.
    lasted_before: Duration,
    began: Instant,
    phase: DrainPhase,
    history: FlowHistory,
    activity: PacketActivity,
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
    /// How many of them are in use, about; `None`: packets do not tell.
    pub in_use: Option<u64>,
    /// How long VPP has sent the server no packet, and how long it takes until every flow
    /// is forgotten; `None`: not known.
    pub quiet: Option<(Duration, Duration)>,
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
            lasted_before: Duration::ZERO,
            began: now,
            phase: DrainPhase::Draining,
            history: FlowHistory::default(),
            activity: PacketActivity::default(),
            of_frontends: Vec::new(),
            uncounted: None,
            ended: None,
        }
    }

    /// The same of a drain that an earlier daemon began, as long ago.
    #[must_use]
    pub fn begun_before(self, lasted_before: Duration) -> Self {
        Self { lasted_before, ..self }
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
        let here = self.ended.unwrap_or(now).saturating_duration_since(self.began);
        self.lasted_before.saturating_add(here)
    }

    /// Notes a count of all its flows. The answer is how the drain is over by it.
    pub fn count(
        &mut self,
        mut of_frontends: FrontendFlows,
        packets: PacketReading<'_>,
    ) -> Option<LastFlow> {
        if !self.is_followed() {
            return None;
        }
        let now = packets.ended;
        let quiet = self.activity.note(packets);
        let flows = of_frontends.iter().fold(0, |sum: u64, (_, flows)| sum.saturating_add(*flows));
        let last = match (flows, quiet) {
            (0, _) => Some(LastFlow::NotCounted),
            (_, Some(quiet)) => Some(LastFlow::Forgotten { counted: flows, quiet }),
            (_, None) => None,
        };
        let mut sample = FlowSample { at: self.lasted(now), flows, packets: self.activity.total() };
        if last.is_some() {
            self.phase = DrainPhase::Drained;
            self.ended = Some(now);
            sample.flows = 0;
            of_frontends.iter_mut().for_each(|(_, flows)| *flows = 0);
        }
        self.of_frontends = of_frontends;
        self.uncounted = None;
        self.history.add(sample);
        last
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
        self.activity = PacketActivity::default();
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
        let quiet = self.activity.quiet(now).filter(|_| self.is_followed());
        let quiet = quiet.map(|quiet| (quiet, self.activity.enough()));
        let forgetting = quiet.map_or(Forgetting::default(), |(quiet, after)| {
            let quiet = quiet.saturating_sub(counted_ago.unwrap_or_default());
            Forgetting { after, quiet }
        });
        let DrainEstimate { rate, in_use, end } = estimate(samples, forgetting);
        let in_use = in_use.filter(|_| self.is_followed()).map(whole);
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
            in_use,
            quiet,
            counted_ago,
            rate,
            ends_in,
            uncounted: self.uncounted.clone(),
        }
    }
}

/// A number of flows without its fraction.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate")]
fn whole(flows: f64) -> u64 {
    flows.round().max(0.0) as u64
}

#[cfg(test)]
mod tests;
