//! Holds as everybody sees them: that the verdicts of a group wait for evidence, how
//! that ended, and the counts of both.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime};

use super::group::ProbeGroup;
use crate::domain::histogram::{Bounds, Histogram};

/// The bounds of how long holds last. With a VPP they end by `doubt-limit`, 5 s by
/// default, unless that VPP is away.
const BOUNDS: Bounds = [
    Duration::from_millis(50),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_millis(2500),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(20),
    Duration::from_secs(30),
    Duration::from_secs(60),
    Duration::from_secs(300),
    Duration::from_secs(1800),
];

/// How a hold ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HoldOutcome {
    /// Somebody passed.
    Passed,
    /// `doubt-limit` was over.
    Believed,
    /// Its backends were stopped, or have another check.
    Dropped,
}

impl HoldOutcome {
    pub const ALL: [Self; 3] = [Self::Passed, Self::Believed, Self::Dropped];

    /// The word in logs, events and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Believed => "believed",
            Self::Dropped => "dropped",
        }
    }
}

/// The verdicts of a group begin to wait for evidence, or do so no longer. Published
/// once for all backends of the group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldChange {
    pub group: ProbeGroup,
    pub at: SystemTime,
    pub kind: HoldChangeKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldChangeKind {
    /// `limit`: `doubt-limit`.
    Began {
        limit: Duration,
    },
    Ended {
        outcome: HoldOutcome,
        lasted: Duration,
    },
}

/// The groups whose verdicts wait, as the API shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldGroup {
    pub group: ProbeGroup,
    pub since: SystemTime,
    /// The number of its backends that are held.
    pub backends: usize,
}

/// The line that operators read.
impl fmt::Display for HeldGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { group, backends, .. } = self;
        let (which, state) = match backends {
            1 => ("1 backend".into(), "keeps its state"),
            _ => (format!("{backends} backends"), "keep their states"),
        };
        write!(
            f,
            "verdicts held ({group}): {which} of those that fail {state}, because no other backend or witness passes"
        )
    }
}

/// Counts since the daemon started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldStats {
    /// Questions to others of a group.
    pub questions: u64,
    /// How long the holds lasted that have ended.
    pub lasted: BTreeMap<HoldOutcome, Histogram>,
}

impl Default for HoldStats {
    fn default() -> Self {
        let none = |outcome| (outcome, Histogram::with_bounds(&BOUNDS));
        Self { questions: 0, lasted: HoldOutcome::ALL.map(none).into() }
    }
}

impl HoldStats {
    pub(crate) fn ended(&mut self, outcome: HoldOutcome, lasted: Duration) {
        if let Some(histogram) = self.lasted.get_mut(&outcome) {
            histogram.record(lasted);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_rise() {
        assert!(BOUNDS.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn each_outcome_has_a_histogram_of_its_own() {
        let mut stats = HoldStats::default();
        stats.ended(HoldOutcome::Passed, Duration::from_secs(7));
        let counts: Vec<_> =
            stats.lasted.iter().map(|(of, it)| (of.as_str(), it.count())).collect();
        assert_eq!(counts, [("passed", 1), ("believed", 0), ("dropped", 0)]);
        let in_ten_seconds = stats.lasted[&HoldOutcome::Passed].cumulative();
        let up_to = in_ten_seconds.map(|(bound, count)| (bound.as_secs(), count));
        assert_eq!(up_to.skip(5).take(2).collect::<Vec<_>>(), [(5, 0), (10, 1)]);
    }
}
