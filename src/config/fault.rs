//! The rules that a file that parses can break, with messages that say what to
//! do. The reasons of the rules are in `docs/configuration.md`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use ipnet::IpNet;
use thiserror::Error;

use super::check_fault::CheckProblem;
use crate::domain::announce::HealthyShare;
use crate::domain::dataplane::net::{Encap, Vip};
use crate::domain::duration::DurationError;
use crate::domain::names::{BackendName, FrontendName, PoolName};
use crate::domain::resolution::{BackendAddress, IpFamily};
use crate::domain::status_codes::StatusCodes;
use crate::pattern::PatternError;

#[derive(Clone, Debug, PartialEq, Error)]
#[error("{path}: {problem}")]
pub struct ConfigFault {
    /// Below `maglev`: `frontends.web.pools[1].backends.nginx9`.
    pub path: String,
    pub problem: Problem,
}

#[derive(Clone, Debug, PartialEq, Error)]
pub enum Problem {
    // Any value
    #[error("is missing: give {give}")]
    Missing { give: &'static str },
    #[error(
        "is not a usable name: give 1 to 128 printable characters, \
         without spaces, slashes, backslashes or quotes"
    )]
    BadName,
    #[error("{given} is out of range: give a number from {least} to {most}")]
    OutOfRange { given: i64, least: i64, most: i64 },
    #[error("{given} is not a power of two from 1 to {most}: give one, such as {example}")]
    NotAPowerOfTwo { given: i64, most: i64, example: i64 },
    #[error("{given:?} is not known: use {}", list(.known, "or"))]
    NotOneOf { given: String, known: &'static [&'static str] },

    // Durations
    #[error("{given:?} is not a duration: {error}")]
    BadDuration { given: String, error: DurationError },
    #[error("must be longer than 0s: give a duration such as {example}")]
    ZeroDuration { example: &'static str },
    #[error("{given:?} is too short: give at least {least:?}")]
    TooShort { given: Duration, least: Duration },
    #[error("{max:?} is less than delay, {delay:?}: give at least as much, or leave it out")]
    DampingDelaysCross { delay: Duration, max: Duration },
    #[error("{given:?} cannot be told to VPP: give whole seconds from 1s to 120s")]
    BadFlowTimeout { given: Duration },
    #[error("{max:?} is less than startup-min-delay, {min:?}: give at least as much")]
    DelaysCross { min: Duration, max: Duration },

    // Addresses
    #[error("{given:?} is not an IP address: give one, such as {}", .wanted.example())]
    NotAnAddress { given: String, wanted: AddressFamily },
    #[error("{address} is not {wanted}: give an {wanted} address")]
    WrongFamily { address: IpAddr, wanted: AddressFamily },
    #[error("{address} is {flaw}: give the server's own unicast address")]
    UnusableAddress { address: IpAddr, flaw: AddressFlaw },
    #[error(
        "{name:?} is no name of a server: give its DNS name, or its IP address without resolve"
    )]
    BadHostName { name: String },
    #[error("{address} is {flaw}: give an address of this machine")]
    UnusableSource { address: IpAddr, flaw: AddressFlaw },
    #[error("{name:?} is a DNS name: add resolve: ipv4 or ipv6, or give an IP address")]
    NameWithoutFamily { name: String },
    #[error("is for DNS names, and {address} is an IP address: remove it")]
    ResolveOfAddress { address: IpAddr },
    #[error(
        "{given:?} is not an address or a prefix: \
         give one, such as 192.0.2.80 or 2001:db8::/64"
    )]
    NotAVip { given: String },
    #[error("{prefix} starts inside ::/96, which VPP takes for IPv4: choose another address")]
    VipTakenForIpv4 { prefix: IpNet },

    // Settings and health checks
    #[error(
        "{given:?} is not the name of a network namespace: \
         give one that `ip netns list` shows, without slashes"
    )]
    BadNetns { given: String },
    #[error(
        "{given:?} is not the address of a name server: \
         give an IP address, or one with a port such as 192.0.2.53:5353 or [2001:db8::53]:5353"
    )]
    BadNameserver { given: String },
    #[error(
        "{given:?} is not the address of a witness: \
         give a unicast IP address, or one with a port such as 192.0.2.1:53 or [2001:db8::1]:53"
    )]
    BadWitness { given: String },
    #[error("an icmp check has no port: remove it")]
    PortOfIcmp,
    #[error("is no parameter of {kind} checks: remove it; they take {}", list(.known, "and"))]
    KeyNotOfType { kind: &'static str, known: &'static [&'static str] },
    #[error(
        "{given:?} is not a path: start it with /, and percent-encode spaces, \
         control characters and what is not ASCII"
    )]
    BadPath { given: String },
    #[error(
        "{given:?} is not a host: \
         give a name or an address, with a port or without, in printable ASCII characters"
    )]
    BadHost { given: String },
    #[error(
        "{given:?} is not a name that a certificate is asked for: give one host name, \
         such as www.example.org, or an IP address, without port or wildcard"
    )]
    BadServerName { given: String },
    #[error(
        "{given:?} is not a name that a certificate is asked for: add server-name, \
         or give one host name without wildcard"
    )]
    HostWithoutServerName { given: String },
    #[error(
        "{given:?} is not the response code of an answer: \
         give 101, one from 200 to 599, a range such as 200-299, or several of these"
    )]
    BadCodes { given: String },
    #[error(transparent)]
    Check(#[from] CheckProblem),
    #[error(transparent)]
    BadRegexp(PatternError),
    #[error(
        "can never match, since answers with response code {codes} have no body: \
         remove it, or expect another code"
    )]
    BodyOfNone { codes: StatusCodes },
    #[error(
        "{given:?} is not a DNS name: give labels of 1 to 63 letters, digits, - or _, \
         joined by dots, at most 253 characters in all"
    )]
    BadQuery { given: String },
    #[error(
        "{given:?} is not a record type that a check can ask for: \
         use the name of one, such as AAAA, or TYPE and its number, such as TYPE257"
    )]
    BadRecord { given: String },
    #[error("is for records, which do not come with {rcode}: remove it, or expect NOERROR")]
    AnswerOfFailure { rcode: String },

    // Announcements
    #[error("{given} is no routing table of its own: give a number such as 4242, or main")]
    BadTable { given: String },
    #[error(
        "{given} is a protocol of the kernel or of a routing daemon, which would not announce \
         its routes: give another one, such as 76"
    )]
    BadRouteProtocol { given: i64 },
    #[error("{given:?} is no address with a port: give one such as 127.0.0.1:50051")]
    BadSocketAddress { given: String },
    #[error("{given:?} is no community: give two numbers up to 65535, such as 64512:4242")]
    BadCommunity { given: String },
    #[error("{given:?} is no absolute path: start it with /")]
    RelativePath { given: String },

    // Backends and frontends
    #[error("there is no health check {name:?}: define it under healthchecks, or name another")]
    UnknownCheck { name: String },
    #[error("there is no such backend: define it under backends, or name another")]
    UnknownBackend,
    #[error(
        "is given without a protocol: add protocol: tcp or udp, \
         or remove the port to take everything"
    )]
    PortWithoutProtocol,
    #[error("is given without a port: add one, or remove the protocol to take everything")]
    ProtocolWithoutPort,
    #[error("{given:?} is not a share: give 1% to 100%, such as 20%, or leave fail-open out")]
    BadShare { given: String },
    #[error("{given:?} is not a share: give 1% to 100%, such as 50%")]
    BadHealthyShare { given: String },
    #[error("{recover} is less than min-healthy, {min_healthy}: give at least as much")]
    SharesCross { min_healthy: HealthyShare, recover: HealthyShare },
    #[error(
        "{prefix} is more than one address, and single addresses are announced: \
         give the frontend one, or announce the prefix by the routing daemon's own configuration"
    )]
    AnnounceOfMany { prefix: IpNet },
    #[error("{given:?} is longer than a day: give a span such as 60s, or leave slow-start out")]
    LongSlowStart { given: String },
    #[error("has no backends: add one, or remove the pool")]
    EmptyPool,
    #[error("{name:?} is the name of pools[{first}] as well: rename one of them")]
    DuplicatePool { name: PoolName, first: usize },
    #[error(
        "{address} is {}, and the frontend already has {}: \
         give it backends of one address family (VPP tunnels to all in one way)",
        AddressFamily::from(.address.family()), AddressFamily::from(*.other)
    )]
    MixedFamilies { address: BackendAddress, other: IpFamily },
    #[error("{address} is the address of {other} in this frontend: remove one of the two")]
    SharedAddress { address: BackendAddress, other: BackendName },
    #[error("stands in pools[{pool}] of this frontend already: remove it from one of the two")]
    BackendTwice { pool: usize },

    // Frontends among each other
    #[error("{vip} is the VIP of frontend {other} as well: give one of them another")]
    SameVip { vip: Vip, other: FrontendName },
    #[error(
        "either this frontend or {other} takes every port of {prefix}, and the other one port: \
         VPP serves a prefix in one of the two ways; give both a port, or one another address"
    )]
    PortsAndAll { prefix: IpNet, other: FrontendName },
    #[error(
        "its announcement of {prefix} is not shared as that of frontend {other}: \
         give both shared: any, or both shared: all"
    )]
    SharedDiffers { prefix: IpNet, other: FrontendName },
    #[error(
        "its backends need {encap}, those of frontend {other} on {prefix} do not: \
         VPP tunnels all ports of a prefix in one way; use one address family, or another VIP"
    )]
    MixedEncaps { prefix: IpNet, encap: Encap, other: FrontendName },
}

