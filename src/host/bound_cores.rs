//! Which cores the daemon leaves to VPP. Workers poll: what runs on a core of
//! theirs holds packets up. The main thread sleeps until a message comes, and
//! whoever sent that would have it wait for the core they share.

use std::collections::BTreeSet;

/// Cores by the numbers that the system gives them.
pub type Cores = BTreeSet<usize>;

/// The cores that threads of a VPP are bound to, one thread to one core each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BoundCores {
    /// Of the main thread.
    pub main: Option<usize>,
    /// Of all threads. Those that are no workers share the main thread's.
    pub all: Cores,
}

impl BoundCores {
    /// Those of `allowed` that are left for others. Where VPP has them all, its
    /// main thread's is shared, and if that is not among them, every one.
    #[must_use]
    pub fn leaves(&self, allowed: &Cores) -> Cores {
        let workers: Cores = self.all.iter().copied().filter(|&n| Some(n) != self.main).collect();
        let mut taken = workers.clone();
        taken.extend(self.main);
        let left = [taken, workers].map(|taken| allowed - &taken);
        left.into_iter().find(|left| !left.is_empty()).unwrap_or_else(|| allowed.clone())
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::btree_set;
    use proptest::prelude::*;

    use super::*;

    /// What is left of the cores `allowed` beside a VPP bound to these.
    fn left(allowed: &[usize], main: Option<usize>, all: &[usize]) -> Vec<usize> {
        let bound = BoundCores { main, all: all.iter().copied().collect() };
        bound.leaves(&allowed.iter().copied().collect()).into_iter().collect()
    }

    #[test]
    fn vpp_keeps_its_cores_while_others_are_left() {
        assert_eq!(left(&[0, 1], Some(1), &[1]), [0]);
        assert_eq!(left(&[0, 1, 2, 3], Some(1), &[1, 2]), [0, 3]);
        // What the operator left to the daemon has no part in VPP's.
        assert_eq!(left(&[6, 7], Some(1), &[1, 2]), [6, 7]);
        // A VPP that is bound to nothing.
        assert_eq!(left(&[0, 1], None, &[]), [0, 1]);
        // It tells of its workers alone.
        assert_eq!(left(&[0, 1, 2], None, &[2]), [0, 1]);
    }

    #[test]
    fn the_main_threads_core_is_shared_before_a_workers() {
        assert_eq!(left(&[0, 1], Some(0), &[0, 1]), [0]);
        assert_eq!(left(&[1], Some(0), &[0, 1]), [1]);
        assert_eq!(left(&[0], Some(0), &[0]), [0]);
    }

    proptest! {
        #[test]
        fn some_are_always_left_and_none_is_added(
            allowed in btree_set(0_usize..8, 1..8),
            main in proptest::option::of(0_usize..8),
            all in btree_set(0_usize..8, 0..8),
        ) {
            let left = BoundCores { main, all: all.clone() }.leaves(&allowed);
            prop_assert!(!left.is_empty() && left.is_subset(&allowed));
            let free = allowed.iter().any(|core| Some(*core) != main && !all.contains(core));
            let shared = |core| Some(core) == main || all.contains(&core);
            prop_assert!(!free || !left.iter().copied().any(shared));
        }
    }
}
