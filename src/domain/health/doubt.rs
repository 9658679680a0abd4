//! A failure that is no evidence yet, and what is found about it.

use std::sync::Arc;
use std::time::Instant;

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
