//! What the probes of one backend found and how long they took, counted.

use std::time::Duration;

use crate::domain::health::probe_result::ResultCode;
use crate::domain::histogram::Histogram;

/// The probes of one backend, counted since it has its check's type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProbeStats {
    /// By what they found. A backend meets few of the codes.
    pub outcomes: Vec<(ResultCode, u64)>,
    /// From the first socket to the finding.
    pub took: Histogram,
}

impl ProbeStats {
    /// Counts a probe.
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
        let mut tally = ProbeStats::default();
        let ms = Duration::from_millis;
        tally.add(ResultCode::L7Ok, ms(1));
        tally.add(ResultCode::L7Status, ms(2));
        tally.add(ResultCode::L7Ok, ms(90_000));
        assert_eq!(tally.outcomes, [(ResultCode::L7Ok, 2), (ResultCode::L7Status, 1)]);
        assert_eq!((tally.took.count(), tally.took.sum()), (3, ms(90_003)));
    }
}
