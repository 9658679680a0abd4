//! Tracks how far VPP is with each frontend's desired state.
//!
//! A frontend is *programmed* once VPP has confirmed every write that was due for it,
//! and *serving* once it was read back as desired with at least one server that has
//! entries in the new-flow table.

use std::collections::{BTreeMap, BTreeSet};

use super::input::{FrontendProgress, Generation, RequestId};
use crate::domain::dataplane::observed::ObservedVip;
use crate::domain::names::FrontendName;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    #[default]
    Pending,
    /// VPP confirmed every write.
    Written,
    /// VPP was read and holds the desired state.
    Confirmed,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct ProgressRecord {
    stage: Stage,
    has_buckets: bool,
    /// The desired state changed, so that its completion is published. What VPP
    /// already held when it was first read is not.
    changed: bool,
    /// VPP refused a step of the present desired state.
    refused: bool,
}

impl ProgressRecord {
    fn programmed(self) -> bool {
        self.stage >= Stage::Written
    }

    fn serving(self) -> bool {
        self.stage == Stage::Confirmed && self.has_buckets
    }
}

#[derive(Debug)]
struct Waiter {
    frontends: Vec<FrontendName>,
    generation: Generation,
}

/// The progress of every frontend, and the clients that wait for it.
#[derive(Debug, Default)]
pub(super) struct Progress {
    records: BTreeMap<FrontendName, ProgressRecord>,
    /// Records that changed since the last report, as they were then; `None`:
    /// reported whatever they were, as the desired state is another one.
    touched: BTreeMap<FrontendName, Option<ProgressRecord>>,
    waiters: BTreeMap<RequestId, Waiter>,
}

impl Progress {
    fn update(&mut self, frontend: &FrontendName, change: impl FnOnce(&mut ProgressRecord)) {
        let record = self.records.entry(frontend.clone()).or_default();
        let before = *record;
        change(record);
        if *record != before {
            self.touched.entry(frontend.clone()).or_insert(Some(before));
        }
    }

    /// The desired state changed. The next report has it, also where VPP holds it
    /// already.
    pub(super) fn desired_changed(&mut self, frontend: &FrontendName) {
        self.pending(frontend);
        self.touched.insert(frontend.clone(), None);
    }

    /// VPP holds something else than is desired.
    pub(super) fn pending(&mut self, frontend: &FrontendName) {
        self.update(frontend, |record| {
            *record = ProgressRecord { changed: true, ..ProgressRecord::default() };
        });
    }

    /// VPP refused a step that was due.
    pub(super) fn refused(&mut self, frontend: &FrontendName) {
        self.update(frontend, |record| {
            *record = ProgressRecord { changed: true, refused: true, ..ProgressRecord::default() };
        });
    }

    pub(super) fn is_refused(&self, frontend: &FrontendName) -> bool {
        self.records.get(frontend).is_some_and(|record| record.refused)
    }

    /// VPP confirmed all writes that were due. Returns whether that completes a change.
    pub(super) fn written(&mut self, frontend: &FrontendName) -> bool {
        let mut completes = false;
        self.update(frontend, |record| {
            completes = record.stage == Stage::Pending && record.changed;
            record.stage = record.stage.max(Stage::Written);
            (record.changed, record.refused) = (false, false);
        });
        completes
    }

    /// VPP was read and holds the desired state. Returns whether that completes a change.
    pub(super) fn confirmed(&mut self, frontend: &FrontendName, observed: &ObservedVip) -> bool {
        let completes = self.written(frontend);
        self.update(frontend, |record| {
            record.stage = Stage::Confirmed;
            record.has_buckets = observed.servers.values().any(|server| server.buckets > 0);
        });
        completes
    }

    /// The connection was lost: VPP's state is unknown.
    pub(super) fn vpp_lost(&mut self) {
        let known = self.records.iter().filter(|(_, record)| record.stage > Stage::Pending);
        let known: Vec<_> = known.map(|(frontend, _)| frontend.clone()).collect();
        for frontend in known {
            self.update(&frontend, |record| *record = ProgressRecord::default());
        }
    }

    /// Removes frontends that are no longer configured.
    pub(super) fn retain(&mut self, configured: impl Fn(&FrontendName) -> bool) {
        self.records.retain(|frontend, _| configured(frontend));
        self.touched.retain(|frontend, _| configured(frontend));
    }

    pub(super) fn is_programmed(&self, frontend: &FrontendName) -> bool {
        self.records.get(frontend).is_some_and(|record| record.programmed())
    }

    pub(super) fn is_serving(&self, frontend: &FrontendName) -> bool {
        self.records.get(frontend).is_some_and(|record| record.serving())
    }

    /// The numbers of programmed and of serving frontends.
    pub(super) fn counts(&self) -> (usize, usize) {
        let count =
            |is: fn(ProgressRecord) -> bool| self.records.values().filter(|r| is(**r)).count();
        (count(ProgressRecord::programmed), count(ProgressRecord::serving))
    }

    /// The frontends whose progress changed since the last report.
    pub(super) fn take_changes(&mut self) -> Vec<FrontendProgress> {
        let touched = std::mem::take(&mut self.touched);
        let changed = touched.into_iter().filter_map(|(frontend, before)| {
            let now = self.records.get(&frontend).copied().unwrap_or_default();
            let (programmed, serving) = (now.programmed(), now.serving());
            let is_new = before.is_none_or(|before| {
                (programmed, serving) != (before.programmed(), before.serving())
            });
            is_new.then_some(FrontendProgress { frontend, programmed, serving })
        });
        changed.collect()
    }

    pub(super) fn wait(
        &mut self,
        id: RequestId,
        frontends: Vec<FrontendName>,
        generation: Generation,
    ) {
        self.waiters.insert(id, Waiter { frontends, generation });
    }

    /// Ends a wait whose deadline is over. Returns the frontends that are not
    /// programmed.
    pub(super) fn expire_wait(&mut self, id: RequestId) -> Option<Vec<FrontendName>> {
        let mut waiter = self.waiters.remove(&id)?;
        waiter.frontends.retain(|frontend| !self.is_programmed(frontend));
        Some(waiter.frontends)
    }

    /// Ends the waits that are over at generation `now`. Each comes with the frontend
    /// that VPP refuses, if a refusal ended it.
    pub(super) fn end_waits(
        &mut self,
        now: Generation,
        removed: impl Fn(&FrontendName) -> bool,
    ) -> Vec<(RequestId, Option<FrontendName>)> {
        if self.waiters.is_empty() {
            return Vec::new();
        }
        let mut ended = BTreeSet::new();
        for (id, waiter) in &self.waiters {
            if waiter.generation > now {
                continue;
            }
            let refused = waiter.frontends.iter().find(|frontend| self.is_refused(frontend));
            let is_done =
                |frontend: &FrontendName| self.is_programmed(frontend) || removed(frontend);
            if refused.is_some() || waiter.frontends.iter().all(is_done) {
                ended.insert((*id, refused.cloned()));
            }
        }
        for (id, _) in &ended {
            self.waiters.remove(id);
        }
        ended.into_iter().collect()
    }
}
