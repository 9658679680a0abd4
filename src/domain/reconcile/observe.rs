//! Begins a pass with an observation of VPP, and processes its result.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::pass::{Pass, Trigger};
use super::record::ReconcileRecord;
use super::{CallId, ObservedState, ReconcileEffect, ReconcileState, SyncError};
use crate::domain::balancing::maglev::Mismatch;
use crate::domain::dataplane::connection::{DataplaneError, Observation};
use crate::domain::dataplane::observed::Observed;
use crate::domain::dataplane::plan::Scope;
use crate::domain::events::{DataplaneChange, DataplaneKind};
use crate::domain::moment::Moment;

/// The servers that VPP sends flows to, of all VIPs.
fn served(observed: &Observed) -> BTreeSet<IpAddr> {
    let servers = observed.vips.values().flat_map(|vip| &vip.servers);
    servers.filter(|(_, server)| server.weight > 0).map(|(address, _)| *address).collect()
}

impl ReconcileState {
    /// Begins the next pass that can begin now. Returns true if a request was answered
    /// instead, so that another pass may begin.
    pub(super) fn begin_pass(&mut self, now: Moment) -> bool {
        let (Some(state), true) = (&self.desired, self.epoch.is_some()) else { return false };
        let may_write = self.may_write;
        let mut queue = self.queue.iter();
        let Some(due) = queue.position(|(_, trigger)| may_write || trigger.is_dry_run()) else {
            return false;
        };
        let Some((scope, trigger)) = self.queue.remove(due) else { return false };
        if let Scope::One(name) = &scope
            && !state.desired.frontends.contains_key(name)
        {
            let error = SyncError::NoFrontend(name.clone());
            self.reply(&trigger, Err(error));
            return true;
        }
        self.log(ReconcileRecord::SyncStarted { scope: (&scope).into(), steps: None });
        // Only drift passes back off from refusals, and not operators' syncs.
        let backing_off = match &trigger {
            Trigger::Drift { .. } => self.refusals.begin_pass(),
            Trigger::Sync { .. } => BTreeSet::new(),
        };
        let observing = self.next_call();
        let pass = self.pass.insert(Pass::new(scope, trigger, backing_off, observing, now));
        if !self.pending.is_empty() {
            pass.mark_explained();
        }
        self.effects.push(ReconcileEffect::Observe(observing));
        false
    }

    pub(super) fn observed(
        &mut self,
        id: CallId,
        result: Result<Observation, DataplaneError>,
        now: Moment,
    ) {
        if let Some(request) = self.unconnected.remove(&id) {
            let error = result.err().unwrap_or_else(DataplaneError::reconnected);
            self.effects.push(ReconcileEffect::Reply { id: request, result: Err(error.into()) });
            return;
        }
        let Some(pass) = self.pass.as_mut().filter(|pass| pass.observing() == Some(id)) else {
            return;
        };
        match result {
            Ok(_) if pass.is_ambiguous() => {
                let again = self.next_call();
                if let Some(pass) = &mut self.pass {
                    pass.observe_again(again);
                }
                self.effects.push(ReconcileEffect::Observe(again));
            }
            Ok(observation) if self.epoch == Some(observation.epoch) => {
                self.take_observation(observation, now);
            }
            Ok(_) => self.end_pass(Some(DataplaneError::reconnected()), now),
            Err(error) => {
                self.log(ReconcileRecord::SyncFailed(error.clone()));
                self.end_pass(Some(error), now);
            }
        }
    }

    fn take_observation(&mut self, observation: Observation, now: Moment) {
        let Observation { mut observed, mismatches, .. } = observation;
        let Some(pass) = &mut self.pass else { return };
        pass.observed(&mut observed);
        let adopts = *pass.scope() == Scope::All && !pass.is_dry_run();
        for row in &observed.unexpected_rows {
            self.effects.push(ReconcileEffect::Log(ReconcileRecord::UnexpectedRow(row.clone())));
        }
        let mismatches = self.model.compare(mismatches);
        if let ObservedState::Known(before) = &self.observed {
            observed.conf = observed.conf.completed(&before.conf);
        }
        if matches!(self.observed, ObservedState::Unknown) {
            // Before the first plan over the connection changes any weight.
            self.effects.push(ReconcileEffect::Served(served(&observed)));
        }
        let is_first = self.replace_observed(observed);
        self.read_back.superseded();
        self.judge_removals(adopts, now);
        if is_first && adopts {
            // The plan that follows includes all pending changes, and begins with the
            // global settings that every VIP needs.
            self.pending.clear();
        }
        self.report_mismatches(mismatches, now);
    }

    /// Replaces the observed state. Returns whether VPP was unknown before.
    fn replace_observed(&mut self, observed: Observed) -> bool {
        match std::mem::replace(&mut self.observed, ObservedState::Known(observed)) {
            ObservedState::Unknown => true,
            ObservedState::Known(before) => {
                self.effects.push(ReconcileEffect::Free(before));
                false
            }
        }
    }

    /// Publishes and logs tables in VPP that differ from the model's.
    pub(super) fn report_mismatches(&mut self, mismatches: Vec<Mismatch>, now: Moment) {
        for mismatch in mismatches {
            let owners = self.desired.as_ref().map(|state| &state.owners);
            let frontend = owners.and_then(|owners| owners.get(&mismatch.vip)).cloned();
            let servers = mismatch.to_string();
            let (kind, at) = (DataplaneKind::ModelMismatch, now.wall);
            let (frontend, detail) = (frontend.clone(), servers.clone());
            let change =
                DataplaneChange { frontend: frontend.clone(), kind, server: None, detail, at };
            self.effects.push(ReconcileEffect::Publish(change));
            self.log(ReconcileRecord::ModelMismatch { frontend, vip: mismatch.vip, servers });
        }
    }
}
