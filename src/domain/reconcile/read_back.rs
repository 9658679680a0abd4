//! Keeps which VIPs have to be read back, and when.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::input::CallId;
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::plan::Planned;
use crate::domain::dataplane::step::Step;

/// The VIPs to read back.
#[derive(Debug, Default)]
pub(super) struct ReadBack {
    /// VIPs that were written since they were last read, with the number of servers
    /// removed from each: VPP still lists those for a while.
    pub(super) touched: BTreeMap<Vip, usize>,
    /// The number of steps in flight for each VIP. A read-back may show the VIP before
    /// or after them.
    writing: BTreeMap<Vip, usize>,
    pub(super) stage: ReadBackStage,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum ReadBackStage {
    #[default]
    Idle,
    /// The delay has not passed yet.
    Waiting,
    Due,
    /// This read-back is in progress; the answers of others are ignored.
    Reading(CallId),
}

impl ReadBack {
    /// These steps are in flight.
    pub(super) fn writing(&mut self, steps: &[Planned]) {
        for vip in steps.iter().filter_map(|planned| planned.step.vip()) {
            *self.writing.entry(vip).or_default() += 1;
        }
    }

    /// These steps were answered, or their replies were lost.
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

    /// Excludes this VIP from the next read-back.
    pub(super) fn skip(&mut self, vip: &Vip) {
        self.touched.remove(vip);
    }

    /// Whether this VIP was written since it was last read.
    pub(super) fn is_outstanding(&self, vip: &Vip) -> bool {
        self.touched.contains_key(vip) || self.writing.contains_key(vip)
    }

    /// Whether this VIP was read since it was written last.
    pub(super) fn was_read(&self, vip: &Vip) -> bool {
        !self.is_outstanding(vip) && !matches!(self.stage, ReadBackStage::Reading(_))
    }

    /// The connection has changed: everything is observed first.
    pub(super) fn clear(&mut self) {
        self.touched.clear();
        self.writing.clear();
        self.superseded();
    }

    /// All of VPP was observed: a read-back in progress may be older.
    pub(super) fn superseded(&mut self) {
        if matches!(self.stage, ReadBackStage::Reading(_)) {
            self.stage = ReadBackStage::Idle;
        }
    }

    pub(super) fn delay_over(&mut self) {
        if self.stage == ReadBackStage::Waiting {
            self.stage = ReadBackStage::Due;
        }
    }
}
