//! How often VPP is asked for its counts.

use std::time::Duration;

/// The least time between two readings.
const SHORTEST: Duration = Duration::from_secs(2);
/// The greatest time until a reading that failed is tried again.
const LONGEST_RETRY: Duration = Duration::from_secs(60);

/// The part of the time that readings take is one in so many: VPP makes the listing on
/// the thread that takes its new weights, and with thousands of VIPs that takes long; on
/// one without weights it counts the entries of every table for it.
const SHARE: u32 = 200;

/// The wait after a reading that took so long. It keeps to the share however long that
/// was; one that failed, as VPP did not answer, has taken little of VPP's time.
#[must_use]
pub fn next_reading(took: Duration, has_failed: bool) -> Duration {
    let wait = took.saturating_mul(SHARE).max(SHORTEST);
    if has_failed { wait.min(LONGEST_RETRY) } else { wait }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_reading_that_takes_long_makes_the_next_one_later() {
        for (took_ms, wait_s, retry_s) in [
            (0, 2, 2),
            (1, 2, 2),
            (10, 2, 2),
            (50, 10, 10),
            (299, 59, 59),
            (5000, 1000, 60),
            (60_000, 12_000, 60),
        ] {
            let wait = |has_failed| next_reading(Duration::from_millis(took_ms), has_failed);
            assert_eq!(
                (wait(false).as_secs(), wait(true).as_secs()),
                (wait_s, retry_s),
                "{took_ms}"
            );
        }
    }

    proptest! {
        #[test]
        fn readings_take_no_more_than_a_part_of_the_time(took_ms in 0_u64..10_000_000) {
            let took = Duration::from_millis(took_ms);
            let wait = next_reading(took, false);
            prop_assert!(took * SHARE <= wait && wait >= SHORTEST);
            prop_assert!(next_reading(took, true) <= LONGEST_RETRY);
        }
    }
}
