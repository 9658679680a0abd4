//! Decides for a backend that is given by name which of the name's addresses is
//! used, and when the name is looked up again.
//!
//! A name that stops resolving keeps its address: a DNS outage must not take
//! servers out of service.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// The shortest time between two lookups, whatever the record's TTL.
pub const MIN_INTERVAL: Duration = Duration::from_secs(1);

/// The longest time between two lookups: limits the effect of a mistaken TTL.
pub const MAX_INTERVAL: Duration = Duration::from_secs(3600);

/// The longest time to the next attempt while lookups fail.
pub const MAX_RETRY_INTERVAL: Duration = Duration::from_secs(30);

/// The address of a backend as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackendAddress {
    Ip(IpAddr),
    Name(HostName),
}

/// A DNS name and the address family that is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName {
    pub name: String,
    pub family: IpFamily,
}

/// `resolve`
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IpFamily {
    /// A records.
    V4,
    /// AAAA records.
    V6,
}

impl BackendAddress {
    /// The configured IP address; `None` for a name.
    #[must_use]
    pub fn fixed(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(address) => Some(*address),
            Self::Name(_) => None,
        }
    }

    /// The configured name; `None` for an IP address.
    #[must_use]
    pub fn name(&self) -> Option<&HostName> {
        match self {
            Self::Ip(_) => None,
            Self::Name(name) => Some(name),
        }
    }

    /// The address family, known even before a name is resolved.
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

/// The result of a lookup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookupAnswer {
    /// Addresses that a server can have, in no particular order.
    Found {
        addresses: Vec<IpAddr>,
        /// The shortest TTL of the records.
        ttl: Duration,
    },
    /// The reason.
    Failed(String),
}

/// A change of what a name resolves to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// A new address, or the same one after failed lookups.
    At(IpAddr),
    /// The name does not resolve, for this reason. Its last address is kept.
    Failing(String),
}

/// The state of a name between two lookups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameState {
    /// The address in use; `None` before the first answer.
    pub present: Option<IpAddr>,
    /// Failed lookups since the last answer.
    failures: u32,
    /// The failure that was last reported.
    reported: Option<String>,
}

impl NameState {
    /// Processes an answer. Returns the change, if any, and the time to the next
    /// lookup.
    pub fn update(&mut self, answer: LookupAnswer) -> (Option<Resolution>, Duration) {
        match answer {
            LookupAnswer::Found { addresses, ttl } if !addresses.is_empty() => {
                let address = select_address(self.present, &addresses);
                let has_changed = self.failures > 0 || address != self.present;
                *self = Self { present: address, failures: 0, reported: None };
                let change = address.filter(|_| has_changed).map(Resolution::At);
                (change, ttl.clamp(MIN_INTERVAL, MAX_INTERVAL))
            }
            LookupAnswer::Found { .. } => self.fail("no address in the answer".into()),
            LookupAnswer::Failed(why) => self.fail(why),
        }
    }

    fn fail(&mut self, why: String) -> (Option<Resolution>, Duration) {
        let wait = MIN_INTERVAL * 2u32.saturating_pow(self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        let is_new = self.reported.as_ref() != Some(&why);
        self.reported = Some(why.clone());
        (is_new.then_some(Resolution::Failing(why)), wait.min(MAX_RETRY_INTERVAL))
    }
}

/// Selects the present address while it is among those found, otherwise the lowest.
/// Name servers shuffle their answers, and each change of address loses flows.
#[must_use]
pub fn select_address(present: Option<IpAddr>, found: &[IpAddr]) -> Option<IpAddr> {
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
        for (present, numbers, selected) in [
            (None, &[7, 3, 9][..], Some(3)),
            (Some(7), &[9, 7, 3], Some(7)),
            (Some(8), &[9, 7, 3], Some(3)),
            (Some(8), &[], None),
        ] {
            let addresses: Vec<_> = numbers.iter().map(|number| ip(*number)).collect();
            assert_eq!(select_address(present.map(ip), &addresses), selected.map(ip));
        }
    }

    #[test]
    fn the_next_lookup_follows_the_ttl_within_bounds() {
        for (ttl, wait) in [(0, 1), (1, 1), (300, 300), (3601, 3600), (u64::MAX, 3600)] {
            let (_, next) = NameState::default().update(found(&[1], ttl));
            assert_eq!(next, Duration::from_secs(wait));
        }
    }

    #[test]
    fn failures_keep_the_address_are_reported_once_and_are_retried_with_backoff() {
        let mut state = NameState::default();
        assert_eq!(state.update(found(&[1], 5)).0, Some(Resolution::At(ip(1))));
        assert_eq!(state.update(found(&[1], 5)).0, None);
        let failed = |why: &str| LookupAnswer::Failed(why.into());
        let waits: Vec<_> = (0..7).map(|_| state.update(failed("timed out")).1.as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(state.present, Some(ip(1)));
        assert_eq!(state.update(failed("timed out")).0, None, "it was reported");
        let other = Resolution::Failing("NXDOMAIN".into());
        assert_eq!(state.update(failed("NXDOMAIN")).0, Some(other));
        // The same address ends the failure that was reported.
        assert_eq!(state.update(found(&[1, 2], 5)).0, Some(Resolution::At(ip(1))));
        let none = Resolution::Failing("no address in the answer".into());
        assert_eq!(state.update(found(&[], 5)), (Some(none), Duration::from_secs(1)));
    }
}
