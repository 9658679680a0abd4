//! Messages that VPP answers and that no client of ours sends so: the first versions of
//! some, with the encodings of lb.api 1.2.0, and the flush of a whole VIP.

use crate::vpp::wire::message::{empty_request, plain_reply};
use crate::vpp::wire::{
    Dump, FieldReader, FieldWriter, LbAddDelAsReply, LbAddDelAsV2, LbAddDelVipV2, LbAsV2Dump,
    Message, Reply, Request, VipKey, WireAddress, WireError,
};

/// The 21 bytes of a VIP's key are the whole of a server dump's filter.
fn read_vip(from: &mut FieldReader<'_>) -> Result<VipKey, WireError> {
    LbAsV2Dump::decode(from).map(|dump| dump.vip)
}

fn write_vip(vip: VipKey, to: &mut FieldWriter<'_>) {
    LbAsV2Dump { vip }.encode(to);
}

fn read_address(from: &mut FieldReader<'_>) -> Result<WireAddress, WireError> {
    Ok(WireAddress { af: from.u8()?, bytes: from.array()? })
}

fn write_address(address: WireAddress, to: &mut FieldWriter<'_>) {
    to.u8(address.af);
    to.bytes(&address.bytes);
}

/// `lb_flush_vip`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LbFlushVip {
    /// Whose flows are forgotten.
    pub vip: VipKey,
}

impl Message for LbFlushVip {
    const NAME: &'static str = "lb_flush_vip";
    const CRC: u32 = 0x1063_f819;

    fn encode(&self, to: &mut FieldWriter<'_>) {
        write_vip(self.vip, to);
    }

    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        Ok(Self { vip: read_vip(from)? })
    }
}

impl Request for LbFlushVip {
    type Answer = LbFlushVipReply;
}

plain_reply! {
    /// Answers [`LbFlushVip`].
    LbFlushVipReply, "lb_flush_vip_reply"
}

/// `lb_add_del_vip`: [`LbAddDelVipV2`] without `src_ip_sticky`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LbAddDelVip(pub LbAddDelVipV2);

impl Message for LbAddDelVip {
    const NAME: &'static str = "lb_add_del_vip";
    const CRC: u32 = 0x6fa5_69c7;

    fn encode(&self, to: &mut FieldWriter<'_>) {
        write_vip(self.0.vip, to);
        to.u32(self.0.encap);
        to.u8(self.0.dscp);
        to.u32(self.0.srv_type);
        to.u16(self.0.target_port);
        to.u16(self.0.node_port);
        to.u32(self.0.new_flows_table_length);
        to.flag(self.0.is_del);
    }

    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        Ok(Self(LbAddDelVipV2 {
            vip: read_vip(from)?,
            encap: from.u32()?,
            dscp: from.u8()?,
            srv_type: from.u32()?,
            target_port: from.u16()?,
            node_port: from.u16()?,
            new_flows_table_length: from.u32()?,
            src_ip_sticky: false,
            is_del: from.flag()?,
        }))
    }
}

impl Request for LbAddDelVip {
    type Answer = LbAddDelVipReply;
}

plain_reply! {
    /// Answers [`LbAddDelVip`].
    LbAddDelVipReply, "lb_add_del_vip_reply"
}

/// `lb_add_del_as`: [`LbAddDelAsV2`] with a weight of 100, whose `is_flush`
/// counts for a delete only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LbAddDelAs(pub LbAddDelAsV2);

impl Message for LbAddDelAs {
    const NAME: &'static str = "lb_add_del_as";
    const CRC: u32 = 0x35d7_2500;

    fn encode(&self, to: &mut FieldWriter<'_>) {
        write_vip(self.0.vip, to);
        write_address(self.0.as_address, to);
        to.flag(self.0.is_del);
        to.flag(self.0.is_flush);
    }

    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        let (vip, as_address, is_del) = (read_vip(from)?, read_address(from)?, from.flag()?);
        let is_flush = from.flag()? && is_del;
        Ok(Self(LbAddDelAsV2 { vip, as_address, weight: 100, is_del, is_flush }))
    }
}

impl Request for LbAddDelAs {
    type Answer = LbAddDelAsReply;
}

/// `lb_as_dump`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LbAsDump {
    /// The filter, as in [`LbAsV2Dump`].
    pub vip: VipKey,
}

impl Message for LbAsDump {
    const NAME: &'static str = "lb_as_dump";
    const CRC: u32 = 0x1063_f819;

    fn encode(&self, to: &mut FieldWriter<'_>) {
        write_vip(self.vip, to);
    }

    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        Ok(Self { vip: read_vip(from)? })
    }
}

impl Request for LbAsDump {
    type Answer = LbAsDetails;
}

impl Dump for LbAsDump {}

/// A row of [`LbAsDump`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LbAsDetails {
    /// The VIP, which may be deleted itself.
    pub vip: VipKey,
    pub app_srv: WireAddress,
    /// Bit 0: in use.
    pub flags: u8,
    /// Uptime in seconds at its removal; means nothing while in use.
    pub in_use_since: u32,
}

impl Message for LbAsDetails {
    const NAME: &'static str = "lb_as_details";
    const CRC: u32 = 0x8d24_c29e;

    fn encode(&self, to: &mut FieldWriter<'_>) {
        write_vip(self.vip, to);
        write_address(self.app_srv, to);
        to.u8(self.flags);
        to.u32(self.in_use_since);
    }

    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            vip: read_vip(from)?,
            app_srv: read_address(from)?,
            flags: from.u8()?,
            in_use_since: from.u32()?,
        })
    }
}

impl Reply for LbAsDetails {
    fn retval(&self) -> i32 {
        0
    }
}

empty_request! {
    /// `memclnt_keepalive`, which VPP does not answer on a socket.
    MemclntKeepalive, "memclnt_keepalive", 0x5107_7d14 => MemclntKeepaliveReply
}

plain_reply! {
    /// Would answer [`MemclntKeepalive`].
    MemclntKeepaliveReply, "memclnt_keepalive_reply"
}
