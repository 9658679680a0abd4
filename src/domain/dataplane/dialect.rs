//! What a VPP can be told of a server: how many new flows it gets, or only whether it
//! gets any.

use std::fmt;

/// How a VPP's `lb` plugin is programmed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LbDialect {
    /// VPP 26.10: a server has a weight, and new flows are shared by weights.
    #[default]
    Weights,
    /// VPP 24.02 to 26.06: a server is in the table of new flows or it is not, and all
    /// that are in it get equal shares.
    Membership,
}

impl LbDialect {
    pub const ALL: [Self; 2] = [Self::Weights, Self::Membership];

    /// The name in the API, the logs and the documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Weights => "weights",
            Self::Membership => "membership",
        }
    }

    /// The weight by which VPP computes its table for a server that should have this one.
    #[must_use]
    pub fn effective(self, weight: u8) -> u8 {
        match self {
            Self::Weights => weight,
            Self::Membership => weight.min(1),
        }
    }
}

impl fmt::Display for LbDialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
