//! Which addresses a driver has routes to, as far as is known.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::placement::{PlacedRoutes, WantedRoutes};

/// The addresses of a driver's routes, as they were read last, and those that it was told
/// to place since; `None`: they were never read.
#[derive(Clone, Debug, Default)]
pub struct DriverAddresses(Option<BTreeSet<IpAddr>>);

impl DriverAddresses {
    /// They were read, after `wanted` was to be placed.
    pub fn read(&mut self, placed: &PlacedRoutes, wanted: Option<&WantedRoutes>) {
        let ours = placed.iter().filter(|(_, route)| route.is_ours());
        self.0 = Some(ours.map(|(prefix, _)| prefix.address()).collect());
        wanted.into_iter().for_each(|wanted| self.want(wanted));
    }

    /// It is told to place these.
    pub fn want(&mut self, wanted: &WantedRoutes) {
        if let Some(addresses) = &mut self.0 {
            addresses.extend(wanted.keys().map(|prefix| prefix.address()));
        }
    }

    /// `None`: they were never read.
    #[must_use]
    pub fn known(&self) -> Option<&BTreeSet<IpAddr>> {
        self.0.as_ref()
    }

    /// None is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.as_ref().is_some_and(BTreeSet::is_empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::announce::placement::{PlacedRoute, RoutePlacement, VipPrefix};

    fn prefix(number: u8) -> VipPrefix {
        VipPrefix::new([192, 0, 2, number].into())
    }

    fn numbers(addresses: &DriverAddresses) -> Option<Vec<String>> {
        Some(addresses.known()?.iter().map(IpAddr::to_string).collect())
    }

    #[test]
    fn what_may_be_placed_counts_until_it_was_read_again() {
        let mut addresses = DriverAddresses::default();
        let wanted = WantedRoutes::from([(prefix(3), RoutePlacement::Announced)]);
        addresses.want(&wanted);
        assert_eq!((numbers(&addresses), addresses.is_empty()), (None, false));
        let ours = PlacedRoute::ours(RoutePlacement::Drained);
        let placed = PlacedRoutes::from([(prefix(1), ours), (prefix(2), PlacedRoute::foreign())]);
        addresses.read(&placed, None);
        assert_eq!(numbers(&addresses), Some(vec!["192.0.2.1".into()]));
        addresses.want(&wanted);
        let both = vec!["192.0.2.1".to_owned(), "192.0.2.3".into()];
        assert_eq!(numbers(&addresses), Some(both.clone()));
        addresses.read(&placed, Some(&wanted));
        assert_eq!(numbers(&addresses), Some(both));
        addresses.read(&PlacedRoutes::new(), Some(&WantedRoutes::new()));
        assert!(addresses.is_empty());
    }
}
