//! Counts the results and durations of a backend's probes.

use std::time::Duration;

use crate::domain::health::probe_result::ResultCode;
use crate::domain::histogram::Histogram;

/// The probes of one backend since its health check has its present type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProbeStats {
    /// By result. A vector, since a backend has few of the codes.
    pub outcomes: Vec<(ResultCode, u64)>,
    /// From opening the first socket to the result.
    pub took: Histogram,
}

impl ProbeStats {
    pub fn add(&mut self, code: ResultCode, took: Duration) {
        match self.outcomes.iter_mut().find(|(known, _)| *known == code) {
            Some((_, count)) => *count += 1,
            None => {
                self.outcomes.reserve_exact(1);
                self.outcomes.push((code, 1));
            }
        }
        self.took.record(took);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_are_counted_by_code_and_by_time() {
        let mut stats = ProbeStats::default();
        let ms = Duration::from_millis;
        stats.add(ResultCode::L7Ok, ms(1));
        stats.add(ResultCode::L7Status, ms(2));
        stats.add(ResultCode::L7Ok, ms(90_000));
        assert_eq!(stats.outcomes, [(ResultCode::L7Ok, 2), (ResultCode::L7Status, 1)]);
        assert_eq!((stats.took.count(), stats.took.sum()), (3, ms(90_003)));
    }
}
