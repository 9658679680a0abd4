//! VIPs, weights and the other values of VPP's `lb` plugin, limited to what is
//! safe to send it.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU16;

use ipnet::IpNet;
use thiserror::Error;

/// A server's share of new flows relative to the other servers, 0 to 100.
///
/// VPP accepts and uses up to 255; the daemon never sends more than 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Weight(u8);

impl Weight {
    /// No new flows; established flows stay.
    pub const ZERO: Self = Self(0);
    /// The least that takes new flows.
    pub const LEAST: Self = Self(1);
    /// The weight of every server in the table of a VPP without weights.
    pub const MEMBER: Self = Self(1);
    /// The default of the configuration and of VPP.
    pub const FULL: Self = Self(100);

    #[must_use]
    pub fn get(self) -> u8 {
        self.0
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("weight {0} is not between 0 and 100")]
pub struct WeightOutOfRange(pub i64);

impl TryFrom<i64> for Weight {
    type Error = WeightOutOfRange;

    fn try_from(weight: i64) -> Result<Self, WeightOutOfRange> {
        match u8::try_from(weight) {
            Ok(small) if small <= 100 => Ok(Self(small)),
            _ => Err(WeightOutOfRange(weight)),
        }
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of entries of a VIP's new-flow table: a power of two from 1 to 32768.
///
/// VPP aborts on 0 and on huge powers of two, and reports the length in 16
/// bits, so 32768 is the largest that can be verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableLength(u16);

impl TableLength {
    /// The default of the configuration and of VPP.
    pub const DEFAULT: Self = Self(1024);
    /// The longest table that VPP can report.
    pub const MAX: Self = Self(32768);

    /// All lengths in ascending order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..16).map(|log| Self(1 << log))
    }

    #[must_use]
    pub fn get(self) -> u16 {
        self.0
    }
}

/// A table length that VPP does not accept, or cannot report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{0} is not a power of two from 1 to 32768")]
pub struct BadTableLength(pub u64);

impl TryFrom<u64> for TableLength {
    type Error = BadTableLength;

    fn try_from(length: u64) -> Result<Self, BadTableLength> {
        match u16::try_from(length) {
            Ok(short) if short.is_power_of_two() => Ok(Self(short)),
            _ => Err(BadTableLength(length)),
        }
    }
}

/// How VPP carries a flow to an application server. The servers' address
/// family decides it; the VIP's own family is independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Encap {
    /// GRE over IPv4, for IPv4 servers.
    Gre4,
    /// GRE over IPv6, for IPv6 servers.
    Gre6,
}

impl Encap {
    /// The encapsulation for flows to `server`.
    #[must_use]
    pub fn for_server(server: IpAddr) -> Self {
        if server.is_ipv4() { Self::Gre4 } else { Self::Gre6 }
    }
}

impl fmt::Display for Encap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Gre4 => "gre4",
            Self::Gre6 => "gre6",
        })
    }
}

/// Transport protocols that a frontend can be limited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    Tcp,
    Udp,
}

impl Transport {
    /// IANA's protocol number.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}

/// The traffic to a VIP's prefix that the VIP takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Every protocol and port (port 0 and protocol 255 in VPP).
    All,
    /// One destination port of one protocol, by IANA's number. VIPs that others
    /// added may have protocols that a configuration cannot name.
    Port { protocol: u8, port: NonZeroU16 },
}

impl Service {
    /// The protocol number as VPP lists it.
    #[must_use]
    pub fn protocol(self) -> u8 {
        match self {
            Self::All => 255,
            Self::Port { protocol, .. } => protocol,
        }
    }

    /// The port as VPP lists it.
    #[must_use]
    pub fn port(self) -> u16 {
        match self {
            Self::All => 0,
            Self::Port { port, .. } => port.get(),
        }
    }
}

/// The key of a VIP in VPP: prefix, protocol and port.
///
/// Ordered by address, IPv4 before IPv6; plans are in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vip {
    prefix: IpNet,
    service: Service,
}

impl Vip {
    /// Clears the host bits of `prefix`, as VPP does.
    #[must_use]
    pub fn new(prefix: IpNet, service: Service) -> Self {
        Self { prefix: prefix.trunc(), service }
    }

    #[must_use]
    pub fn prefix(&self) -> IpNet {
        self.prefix
    }

    #[must_use]
    pub fn service(&self) -> Service {
        self.service
    }
}

/// `192.0.2.80/32 tcp/80`, `2001:db8::/48 all`.
impl fmt::Display for Vip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.service {
            Service::All => write!(f, "{} all", self.prefix),
            Service::Port { protocol: 6, port } => write!(f, "{} tcp/{port}", self.prefix),
            Service::Port { protocol: 17, port } => write!(f, "{} udp/{port}", self.prefix),
            Service::Port { protocol, port } => write!(f, "{} {protocol}/{port}", self.prefix),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_end_at_100() {
        assert_eq!(Weight::try_from(100), Ok(Weight::FULL));
        assert_eq!(Weight::try_from(101), Err(WeightOutOfRange(101)));
        assert_eq!(Weight::try_from(-1), Err(WeightOutOfRange(-1)));
        assert_eq!(Weight::try_from(256), Err(WeightOutOfRange(256)));
    }

    #[test]
    fn table_lengths_are_powers_of_two_that_vpp_can_report() {
        for good in [1, 2, 1024, 32768] {
            assert!(TableLength::try_from(good).is_ok(), "{good}");
        }
        for bad in [0, 3, 1000, 65536, 1 << 31] {
            assert_eq!(TableLength::try_from(bad), Err(BadTableLength(bad)));
        }
    }

    #[test]
    fn a_vip_has_no_host_bits_and_sorts_ipv4_first() {
        let all = |prefix: &str| Vip::new(prefix.parse().unwrap(), Service::All);
        assert_eq!(all("198.51.101.77/24"), all("198.51.101.0/24"));
        assert!(all("255.0.0.0/8") < all("::/0"));
        assert!(all("10.0.0.9/32") < all("10.0.0.10/32"));
        assert_eq!(all("2001:db8::/48").to_string(), "2001:db8::/48 all");
    }
}
