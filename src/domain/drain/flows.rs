//! VPP's counts of established flows, by VIP and server, and of packets to servers.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::domain::dataplane::net::Vip;

/// The packets that VPP has sent to a server, by the index of each of its counters.
pub type SentPackets = BTreeMap<u32, u64>;

/// What VPP was read to count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlowCounts {
    vips: BTreeMap<Vip, BTreeMap<IpAddr, u64>>,
    packets: BTreeMap<IpAddr, SentPackets>,
    /// Whether every VIP of VPP is among them.
    is_complete: bool,
}

impl FlowCounts {
    /// The counts of these VIPs. `is_complete`: VPP has no others.
    #[must_use]
    pub fn new(vips: BTreeMap<Vip, BTreeMap<IpAddr, u64>>, is_complete: bool) -> Self {
        Self { vips, packets: BTreeMap::new(), is_complete }
    }

    /// The same, with the packets that were sent to servers.
    #[must_use]
    pub fn with_packets(self, packets: BTreeMap<IpAddr, SentPackets>) -> Self {
        Self { packets, ..self }
    }

    /// The packets to a server; `None`: not known.
    #[must_use]
    pub fn packets_to(&self, server: IpAddr) -> Option<&SentPackets> {
        self.packets.get(&server)
    }

    /// The flows of a server of a VIP: none where VPP does not have it; `None` where it is
    /// not known.
    #[must_use]
    pub fn of(&self, vip: Vip, server: IpAddr) -> Option<u64> {
        match self.vips.get(&vip) {
            Some(servers) => Some(servers.get(&server).copied().unwrap_or(0)),
            None => self.is_complete.then_some(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::dataplane::net::Service;

    #[test]
    fn what_was_not_understood_is_no_zero() {
        let vip = |prefix: &str| Vip::new(prefix.parse().unwrap(), Service::All);
        let (known, other) = (vip("192.0.2.1/32"), vip("192.0.2.2/32"));
        let (one, two) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let counts =
            |is_complete| FlowCounts::new([(known, [(one, 7)].into())].into(), is_complete);
        for (is_complete, of_other) in [(true, Some(0)), (false, None)] {
            let counts = counts(is_complete);
            assert_eq!((counts.of(known, one), counts.of(known, two)), (Some(7), Some(0)));
            assert_eq!(counts.of(other, one), of_other);
        }
    }
}
