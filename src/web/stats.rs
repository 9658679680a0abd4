//! Counts of requests.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Answers by the first digit of their status, from 1 on.
#[derive(Debug, Default)]
pub(super) struct RequestStats([AtomicU64; 5]);

impl RequestStats {
    pub(super) fn count(&self, status: u16) {
        if let Some(count) = usize::from(status / 100).checked_sub(1).and_then(|at| self.0.get(at))
        {
            count.fetch_add(1, Relaxed);
        }
    }

    /// `2xx` and its count, and so on.
    pub(super) fn counts(&self) -> impl Iterator<Item = (String, u64)> {
        self.0.iter().enumerate().map(|(at, count)| (format!("{}xx", at + 1), count.load(Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_by_their_kind() {
        let stats = RequestStats::default();
        [200, 204, 404, 599, 0, 999].into_iter().for_each(|status| stats.count(status));
        let counts: Vec<_> =
            stats.counts().map(|(kind, count)| format!("{kind}={count}")).collect();
        assert_eq!(counts, ["1xx=0", "2xx=2", "3xx=0", "4xx=1", "5xx=1"]);
    }
}
