//! A change of an announcement, or of how a driver fares, as an event.

use std::time::SystemTime;

use crate::domain::announce::VipStanding;
use crate::domain::announce::placement::VipPrefix;
use crate::domain::names::FrontendName;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnouncementNews {
    pub what: AnnouncementTurn,
    /// Why, for people; empty: as it is wanted.
    pub why: String,
    pub at: SystemTime,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnnouncementTurn {
    /// Something else is wanted of a prefix.
    Wanted {
        prefix: VipPrefix,
        /// Those that share it.
        frontends: Vec<FrontendName>,
        from: VipStanding,
        to: VipStanding,
    },
    /// A driver has something else of it.
    Placed {
        prefix: VipPrefix,
        frontends: Vec<FrontendName>,
        driver: &'static str,
        /// By the words of `PlacedState`, or of `PlacedProblem`.
        from: &'static str,
        to: &'static str,
    },
    /// A driver can read and write again, or cannot.
    Driver { driver: &'static str, works: bool },
}

impl AnnouncementTurn {
    /// Whether a driver can read and write, as a word.
    #[must_use]
    pub fn driver_word(works: bool) -> &'static str {
        if works { "works" } else { "failed" }
    }

    /// The frontends that it concerns; `None`: any.
    #[must_use]
    pub fn frontends(&self) -> Option<&[FrontendName]> {
        match self {
            Self::Wanted { frontends, .. } | Self::Placed { frontends, .. } => Some(frontends),
            Self::Driver { .. } => None,
        }
    }
}
