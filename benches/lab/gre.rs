//! What a server gets out of a packet that VPP tunnelled to it.

use std::net::Ipv4Addr;

use thiserror::Error;

/// A packet within GRE over IPv4.
#[derive(Debug, PartialEq)]
pub(crate) struct Inner<'a> {
    pub(crate) packet: &'a [u8],
    pub(crate) destination: Ipv4Addr,
}

#[derive(Debug, Error, PartialEq)]
pub(crate) enum GreError {
    #[error("a packet of {0} bytes ends before what it should hold")]
    Short(usize),
    #[error("protocol {0} is not GRE")]
    NotGre(u8),
    #[error("GRE with the flags {0:#06x}, which VPP does not set")]
    Flags(u16),
    #[error("GRE holds protocol {0:#06x}, which is not IPv4")]
    NotIpv4(u16),
}

const GRE: u8 = 47;
const IPV4: u16 = 0x0800;
const GRE_HEADER: usize = 4;
const IPV4_HEADER: usize = 20;

/// Takes the outer header (RFC 791) and that of GRE (RFC 2784, without the
/// optional fields) off a packet, as a raw socket hands it over.
pub(crate) fn decapsulate(outer: &[u8]) -> Result<Inner<'_>, GreError> {
    let short = GreError::Short(outer.len());
    let (gre, protocol) = payload(outer).ok_or(GreError::Short(outer.len()))?;
    if protocol != GRE {
        return Err(GreError::NotGre(protocol));
    }
    let Some((header, packet)) = gre.split_first_chunk::<GRE_HEADER>() else { return Err(short) };
    let flags = u16::from_be_bytes([header[0], header[1]]);
    if flags != 0 {
        return Err(GreError::Flags(flags));
    }
    let kind = u16::from_be_bytes([header[2], header[3]]);
    if kind != IPV4 {
        return Err(GreError::NotIpv4(kind));
    }
    if payload(packet).is_none() {
        return Err(short);
    }
    let destination = Ipv4Addr::new(packet[16], packet[17], packet[18], packet[19]);
    Ok(Inner { packet, destination })
}

/// What is behind the header of an IPv4 packet, and its protocol.
fn payload(packet: &[u8]) -> Option<(&[u8], u8)> {
    let first = *packet.first()?;
    let header = usize::from(first & 0x0f) * 4;
    if first >> 4 != 4 || header < IPV4_HEADER {
        return None;
    }
    Some((packet.get(header..)?, packet[9]))
}
