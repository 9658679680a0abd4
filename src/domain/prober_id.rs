//! Tells probers apart.

/// Identifies a prober. A prober that replaces another one for the same backend has
/// another id. The first one is 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProberId(pub u64);

impl ProberId {
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}
