//! A failure that is no evidence yet, and what is found about it.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::probe_result::ProbeResult;
use crate::domain::evidence::passes::Witness;

/// Numbers the doubts of one backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DoubtId(pub u64);

/// A backend should go down by HAProxy's rule, and does not, for want of evidence; or
/// it cannot be probed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    pub id: DoubtId,
    pub kind: DoubtKind,
    /// The last failure, such as `L4TOUT timeout`.
    pub why: Arc<str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoubtKind {
    /// Others of its group are asked whether they pass.
    Asking {
        /// The end of the streak's first failure.
        since: Instant,
    },
    /// None of them passed at this time.
    Held { since: Instant },
    /// This machine could not send the probe. It lasts until one can be sent.
    Unable,
}

impl Doubt {
    /// Whether a pass of another backend would change it.
    #[must_use]
    pub fn awaits_a_pass(&self) -> bool {
        !matches!(self.kind, DoubtKind::Unable)
    }

    /// When it was held; `None`: it is not.
    #[must_use]
    pub fn held_since(&self) -> Option<Instant> {
        match self.kind {
            DoubtKind::Held { since } => Some(since),
            DoubtKind::Asking { .. } | DoubtKind::Unable => None,
        }
    }

    /// Why there is no verdict, in the words of listings.
    #[must_use]
    pub fn reason(&self) -> Arc<str> {
        let why = &self.why;
        match self.kind {
            DoubtKind::Asking { .. } => format!("{why}; others are asked").into(),
            DoubtKind::Held { .. } => format!("{why}; no other backend passes either").into(),
            DoubtKind::Unable => format!("{why}; it cannot be probed").into(),
        }
    }
}

/// A doubt as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoubtView {
    pub since: SystemTime,
    pub why: Arc<str>,
    /// Its verdict waits; otherwise others are still asked.
    pub is_held: bool,
}

/// What is found about a doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Another backend's probe passed, that began after the streak did.
    Witnessed,
    /// Nobody who was asked passed.
    Unwitnessed(Instant),
    /// `doubt-limit` is over.
    Believed,
}

/// Failures since the last pass, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FailureStreak {
    /// The end of the first failed probe.
    pub(super) first_ended: Instant,
    pub(super) failures: u32,
    /// The server answered the last probe, with an error: the way worked.
    pub(super) was_answered: bool,
    /// The last failure.
    pub(super) why: Arc<str>,
}

/// A probe that ended, with the passes of others that it is judged by.
pub(super) struct JudgedProbe {
    pub(super) result: ProbeResult,
    pub(super) began: Instant,
    pub(super) ended: Instant,
    pub(super) witness: Witness,
}
