//! The longest time without a success.

use std::time::Duration;

/// The gaps between the successes of a VIP. The start counts as one, or a VIP that
/// never answers would have no gap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SuccessGap {
    last: Duration,
    longest: Duration,
}

impl SuccessGap {
    /// Takes a success, and returns the gap that it ended. Successes may come in
    /// out of order, by the little that tasks overtake each other.
    pub fn success(&mut self, at: Duration) -> Duration {
        let gap = at.saturating_sub(self.last);
        self.longest = self.longest.max(gap);
        self.last = self.last.max(at);
        gap
    }

    /// The time since the last success.
    #[must_use]
    pub fn present(&self, now: Duration) -> Duration {
        now.saturating_sub(self.last)
    }

    /// The longest, the present one included.
    #[must_use]
    pub fn longest(&self, now: Duration) -> Duration {
        self.longest.max(self.present(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_and_the_present_count() {
        let ms = Duration::from_millis;
        let mut gap = SuccessGap::default();
        assert_eq!(gap.longest(ms(700)), ms(700));
        assert_eq!(gap.success(ms(300)), ms(300));
        assert_eq!(gap.success(ms(900)), ms(600));
        assert_eq!(gap.success(ms(850)), ms(0), "it came late");
        assert_eq!((gap.present(ms(1000)), gap.longest(ms(1000))), (ms(100), ms(600)));
        assert_eq!(gap.longest(ms(2000)), ms(1100));
    }
}
