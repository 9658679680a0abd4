//! Reads back what was written: the servers of the VIPs that were written, after a
//! short delay, while neither a flip nor a pass is in progress.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::read_back::ReadBackStage;
use super::record::ReconcileRecord;
use super::{CallId, ObservedState, ReconcileEffect, ReconcileState, TimerId};
use crate::domain::dataplane::connection::DataplaneError;
use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::{ObservedServer, ObservedServers};
use crate::domain::dataplane::plan;
use crate::domain::moment::Moment;

/// The delay before what was written is read back. Later writes are read back with
/// it, and a series of flips is not delayed between its members.
const DELAY: Duration = Duration::from_millis(100);

impl ReconcileState {
    /// Starts the delay or the read-back, if one is due and nothing else is in progress.
    pub(super) fn advance_read_back(&mut self) {
        if self.read_back.touched.is_empty() {
            return;
        }
        match self.read_back.stage {
            ReadBackStage::Idle => {
                self.read_back.stage = ReadBackStage::Waiting;
                self.set_timer(TimerId::ReadBack, DELAY);
            }
            ReadBackStage::Due if self.flip.is_none() && self.pass.is_none() => self.read_servers(),
            ReadBackStage::Due | ReadBackStage::Waiting | ReadBackStage::Reading(_) => {}
        }
    }

    fn read_servers(&mut self) {
        let (Some(epoch), ObservedState::Known(observed)) = (self.epoch, &self.observed) else {
            return;
        };
        let touched = std::mem::take(&mut self.read_back.touched);
        let expected = touched.into_iter().filter_map(|(vip, removed)| {
            // A VIP that was removed is not read back.
            let held = observed.vips.get(&vip)?;
            Some((vip, held.servers.len() + held.retired.len() + removed))
        });
        let vips: BTreeMap<_, _> = expected.collect();
        if vips.is_empty() {
            self.read_back.stage = ReadBackStage::Idle;
            return;
        }
        let id = self.next_call();
        self.read_back.stage = ReadBackStage::Reading(id);
        self.effects.push(ReconcileEffect::ReadServers { id, epoch, vips });
    }

    pub(super) fn servers_read(
        &mut self,
        id: CallId,
        result: Result<BTreeMap<Vip, ObservedServers>, DataplaneError>,
        now: Moment,
    ) {
        if self.read_back.stage != ReadBackStage::Reading(id) {
            return;
        }
        self.read_back.stage = ReadBackStage::Idle;
        match result {
            Ok(found) => self.compare_read_back(found, now),
            // The next drift pass observes everything.
            Err(error) => self.log(ReconcileRecord::ReadBackFailed(error)),
        }
    }

    /// Updates the observed state with what was read, and queues the repair of what
    /// differs.
    fn compare_read_back(&mut self, found: BTreeMap<Vip, ObservedServers>, now: Moment) {
        let (Some(state), ObservedState::Known(observed)) = (&self.desired, &mut self.observed)
        else {
            return;
        };
        let dialect = observed.dialect;
        let mut is_missing = false;
        let mut differing = Vec::new();
        let mut mismatches = Vec::new();
        for (vip, found) in found {
            if self.read_back.is_outstanding(&vip) {
                // It was written again, and is read back after that.
                continue;
            }
            let Some(held) = observed.vips.get_mut(&vip) else { continue };
            let is_equal = weights(&held.servers).eq(weights(&found.servers));
            // If all servers are missing, the VIP may be missing as well.
            let may_be_missing = !is_equal && found.servers.is_empty();
            held.servers = found.servers;
            match dialect {
                LbDialect::Weights => held.retired = found.retired,
                // Its rows have no buckets, and rows of a VIP that was removed look like
                // those of the one that came after it.
                LbDialect::Membership => plan::assign_buckets(held),
            }
            mismatches.extend(self.model.compare_one(vip, held));
            is_missing |= may_be_missing;
            if !is_equal {
                differing.push(vip);
            }
            let Some(owner) = state.owners.get(&vip) else { continue };
            if is_equal {
                if self.progress.is_programmed(owner) {
                    self.progress.confirmed(owner, held);
                    self.traces.read(owner, now);
                }
                continue;
            }
            self.progress.pending(owner);
            if !may_be_missing {
                self.pending.entry(owner.clone()).or_default();
                if let Some(pass) = &mut self.pass {
                    pass.replan();
                }
            }
        }
        for vip in differing {
            self.log(ReconcileRecord::ReadBackDiffers(vip));
        }
        if is_missing {
            self.queue_drift_pass(true);
        }
        self.report_mismatches(mismatches, now);
    }
}

/// The part of the servers that was written and can be compared.
fn weights(servers: &BTreeMap<IpAddr, ObservedServer>) -> impl Iterator<Item = (IpAddr, u8)> {
    servers.iter().map(|(address, server)| (*address, server.weight))
}
