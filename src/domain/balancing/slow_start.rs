//! Slow start: a server that comes back takes its share in steps.
//!
//! A step moves entries of VPP's table: those that the server gains are meant, those
//! that go from one other server to another are not. How many the second are depends on
//! the weights, and on nothing that a rule of thumb could say. So the weights are
//! chosen by the model of the table: of all ways from the least weight to the configured
//! one in steps of at most a quarter of the share, the one that moves the fewest entries
//! besides. And since a weight is no share (in a table that is too short for its weights
//! the second half of them changes nothing), time passes by share: the server has at no
//! time more of the table than a straight line from the first step to the last gives it.

mod plan;

use std::time::{Duration, Instant};

use crate::domain::dataplane::net::Weight;
pub use plan::{RampRequest, plan};

/// Numbers the ramps of a daemon's life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RampId(u64);

impl RampId {
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// From this time on, counted from the first step, the server has this weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RampStep {
    pub at: Duration,
    pub weight: Weight,
}

/// The slow start of one server in one frontend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ramp {
    pub id: RampId,
    /// The configured weight.
    pub target: Weight,
    span: Duration,
    /// The first is at 0, the last at `span` and has `target`. Empty until it is planned.
    steps: Vec<RampStep>,
    /// The step that was taken last.
    reached: usize,
    began: Option<Instant>,
}

/// How far a ramp is, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RampView {
    pub weight: Weight,
    pub target: Weight,
    /// Until it has `target`.
    pub left: Duration,
}

impl Ramp {
    /// A ramp that is not planned yet: the server has the least weight until it is.
    #[must_use]
    pub fn new(id: RampId, target: Weight, span: Duration) -> Self {
        Self { id, target, span, steps: Vec::new(), reached: 0, began: None }
    }

    /// Begins with the first of these steps.
    pub fn begin(&mut self, steps: Vec<RampStep>, now: Instant) {
        (self.steps, self.reached, self.began) = (steps, 0, Some(now));
    }

    /// Takes the steps that are due. Returns when the next one is; `None`: it is over.
    pub fn advance(&mut self, now: Instant) -> Option<Duration> {
        let elapsed = now.saturating_duration_since(self.began?);
        while self.steps.get(self.reached + 1).is_some_and(|next| next.at <= elapsed) {
            self.reached += 1;
        }
        let next = self.steps.get(self.reached + 1)?;
        Some(next.at - elapsed)
    }

    #[must_use]
    pub fn weight(&self) -> Weight {
        self.steps.get(self.reached).map_or(Weight::LEAST, |step| step.weight)
    }

    #[must_use]
    pub fn view(&self, now: Instant) -> RampView {
        let elapsed = self.began.map_or(Duration::ZERO, |it| now.saturating_duration_since(it));
        let left = self.span.saturating_sub(elapsed);
        RampView { weight: self.weight(), target: self.target, left }
    }
}

#[cfg(test)]
mod tests;
