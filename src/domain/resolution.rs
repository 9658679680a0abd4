//! Backends that are named and not numbered: which of a name's addresses is
//! used, and when it is looked up again.
//!
//! A name that stops resolving keeps the address that it had: an outage of the
//! DNS is no reason to take servers out of service.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// The shortest time between two lookups, whatever the record's TTL.
pub const SHORTEST: Duration = Duration::from_secs(1);

/// The longest, which bounds how long a mistaken TTL has its way.
pub const LONGEST: Duration = Duration::from_secs(3600);

/// The longest time to the next attempt while lookups fail.
pub const LONGEST_RETRY: Duration = Duration::from_secs(30);

/// Where a backend is, as the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackendAddress {
    /// At this address.
    Ip(IpAddr),
    /// Where this name leads.
    Name(HostName),
}

/// A DNS name and the family of addresses that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName {
    /// As configured.
    pub name: String,
    /// The family.
    pub family: IpFamily,
}

/// `resolve`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IpFamily {
    /// A records.
    V4,
    /// AAAA records.
    V6,
}

impl BackendAddress {
    /// The address that is known without asking anybody.
    #[must_use]
    pub fn fixed(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(address) => Some(*address),
            Self::Name(_) => None,
        }
    }

    /// The name to look up; `None` for an address.
    #[must_use]
    pub fn name(&self) -> Option<&HostName> {
        match self {
            Self::Ip(_) => None,
            Self::Name(name) => Some(name),
        }
    }

    /// The family, which is known before the address is.
    #[must_use]
    pub fn family(&self) -> IpFamily {
        match self {
            Self::Ip(IpAddr::V4(_)) => IpFamily::V4,
            Self::Ip(IpAddr::V6(_)) => IpFamily::V6,
            Self::Name(name) => name.family,
        }
    }
}

impl<T: Into<IpAddr>> From<T> for BackendAddress {
    fn from(address: T) -> Self {
        Self::Ip(address.into())
    }
}

impl fmt::Display for BackendAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Name(name) => f.pad(&name.name),
        }
    }
}

/// What a lookup brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookupAnswer {
    /// At least one address that a server can have.
    Found {
        /// In no order that means anything.
        addresses: Vec<IpAddr>,
        /// How long the answer holds: the shortest TTL of its records.
        ttl: Duration,
    },
    /// None, and why, for people.
    Failed(String),
}

/// News of a name, for those who use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// It leads here from now on, or again after lookups that failed.
    At(IpAddr),
    /// It does not resolve. The address that it had is kept.
    Failing(String),
}

/// What is remembered of a name between two lookups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameState {
    /// The address in use; `None` before the first answer.
    pub present: Option<IpAddr>,
    /// Lookups that failed since the last answer.
    failures: u32,
    /// Why, as it was last told.
    told: Option<String>,
}

impl NameState {
    /// Takes an answer; gives what is new, if anything is, and the time to the
    /// next lookup.
    pub fn take(&mut self, answer: LookupAnswer) -> (Option<Resolution>, Duration) {
        match answer {
            LookupAnswer::Found { addresses, ttl } if !addresses.is_empty() => {
                let chosen = choose(self.present, &addresses);
                let is_news = self.failures > 0 || chosen != self.present;
                *self = Self { present: chosen, failures: 0, told: None };
                (chosen.filter(|_| is_news).map(Resolution::At), ttl.clamp(SHORTEST, LONGEST))
            }
            LookupAnswer::Found { .. } => self.fail("no address in the answer".into()),
            LookupAnswer::Failed(why) => self.fail(why),
        }
    }

    fn fail(&mut self, why: String) -> (Option<Resolution>, Duration) {
        let wait = SHORTEST * 2u32.saturating_pow(self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        let is_news = self.told.as_ref() != Some(&why);
        self.told = Some(why.clone());
        (is_news.then_some(Resolution::Failing(why)), wait.min(LONGEST_RETRY))
    }
}

/// The address to use of those found: the present one while it is among them,
/// else the lowest. Servers shuffle their answers, and each change costs flows.
#[must_use]
pub fn choose(present: Option<IpAddr>, found: &[IpAddr]) -> Option<IpAddr> {
    present.filter(|present| found.contains(present)).or_else(|| found.iter().min().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(number: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, number])
    }

    fn found(numbers: &[u8], ttl: u64) -> LookupAnswer {
        let addresses = numbers.iter().map(|number| ip(*number)).collect();
        LookupAnswer::Found { addresses, ttl: Duration::from_secs(ttl) }
    }

    #[test]
    fn the_present_address_is_kept_while_it_is_among_those_found() {
        for (present, numbers, chosen) in [
            (None, &[7, 3, 9][..], Some(3)),
            (Some(7), &[9, 7, 3], Some(7)),
            (Some(8), &[9, 7, 3], Some(3)),
            (Some(8), &[], None),
        ] {
            let addresses: Vec<_> = numbers.iter().map(|number| ip(*number)).collect();
            assert_eq!(choose(present.map(ip), &addresses), chosen.map(ip));
        }
    }

    #[test]
    fn the_next_lookup_follows_the_ttl_within_bounds() {
        for (ttl, wait) in [(0, 1), (1, 1), (300, 300), (3601, 3600), (u64::MAX, 3600)] {
            let (_, next) = NameState::default().take(found(&[1], ttl));
            assert_eq!(next, Duration::from_secs(wait));
        }
    }

    #[test]
    fn failures_keep_the_address_are_told_once_and_asked_again_less_and_less_often() {
        let mut naming = NameState::default();
        assert_eq!(naming.take(found(&[1], 5)).0, Some(Resolution::At(ip(1))));
        assert_eq!(naming.take(found(&[1], 5)).0, None);
        let failed = |why: &str| LookupAnswer::Failed(why.into());
        let waits: Vec<_> = (0..7).map(|_| naming.take(failed("timed out")).1.as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(naming.present, Some(ip(1)));
        assert_eq!(naming.take(failed("timed out")).0, None, "it was told");
        let other = Resolution::Failing("NXDOMAIN".into());
        assert_eq!(naming.take(failed("NXDOMAIN")).0, Some(other));
        // The same address, but whoever was told of the failure waits for it.
        assert_eq!(naming.take(found(&[1, 2], 5)).0, Some(Resolution::At(ip(1))));
        let none = Resolution::Failing("no address in the answer".into());
        assert_eq!(naming.take(found(&[], 5)), (Some(none), Duration::from_secs(1)));
    }
}
