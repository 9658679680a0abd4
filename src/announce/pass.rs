//! What one pass of a driver reports, and the pauses of its watch.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::announce::driver_loop::{FIRST_RETRY, LAST_RETRY, RunOutcome};
use crate::domain::announce::placement::{
    PlacedRoutes, PrefixStatus, VipPrefix, WantedRoutes, statuses,
};

/// What became of the wanted set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplyReport {
    /// Of every prefix that is wanted or that was ours.
    pub statuses: BTreeMap<VipPrefix, PrefixStatus>,
    /// What was read back; `None`: it could not be read.
    pub placed: Option<PlacedRoutes>,
    /// Writes that were attempted.
    pub writes: usize,
    /// Why the routing daemon takes no change at all.
    pub refusal: Option<String>,
}

impl ApplyReport {
    pub(crate) fn of(
        wanted: &WantedRoutes,
        before: &PlacedRoutes,
        after: Option<PlacedRoutes>,
        failures: &BTreeMap<VipPrefix, String>,
        writes: usize,
    ) -> Self {
        let statuses = statuses(wanted, before, after.as_ref(), failures);
        Self { statuses, placed: after, writes, refusal: None }
    }

    /// How `DriverLoop` takes it. What somebody else blocks is not tried again
    /// before the interval is over.
    #[must_use]
    pub fn outcome(&self) -> RunOutcome {
        let is_left = |status: &PrefixStatus| {
            matches!(status, PrefixStatus::Failed { .. } | PrefixStatus::Unknown)
        };
        match &self.placed {
            None => RunOutcome::Unread,
            Some(_) if self.statuses.values().any(is_left) => RunOutcome::Incomplete,
            Some(_) => RunOutcome::Complete,
        }
    }
}

/// The pauses between a watch's attempts to connect.
#[derive(Debug, Default)]
pub(super) struct Pauses(u32);

impl Pauses {
    pub(super) fn reset(&mut self) {
        self.0 = 0;
    }

    pub(super) async fn pause(&mut self) {
        let doubled: Duration = FIRST_RETRY.saturating_mul(2u32.saturating_pow(self.0));
        self.0 = self.0.saturating_add(1);
        tokio::time::sleep(doubled.min(LAST_RETRY)).await;
    }
}
