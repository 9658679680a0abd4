//! That everything is withdrawn, since the daemon stops: nothing is decided any more.

use tokio::sync::oneshot;

use super::messages::WithdrawOutcome;

pub(super) struct Leaving {
    /// How many addresses were placed.
    pub(super) of: usize,
    /// `None` once it was answered.
    pub(super) reply: Option<oneshot::Sender<WithdrawOutcome>>,
}
