//! What operators order of announcements, in place of the rules.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::placement::VipPrefix;

/// What an operator wants of a prefix in place of the rules. A later one announces less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AnnounceOrder {
    /// Whatever its servers' health is.
    Announce,
    /// With a lower preference, so that other sites are preferred.
    Drain,
    Withdraw,
}

impl AnnounceOrder {
    pub const ALL: [Self; 3] = [Self::Announce, Self::Drain, Self::Withdraw];

    /// The word in commands, in the API and in the file of overrides.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Announce => "announce",
            Self::Drain => "drain",
            Self::Withdraw => "withdraw",
        }
    }

    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.as_str() == word)
    }
}

/// What an order is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AnnounceScope {
    /// Every prefix, those of later configurations included.
    All,
    Prefix(VipPrefix),
}

impl AnnounceScope {
    /// The word for every prefix in commands, in the API and in the file of overrides.
    pub const ALL_WORD: &str = "all";

    #[must_use]
    pub fn includes(self, prefix: VipPrefix) -> bool {
        match self {
            Self::All => true,
            Self::Prefix(own) => own == prefix,
        }
    }
}

impl fmt::Display for AnnounceScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str(Self::ALL_WORD),
            Self::Prefix(prefix) => prefix.fmt(f),
        }
    }
}

/// An order in force, and who gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenOrder {
    pub order: AnnounceOrder,
    /// What it is about: the prefix, or all of them.
    pub scope: AnnounceScope,
    pub who: Arc<str>,
}

/// All orders in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnnounceOrders(BTreeMap<AnnounceScope, GivenOrder>);

impl AnnounceOrders {
    /// What counts for a prefix: where an order for all and its own differ, the one that
    /// announces less.
    #[must_use]
    pub fn of(&self, prefix: VipPrefix) -> Option<&GivenOrder> {
        let given = [AnnounceScope::Prefix(prefix), AnnounceScope::All];
        let given = given.iter().filter_map(|scope| self.0.get(scope));
        // Of equals its own.
        given.rev().max_by_key(|given| given.order)
    }
}

impl FromIterator<GivenOrder> for AnnounceOrders {
    fn from_iter<I: IntoIterator<Item = GivenOrder>>(orders: I) -> Self {
        Self(orders.into_iter().map(|given| (given.scope, given)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_orders_the_one_counts_that_announces_less() {
        let own: VipPrefix = "192.0.2.1/32".parse().unwrap();
        let given = |scope, order| GivenOrder { order, scope, who: "ann".into() };
        for for_all in AnnounceOrder::ALL {
            for for_it in AnnounceOrder::ALL {
                let orders: AnnounceOrders =
                    [given(AnnounceScope::All, for_all), given(AnnounceScope::Prefix(own), for_it)]
                        .into_iter()
                        .collect();
                let counts = orders.of(own).unwrap();
                assert_eq!(counts.order, for_all.max(for_it));
                if for_it >= for_all {
                    assert_eq!(counts.scope, AnnounceScope::Prefix(own));
                }
                let other = orders.of("192.0.2.2/32".parse().unwrap()).unwrap();
                assert_eq!((other.order, other.scope), (for_all, AnnounceScope::All));
            }
        }
        assert_eq!(AnnounceOrders::default().of(own), None);
    }
}
