//! How large the packets of a connection are.

use std::net::SocketAddr;
use std::os::fd::AsFd;

use rustix::net::sockopt::{
    Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, ip_mtu, ipv6_mtu, set_ip_mtu_discover,
    set_ipv6_mtu_discover,
};
use socket2::SockRef;
use tokio::net::{TcpStream, UdpSocket};

/// What TCP's timestamps take of each segment (RFC 7323).
const TIMESTAMPS: u32 = 12;

/// The headers of IP and TCP, without options.
pub(super) fn tcp_headers(peer: SocketAddr) -> u32 {
    if peer.is_ipv4() { 40 } else { 60 }
}

/// The headers of IP and UDP.
pub(super) fn udp_headers(peer: SocketAddr) -> u32 {
    if peer.is_ipv4() { 28 } else { 48 }
}

/// The path's MTU, as far as this machine knows it.
pub(super) fn path_mtu(socket: impl AsFd, peer: SocketAddr) -> Option<u32> {
    if peer.is_ipv4() { ip_mtu(socket) } else { ipv6_mtu(socket) }.ok()
}

/// Bytes that a segment of this connection carries at most.
pub(super) fn segment(stream: &TcpStream) -> Option<u32> {
    SockRef::from(stream).tcp_mss().ok()
}

/// The packet that a full segment makes: never more than the path's MTU. Timestamps
/// are on, unless the segment leaves no room for them.
pub(super) fn tcp_packet(segment: u32, mtu: u32, peer: SocketAddr) -> u32 {
    (segment + tcp_headers(peer) + TIMESTAMPS).min(mtu)
}

/// Sends every datagram with DF, whatever the size of the path is believed to be.
pub(super) fn never_fragment(socket: &UdpSocket, peer: SocketAddr) -> rustix::io::Result<()> {
    if peer.is_ipv4() {
        set_ip_mtu_discover(socket, Ipv4PathMtuDiscovery::PROBE)
    } else {
        set_ipv6_mtu_discover(socket, Ipv6PathMtuDiscovery::PROBE)
    }
}
