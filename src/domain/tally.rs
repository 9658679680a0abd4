//! What the probes of one backend found and how long they took, counted.

use std::time::Duration;

use super::histogram::Histogram;
use super::probe::Code;

/// The probes of one backend, counted since it has its check's type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// By what they found. A backend meets few of the codes.
    pub outcomes: Vec<(Code, u64)>,
    /// From the first socket to the finding.
    pub took: Histogram,
}

impl Tally {
    /// Counts a probe.
    pub fn add(&mut self, code: Code, took: Duration) {
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
        let mut tally = Tally::default();
        let ms = Duration::from_millis;
        tally.add(Code::L7Ok, ms(1));
        tally.add(Code::L7Status, ms(2));
        tally.add(Code::L7Ok, ms(90_000));
        assert_eq!(tally.outcomes, [(Code::L7Ok, 2), (Code::L7Status, 1)]);
        assert_eq!((tally.took.count(), tally.took.sum()), (3, ms(90_003)));
    }
}
