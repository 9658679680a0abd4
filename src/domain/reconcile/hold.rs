//! Begins, reviews and ends the holding of removals, and tells of it.

use std::collections::BTreeSet;

use super::held_removals::{
    HoldEnd, excessive_removals, is_desired_or_in_the_way, specs_by_prefix,
};
use super::{ObservedState, ReconcileEffect, ReconcileRecord, ReconcileState};
use crate::domain::dataplane::net::Vip;
use crate::domain::events::{DataplaneChange, DataplaneKind};
use crate::domain::moment::Moment;
use crate::domain::removals::{FirstNames, are_all_or_most};

impl ReconcileState {
    /// Judges the removals that a first pass over this connection would make. `is_first`:
    /// the pass that begins may write.
    pub(super) fn judge_removals(&mut self, is_first: bool, now: Moment) {
        let (Some(state), ObservedState::Known(observed)) = (&self.desired, &self.observed) else {
            return;
        };
        let held = &mut self.held;
        if !held.is_judged {
            let excessive = excessive_removals(&state.desired, observed, &held.accepted);
            held.of = observed.vips.len();
            held.is_judged = is_first;
            let before = std::mem::replace(&mut held.vips, excessive);
            if held.vips.is_empty() && !before.is_empty() {
                self.end_hold(HoldEnd::Gone, before, now);
            } else if self.held.vips != before {
                self.announce_hold(now);
            }
        }
    }

    /// Lets go of what is no longer to be held: what VPP does not have any more, and what
    /// the configuration has meanwhile, or is in its way.
    pub(super) fn review_hold(&mut self, now: Moment) {
        let (Some(state), ObservedState::Known(observed)) = (&self.desired, &self.observed) else {
            return;
        };
        if self.held.vips.is_empty() {
            return;
        }
        let specs = specs_by_prefix(&state.desired);
        let before = self.held.vips.clone();
        let mut is_configured = false;
        self.held.vips.retain(|vip| {
            let Some(seen) = observed.vips.get(vip) else { return false };
            let is_over = is_desired_or_in_the_way(&specs, *vip, seen);
            is_configured |= is_over;
            !is_over
        });
        if is_configured && !are_all_or_most(self.held.vips.len(), self.held.of) {
            self.accept_held();
        }
        if self.held.vips.is_empty() {
            let end = if is_configured { HoldEnd::Configured } else { HoldEnd::Gone };
            self.end_hold(end, before, now);
        }
    }

    /// An operator wants all removals to be made.
    pub(super) fn force_removals(&mut self, now: Moment) {
        let held = self.accept_held();
        if !held.is_empty() {
            self.end_hold(HoldEnd::Forced, held, now);
        }
    }

    fn accept_held(&mut self) -> BTreeSet<Vip> {
        let held = std::mem::take(&mut self.held.vips);
        self.held.accepted.extend(&held);
        held
    }

    fn announce_hold(&mut self, now: Moment) {
        let vips: Vec<_> = self.held.vips.iter().copied().collect();
        let (held, of, names) = (vips.len(), self.held.of, FirstNames(&vips));
        let detail = format!(
            "{held} of {of} VIPs in VPP are of no frontend and stay: {names}; if they are to be \
             removed: maglevc sync vpp lb state force"
        );
        self.publish_hold(DataplaneKind::RemovalsHeld, detail.clone(), now);
        self.log(ReconcileRecord::RemovalsHeld { held, of, detail });
    }

    fn end_hold(&mut self, why: HoldEnd, vips: BTreeSet<Vip>, now: Moment) {
        let vips: Vec<_> = vips.into_iter().collect();
        let detail = format!("{}: {}", why.as_str(), FirstNames(&vips));
        self.publish_hold(DataplaneKind::RemovalsReleased, detail.clone(), now);
        self.log(ReconcileRecord::RemovalsReleased { detail });
    }

    fn publish_hold(&mut self, kind: DataplaneKind, detail: String, now: Moment) {
        let change = DataplaneChange { frontend: None, kind, server: None, detail, at: now.wall };
        self.effects.push(ReconcileEffect::Publish(change));
    }
}
