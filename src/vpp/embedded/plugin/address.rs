//! Addresses and prefixes as the plugin holds them: 16 bytes, IPv4 in the last
//! four. So `::1.2.3.4` and 1.2.3.4 are one address to it, and the length of a
//! prefix is not checked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::domain::dataplane::net::Vip;
use crate::vpp::wire::types::{AF_IP4, AF_IP6};
use crate::vpp::wire::{self, VipKey, WireAddress};

/// What VPP reads where it does not know the address family: what was on its
/// stack, which equals no address of ours.
const GARBAGE: u128 = u128::MAX - 1;

/// A prefix, as VPP stores it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct PluginPrefix {
    pub bits: u128,
    /// Its length in bits; 96 more than on the wire for IPv4.
    pub len: u8,
}

/// Prefix, protocol and port of a VIP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct PluginVipKey {
    pub prefix: PluginPrefix,
    /// IANA's number; 255 where `port` is 0.
    pub protocol: u8,
    /// 0: every protocol and port.
    pub port: u16,
}

impl PluginVipKey {
    /// What a message about a VIP means: port 0 makes the protocol 255.
    #[must_use]
    pub fn from_wire(key: VipKey) -> Self {
        let address = key.prefix.address;
        // An unknown family leaves the zeroes that VPP's handler started from.
        let bits = if address.af > AF_IP6 { 0 } else { address_from_wire(address) };
        let longer = if address.af == AF_IP4 { 96 } else { 0 };
        Self {
            prefix: PluginPrefix { bits, len: key.prefix.length.wrapping_add(longer) },
            protocol: if key.port == 0 { 255 } else { key.protocol },
            port: key.port,
        }
    }

    /// The same for messages about servers, whose handlers start from no zeroes.
    #[must_use]
    pub fn of_server_from_wire(key: VipKey) -> Self {
        let mut meant = Self::from_wire(key);
        meant.prefix.bits = address_from_wire(key.prefix.address);
        meant
    }

    /// The key in a row of a dump.
    #[must_use]
    pub fn to_wire(self) -> VipKey {
        VipKey {
            prefix: wire::WirePrefix {
                address: address_to_wire(self.prefix.bits),
                length: self.prefix.wire_len(),
            },
            protocol: self.protocol,
            port: self.port,
        }
    }

    /// The same with the host bits cleared.
    #[must_use]
    pub fn normalised(mut self) -> Self {
        let PluginPrefix { bits, len } = self.prefix;
        let (high, low) = (bits & !u128::from(u64::MAX), bits & u128::from(u64::MAX));
        self.prefix.bits = match len {
            0 => 0,
            1..=64 => high & (u128::MAX << (128 - u32::from(len))),
            // Past 128 the processor takes the shift modulo 64.
            _ => high | (low & u128::from(u64::MAX << (128_u8.wrapping_sub(len) & 63))),
        };
        self
    }
}

impl PluginPrefix {
    /// Whether VPP takes it for an IPv4 prefix.
    #[must_use]
    pub fn is_ip4(self) -> bool {
        self.len >= 96 && is_ip4(self.bits)
    }

    /// Its length as dumps have it.
    #[must_use]
    pub fn wire_len(self) -> u8 {
        if self.is_ip4() { self.len - 96 } else { self.len }
    }
}

/// Whether VPP takes 16 bytes for an IPv4 address.
pub(super) fn is_ip4(bits: u128) -> bool {
    bits >> 32 == 0
}

/// An address as messages have it: IPv4 (family 0) in the first four bytes.
#[must_use]
pub fn address_from_wire(address: WireAddress) -> u128 {
    let bits = u128::from_be_bytes(address.bytes);
    match address.af {
        AF_IP4 => bits >> 96,
        AF_IP6 => bits,
        _ => GARBAGE,
    }
}

/// The family and bytes of an address in a row of a dump.
#[must_use]
pub fn address_to_wire(bits: u128) -> WireAddress {
    if is_ip4(bits) {
        WireAddress { af: AF_IP4, bytes: (bits << 96).to_be_bytes() }
    } else {
        WireAddress { af: AF_IP6, bytes: bits.to_be_bytes() }
    }
}

#[must_use]
pub fn to_ip(bits: u128) -> IpAddr {
    match u32::try_from(bits) {
        Ok(v4) => Ipv4Addr::from_bits(v4).into(),
        Err(_) => Ipv6Addr::from_bits(bits).into(),
    }
}

/// An address as the plugin holds it.
#[must_use]
pub fn from_ip(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

impl From<Vip> for PluginVipKey {
    fn from(vip: Vip) -> Self {
        let net = vip.prefix();
        let longer = if net.addr().is_ipv4() { 96 } else { 0 };
        Self {
            prefix: PluginPrefix { bits: from_ip(net.addr()), len: net.prefix_len() + longer },
            protocol: vip.service().protocol(),
            port: vip.service().port(),
        }
    }
}
