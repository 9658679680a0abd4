//! What was written is read back: a little later, of the VIPs that were
//! touched alone, and in the way of nothing.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use actix::prelude::*;
use tracing::warn;

use super::{ObservedState, Reconciler};
use crate::actors::vpp_connection::{DataplaneError, ReadServers};
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::{ObservedServer, ObservedServers};
use crate::domain::dataplane::plan::Planned;
use crate::domain::dataplane::step::Step;

/// The wait before what was written is read back. What is written meanwhile is
/// read back with it, and a row of flips is not held up between its members.
const DELAY: Duration = Duration::from_millis(100);

/// What is to be read back.
#[derive(Default)]
pub(super) struct ReadBack {
    /// VIPs that were written since they were last read, and how many servers
    /// were removed from each: VPP lists those for a while.
    touched: BTreeMap<Vip, usize>,
    /// VIPs that are being written, by how many steps. What a reading shows of
    /// them may be what was there before, or after.
    writing: BTreeMap<Vip, usize>,
    stage: ReadBackStage,
    /// The reading that counts.
    run: u64,
}

#[derive(Default, PartialEq, Eq)]
enum ReadBackStage {
    #[default]
    Idle,
    /// The delay runs.
    Waiting,
    /// The delay is over.
    Due,
    /// VPP is asked.
    Reading,
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

    /// The connection is another one: a look at everything comes first.
    pub(super) fn forget(&mut self) {
        self.touched.clear();
        self.writing.clear();
        self.overtaken();
    }

    /// All of VPP was read: a reading under way may be older.
    pub(super) fn overtaken(&mut self) {
        if self.stage == ReadBackStage::Reading {
            self.stage = ReadBackStage::Idle;
            self.run += 1;
        }
    }
}

impl Reconciler {
    /// Reads back what was written, if that is due and nothing else is.
    pub(super) fn verify(&mut self, ctx: &mut Context<Self>) {
        if self.reread.touched.is_empty() {
            return;
        }
        match self.reread.stage {
            ReadBackStage::Idle => {
                self.reread.stage = ReadBackStage::Waiting;
                ctx.run_later(DELAY, |this, ctx| {
                    this.reread.stage = ReadBackStage::Due;
                    this.drive(ctx);
                });
            }
            ReadBackStage::Due if !self.flipping && self.pass.is_none() => self.read_back(ctx),
            ReadBackStage::Due | ReadBackStage::Waiting | ReadBackStage::Reading => {}
        }
    }

    fn read_back(&mut self, ctx: &mut Context<Self>) {
        let (Some(epoch), ObservedState::Seen(seen)) = (self.epoch, &self.sight) else { return };
        let touched = std::mem::take(&mut self.reread.touched);
        let expected = touched.into_iter().filter_map(|(vip, removed)| {
            // What was removed is not expected to be there.
            let seen = seen.vips.get(&vip)?;
            Some((vip, seen.servers.len() + seen.retired.len() + removed))
        });
        let vips: BTreeMap<_, _> = expected.collect();
        if vips.is_empty() {
            self.reread.stage = ReadBackStage::Idle;
            return;
        }
        self.reread.stage = ReadBackStage::Reading;
        self.reread.run += 1;
        let run = self.reread.run;
        let asked = self.vpp.reread.send(ReadServers { epoch, vips });
        let read = async move { asked.await.unwrap_or_else(|_| Err(DataplaneError::ended())) };
        ctx.spawn(read.into_actor(self).map(move |read, this, ctx| {
            if this.reread.run != run {
                return;
            }
            this.reread.stage = ReadBackStage::Idle;
            match read {
                Ok(found) => this.read_again(found),
                // The next drift pass looks at everything.
                Err(error) => warn!(%error, "vpp-lb-verify-failed"),
            }
            this.drive(ctx);
        }));
    }

    /// Takes what was read into what is known, and has mended what differs.
    fn read_again(&mut self, found: BTreeMap<Vip, ObservedServers>) {
        let (Some(wanted), ObservedState::Seen(seen)) = (&self.wanted, &mut self.sight) else {
            return;
        };
        let mut is_gone = false;
        let mut differs = BTreeSet::new();
        let mut mismatches = Vec::new();
        for (vip, found) in found {
            if self.reread.touched.contains_key(&vip) || self.reread.writing.contains_key(&vip) {
                // Written meanwhile; it is read after that.
                continue;
            }
            let Some(held) = seen.vips.get_mut(&vip) else { continue };
            if weights(&held.servers).ne(weights(&found.servers)) {
                warn!(%vip, "vpp-lb-verify-differs: VPP does not hold what was written");
                if found.servers.is_empty() {
                    // Perhaps the VIP is gone with them.
                    is_gone = true;
                } else {
                    differs.insert(vip);
                }
            }
            held.servers = found.servers;
            held.retired = found.retired;
            mismatches.extend(self.model.look_at(vip, held));
        }
        if !differs.is_empty() {
            for (name, frontend) in &wanted.desired.frontends {
                if differs.contains(&frontend.spec.vip) {
                    self.dirty.entry(name.clone()).or_default();
                }
            }
            if let Some(pass) = &mut self.pass {
                pass.replan();
            }
        }
        if is_gone {
            self.want_drift_pass(true);
        }
        self.tell_mismatches(mismatches);
    }
}

/// What can be compared with what was written.
fn weights(servers: &BTreeMap<IpAddr, ObservedServer>) -> impl Iterator<Item = (IpAddr, u8)> {
    servers.iter().map(|(address, server)| (*address, server.weight))
}
