//! Makes a VPP that has no collector of its own run it.

use super::{ObservedState, ReconcileEffect, ReconcileState};
use crate::domain::dataplane::connection::Epoch;
use crate::domain::moment::Moment;

impl ReconcileState {
    /// A pass over all of VPP has ended. The line that runs the collector sets an address
    /// to what it is, so it is sent only while that is known and as desired.
    pub(super) fn collect(&mut self, epoch: Epoch, now: Moment) {
        let (Some(state), ObservedState::Known(observed)) = (&self.desired, &self.observed) else {
            return;
        };
        let ip4_src = state.desired.conf.ip4_src;
        if observed.conf.known().is_some_and(|conf| conf.ip4_src == ip4_src)
            && self.collection.is_due(observed.is_uncollected, now.monotonic)
        {
            self.effects.push(ReconcileEffect::Collect { epoch, ip4_src });
        }
    }
}
