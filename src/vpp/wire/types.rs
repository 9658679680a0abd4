//! Addresses, prefixes and VIP keys as they stand on the wire. Any byte can be
//! there: nothing is assumed of them until they are converted.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU16;

use ipnet::IpNet;

use super::buffer::{FieldReader, FieldWriter, WireError};
use crate::domain::dataplane::net::{Service, Vip};

/// Family number of IPv4.
pub const AF_IP4: u8 = 0;
/// Family number of IPv6.
pub const AF_IP6: u8 = 1;

/// `vl_api_address_t`: a family and 16 bytes, IPv4 in the first four.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WireAddress {
    /// 0 IPv4, 1 IPv6; VPP does not check it.
    pub af: u8,
    /// The address; for IPv4 the last twelve bytes should be zero.
    pub bytes: [u8; 16],
}

impl WireAddress {
    /// All zero, which in a dump means "every VIP".
    pub const ZERO: Self = Self { af: AF_IP4, bytes: [0; 16] };

    /// The address; `None` for a family that does not exist.
    #[must_use]
    pub fn to_ip(self) -> Option<IpAddr> {
        match self.af {
            AF_IP4 => {
                let [a, b, c, d, ..] = self.bytes;
                Some(Ipv4Addr::new(a, b, c, d).into())
            }
            AF_IP6 => Some(Ipv6Addr::from(self.bytes).into()),
            _ => None,
        }
    }

    pub(super) fn write(&self, to: &mut FieldWriter<'_>) {
        to.u8(self.af);
        to.bytes(&self.bytes);
    }

    pub(super) fn read(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        Ok(Self { af: from.u8()?, bytes: from.array()? })
    }
}

impl From<IpAddr> for WireAddress {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => {
                let [a, b, c, d] = v4.octets();
                let bytes = [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
                Self { af: AF_IP4, bytes }
            }
            IpAddr::V6(v6) => Self { af: AF_IP6, bytes: v6.octets() },
        }
    }
}

/// `vl_api_address_with_prefix_t`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WirePrefix {
    /// Its host bits may be set.
    pub address: WireAddress,
    /// May be longer than the family allows.
    pub length: u8,
}

impl WirePrefix {
    /// All zero, as a dump of everything has it.
    pub const ZERO: Self = Self { address: WireAddress::ZERO, length: 0 };

    /// The prefix; `None` if the family does not exist or the length is too
    /// long for it.
    #[must_use]
    pub fn to_net(self) -> Option<IpNet> {
        IpNet::new(self.address.to_ip()?, self.length).ok()
    }

    pub(super) fn write(&self, to: &mut FieldWriter<'_>) {
        self.address.write(to);
        to.u8(self.length);
    }

    pub(super) fn read(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        Ok(Self { address: WireAddress::read(from)?, length: from.u8()? })
    }
}

impl From<IpNet> for WirePrefix {
    fn from(net: IpNet) -> Self {
        Self { address: net.addr().into(), length: net.prefix_len() }
    }
}

/// The key of a VIP: 21 bytes that requests and rows share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VipKey {
    /// The addresses of the VIP.
    pub prefix: WirePrefix,
    /// IANA's number, or 255 with port 0.
    pub protocol: u8,
    /// 0: every protocol and port.
    pub port: u16,
}

impl VipKey {
    /// All zero: every VIP, in a dump of servers.
    pub const ZERO: Self = Self { prefix: WirePrefix::ZERO, protocol: 0, port: 0 };

    /// The VIP; `None` if it is one that our types cannot name.
    #[must_use]
    pub fn to_vip(self) -> Option<Vip> {
        let service = match NonZeroU16::new(self.port) {
            None => Service::All,
            Some(port) => Service::Port { protocol: self.protocol, port },
        };
        self.prefix.to_net().map(|net| Vip::new(net, service))
    }

    /// The key that makes `lb_as_v2_dump` list this VIP's servers alone.
    ///
    /// VPP compares the 16 bytes with what it holds, where IPv4 stands in the
    /// last four. `None` for the zero address, which lists everything.
    #[must_use]
    pub fn filter_for(vip: Vip) -> Option<Self> {
        let mut key = Self::from(vip);
        if let IpAddr::V4(v4) = vip.prefix().addr() {
            let [a, b, c, d] = v4.octets();
            key.prefix.address.bytes = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d];
        }
        (key.prefix.address.bytes != [0; 16]).then_some(key)
    }

    pub(super) fn write(&self, to: &mut FieldWriter<'_>) {
        self.prefix.write(to);
        to.u8(self.protocol);
        to.u16(self.port);
    }

    pub(super) fn read(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        Ok(Self { prefix: WirePrefix::read(from)?, protocol: from.u8()?, port: from.u16()? })
    }
}

impl From<Vip> for VipKey {
    fn from(vip: Vip) -> Self {
        let service = vip.service();
        Self { prefix: vip.prefix().into(), protocol: service.protocol(), port: service.port() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vip(prefix: &str, port: u16) -> Vip {
        let service =
            NonZeroU16::new(port).map_or(Service::All, |port| Service::Port { protocol: 6, port });
        Vip::new(prefix.parse().unwrap(), service)
    }

    #[test]
    fn every_vip_survives_the_wire_form() {
        for vip in [vip("192.0.2.1/32", 80), vip("198.51.100.0/24", 0), vip("2001:db8::/48", 53)] {
            assert_eq!(VipKey::from(vip).to_vip(), Some(vip));
        }
        assert_eq!(VipKey::from(vip("198.51.100.0/24", 0)).protocol, 255);
    }

    #[test]
    fn what_our_types_cannot_name_is_none() {
        let address = WireAddress { af: 2, bytes: [0; 16] };
        assert_eq!(WirePrefix { address, length: 32 }.to_net(), None);
        assert_eq!(WirePrefix { address: WireAddress::ZERO, length: 33 }.to_net(), None);
    }

    #[test]
    fn an_ipv4_vip_is_asked_for_in_the_last_four_bytes() {
        let key = VipKey::filter_for(vip("192.0.2.1/32", 80)).unwrap();
        assert_eq!(key.prefix.address.bytes, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1]);
        let v6 = VipKey::filter_for(vip("2001:db8::1/128", 80)).unwrap();
        assert_eq!(v6, VipKey::from(vip("2001:db8::1/128", 80)));
        assert_eq!(VipKey::filter_for(vip("0.0.0.0/0", 0)), None);
        assert_eq!(VipKey::filter_for(vip("::/0", 0)), None);
    }
}