/// The address family that a key needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressFamily {
    V4,
    V6,
    Any,
}

impl From<IpFamily> for AddressFamily {
    fn from(family: IpFamily) -> Self {
        match family {
            IpFamily::V4 => Self::V4,
            IpFamily::V6 => Self::V6,
        }
    }
}

impl AddressFamily {
    fn example(self) -> &'static str {
        match self {
            Self::V4 => "192.0.2.1",
            Self::V6 => "2001:db8::1",
            Self::Any => "192.0.2.1 or 2001:db8::1",
        }
    }
}

impl fmt::Display for AddressFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
            Self::Any => "IP",
        })
    }
}

/// Why VPP cannot send a backend's flows to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AddressFlaw {
    /// `0.0.0.0` or `::`; in VPP's messages the latter means every server.
    #[error("the unspecified address")]
    Unspecified,
    /// 224.0.0.0/4 or ff00::/8
    #[error("a multicast address")]
    Multicast,
    /// 255.255.255.255
    #[error("the broadcast address")]
    Broadcast,
    /// ::ffff:0:0/96: the kernel probes the IPv4 address, and VPP would send
    /// the flows to the IPv6 one.
    #[error("an IPv4 address in IPv6 clothes")]
    Mapped,
    /// fe80::/10
    #[error("a link-local address, which leads nowhere without an interface")]
    LinkLocal,
    /// ::/96, `::1` among it.
    #[error("inside ::/96, which VPP takes for IPv4")]
    TakenForIpv4,
}

