//! How many probes may be in flight at once, over all threads.
//!
//! Without a bound, ten thousand backends that all hang would use up the
//! descriptors that the daemon needs to reach VPP. A probe that finds no slot
//! waits in a queue, first come first served; its timeout begins with its slot.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use rustix::process::{Resource, getrlimit};
use tokio::sync::{Semaphore, SemaphorePermit};

/// The most slots that are given by default, however many descriptors there
/// are: more probes at once would only delay each other.
const MOST: usize = 65_536;

/// A handle on the slots; clones share them.
#[derive(Clone, Debug)]
pub struct Slots(Arc<SlotState>);

#[derive(Debug)]
struct SlotState {
    free: Semaphore,
    total: AtomicUsize,
    waiting: AtomicUsize,
    waited: AtomicU64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlotStats {
    /// How many there are.
    pub total: usize,
    /// Probes in flight.
    pub in_flight: usize,
    /// Probes that wait for a slot now.
    pub waiting: usize,
    /// Probes that ever had to wait for one.
    pub waited: u64,
}

impl Slots {
    /// So many slots, at least one.
    #[must_use]
    pub fn new(total: usize) -> Self {
        let total = total.clamp(1, Semaphore::MAX_PERMITS);
        Self(Arc::new(SlotState {
            free: Semaphore::new(total),
            total: AtomicUsize::new(total),
            waiting: AtomicUsize::new(0),
            waited: AtomicU64::new(0),
        }))
    }

    /// Three quarters of this process's descriptors: the rest is for VPP,
    /// gRPC and the log.
    #[must_use]
    pub fn by_default() -> usize {
        let limit = getrlimit(Resource::Nofile).current;
        let limit = limit.map_or(MOST, |limit| usize::try_from(limit).unwrap_or(MOST));
        (limit / 4 * 3).clamp(1, MOST)
    }

    /// Sets the number. Probes in flight are not ended for it: a smaller number is
    /// reached as they end. Must run inside a runtime.
    pub fn resize(&self, total: usize) {
        let total = total.clamp(1, Semaphore::MAX_PERMITS);
        let before = self.0.total.swap(total, Ordering::Relaxed);
        if total > before {
            self.0.free.add_permits(total - before);
        }
        if total < before {
            // The free ones go at once, the others as they are given back.
            let fewer = before - total - self.0.free.forget_permits(before - total);
            let inner = Arc::clone(&self.0);
            tokio::spawn(async move {
                for _ in 0..fewer {
                    if let Ok(slot) = inner.free.acquire().await {
                        slot.forget();
                    }
                }
            });
        }
    }

    /// A slot, free again when it is dropped; never `None`, as the semaphore is
    /// never closed.
    pub async fn take(&self) -> Option<SemaphorePermit<'_>> {
        if let Ok(slot) = self.0.free.try_acquire() {
            return Some(slot);
        }
        self.0.waited.fetch_add(1, Ordering::Relaxed);
        let _waiting = WaitCount::new(&self.0.waiting);
        self.0.free.acquire().await.ok()
    }

    #[must_use]
    pub fn stats(&self) -> SlotStats {
        let total = self.0.total.load(Ordering::Relaxed);
        SlotStats {
            total,
            in_flight: total.saturating_sub(self.0.free.available_permits()),
            waiting: self.0.waiting.load(Ordering::Relaxed),
            waited: self.0.waited.load(Ordering::Relaxed),
        }
    }
}

/// Counts a probe that waits, also if it is cancelled.
struct WaitCount<'a>(&'a AtomicUsize);

impl<'a> WaitCount<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for WaitCount<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;

    #[tokio::test]
    async fn a_probe_without_a_slot_waits_in_a_queue() {
        let slots = Slots::new(1);
        let first = slots.take().await.unwrap();
        let order = Rc::new(RefCell::new(Vec::new()));
        let local = tokio::task::LocalSet::new();
        let tasks: Vec<_> = (0..5)
            .map(|number| {
                let (slots, order) = (slots.clone(), Rc::clone(&order));
                local.spawn_local(async move {
                    let _slot = slots.take().await.unwrap();
                    order.borrow_mut().push(number);
                    tokio::task::yield_now().await;
                })
            })
            .collect();
        local.run_until(tokio::task::yield_now()).await;
        tasks[2].abort();
        local.run_until(tokio::task::yield_now()).await;
        let busy = SlotStats { total: 1, in_flight: 1, waiting: 4, waited: 5 };
        assert_eq!(slots.stats(), busy, "one was cancelled");
        drop(first);
        local.await;
        assert_eq!(*order.borrow(), [0, 1, 3, 4]);
        assert_eq!(slots.stats(), SlotStats { total: 1, in_flight: 0, waiting: 0, waited: 5 });
    }

    #[tokio::test]
    async fn the_number_can_change_under_probes_in_flight() {
        let slots = Slots::new(2);
        let (one, two) = (slots.take().await.unwrap(), slots.take().await.unwrap());
        slots.resize(1);
        slots.resize(usize::MAX);
        slots.resize(1);
        drop(one);
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        assert!(slots.0.free.try_acquire().is_err(), "the freed slot is gone");
        slots.resize(2);
        drop(slots.take().await.unwrap());
        drop(two);
        assert_eq!(slots.stats().in_flight, 0);
    }
}
