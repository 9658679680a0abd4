//! A write to VPP, or a change of its connection, as an event.

use std::net::IpAddr;
use std::time::SystemTime;

use crate::domain::dataplane::step::Step;
use crate::domain::names::FrontendName;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataplaneChange {
    /// `None` for VPP as a whole and for VIPs of no frontend.
    pub frontend: Option<FrontendName>,
    pub kind: DataplaneKind,
    /// The server that was written; `None`: it is about none.
    pub server: Option<IpAddr>,
    /// The values, for people.
    pub detail: String,
    pub at: SystemTime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DataplaneKind {
    VipAdded,
    VipRemoved,
    AsAdded,
    AsRemoved,
    AsWeightUpdated,
    ConfSet,
    Connected,
    Disconnected,
    Cured,
    ModelMismatch,
    /// VPP holds what was last desired of a frontend.
    Programmed,
    /// VIPs of no frontend stay in VPP: they are too many to be meant to be removed.
    RemovalsHeld,
    /// Such VIPs are held no longer.
    RemovalsReleased,
}

impl DataplaneKind {
    /// The word in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VipAdded => "vip_added",
            Self::VipRemoved => "vip_removed",
            Self::AsAdded => "as_added",
            Self::AsRemoved => "as_removed",
            Self::AsWeightUpdated => "as_weight_updated",
            Self::ConfSet => "conf_set",
            Self::Connected => "connected",
            Self::Disconnected => "disconnected",
            Self::Cured => "cured",
            Self::ModelMismatch => "model_mismatch",
            Self::Programmed => "programmed",
            Self::RemovalsHeld => "removals_held",
            Self::RemovalsReleased => "removals_released",
        }
    }
}

impl From<&Step> for DataplaneKind {
    fn from(step: &Step) -> Self {
        match step {
            Step::SetConf(_) => Self::ConfSet,
            Step::AddVip(_) => Self::VipAdded,
            Step::RemoveVip(_) => Self::VipRemoved,
            Step::AddServer { .. } => Self::AsAdded,
            Step::SetWeight { .. } => Self::AsWeightUpdated,
            Step::RemoveServer { .. } => Self::AsRemoved,
        }
    }
}
