//! Operators' overrides of the configuration: what each sets, who set it and why, and
//! when it ends.
//!
//! An override ends when its time is over, when an operator takes it back, or when the
//! configuration's own value changes. While the daemon runs, time is that of the
//! monotonic clock, so that a wall clock that is set ends nothing early and prolongs
//! nothing. Over a restart there is only the wall clock to go by.

mod change;
mod kept;
mod reason;
mod set;
mod term;
mod writes;

use std::fmt;
use std::sync::Arc;

pub use change::{MemberKey, OverrideChange, OverrideEnd};
pub use kept::restored;
pub(super) use kept::{configured_admin, kept};
pub use reason::{Reason, ReasonError};
pub use set::OverrideSet;
pub use term::{LONGEST_TERM, OverrideTerm};
pub use writes::{NextWrite, OverrideWrites, PlannedChange};

use super::announce::orders::{AnnounceOrder, AnnounceScope};
use super::dataplane::net::Weight;
use super::drain::DrainOrder;
use super::health::Admin;
use super::names::{BackendName, FrontendName, PoolName};

/// An operator's value in place of the configuration's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override<V> {
    pub value: V,
    /// The configuration's value. If that changes, the override ends.
    pub configured: V,
    pub origin: Arc<OverrideOrigin>,
}

/// An operator's order in place of the rules of announcements. It ends, too, when the
/// configuration announces its prefix no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnounceOverride {
    pub order: AnnounceOrder,
    pub origin: Arc<OverrideOrigin>,
}

/// Who set an override, why, for how long, and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverrideOrigin {
    /// The operator, as the daemon knows them.
    pub who: Arc<str>,
    pub why: Option<Reason>,
    pub term: OverrideTerm,
    /// What a pause is for; `None`: it is no drain.
    pub drain: Option<DrainOrder>,
}

/// An override of any kind, for lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverrideEntry {
    pub what: Overridden,
    pub origin: Arc<OverrideOrigin>,
}

/// What an override sets, and the configuration's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Overridden {
    Admin {
        backend: BackendName,
        value: Admin,
        configured: Admin,
    },
    Weight {
        frontend: FrontendName,
        pool: PoolName,
        backend: BackendName,
        value: Weight,
        configured: Weight,
    },
    /// The configuration has its rules.
    Announcement {
        scope: AnnounceScope,
        order: AnnounceOrder,
    },
}

impl fmt::Display for Overridden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Admin { backend, value, .. } => {
                write!(f, "{} of backend {backend}", value.as_str())
            }
            Self::Weight { frontend, pool, backend, value, .. } => {
                write!(f, "weight {value} of {backend} in {frontend}/{pool}")
            }
            Self::Announcement { scope, order } => {
                write!(f, "{} of announcement {scope}", order.as_str())
            }
        }
    }
}

impl<V> Override<V> {
    /// Whether it says the same, by the same operator and for the same reason, and lasts
    /// until it is ended. Setting it again then changes nothing; a drain begins anew.
    pub(super) fn is_repeated_by(&self, other: &Self) -> bool
    where
        V: PartialEq,
    {
        self.value == other.value && self.origin.is_repeated_by(&other.origin)
    }
}

impl AnnounceOverride {
    /// As of an override.
    pub(super) fn is_repeated_by(&self, other: &Self) -> bool {
        self.order == other.order && self.origin.is_repeated_by(&other.origin)
    }
}

impl OverrideOrigin {
    fn is_repeated_by(&self, others: &Self) -> bool {
        self.who == others.who
            && self.why == others.why
            && self.term.until.is_none()
            && others.term.until.is_none()
            && self.drain.is_none()
            && others.drain.is_none()
    }
}

impl Overridden {
    /// `None`: it is of no backend.
    pub(super) fn backend(&self) -> Option<&BackendName> {
        match self {
            Self::Admin { backend, .. } | Self::Weight { backend, .. } => Some(backend),
            Self::Announcement { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests;
