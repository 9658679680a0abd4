//! How often VPP is asked for its counts.

use std::time::Duration;

/// The least time between two readings.
pub const SHORTEST_WAIT: Duration = Duration::from_secs(2);
/// The longest until a reading that failed is tried again, and while too few are known.
const LONGEST_GUESS: Duration = Duration::from_secs(60);

/// The part of the time that readings take is one in so many: VPP makes the listing on
/// the thread that takes its new weights, and with thousands of VIPs that takes long; on
/// one without weights it counts the entries of every table for it.
const SHARE: u32 = 200;

/// So many of the last readings tell what one costs: the least of them, since anything
/// else may have delayed the others.
const COMPARED: usize = 3;

/// What the last readings took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadingPace {
    took: [Option<Duration>; COMPARED],
}

impl ReadingPace {
    /// The wait after a reading that took so long. It keeps to the share however long
    /// readings take; one that failed, as VPP did not answer, says nothing of their cost.
    pub fn wait_after(&mut self, took: Duration, has_failed: bool) -> Duration {
        if has_failed {
            return wait(took).min(LONGEST_GUESS);
        }
        self.took.rotate_right(1);
        self.took[0] = Some(took);
        let wait = wait(self.took.iter().flatten().copied().min().unwrap_or(took));
        let is_known = self.took.iter().all(Option::is_some);
        if is_known { wait } else { wait.min(LONGEST_GUESS) }
    }
}

fn wait(took: Duration) -> Duration {
    took.saturating_mul(SHARE).max(SHORTEST_WAIT)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn waits(readings: &[(u64, bool)]) -> Vec<u64> {
        let mut pace = ReadingPace::default();
        let wait = |(took_ms, has_failed): &(u64, bool)| {
            pace.wait_after(Duration::from_millis(*took_ms), *has_failed).as_secs()
        };
        readings.iter().map(wait).collect()
    }

    #[test]
    fn a_reading_that_takes_long_makes_the_next_one_later() {
        let always = |took_ms| waits(&[(took_ms, false); 4]);
        assert_eq!(always(0), [2, 2, 2, 2]);
        assert_eq!(always(10), [2, 2, 2, 2]);
        assert_eq!(always(50), [10, 10, 10, 10]);
        assert_eq!(always(5000), [60, 60, 1000, 1000]);
        // What delays one reading, or keeps it from an answer, is not its cost.
        assert_eq!(
            waits(&[(50, false), (5000, false), (50, false), (5000, false)]),
            [10, 10, 10, 10]
        );
        assert_eq!(waits(&[(5000, true); 4]), [60; 4]);
        assert_eq!(waits(&[(5000, false), (1, true), (5000, false)]), [60, 2, 60]);
    }

    proptest! {
        #[test]
        fn readings_take_no_more_than_a_part_of_the_time(took_ms in 0_u64..10_000_000) {
            let took = Duration::from_millis(took_ms);
            let mut pace = ReadingPace::default();
            let waits = [(); 4].map(|()| pace.wait_after(took, false));
            prop_assert!(waits[2..].iter().all(|wait| took * SHARE <= *wait));
            prop_assert!(waits.iter().all(|wait| *wait >= SHORTEST_WAIT));
            prop_assert!(pace.wait_after(took, true) <= LONGEST_GUESS);
        }
    }
}
