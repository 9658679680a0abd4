//! Which backends passed last, so that others know whether there is a witness.

use std::time::Instant;

use crate::domain::prober_id::ProberId;

/// The passed probes of two backends of a group, the ones that began last. Two are
/// enough: whoever asks is at most one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PassedProbes([Option<(ProberId, Instant)>; 2]);

/// The passes of other backends that a probe's result is judged by: each is the moment
/// at which that probe began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Witness {
    /// Of the passes known when the judged probe began, the last one.
    pub before: Option<Instant>,
    /// The same when it ended.
    pub latest: Option<Instant>,
}

impl PassedProbes {
    /// Notes that a probe of this backend passed that began at `began`.
    pub fn record(&mut self, prober: ProberId, began: Instant) {
        let [one, two] = &self.0;
        let of = |slot: &Option<(ProberId, Instant)>| slot.map(|(prober, _)| prober);
        let began_at = |slot: &Option<(ProberId, Instant)>| slot.map(|(_, began)| began);
        let index = match (of(one), of(two)) {
            (Some(first), _) if first == prober => 0,
            (_, Some(second)) if second == prober => 1,
            // `None` is before every moment.
            _ => usize::from(began_at(two) < began_at(one)),
        };
        let slot = &mut self.0[index];
        if began_at(slot).is_none_or(|known| known < began) {
            *slot = Some((prober, began));
        }
    }

    /// When the last passed probe of another backend began.
    #[must_use]
    pub fn by_another(&self, prober: ProberId) -> Option<Instant> {
        self.0.iter().flatten().filter(|(other, _)| *other != prober).map(|(_, began)| *began).max()
    }

    /// The passed probe that began last.
    #[must_use]
    pub fn latest(&self) -> Option<(ProberId, Instant)> {
        self.0.iter().flatten().copied().max_by_key(|(_, began)| *began)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Compares with the list of all passes.
        #[test]
        fn two_passes_are_enough_for_everybody(
            passes in prop::collection::vec((0u64..5, 0u64..50), 0..40),
        ) {
            let start = Instant::now();
            let at = |millis: u64| start + Duration::from_millis(millis);
            let mut known = PassedProbes::default();
            for (count, (prober, began)) in passes.iter().enumerate() {
                known.record(ProberId(*prober), at(*began));
                for asker in 0..6 {
                    let others = passes[..=count].iter().filter(|(other, _)| *other != asker);
                    let expected = others.map(|(_, began)| at(*began)).max();
                    prop_assert_eq!(known.by_another(ProberId(asker)), expected);
                }
            }
        }
    }
}
