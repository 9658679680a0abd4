//! `icmp`: an echo request is answered with an echo reply (RFC 792, RFC 4443).
//!
//! All backends share one socket for each source address; `surge_ping` hands
//! each reply to the probe that waits for it.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use surge_ping::{IcmpPacket, PingIdentifier, PingSequence, SurgeError};

use super::fault::ProbeFault;
use super::resources::{ThreadResources, next_identifier};
use crate::domain::health::probe_result::{ProbeResult, ResultCode};

/// Shows in a packet capture where the packets come from.
const PAYLOAD: &[u8] = b"vpp-maglev health check";

/// Beyond every check's timeout, which the caller keeps.
const NO_TIMEOUT: Duration = Duration::from_secs(24 * 3600);

/// An echo request, prepared.
#[derive(Debug)]
pub(super) struct IcmpProbe {
    address: IpAddr,
    source: Option<IpAddr>,
    identifier: PingIdentifier,
    resources: ThreadResources,
}

impl IcmpProbe {
    pub(super) fn prepare(
        address: IpAddr,
        source: Option<IpAddr>,
        resources: &ThreadResources,
    ) -> Self {
        Self {
            address,
            source,
            identifier: PingIdentifier(next_identifier()),
            resources: resources.clone(),
        }
    }

    pub(super) async fn attempt(&self) -> Result<ProbeResult, ProbeFault> {
        // Each time anew, so that a permission that is given later is used.
        let client = self.resources.icmp_socket(self.address, self.source).await?.map_err(
            |error| match (error.kind(), self.source) {
                (io::ErrorKind::AddrNotAvailable, Some(source)) => ProbeFault::Bind(source, error),
                _ => ProbeFault::OpenIcmp(error),
            },
        )?;
        let mut pinger = client.pinger(self.address, self.identifier).await;
        pinger.timeout(NO_TIMEOUT);
        match pinger.ping(PingSequence(self.resources.next_sequence()), PAYLOAD).await {
            Ok((packet, _)) => Ok(result_of(&packet)),
            Err(SurgeError::IOError(error)) => Err(ProbeFault::Io(error)),
            Err(error) => Ok(ProbeResult::new(ResultCode::SocketError, format!("ICMP: {error}"))),
        }
    }
}

/// The result of a packet for the request: a reply, or an error about it from
/// the network, which the kernel gives to raw sockets only.
fn result_of(packet: &IcmpPacket) -> ProbeResult {
    let (kind, code, from) = match packet {
        IcmpPacket::V4(packet) => {
            (packet.get_icmp_type().0, packet.get_icmp_code().0, IpAddr::V4(packet.get_source()))
        }
        IcmpPacket::V6(packet) => (
            packet.get_icmpv6_type().0,
            packet.get_icmpv6_code().0,
            IpAddr::V6(packet.get_source()),
        ),
    };
    match error_text(from.is_ipv4(), kind, code) {
        None => ProbeResult::new(ResultCode::L3Ok, ""),
        Some(what) => ProbeResult::new(ResultCode::L3Unreachable, format!("{what}, says {from}")),
    }
}

/// The meaning of an ICMP error; `None` for an echo reply.
fn error_text(v4: bool, kind: u8, code: u8) -> Option<&'static str> {
    Some(match (v4, kind, code) {
        (true, 0, _) | (false, 129, _) => return None,
        (true, 3, 0) | (false, 1, 0) => "no route to its network",
        (true, 3, 1) | (false, 1, 3) => "host unreachable",
        (true, 3, 9 | 10 | 13) | (false, 1, 1 | 5 | 6) => "administratively prohibited",
        (true, 3, _) | (false, 1, _) => "destination unreachable",
        (true, 11, _) | (false, 3, _) => "hop limit exceeded: a routing loop?",
        (false, 2, _) => "packet too big",
        _ => "ICMP error",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn icmp_errors_are_not_replies() {
        for (v4, kind, code, text) in [
            (true, 0, 0, None),
            (false, 129, 0, None),
            (true, 3, 1, Some("host unreachable")),
            (false, 1, 3, Some("host unreachable")),
            (true, 3, 13, Some("administratively prohibited")),
            (false, 1, 0, Some("no route to its network")),
            (true, 3, 4, Some("destination unreachable")),
            (true, 11, 0, Some("hop limit exceeded: a routing loop?")),
            // Type 3 is "time exceeded" in ICMPv6 and "unreachable" in ICMPv4.
            (false, 3, 0, Some("hop limit exceeded: a routing loop?")),
            (true, 129, 0, Some("ICMP error")),
        ] {
            assert_eq!(error_text(v4, kind, code), text, "type {kind} code {code}");
        }
    }
}
