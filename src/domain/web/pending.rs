//! What has changed at a daemon since tabs were told last. A thousand changes of one
//! backend are one, and of what happened only the newest is listed: a storm makes no
//! more frames than a quiet hour, and none that is longer than a page can take.

use std::collections::{BTreeSet, VecDeque};
use std::mem;
use std::time::{Duration, Instant};

/// How often tabs are told of one daemon, at most.
pub const BATCH_INTERVAL: Duration = Duration::from_millis(100);
/// Of what happened in one interval, at most so much is listed.
pub const MOST_ENTRIES: usize = 50;

/// Names of objects that changed, and of those that are gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangedNames {
    pub changed: BTreeSet<String>,
    pub gone: BTreeSet<String>,
}

impl ChangedNames {
    pub fn change(&mut self, name: &str) {
        self.gone.remove(name);
        if !self.changed.contains(name) {
            self.changed.insert(name.to_owned());
        }
    }

    pub fn remove(&mut self, name: &str) {
        self.changed.remove(name);
        self.gone.insert(name.to_owned());
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.gone.is_empty()
    }
}

/// What tabs are not told yet. `E` is an entry of the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TabBatch<E> {
    /// Keys of the daemon itself: its connection, VPP, …
    pub keys: BTreeSet<&'static str>,
    pub frontends: ChangedNames,
    pub backends: ChangedNames,
    /// The oldest first.
    pub entries: VecDeque<E>,
    /// How many older ones are not listed.
    pub left_out: u64,
}

impl<E> Default for TabBatch<E> {
    fn default() -> Self {
        Self {
            keys: BTreeSet::new(),
            frontends: ChangedNames::default(),
            backends: ChangedNames::default(),
            entries: VecDeque::new(),
            left_out: 0,
        }
    }
}

impl<E> TabBatch<E> {
    pub fn add_entry(&mut self, entry: E) {
        if self.entries.len() == MOST_ENTRIES {
            self.entries.pop_front();
            self.left_out += 1;
        }
        self.entries.push_back(entry);
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
            && self.frontends.is_empty()
            && self.backends.is_empty()
            && self.entries.is_empty()
    }

    /// All of it; nothing is pending then.
    pub fn take(&mut self) -> Self {
        mem::take(self)
    }
}

/// When the next batch of a daemon is due, if one is pending: at once after a quiet
/// time, and otherwise an interval after the last one.
#[must_use]
pub fn batch_due(last: Option<Instant>, now: Instant) -> Instant {
    last.map_or(now, |last| (last + BATCH_INTERVAL).max(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_thing_that_happened_to_an_object_is_told_once() {
        let mut names = ChangedNames::default();
        names.change("a");
        names.change("a");
        names.change("b");
        names.remove("b");
        names.remove("c");
        names.change("c");
        let of = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        assert_eq!(names, ChangedNames { changed: of(&["a", "c"]), gone: of(&["b"]) });
    }

    #[test]
    fn a_storm_leaves_the_newest_entries_and_their_number() {
        let mut pending = TabBatch::default();
        assert!(pending.is_empty());
        for entry in 0..1000 {
            pending.add_entry(entry);
        }
        let taken = pending.take();
        assert_eq!(taken.entries.len(), MOST_ENTRIES);
        assert_eq!((taken.entries.front(), taken.left_out), (Some(&950), 950));
        assert!(pending.is_empty() && pending.left_out == 0);
    }

    #[test]
    fn a_change_after_a_quiet_time_is_told_at_once_and_a_storm_ten_times_a_second() {
        let now = Instant::now();
        assert_eq!(batch_due(None, now), now);
        assert_eq!(batch_due(Some(now), now), now + BATCH_INTERVAL);
        let later = now + 5 * BATCH_INTERVAL;
        assert_eq!(batch_due(Some(now), later), later);
    }
}
