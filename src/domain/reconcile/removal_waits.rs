//! Which removals a pass leaves out because their VIPs are still announced, and when the
//! next pass makes them.

use std::collections::BTreeSet;

use super::held_removals::{is_desired_or_in_the_way, specs_by_prefix};
use super::{ObservedState, ReconcileRecord, ReconcileState, TimerId};
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::plan::Scope;
use crate::domain::moment::Moment;

impl ReconcileState {
    /// The VIPs whose removal this pass leaves out. What is in the way of a frontend's VIP
    /// waits for nothing.
    pub(super) fn waiting_removals(&mut self, now: Moment) -> BTreeSet<Vip> {
        let (Some(state), Some(pass), ObservedState::Known(observed)) =
            (&self.desired, &self.pass, &self.observed)
        else {
            return BTreeSet::new();
        };
        if *pass.scope() != Scope::All {
            return BTreeSet::new();
        }
        let specs = specs_by_prefix(&state.desired);
        let removed = observed.vips.iter().filter(|(vip, seen)| {
            !self.held.vips().contains(vip) && !is_desired_or_in_the_way(&specs, **vip, seen)
        });
        let mut vips: BTreeSet<_> = removed.map(|(vip, _)| *vip).collect();
        let addresses = vips.iter().map(|vip| vip.prefix().addr()).collect();
        let startup = state.settings.startup_max_delay;
        let waiting = self.withdrawals.wait(addresses, startup, now.monotonic);
        vips.retain(|vip| waiting.addresses.contains(&vip.prefix().addr()));
        if !waiting.begun.is_empty() {
            let is_new = |vip: &&Vip| waiting.begun.contains(&vip.prefix().addr());
            let vips = vips.iter().filter(is_new).copied().collect();
            self.log(ReconcileRecord::RemovalsWait { vips });
        }
        if !waiting.given_up.is_empty() {
            self.log(ReconcileRecord::RemovedAnnounced { addresses: waiting.given_up });
        }
        self.time_removals(now);
        vips
    }

    /// Has a pass begin when the first removal is due.
    pub(super) fn time_removals(&mut self, now: Moment) {
        if let Some(next) = self.withdrawals.next(now.monotonic) {
            let after = next.saturating_duration_since(now.monotonic);
            self.set_timer(TimerId::Removal, after);
        }
    }
}
