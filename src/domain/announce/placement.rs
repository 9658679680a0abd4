//! The routes that tell routing daemons which VIPs serve here: what is wanted, what
//! was read, and the steps from one to the other.
//!
//! A driver executes the steps and reads again; nothing is remembered. Two kinds of
//! places exist. In a kernel table an announced and a drained route differ in their
//! metric and are two routes, so that one is put beside the other before that one is
//! removed. In a daemon's RIB there is one route a prefix, which a second replaces.

mod status;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use thiserror::Error;

pub use status::{PrefixStatus, statuses};

/// One address as a prefix: `192.0.2.1/32` or `2001:db8::1/128`. Ordered by
/// address, IPv4 before IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VipPrefix(IpAddr);

/// How a VIP's route is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoutePlacement {
    /// As any other route.
    Announced,
    /// With a preference so low that routers take another site, if there is one.
    Drained,
}

/// Every route that there is to be. What is not in it is to be withdrawn.
pub type WantedRoutes = BTreeMap<VipPrefix, RoutePlacement>;

/// Every route to a single address that was read where a driver puts its own.
pub type PlacedRoutes = BTreeMap<VipPrefix, PlacedRoute>;

/// What was read of one prefix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlacedRoute {
    /// There is a route of ours that announces it.
    pub announced: bool,
    /// There is one that announces it as drained.
    pub drained: bool,
    /// Somebody else has put a route to it there.
    pub foreign: bool,
    pub exported: Exported,
}

/// Whether the routing daemon sends a route to a neighbor with an established session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Exported {
    Yes,
    No,
    /// The driver cannot know, or could not ask.
    #[default]
    Unknown,
}

/// Whether an announced and a drained route to the same prefix exclude each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// They are two routes, as in a kernel table: each is put and removed by itself.
    TwoRoutes,
    /// They are two states of one, as in a RIB: the second put replaces the first.
    OneRoute,
}

/// One write of a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteStep {
    Put {
        prefix: VipPrefix,
        placement: RoutePlacement,
    },
    /// Must not be executed once a [`RouteStep::Put`] of the same prefix has failed:
    /// the prefix would be withdrawn in place of being changed.
    Remove {
        prefix: VipPrefix,
        placement: RoutePlacement,
    },
}

/// What [`changes`] finds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteChanges {
    /// In the order of execution.
    pub steps: Vec<RouteStep>,
    /// Wanted prefixes whose route is somebody else's.
    pub blocked: BTreeSet<VipPrefix>,
}

/// A text that is not one address as a prefix.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{text:?} is no prefix of a single address, such as 192.0.2.1/32 or 2001:db8::1/128")]
pub struct VipPrefixError {
    pub text: String,
}

impl VipPrefix {
    #[must_use]
    pub const fn new(address: IpAddr) -> Self {
        Self(address)
    }

    #[must_use]
    pub const fn address(self) -> IpAddr {
        self.0
    }

    #[must_use]
    pub const fn is_ipv6(self) -> bool {
        self.0.is_ipv6()
    }

    /// 32 or 128 bits.
    #[must_use]
    pub const fn length(self) -> u8 {
        if self.is_ipv6() { 128 } else { 32 }
    }
}

impl fmt::Display for VipPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0, self.length())
    }
}

/// The length must be there, and be that of one address.
impl FromStr for VipPrefix {
    type Err = VipPrefixError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text.split_once('/').and_then(|(address, length)| {
            let prefix = Self(address.parse().ok()?);
            (length == prefix.length().to_string()).then_some(prefix)
        });
        parsed.ok_or_else(|| VipPrefixError { text: text.to_owned() })
    }
}

impl RoutePlacement {
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Announced => Self::Drained,
            Self::Drained => Self::Announced,
        }
    }
}

impl PlacedRoute {
    /// A route of ours alone, of which it is not known whether it is exported.
    #[must_use]
    pub fn ours(placement: RoutePlacement) -> Self {
        let mut route = Self::default();
        route.set(placement);
        route
    }

    /// Somebody else's route alone.
    #[must_use]
    pub fn foreign() -> Self {
        Self { foreign: true, ..Self::default() }
    }

    /// Adds a route of ours.
    pub fn set(&mut self, placement: RoutePlacement) {
        match placement {
            RoutePlacement::Announced => self.announced = true,
            RoutePlacement::Drained => self.drained = true,
        }
    }

    #[must_use]
    pub const fn has(self, placement: RoutePlacement) -> bool {
        match placement {
            RoutePlacement::Announced => self.announced,
            RoutePlacement::Drained => self.drained,
        }
    }

    #[must_use]
    pub const fn is_ours(self) -> bool {
        self.announced || self.drained
    }

    /// What routers take our route for; of two, the announced one counts.
    #[must_use]
    pub const fn placement(self) -> Option<RoutePlacement> {
        match (self.announced, self.drained) {
            (true, _) => Some(RoutePlacement::Announced),
            (false, true) => Some(RoutePlacement::Drained),
            (false, false) => None,
        }
    }
}

impl RouteStep {
    #[must_use]
    pub const fn prefix(self) -> VipPrefix {
        match self {
            Self::Put { prefix, .. } | Self::Remove { prefix, .. } => prefix,
        }
    }
}

/// The steps from what was read to what is wanted. Everything is put before anything
/// is removed, so that no prefix that is to stay is withdrawn in between; a route of
/// somebody else is left as it is, and where it alone holds a wanted prefix nothing
/// is put.
#[must_use]
pub fn changes(wanted: &WantedRoutes, read: &PlacedRoutes, carrier: Carrier) -> RouteChanges {
    let mut found = RouteChanges::default();
    let mut removals = Vec::new();
    for (&prefix, &placement) in wanted {
        let route = read.get(&prefix).copied().unwrap_or_default();
        if !route.is_ours() && route.foreign {
            found.blocked.insert(prefix);
            continue;
        }
        let other = placement.other();
        if !route.has(placement) {
            found.steps.push(RouteStep::Put { prefix, placement });
        }
        if route.has(other) && carrier == Carrier::TwoRoutes {
            removals.push(RouteStep::Remove { prefix, placement: other });
        }
    }
    for (&prefix, route) in read.iter().filter(|(prefix, _)| !wanted.contains_key(prefix)) {
        for placement in [RoutePlacement::Announced, RoutePlacement::Drained] {
            if route.has(placement) {
                removals.push(RouteStep::Remove { prefix, placement });
            }
        }
    }
    found.steps.append(&mut removals);
    found
}