impl AddressFlaw {
    /// The flaw that `address` has as that of a server, if any.
    #[must_use]
    pub fn of(address: IpAddr) -> Option<Self> {
        match address {
            _ if address.is_unspecified() => Some(Self::Unspecified),
            _ if address.is_multicast() => Some(Self::Multicast),
            IpAddr::V4(Ipv4Addr::BROADCAST) => Some(Self::Broadcast),
            IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() => Some(Self::Mapped),
            IpAddr::V6(v6) if v6.is_unicast_link_local() => Some(Self::LinkLocal),
            IpAddr::V6(v6) if taken_for_ipv4(v6) => Some(Self::TakenForIpv4),
            _ => None,
        }
    }

    /// The flaw that keeps probes from leaving from `address`, if any.
    #[must_use]
    pub fn of_source(address: IpAddr) -> Option<Self> {
        // The unspecified address leaves the choice to the kernel, and `::1` is one.
        Self::of(address).filter(|flaw| !matches!(flaw, Self::Unspecified | Self::TakenForIpv4))
    }
}

/// Whether VPP takes `address` for IPv4: it has one type for both, and reads 96
/// leading zero bits as "this is IPv4".
pub(super) fn taken_for_ipv4(address: Ipv6Addr) -> bool {
    address.to_bits() >> 32 == 0
}

/// `A, B or C`; `none` without words.
fn list(words: &[&str], conjunction: &str) -> String {
    match words {
        [] => "none".to_owned(),
        [only] => (*only).to_owned(),
        [most @ .., last] => format!("{} {conjunction} {last}", most.join(", ")),
    }
}
