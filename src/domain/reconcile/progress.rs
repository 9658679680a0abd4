//! How far VPP is with what is desired of each frontend.
//!
//! A frontend is *programmed* once VPP has confirmed every write that was due
//! for it, and *serving* once it was read back as desired with at least one
//! server that has entries in the new-flow table.

use std::collections::{BTreeMap, BTreeSet};

use super::input::{Generation, RequestId};
use crate::domain::dataplane::observed::ObservedVip;
use crate::domain::names::FrontendName;

/// What became known of one frontend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrontendProgress {
    pub frontend: FrontendName,
    pub programmed: bool,
    pub serving: bool,
}

/// The answer to somebody who waits for VPP's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AwaitAnswer {
    /// VPP holds what was desired.
    Written,
    /// It does not yet, and why.
    NotYet(String),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    #[default]
    Pending,
    /// VPP confirmed every write.
    Written,
    /// VPP was read, and holds what is desired.
    Confirmed,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Record {
    stage: Stage,
    has_buckets: bool,
    /// Something changed, so that its end is worth an event: what VPP already
    /// held when it was first read is not.
    changed: bool,
    /// VPP refused a step of what is desired now.
    refused: bool,
}

impl Record {
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

/// The progress of every frontend, and who waits for it.
#[derive(Debug, Default)]
pub(super) struct Progress {
    records: BTreeMap<FrontendName, Record>,
    /// What differs from what was last reported: as it was then.
    touched: BTreeMap<FrontendName, Record>,
    waiters: BTreeMap<RequestId, Waiter>,
}

impl Progress {
    fn update(&mut self, frontend: &FrontendName, change: impl FnOnce(&mut Record)) {
        let record = self.records.entry(frontend.clone()).or_default();
        let before = *record;
        change(record);
        if *record != before {
            self.touched.entry(frontend.clone()).or_insert(before);
        }
    }

    /// Something else is desired of it, or VPP was found to hold something else.
    pub(super) fn pending(&mut self, frontend: &FrontendName) {
        self.update(frontend, |record| {
            *record = Record { changed: true, ..Record::default() };
        });
    }

    /// VPP refused a step that was due.
    pub(super) fn refused(&mut self, frontend: &FrontendName) {
        self.update(frontend, |record| {
            *record = Record { changed: true, refused: true, ..Record::default() };
        });
    }

    pub(super) fn is_refused(&self, frontend: &FrontendName) -> bool {
        self.records.get(frontend).is_some_and(|record| record.refused)
    }

    /// VPP confirmed all that was due. Says whether that ends a change.
    pub(super) fn written(&mut self, frontend: &FrontendName) -> bool {
        let mut ends = false;
        self.update(frontend, |record| {
            ends = record.stage == Stage::Pending && record.changed;
            record.stage = record.stage.max(Stage::Written);
            (record.changed, record.refused) = (false, false);
        });
        ends
    }

    /// VPP was read and holds what is desired. Says whether that ends a change.
    pub(super) fn confirmed(&mut self, frontend: &FrontendName, seen: &ObservedVip) -> bool {
        let ends = self.written(frontend);
        self.update(frontend, |record| {
            record.stage = Stage::Confirmed;
            record.has_buckets = seen.servers.values().any(|server| server.buckets > 0);
        });
        ends
    }

    /// Nothing is known of VPP any more.
    pub(super) fn forget(&mut self) {
        let known = self.records.iter().filter(|(_, record)| record.stage > Stage::Pending);
        let known: Vec<_> = known.map(|(frontend, _)| frontend.clone()).collect();
        for frontend in known {
            self.update(&frontend, |record| *record = Record::default());
        }
    }

    /// Frontends that are no longer configured have no progress.
    pub(super) fn retain(&mut self, configured: impl Fn(&FrontendName) -> bool) {
        self.records.retain(|frontend, _| configured(frontend));
        self.touched.retain(|frontend, _| configured(frontend));
    }

    pub(super) fn is_programmed(&self, frontend: &FrontendName) -> bool {
        self.records.get(frontend).is_some_and(|record| record.programmed())
    }

    /// How many frontends are programmed, and how many serve.
    pub(super) fn counts(&self) -> (usize, usize) {
        let count = |is: fn(Record) -> bool| self.records.values().filter(|r| is(**r)).count();
        (count(Record::programmed), count(Record::serving))
    }

    /// What differs from what was last reported.
    pub(super) fn take_changes(&mut self) -> Vec<FrontendProgress> {
        let touched = std::mem::take(&mut self.touched);
        let changed = touched.into_iter().filter_map(|(frontend, before)| {
            let now = self.records.get(&frontend).copied().unwrap_or_default();
            let (programmed, serving) = (now.programmed(), now.serving());
            let is_new = (programmed, serving) != (before.programmed(), before.serving());
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

    /// The deadline of a waiter is over: the frontends that it still waits for.
    pub(super) fn give_up(&mut self, id: RequestId) -> Option<Vec<FrontendName>> {
        let mut waiter = self.waiters.remove(&id)?;
        waiter.frontends.retain(|frontend| !self.is_programmed(frontend));
        Some(waiter.frontends)
    }

    /// Those whose wait is over by what is desired and written `now`, each with
    /// the frontend that VPP refuses something, if that ended it.
    pub(super) fn end_waits(
        &mut self,
        now: Generation,
        gone: impl Fn(&FrontendName) -> bool,
    ) -> Vec<(RequestId, Option<FrontendName>)> {
        if self.waiters.is_empty() {
            return Vec::new();
        }
        let mut ended = BTreeSet::new();
        for (id, waiter) in &self.waiters {
            if waiter.generation > now {
                continue;
            }
            let stuck = waiter.frontends.iter().find(|frontend| self.is_refused(frontend));
            let written = |frontend: &FrontendName| self.is_programmed(frontend) || gone(frontend);
            if stuck.is_some() || waiter.frontends.iter().all(written) {
                ended.insert((*id, stuck.cloned()));
            }
        }
        for (id, _) in &ended {
            self.waiters.remove(id);
        }
        ended.into_iter().collect()
    }
}
