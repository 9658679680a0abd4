//! Decides when the overrides are written to where they are kept over restarts, and which
//! changes each write stands for.
//!
//! A change takes effect once it is written. Changes that come while a write is in
//! progress wait for the next, and share it. What else ends an override, such as a
//! reload, takes effect at once and is written afterwards: at a restart such an override
//! would be found ended again.
//!
//! After a write that failed, what is in force is written again from time to time though
//! nobody asks for a change: only that shows whether the disk takes changes again.

use std::collections::VecDeque;
use std::time::Duration;

use super::{OverrideChange, OverrideSet};

/// From a write that failed to the next without a change. It doubles with each that fails,
/// up to the longest.
const FIRST_RETRY: Duration = Duration::from_secs(10);
const LONGEST_RETRY: Duration = Duration::from_secs(320);

/// What a change would do, or why it is refused.
pub type PlannedChange<E> = Result<OverrideChange, E>;

/// Changes that operators ask for, by whatever identifies them to the caller.
#[derive(Debug)]
pub struct OverrideWrites<R, E> {
    waiting: VecDeque<R>,
    writing: Option<WriteInProgress<R, E>>,
    /// What was written last; `None`: not known.
    stored: Option<OverrideSet>,
    /// The last write failed, and it is not time to write again without a change.
    has_failed: bool,
    /// Retries since the last write that succeeded.
    retries: u32,
}

#[derive(Debug)]
struct WriteInProgress<R, E> {
    set: OverrideSet,
    changes: Vec<(R, PlannedChange<E>)>,
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextWrite {
    /// Nothing: all is written, or a write is in progress.
    None,
    /// Nothing, and the changes that wait are to be settled: they change nothing.
    Settle,
    Write(OverrideSet),
}

impl<R, E: PartialEq> OverrideWrites<R, E> {
    /// `stored`: what is kept from an earlier daemon; `None`: not known.
    #[must_use]
    pub fn new(stored: Option<OverrideSet>) -> Self {
        Self { waiting: VecDeque::new(), writing: None, stored, has_failed: false, retries: 0 }
    }

    /// Adds a change that an operator asks for.
    pub fn request(&mut self, change: R) {
        self.waiting.push_back(change);
    }

    /// Begins a write, if one is due. `plan` decides what a change does to the given
    /// overrides; those `in_force` are the first.
    pub fn begin(
        &mut self,
        in_force: &OverrideSet,
        plan: impl Fn(&OverrideSet, &R) -> PlannedChange<E>,
    ) -> NextWrite {
        let is_behind = self.stored.as_ref() != Some(in_force) && !self.has_failed;
        if self.writing.is_some() || (self.waiting.is_empty() && !is_behind) {
            return NextWrite::None;
        }
        let mut set = in_force.clone();
        let mut changes = Vec::with_capacity(self.waiting.len());
        for change in self.waiting.drain(..) {
            let planned = plan(&set, &change);
            if let Ok(change) = &planned {
                set.change(change.clone());
            }
            changes.push((change, planned));
        }
        let next = match self.stored.as_ref() == Some(&set) {
            true => NextWrite::Settle,
            false => NextWrite::Write(set.clone()),
        };
        self.writing = Some(WriteInProgress { set, changes });
        next
    }

    /// The write has succeeded, or there was nothing to write. Returns the changes that take
    /// effect by that, in order. There are none if the overrides `in_force` have changed
    /// meanwhile so that one of them would do something else than what was written: then
    /// all are planned and written anew.
    pub fn written(
        &mut self,
        in_force: &OverrideSet,
        plan: impl Fn(&OverrideSet, &R) -> PlannedChange<E>,
    ) -> Vec<(R, PlannedChange<E>)> {
        (self.has_failed, self.retries) = (false, 0);
        let Some(WriteInProgress { set, changes }) = self.writing.take() else { return vec![] };
        self.stored = Some(set);
        let mut now = in_force.clone();
        let is_as_planned = changes.iter().all(|(change, planned)| {
            let again = plan(&now, change);
            if let Ok(change) = &again {
                now.change(change.clone());
            }
            again == *planned
        });
        if is_as_planned {
            return changes;
        }
        for (change, _) in changes.into_iter().rev() {
            self.waiting.push_front(change);
        }
        vec![]
    }

    /// The write has failed. Returns the changes that have no effect by that.
    /// `is_in_doubt`: what was to be written may be stored all the same.
    pub fn failed(&mut self, is_in_doubt: bool) -> Vec<(R, PlannedChange<E>)> {
        self.has_failed = true;
        if is_in_doubt {
            self.stored = None;
        }
        self.writing.take().map(|writing| writing.changes).unwrap_or_default()
    }

    /// How long after a failure [`OverrideWrites::retry`] is due.
    #[must_use]
    pub fn retry_after(&self) -> Duration {
        let doubled = 1_u32.checked_shl(self.retries).and_then(|it| FIRST_RETRY.checked_mul(it));
        doubled.unwrap_or(LONGEST_RETRY).min(LONGEST_RETRY)
    }

    /// If the last write failed, what is in force is written again, whether or not it is
    /// stored already. Returns whether it is.
    pub fn retry(&mut self) -> bool {
        let has_failed = std::mem::take(&mut self.has_failed);
        if has_failed {
            self.stored = None;
            self.retries = self.retries.saturating_add(1);
        }
        has_failed
    }
}
