//! The PROXY protocol, by which a connection begins with whom it is for
//! (<https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>).

use std::io::Write;
use std::net::SocketAddr;

use crate::domain::config::ProxyVersion;

/// Signature, version 2 with the command LOCAL, no address: the connection is the
/// proxy's own, as health checks are (section 2.2).
const LOCAL: [u8; 16] = *b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00";

/// What a probe's connection begins with. The first version has no word for a proxy's own
/// connection that every server takes: it is for itself, as the addresses say.
pub(super) fn header(version: ProxyVersion, own: SocketAddr, peer: SocketAddr) -> Vec<u8> {
    match version {
        ProxyVersion::V1 => {
            let family = if peer.is_ipv4() { "TCP4" } else { "TCP6" };
            let mut line = Vec::with_capacity(108);
            // Writing to memory cannot fail.
            let _ = write!(
                line,
                "PROXY {family} {} {} {} {}\r\n",
                own.ip(),
                peer.ip(),
                own.port(),
                peer.port()
            );
            line
        }
        ProxyVersion::V2 => LOCAL.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_as_the_protocol_has_it() {
        let [v4, v6] = ["192.0.2.1:4000", "[2001:db8::1]:4000"].map(|at| at.parse().unwrap());
        let [to4, to6] = ["192.0.2.2:80", "[2001:db8::2]:443"].map(|at| at.parse().unwrap());
        assert_eq!(
            header(ProxyVersion::V1, v4, to4),
            b"PROXY TCP4 192.0.2.1 192.0.2.2 4000 80\r\n"
        );
        assert_eq!(
            header(ProxyVersion::V1, v6, to6),
            b"PROXY TCP6 2001:db8::1 2001:db8::2 4000 443\r\n"
        );
        let bytes = header(ProxyVersion::V2, v4, to4);
        assert_eq!(bytes[..12], *b"\x0D\x0A\x0D\x0A\x00\x0D\x0A\x51\x55\x49\x54\x0A");
        assert_eq!(bytes[12..], [0x20, 0, 0, 0]);
    }
}
