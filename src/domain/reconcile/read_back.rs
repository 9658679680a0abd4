//! What was written is read back: a little later, of the VIPs that were touched
//! alone, and in the way of nothing.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::net::IpAddr;
use std::time::Duration;

use super::record::ReconcileRecord;
use super::{CallId, Moment, ObservedState, ReconcileEffect, ReconcileState, TimerId};
use crate::domain::dataplane::connection::DataplaneError;
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::{ObservedServer, ObservedServers};
use crate::domain::dataplane::plan::Planned;
use crate::domain::dataplane::step::Step;

/// The wait before what was written is read back. What is written meanwhile is
/// read back with it, and a row of flips is not held up between its members.
const DELAY: Duration = Duration::from_millis(100);

/// What is to be read back.
#[derive(Debug, Default)]
pub(super) struct ReadBack {
    /// VIPs that were written since they were last read, and how many servers
    /// were removed from each: VPP lists those for a while.
    touched: BTreeMap<Vip, usize>,
    /// VIPs that are being written, by how many steps. What a reading shows of
    /// them may be what was there before, or after.
    writing: BTreeMap<Vip, usize>,
    stage: ReadBackStage,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum ReadBackStage {
    #[default]
    Idle,
    /// The delay runs.
    Waiting,
    /// The delay is over.
    Due,
    /// This reading is under way. No other counts.
    Reading(CallId),
}

impl ReadBack {
    /// These steps are under way.
    pub(super) fn writing(&mut self, steps: &[Planned]) {
        for vip in steps.iter().filter_map(|planned| planned.step.vip()) {
            *self.writing.entry(vip).or_default() += 1;
        }
    }

    /// These steps are done, refused or lost.
    pub(super) fn written(&mut self, steps: &[Planned]) {
        for planned in steps {
            let Some(vip) = planned.step.vip() else { continue };
            if let Entry::Occupied(mut steps) = self.writing.entry(vip) {
                *steps.get_mut() -= 1;
                if *steps.get() == 0 {
                    steps.remove();
                }
            }
            let removed = self.touched.entry(vip).or_default();
            *removed += usize::from(matches!(planned.step, Step::RemoveServer { .. }));
        }
    }

    /// This VIP is not to be read back.
    pub(super) fn leave(&mut self, vip: &Vip) {
        self.touched.remove(vip);
    }

    /// Whether this VIP was written since it was last read.
    pub(super) fn is_outstanding(&self, vip: &Vip) -> bool {
        self.touched.contains_key(vip) || self.writing.contains_key(vip)
    }

    /// The connection is another one: an observation of everything comes first.
    pub(super) fn forget(&mut self) {
        self.touched.clear();
        self.writing.clear();
        self.superseded();
    }

    /// All of VPP was observed: a reading under way may be older.
    pub(super) fn superseded(&mut self) {
        if matches!(self.stage, ReadBackStage::Reading(_)) {
            self.stage = ReadBackStage::Idle;
        }
    }

    pub(super) fn delay_is_over(&mut self) {
        if self.stage == ReadBackStage::Waiting {
            self.stage = ReadBackStage::Due;
        }
    }
}

impl ReconcileState {
    /// Reads back what was written, if that is due and nothing else is.
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
            // What was removed is not expected to be there.
            let seen = observed.vips.get(&vip)?;
            Some((vip, seen.servers.len() + seen.retired.len() + removed))
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

    /// Takes what was read into what is known, and has mended what differs.
    fn compare_read_back(&mut self, found: BTreeMap<Vip, ObservedServers>, now: Moment) {
        let (Some(state), ObservedState::Known(observed)) = (&self.desired, &mut self.observed)
        else {
            return;
        };
        let mut is_gone = false;
        let mut differing = Vec::new();
        let mut mismatches = Vec::new();
        for (vip, found) in found {
            if self.read_back.is_outstanding(&vip) {
                // Written meanwhile; it is read after that.
                continue;
            }
            let Some(held) = observed.vips.get_mut(&vip) else { continue };
            let is_equal = weights(&held.servers).eq(weights(&found.servers));
            // That no server is left may mean that the VIP is gone with them.
            let may_be_gone = !is_equal && found.servers.is_empty();
            held.servers = found.servers;
            held.retired = found.retired;
            mismatches.extend(self.model.look_at(vip, held));
            is_gone |= may_be_gone;
            if !is_equal {
                differing.push(vip);
            }
            let Some(owner) = state.owners.get(&vip) else { continue };
            if is_equal {
                if self.progress.is_programmed(owner) {
                    self.progress.confirmed(owner, held);
                }
                continue;
            }
            self.progress.pending(owner);
            if !may_be_gone {
                self.pending.entry(owner.clone()).or_default();
                if let Some(pass) = &mut self.pass {
                    pass.replan();
                }
            }
        }
        for vip in differing {
            self.log(ReconcileRecord::ReadBackDiffers(vip));
        }
        if is_gone {
            self.queue_drift_pass(true);
        }
        self.report_mismatches(mismatches, now);
    }
}

/// What can be compared with what was written.
fn weights(servers: &BTreeMap<IpAddr, ObservedServer>) -> impl Iterator<Item = (IpAddr, u8)> {
    servers.iter().map(|(address, server)| (*address, server.weight))
}
