//! What is known of one driver: its last run, how it has fared, and since when each of its
//! routes is what it is. Nothing is taken for placed that was not read the last time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant, SystemTime};

use super::placement::{Exported, PlacedRoutes, PrefixStatus, RoutePlacement, VipPrefix};
use super::report::DriverReport;
use crate::domain::moment::Moment;

/// See the module's description.
#[derive(Clone, Debug, Default)]
pub struct DriverRecord {
    /// `None`: it has not run yet.
    report: Option<DriverReport>,
    /// What the last reading had, but what is withdrawn as it should be.
    known: BTreeMap<VipPrefix, KnownRoute>,
    failing_since: Option<SystemTime>,
    failures: u64,
    read_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct KnownRoute {
    state: PlacedState,
    problem: Option<PlacedProblem>,
    since: SystemTime,
}

/// What a driver has of a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlacedState {
    Announced,
    Drained,
    Withdrawn,
    /// It could not be read.
    Unknown,
}

/// What keeps a prefix from being as it is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlacedProblem {
    /// It is tried again.
    Failed,
    /// Somebody else has put a route there.
    Blocked,
}

/// A prefix at one driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedView {
    pub state: PlacedState,
    pub problem: Option<PlacedProblem>,
    /// Why there is a problem, or why nothing is known; otherwise empty.
    pub reason: String,
    pub exported: Exported,
    /// `None`: not known, or never otherwise.
    pub since: Option<SystemTime>,
}

/// How a driver fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriverView {
    /// As in the configuration.
    pub name: &'static str,
    /// Why its routes could not be read the last time, and since when that is so.
    pub error: Option<(String, SystemTime)>,
    /// How long ago they were read; `None`: never.
    pub read_ago: Option<Duration>,
    /// Runs that ended with something not as it is wanted.
    pub failures: u64,
    /// Why the routing daemon takes no change.
    pub refusal: Option<String>,
}

/// What a run has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DriverNews {
    /// The driver failed, for this reason, and did not before; or `None` for it works again.
    pub turn: Option<Option<String>>,
    pub changes: Vec<PlacedChange>,
}

/// What a driver has of a prefix is otherwise than before. The words are those of
/// [`PlacedState`], or of [`PlacedProblem`] where there is a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedChange {
    pub prefix: VipPrefix,
    pub from: &'static str,
    pub to: &'static str,
    /// Why there is a problem; otherwise empty.
    pub why: String,
}

impl PlacedState {
    pub const ALL: [Self; 4] = [Self::Announced, Self::Drained, Self::Withdrawn, Self::Unknown];

    /// The word in the API, events and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Announced => "announced",
            Self::Drained => "drained",
            Self::Withdrawn => "withdrawn",
            Self::Unknown => "unknown",
        }
    }

    fn of(placement: Option<RoutePlacement>) -> Self {
        match placement {
            Some(RoutePlacement::Announced) => Self::Announced,
            Some(RoutePlacement::Drained) => Self::Drained,
            None => Self::Withdrawn,
        }
    }
}

impl PlacedProblem {
    /// The word in the API and events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Blocked => "blocked",
        }
    }
}

impl PlacedView {
    /// Whether it is as it is wanted.
    #[must_use]
    pub fn is_as(&self, wanted: Option<RoutePlacement>) -> bool {
        self.state == PlacedState::of(wanted)
    }
}

impl DriverRecord {
    /// `None`: it has not run yet.
    #[must_use]
    pub fn report(&self) -> Option<&DriverReport> {
        self.report.as_ref()
    }

    /// Takes the report of a run. What a daemon begins with is no news.
    pub fn note(&mut self, report: DriverReport, now: Moment) -> DriverNews {
        let mut news = DriverNews::default();
        self.failures += u64::from(report.troubles().next().is_some());
        match (report.unread(), self.failing_since) {
            (Some(why), None) => {
                self.failing_since = Some(now.wall);
                news.turn = Some(Some(why));
            }
            (None, Some(_)) => {
                self.failing_since = None;
                news.turn = Some(None);
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
        if let Some(placed) = &report.placed {
            let is_first = self.read_at.replace(now.monotonic).is_none();
            let changes = self.read(placed, &report, now.wall);
            news.changes = if is_first { Vec::new() } else { changes };
        }
        self.report = Some(report);
        news
    }

    fn read(
        &mut self,
        placed: &PlacedRoutes,
        report: &DriverReport,
        at: SystemTime,
    ) -> Vec<PlacedChange> {
        let prefixes = placed.keys().chain(report.statuses.keys()).chain(self.known.keys());
        let prefixes: BTreeSet<_> = prefixes.copied().collect();
        let mut changes = Vec::new();
        for prefix in prefixes {
            let state = PlacedState::of(placed.get(&prefix).and_then(|route| route.placement()));
            let (problem, why) = problem(report.statuses.get(&prefix));
            let before = self.known.get(&prefix).copied();
            let before = before.map_or((PlacedState::Withdrawn, None), |it| (it.state, it.problem));
            if before == (state, problem) {
                continue;
            }
            let word = |(state, problem): (PlacedState, Option<PlacedProblem>)| {
                problem.map_or(state.as_str(), PlacedProblem::as_str)
            };
            let (from, to) = (word(before), word((state, problem)));
            // A failed withdraw of another state is not told again.
            if from != to {
                changes.push(PlacedChange { prefix, from, to, why });
            }
            match (state, problem) {
                (PlacedState::Withdrawn, None) => drop(self.known.remove(&prefix)),
                _ => drop(self.known.insert(prefix, KnownRoute { state, problem, since: at })),
            }
        }
        changes
    }

    /// What it has of a prefix.
    #[must_use]
    pub fn placed(&self, prefix: VipPrefix) -> PlacedView {
        let unknown = |reason: String| PlacedView {
            state: PlacedState::Unknown,
            problem: None,
            reason,
            exported: Exported::Unknown,
            since: self.failing_since,
        };
        let Some(report) = &self.report else { return unknown("it was not read yet".into()) };
        let Some(placed) = &report.placed else {
            return unknown(report.unread().unwrap_or_default());
        };
        let route = placed.get(&prefix).copied().unwrap_or_default();
        let (problem, reason) = problem(report.statuses.get(&prefix));
        PlacedView {
            state: PlacedState::of(route.placement()),
            problem,
            reason,
            exported: route.exported,
            since: self.known.get(&prefix).map(|known| known.since),
        }
    }

    /// The prefixes that it has routes of ours to.
    pub fn ours(&self) -> impl Iterator<Item = VipPrefix> {
        let placed = self.report.iter().filter_map(|report| report.placed.as_ref()).flatten();
        placed.filter(|(_, route)| route.is_ours()).map(|(prefix, _)| *prefix)
    }

    #[must_use]
    pub fn view(&self, name: &'static str, now: Instant) -> DriverView {
        let report = self.report.as_ref();
        DriverView {
            name,
            error: report.and_then(DriverReport::unread).zip(self.failing_since),
            read_ago: self.read_at.map(|at| now.saturating_duration_since(at)),
            failures: self.failures,
            refusal: report.and_then(|report| report.refusal.clone()),
        }
    }
}

fn problem(status: Option<&PrefixStatus>) -> (Option<PlacedProblem>, String) {
    match status {
        Some(PrefixStatus::Failed { reason }) => (Some(PlacedProblem::Failed), reason.clone()),
        Some(PrefixStatus::Blocked) => (
            Some(PlacedProblem::Blocked),
            "the route to it is somebody else's: remove that, or the frontend's announce".into(),
        ),
        _ => (None, String::new()),
    }
}

#[cfg(test)]
mod tests;
