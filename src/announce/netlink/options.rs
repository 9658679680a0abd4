//! Where the routes are, and which of them are ours.

use super::rtnetlink::KernelRoute;
use crate::domain::announce::DriverSettings;
use crate::domain::announce::placement::{RoutePlacement, VipPrefix};
use crate::probe::Namespace;

/// The kernel's main table, which FRR reads.
pub const MAIN_TABLE: u32 = DriverSettings::MAIN_TABLE;

/// Where the routes are put.
#[derive(Clone, Debug)]
pub struct NetlinkOptions {
    pub table: u32,
    /// `rtm_protocol`, by which ours are known.
    pub protocol: u8,
    /// Metrics of announced and of drained routes.
    pub announced_metric: u32,
    pub drained_metric: u32,
    /// Another network namespace than the daemon's own.
    pub namespace: Option<Namespace>,
}

impl Default for NetlinkOptions {
    fn default() -> Self {
        Self {
            table: DriverSettings::TABLE,
            protocol: DriverSettings::PROTOCOL,
            announced_metric: 1000,
            drained_metric: 2000,
            namespace: None,
        }
    }
}

impl NetlinkOptions {
    pub(super) fn metric(&self, placement: RoutePlacement) -> u32 {
        match placement {
            RoutePlacement::Announced => self.announced_metric,
            RoutePlacement::Drained => self.drained_metric,
        }
    }

    pub(super) fn route(&self, prefix: VipPrefix, placement: RoutePlacement) -> KernelRoute {
        let (table, protocol) = (self.table, self.protocol);
        let metric = self.metric(placement);
        KernelRoute { prefix, table, protocol, metric, is_blackhole: true }
    }

    /// What a route of the kernel is to us; `None`: of another table.
    pub(super) fn placement(&self, route: &KernelRoute) -> Option<Option<RoutePlacement>> {
        let is_ours = route.protocol == self.protocol && route.is_blackhole;
        let placements = [RoutePlacement::Announced, RoutePlacement::Drained];
        let found = placements.into_iter().find(|&it| self.metric(it) == route.metric);
        (route.table == self.table).then_some(found.filter(|_| is_ours))
    }
}
