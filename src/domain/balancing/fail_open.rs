//! Decides whether a frontend *fails open*: so little of its weight is up that its
//! health checks are not believed, and every enabled backend of one pool counts as up.
//!
//! Each backend in use counts with the weight of the file or of an operator, over all
//! pools. One that an operator or the file has paused or disabled is in neither sum: a
//! drain says nothing of the health checks. A backend of weight 0 adds nothing either.
//!
//! A frontend begins to fail open when its backends that are up, together with those
//! whose first result is awaited, have less than the share. It ends when those that are
//! up have the share again: missing results neither begin it nor end it. While no
//! backend is awaited, both are one threshold.
//!
//! Between the two it is undecided, as after a start. What the first results find down
//! then keeps the weight that VPP has: a restart while a frontend fails open would
//! otherwise take its servers out one by one until it fails open again.

use std::fmt;

use crate::domain::dataplane::net::Weight;
use crate::domain::names::PoolName;

/// The share of a frontend's weight below which it fails open: 1 to 100 per cent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailOpenThreshold(u8);

impl FailOpenThreshold {
    /// `None` outside of 1 to 100.
    #[must_use]
    pub fn new(percent: u8) -> Option<Self> {
        (1..=100).contains(&percent).then_some(Self(percent))
    }

    #[must_use]
    pub fn percent(self) -> u8 {
        self.0
    }

    fn is_reached(self, part: u64, total: u64) -> bool {
        part.saturating_mul(100) >= total.saturating_mul(u64::from(self.0))
    }
}

/// As in the configuration: `20%`.
impl fmt::Display for FailOpenThreshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

/// How a backend counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackendStanding {
    Up,
    NotUp,
    /// Its state is unknown, and its first result is due.
    Awaited,
    /// Paused or disabled.
    OutOfUse,
}

/// Sums of weights over all pools of a frontend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UpWeight {
    pub up: u64,
    pub awaited: u64,
    /// Of all backends in use, those above among them.
    pub total: u64,
}

impl FromIterator<(Weight, BackendStanding)> for UpWeight {
    fn from_iter<I: IntoIterator<Item = (Weight, BackendStanding)>>(backends: I) -> Self {
        let mut sums = Self::default();
        for (weight, standing) in backends {
            let weight = u64::from(weight.get());
            let (up, awaited, total) = match standing {
                BackendStanding::Up => (weight, 0, weight),
                BackendStanding::Awaited => (0, weight, weight),
                BackendStanding::NotUp => (0, 0, weight),
                BackendStanding::OutOfUse => (0, 0, 0),
            };
            sums.up += up;
            sums.awaited += awaited;
            sums.total += total;
        }
        sums
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailOpenState {
    /// The verdicts count.
    Closed,
    /// It depends on backends whose first result is awaited.
    Undecided,
    /// Every enabled backend of this pool counts as up.
    Open { pool: usize },
}

/// What was decided for a frontend that may fail open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailOpenDecision {
    pub threshold: FailOpenThreshold,
    pub weight: UpWeight,
    pub state: FailOpenState,
}

impl FailOpenDecision {
    /// `was_open`: so it was decided before. `pool`: the pool that would count as up;
    /// `None` if that is not known yet, or no backend in use has a weight above 0.
    #[must_use]
    pub fn new(
        threshold: FailOpenThreshold,
        weight: UpWeight,
        was_open: bool,
        pool: Option<usize>,
    ) -> Self {
        let UpWeight { up, awaited, total } = weight;
        let state = match pool {
            _ if threshold.is_reached(up, total) => FailOpenState::Closed,
            Some(pool) if was_open || !threshold.is_reached(up + awaited, total) => {
                FailOpenState::Open { pool }
            }
            _ => FailOpenState::Undecided,
        };
        Self { threshold, weight, state }
    }

    /// The pool whose enabled backends all count as up, while the frontend fails open.
    #[must_use]
    pub fn open_pool(&self) -> Option<usize> {
        match self.state {
            FailOpenState::Open { pool } => Some(pool),
            FailOpenState::Closed | FailOpenState::Undecided => None,
        }
    }
}

/// What the decisions before leave for the next one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FailOpenMemory {
    /// The pool that served last; `None`: none has.
    pub last_pool: Option<PoolName>,
    /// The frontend fails open.
    pub is_open: bool,
}

#[cfg(test)]
mod tests;
