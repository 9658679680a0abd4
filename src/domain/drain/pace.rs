//! How often VPP is asked for its counts.

use std::time::Duration;

/// The least and the greatest time between two readings.
const SHORTEST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(60);

/// The part of the time that readings take is one in so many: VPP makes the listing on
/// the thread that takes its new weights, and with thousands of VIPs that takes long.
const SHARE: u32 = 200;

/// The wait after a reading that took so long.
#[must_use]
pub fn next_reading(took: Duration) -> Duration {
    took.saturating_mul(SHARE).clamp(SHORTEST, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_take_no_more_than_a_part_of_the_time() {
        for (took_ms, wait_s) in [(0, 2), (1, 2), (10, 2), (50, 10), (299, 59), (5000, 60)] {
            let wait = next_reading(Duration::from_millis(took_ms));
            assert_eq!(wait.as_secs(), wait_s, "{took_ms} ms");
        }
    }
}
