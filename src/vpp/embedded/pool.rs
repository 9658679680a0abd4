//! VPP's pool: slots with stable indices, freed slots reused last-in first-out
//! and with what their last user left in them.
//!
//! Both show on the wire: dumps come in slot order, and some fields of a new
//! row are of its last user.

/// Slots of `T`, some in use.
#[derive(Clone, Debug, Default)]
pub(super) struct SlotPool<T> {
    slots: Vec<PoolSlot<T>>,
    free: Vec<u32>,
    /// Counts the slots that are looked at.
    #[cfg(test)]
    visits: std::sync::Arc<std::sync::atomic::AtomicUsize>,
}

#[derive(Clone, Debug, Default)]
struct PoolSlot<T> {
    taken: bool,
    value: T,
}

impl<T: Default> SlotPool<T> {
    /// Takes a slot: the one freed last, as it was left, or a new one.
    pub(super) fn take(&mut self) -> (u32, &mut T) {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(PoolSlot::default());
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        let slot = &mut self.slots[index as usize];
        slot.taken = true;
        (index, &mut slot.value)
    }

    /// Gives a slot back. What it holds stays for its next user.
    pub(super) fn put(&mut self, index: u32) {
        if let Some(slot) = self.slots.get_mut(index as usize).filter(|slot| slot.taken) {
            slot.taken = false;
            self.free.push(index);
        }
    }

    /// The slots in use, in slot order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        let slots = (0..).zip(&self.slots);
        #[cfg(test)]
        let slots = slots.inspect(|_| self.visit());
        slots.filter(|(_, slot)| slot.taken).map(|(i, slot)| (i, &slot.value))
    }

    /// Slots in use.
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Every slot there ever was.
    pub(super) fn capacity(&self) -> usize {
        self.slots.len()
    }
}

#[cfg(test)]
impl<T> SlotPool<T> {
    fn visit(&self) {
        self.visits.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }

    /// The slots that were looked at so far, each as often as it was.
    pub(super) fn visits(&self) -> usize {
        self.visits.load(std::sync::atomic::Ordering::Relaxed)
    }
}

/// A slot by its index, in use or not: VPP too writes to slots that it has
/// just freed.
impl<T> std::ops::Index<u32> for SlotPool<T> {
    type Output = T;

    fn index(&self, index: u32) -> &T {
        #[cfg(test)]
        self.visit();
        &self.slots[index as usize].value
    }
}

impl<T> std::ops::IndexMut<u32> for SlotPool<T> {
    fn index_mut(&mut self, index: u32) -> &mut T {
        #[cfg(test)]
        self.visit();
        &mut self.slots[index as usize].value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slot_freed_last_is_reused_first_with_its_old_content() {
        let mut pool = SlotPool::default();
        for value in [10, 11, 12] {
            *pool.take().1 = value;
        }
        pool.put(0);
        pool.put(2);
        pool.put(2);
        assert_eq!(pool.iter().collect::<Vec<_>>(), [(1, &11)]);
        assert_eq!(pool.take(), (2, &mut 12));
        assert_eq!(pool.take(), (0, &mut 10));
        assert_eq!(pool.take(), (3, &mut 0));
        assert_eq!((pool.len(), pool.capacity()), (4, 4));
        // The four that the iteration went through, and this one.
        let before = pool.visits();
        assert_eq!((pool.iter().count(), pool[1]), (4, 11));
        assert_eq!(pool.visits() - before, 5);
    }
}
