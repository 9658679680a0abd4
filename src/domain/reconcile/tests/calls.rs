//! The calls of a [`super::harness::Harness`] that wait for an answer.

use crate::domain::dataplane::observed::Observed;
use crate::domain::reconcile::ReconcileEffect;

/// How a call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallOutcome {
    Done,
    Refused,
    /// The reply is lost, and VPP did nothing.
    LostBefore,
    /// The reply is lost, and VPP did it.
    LostAfter,
}

/// A call that was not answered yet, with VPP's state when it was made.
pub(super) struct OpenCall {
    pub(super) effect: ReconcileEffect,
    pub(super) vpp_at_call: Observed,
    /// When it was made, by the harness's clock.
    pub(super) called: u64,
}
