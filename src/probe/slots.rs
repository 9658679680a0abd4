//! How many probes may be in flight at once, over all threads.
//!
//! Without a bound, ten thousand backends that all hang would use up the
//! descriptors that the daemon needs to reach VPP. A probe that finds no slot
//! waits in a queue, first come first served; its timeout begins with its slot.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::available_parallelism;

use rustix::process::{Resource, getrlimit};
use tokio::sync::{Semaphore, SemaphorePermit};

/// The most slots that are given by default, however many descriptors there
/// are: more probes at once would only delay each other.
const MOST: usize = 65_536;

/// Descriptors of the daemon itself: some 30 of one that is connected to VPP and
/// serves gRPC and metrics, and a reserve.
const OWN: usize = 40;
/// Those of a thread that probes: its reactor's and the signals'.
const OWN_PER_CORE: usize = 4;
/// Sixteenths of all descriptors that clients of gRPC and of the metrics port may
/// take.
const CLIENT_SIXTEENTHS: usize = 4;

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

    /// How many slots there can be: `wanted`, or as many as are useful, but never
    /// more than this process's descriptors allow. See [`within`].
    #[must_use]
    pub fn bound(wanted: Option<usize>) -> usize {
        let limit = getrlimit(Resource::Nofile).current;
        let limit = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let cores = available_parallelism().map_or(1, usize::from);
        wanted.unwrap_or(MOST).min(within(limit, cores))
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

    /// A slot that is free now, for what can be left undone.
    pub(super) fn try_take(&self) -> Option<SpareSlot> {
        self.0.free.try_acquire().ok()?.forget();
        Some(SpareSlot(self.clone()))
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

/// A slot that can go to another task; free again when it is dropped.
#[derive(Debug)]
pub(super) struct SpareSlot(Slots);

impl Drop for SpareSlot {
    fn drop(&mut self) {
        self.0.0.free.add_permits(1);
    }
}

/// How many of `limit` descriptors probes may take. The daemon's own are not theirs:
/// those of its threads, its log, its listeners, VPP and the files that it reads at
/// times; nor is what its clients may take. Where so little is left that probes and
/// clients cannot have their shares, they have half of it each.
fn within(limit: usize, cores: usize) -> usize {
    let left = limit.saturating_sub(OWN + OWN_PER_CORE * cores);
    let clients = limit / 16 * CLIENT_SIXTEENTHS;
    left.saturating_sub(clients).max(left / 2).max(1)
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
    async fn what_can_be_left_undone_takes_a_free_slot_and_waits_for_none() {
        let slots = Slots::new(2);
        let (probe, spare) = (slots.take().await.unwrap(), slots.try_take().unwrap());
        assert!(slots.try_take().is_none());
        assert_eq!(slots.stats().in_flight, 2);
        drop((probe, spare));
        assert_eq!(slots.stats(), SlotStats { total: 2, ..SlotStats::default() });
    }

    #[test]
    fn descriptors_of_the_daemon_and_of_its_clients_are_not_for_probes() {
        for (limit, cores, slots) in [
            (64, 2, 8),
            (64, 32, 1),
            (128, 2, 48),
            (1024, 2, 720),
            (1024, 64, 472),
            (65_536, 16, 49_048),
        ] {
            assert_eq!(within(limit, cores), slots, "{limit} descriptors, {cores} cores");
        }
        // More than there can be are not given to those who ask for them.
        assert_eq!(Slots::bound(Some(3)), 3.min(Slots::bound(None)));
        assert_eq!(Slots::bound(Some(usize::MAX)).min(MOST), Slots::bound(None));
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
