//! What is known at one moment of the prefixes that may be announced.

use std::collections::BTreeMap;
use std::time::Duration;

use super::orders::{AnnounceOrders, GivenOrder};
use super::placement::VipPrefix;
use super::settings::{AnnounceSettings, AnnouncerSettings, SharedBy};
use crate::domain::balancing::fail_open::UpWeight;
use crate::domain::names::FrontendName;

/// See the module's description.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnnounceFacts {
    /// VPP was read, and every backend has a verdict or has had its time for one.
    pub is_ready: bool,
    /// The connection to VPP stands.
    pub is_vpp_present: bool,
    /// `announce.hold-vpp`: how long what VPP does not serve stays announced.
    pub hold_vpp: Duration,
    /// Those of the frontends that are to be announced.
    pub prefixes: BTreeMap<VipPrefix, PrefixFacts>,
}

/// One prefix, and the frontends that share it; at least one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrefixFacts {
    pub frontends: BTreeMap<FrontendName, AnnouncedFrontend>,
    /// Whether VPP's FIB leads the address to `lb`; `None`: not known, and not held
    /// against it.
    pub is_routed: Option<bool>,
    /// What operators have ordered.
    pub order: Option<GivenOrder>,
}

impl PrefixFacts {
    /// Of all its frontends, which the configuration makes agree.
    pub(super) fn shared(&self) -> SharedBy {
        self.frontends.values().next().map_or_else(SharedBy::default, |it| it.settings.shared)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnouncedFrontend {
    pub settings: AnnounceSettings,
    /// Of its servers, over all pools.
    pub weight: UpWeight,
    /// VPP was read back as desired, and a server has entries in the table.
    pub serves: bool,
    /// Servers of it are down, and that was believed without a witness: no probe of their
    /// way has passed since.
    pub is_unwitnessed: bool,
}

/// What has changed of the facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnnounceUpdate {
    pub is_ready: bool,
    pub is_vpp_present: bool,
    pub settings: AnnouncerSettings,
    /// All that are in force.
    pub orders: AnnounceOrders,
    /// The frontends that have changed; `None`: it is not to be announced, or no more.
    pub frontends: Vec<(FrontendName, Option<(VipPrefix, AnnouncedFrontend)>)>,
}

impl AnnounceFacts {
    /// Notes what has changed. The prefixes and what is known of them besides stay.
    pub fn update(&mut self, update: AnnounceUpdate) {
        let AnnounceUpdate { is_ready, is_vpp_present, settings, orders, frontends } = update;
        (self.is_ready, self.is_vpp_present) = (is_ready, is_vpp_present);
        self.hold_vpp = settings.hold_vpp;
        for (name, facts) in frontends {
            // Its address may be another one now.
            self.prefixes.retain(|prefix, its| {
                let is_its = facts.as_ref().is_some_and(|(at, _)| at == prefix);
                is_its || its.frontends.remove(&name).is_none() || !its.frontends.is_empty()
            });
            if let Some((prefix, facts)) = facts {
                self.prefixes.entry(prefix).or_default().frontends.insert(name, facts);
            }
        }
        for (prefix, its) in &mut self.prefixes {
            its.order = orders.of(*prefix).cloned();
        }
    }
}
