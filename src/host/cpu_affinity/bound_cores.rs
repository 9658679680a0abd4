//! The rule for which cores the daemon leaves to VPP. Workers poll: another thread
//! on their core delays packets. VPP's main thread sleeps until a message comes,
//! and would have to wait for a core that the sender shares with it.

use std::collections::BTreeSet;

/// Cores by the kernel's numbers.
pub(super) type Cores = BTreeSet<usize>;

/// The cores that threads of a VPP are bound to, one thread to one core each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct BoundCores {
    /// The main thread's.
    pub(super) main: Option<usize>,
    /// All threads'. Threads that are no workers share the main thread's.
    pub(super) all: Cores,
}

impl BoundCores {
    /// The cores of `allowed` that VPP is not bound to. If there are none, its main
    /// thread's core; if that is not allowed, all that are.
    #[must_use]
    pub(super) fn free_of(&self, allowed: &Cores) -> Cores {
        let workers: Cores = self.all.iter().copied().filter(|&n| Some(n) != self.main).collect();
        let mut bound = workers.clone();
        bound.extend(self.main);
        let free = [bound, workers].map(|bound| allowed - &bound);
        free.into_iter().find(|free| !free.is_empty()).unwrap_or_else(|| allowed.clone())
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::btree_set;
    use proptest::prelude::*;

    use super::*;

    fn free(allowed: &[usize], main: Option<usize>, all: &[usize]) -> Vec<usize> {
        let bound = BoundCores { main, all: all.iter().copied().collect() };
        bound.free_of(&allowed.iter().copied().collect()).into_iter().collect()
    }

    #[test]
    fn vpp_keeps_its_cores_while_others_are_left() {
        assert_eq!(free(&[0, 1], Some(1), &[1]), [0]);
        assert_eq!(free(&[0, 1, 2, 3], Some(1), &[1, 2]), [0, 3]);
        // The operator keeps the daemon off VPP's cores.
        assert_eq!(free(&[6, 7], Some(1), &[1, 2]), [6, 7]);
        // VPP is not bound.
        assert_eq!(free(&[0, 1], None, &[]), [0, 1]);
        // Only a worker is bound.
        assert_eq!(free(&[0, 1, 2], None, &[2]), [0, 1]);
    }

    #[test]
    fn the_main_threads_core_is_shared_before_a_workers() {
        assert_eq!(free(&[0, 1], Some(0), &[0, 1]), [0]);
        assert_eq!(free(&[1], Some(0), &[0, 1]), [1]);
        assert_eq!(free(&[0], Some(0), &[0]), [0]);
    }

    proptest! {
        #[test]
        fn some_cores_are_always_free_and_all_of_them_allowed(
            allowed in btree_set(0_usize..8, 1..8),
            main in proptest::option::of(0_usize..8),
            all in btree_set(0_usize..8, 0..8),
        ) {
            let free = BoundCores { main, all: all.clone() }.free_of(&allowed);
            prop_assert!(!free.is_empty() && free.is_subset(&allowed));
            let unbound = allowed.iter().any(|core| Some(*core) != main && !all.contains(core));
            let bound = |core| Some(core) == main || all.contains(&core);
            prop_assert!(!unbound || !free.iter().copied().any(bound));
        }
    }
}
