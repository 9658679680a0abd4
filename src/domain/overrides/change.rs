//! A change of the set of overrides, and how an override ends.

use crate::domain::announce::orders::AnnounceScope;
use crate::domain::dataplane::net::Weight;
use crate::domain::health::Admin;
use crate::domain::names::{BackendName, FrontendName, PoolName};

use super::{AnnounceOverride, Override};

/// A backend in a pool of a frontend.
pub type MemberKey = (PoolName, BackendName);

/// One override is set, replaced or ended. `to` is the override from then on; `None`:
/// there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OverrideChange {
    Admin { backend: BackendName, to: Option<Override<Admin>> },
    Weight { frontend: FrontendName, member: MemberKey, to: Option<Override<Weight>> },
    Announcement { scope: AnnounceScope, to: Option<AnnounceOverride> },
}

/// How an override ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverrideEnd {
    /// An operator took it back.
    Unset,
    /// Its time was over.
    Expired,
    /// The configuration has another value for the item, or no such item.
    Reconfigured,
}

impl OverrideEnd {
    /// The word in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unset => "unset",
            Self::Expired => "expired",
            Self::Reconfigured => "reconfigured",
        }
    }
}
