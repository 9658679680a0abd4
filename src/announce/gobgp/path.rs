//! Paths and neighbors as both versions of the API have them.

use crate::domain::announce::placement::VipPrefix;

/// 65535:0 (RFC 8326): routers that heed it prefer any other path.
pub(super) const GRACEFUL_SHUTDOWN: u32 = 0xffff_0000;
/// A segment that is a sequence of AS numbers.
pub(super) const AS_SEQUENCE: i32 = 2;
pub(super) const ORIGIN_IGP: u32 = 0;
/// A session that is established.
pub(super) const ESTABLISHED: i32 = 6;
/// An event of a neighbor that is about its session.
pub(super) const PEER_STATE: i32 = 3;
pub(super) const UNICAST: i32 = 1;
/// As many paths go into a message of a stream, far below the limit of 4 MB.
pub(super) const CHUNK: usize = 500;

/// One path of the daemon's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RibPath {
    pub(super) prefix: VipPrefix,
    pub(super) communities: Vec<u32>,
}

/// One path to be put, in place of the one that is there, or withdrawn. Origin and
/// next hop belong to both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RibWrite {
    pub(super) prefix: VipPrefix,
    pub(super) is_withdraw: bool,
    pub(super) communities: Vec<u32>,
    /// What is prepended: AS numbers.
    pub(super) as_path: Vec<u32>,
}

impl RibWrite {
    pub(super) fn withdraw(prefix: VipPrefix) -> Self {
        Self { prefix, is_withdraw: true, communities: Vec::new(), as_path: Vec::new() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Neighbor {
    pub(super) address: String,
    pub(super) asn: u32,
    pub(super) is_established: bool,
}

/// The number of the prefix's address family.
pub(super) const fn afi(is_ipv6: bool) -> i32 {
    if is_ipv6 { 2 } else { 1 }
}

/// Any next hop but this would be sent as it is; for this each neighbor gets the
/// address of its session.
pub(super) const fn next_hop(is_ipv6: bool) -> &'static str {
    if is_ipv6 { "::" } else { "0.0.0.0" }
}

/// Whether a path came from no neighbor: what stands in place of the neighbor's
/// address is `<nil>` in version 3.
pub(super) fn is_own(neighbor: &str) -> bool {
    neighbor.parse().is_ok_and(|it: std::net::IpAddr| it.is_unspecified())
        || neighbor.parse::<std::net::IpAddr>().is_err()
}
