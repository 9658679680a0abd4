//! The messages of lb.api 1.1.0 (VPP 24.02 to 26.06), as a client must write them to be
//! understood. Names and checksums are those of later versions; the bytes are not: the
//! length of an IPv4 prefix counts from the 16-byte form, and some numbers stand in the
//! order of the host.
//!
//! The structs hold what is meant. What a later VPP would take the bytes for, and what
//! one of 1.1.0 would make of later bytes, is another VIP.

use super::buffer::{FieldReader, FieldWriter, WireError};
use super::lb::{LbAddDelVipV2, LbAddDelVipV2Reply};
use super::message::{Dump, Message, Reply, Request, plain_reply};
use super::types::{AF_IP4, VipKey, WireAddress, WirePrefix};

/// Bits of the 16-byte form of an IPv4 address that come before it.
const IP4_OFFSET: u8 = 96;

fn write_prefix(prefix: WirePrefix, to: &mut FieldWriter<'_>) {
    let longer = if prefix.address.af == AF_IP4 { IP4_OFFSET } else { 0 };
    WirePrefix { length: prefix.length.wrapping_add(longer), ..prefix }.write(to);
}

fn read_prefix(from: &mut FieldReader<'_>) -> Result<WirePrefix, WireError> {
    let prefix = WirePrefix::read(from)?;
    let longer = if prefix.address.af == AF_IP4 { IP4_OFFSET } else { 0 };
    Ok(WirePrefix { length: prefix.length.wrapping_sub(longer), ..prefix })
}

fn write_key(vip: VipKey, to: &mut FieldWriter<'_>) {
    write_prefix(vip.prefix, to);
    to.u8(vip.protocol);
    to.u16(vip.port);
}

fn read_key(from: &mut FieldReader<'_>) -> Result<VipKey, WireError> {
    Ok(VipKey { prefix: read_prefix(from)?, protocol: from.u8()?, port: from.u16()? })
}

/// Adds or removes a VIP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LegacyAddDelVipV2(pub LbAddDelVipV2);

impl Message for LegacyAddDelVipV2 {
    const NAME: &'static str = LbAddDelVipV2::NAME;
    const CRC: u32 = LbAddDelVipV2::CRC;

    fn encode(&self, to: &mut FieldWriter<'_>) {
        write_key(self.0.vip, to);
        to.bytes(&self.0.encap.to_le_bytes());
        self.0.write_rest(to);
    }

    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        let (vip, encap) = (read_key(from)?, from.array().map(u32::from_le_bytes)?);
        LbAddDelVipV2::read_rest(vip, encap, from).map(Self)
    }
}

impl Request for LegacyAddDelVipV2 {
    type Answer = LbAddDelVipV2Reply;
}

/// Adds or removes a server of a VIP. An added one that was removed before gets its row
/// and its flows back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LegacyAddDelAs {
    pub vip: VipKey,
    pub as_address: WireAddress,
    /// Remove it.
    pub is_del: bool,
    /// With `is_del`: also forget its flows.
    pub is_flush: bool,
}

impl Message for LegacyAddDelAs {
    const NAME: &'static str = "lb_add_del_as";
    const CRC: u32 = 0x35d7_2500;

    fn encode(&self, to: &mut FieldWriter<'_>) {
        write_key(self.vip, to);
        self.as_address.write(to);
        to.flag(self.is_del);
        to.flag(self.is_flush);
    }

    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            vip: read_key(from)?,
            as_address: WireAddress::read(from)?,
            is_del: from.flag()?,
            is_flush: from.flag()?,
        })
    }
}

impl Request for LegacyAddDelAs {
    type Answer = LbAddDelAsReply;
}

plain_reply! {
    /// Answers [`LegacyAddDelAs`].
    LbAddDelAsReply, "lb_add_del_as_reply"
}

/// Lists the servers of the VIPs with this address, protocol and port, of whatever
/// length; of all, if the address is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LegacyAsDump {
    /// As [`VipKey::filter_for`] makes it.
    pub vip: VipKey,
}

impl Message for LegacyAsDump {
    const NAME: &'static str = "lb_as_dump";
    const CRC: u32 = 0x1063_f819;

    fn encode(&self, to: &mut FieldWriter<'_>) {
        write_prefix(self.vip.prefix, to);
        to.u8(self.vip.protocol);
        to.bytes(&self.vip.port.to_le_bytes());
    }

    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        let (prefix, protocol) = (read_prefix(from)?, from.u8()?);
        let port = from.array().map(u16::from_le_bytes)?;
        Ok(Self { vip: VipKey { prefix, protocol, port } })
    }
}

impl Request for LegacyAsDump {
    type Answer = LegacyAsDetails;
}

impl Dump for LegacyAsDump {}

/// A row of [`LegacyAsDump`], which does not tell the protocol of its VIP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LegacyAsDetails {
    pub prefix: WirePrefix,
    pub port: u16,
    pub app_srv: WireAddress,
    /// Bit 0: in use.
    pub flags: u8,
    /// VPP's uptime in seconds at its removal; means nothing while in use.
    pub in_use_since: u32,
}

impl LegacyAsDetails {
    /// `flags` of a server in use.
    pub const USED: u8 = 1;
}

impl Message for LegacyAsDetails {
    const NAME: &'static str = "lb_as_details";
    const CRC: u32 = 0x8d24_c29e;

    fn encode(&self, to: &mut FieldWriter<'_>) {
        write_key(VipKey { prefix: self.prefix, protocol: 0, port: self.port }, to);
        self.app_srv.write(to);
        to.u8(self.flags);
        to.u32(self.in_use_since);
    }

    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        let VipKey { prefix, port, .. } = read_key(from)?;
        Ok(Self {
            prefix,
            port,
            app_srv: WireAddress::read(from)?,
            flags: from.u8()?,
            in_use_since: from.u32()?,
        })
    }
}

impl Reply for LegacyAsDetails {
    fn retval(&self) -> i32 {
        0
    }
}
