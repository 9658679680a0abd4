//! The load balancer's dumps and their rows, as they stand on the wire.

use super::buffer::{FieldReader, FieldWriter, WireError};
use super::message::{Dump, Message, Reply, Request};
use super::types::{VipKey, WireAddress, WirePrefix};

/// Lists every VIP in use; VPP ignores the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LbVipDump {
    /// Ignored.
    pub prefix: WirePrefix,
    /// Ignored.
    pub prefix_le: u8,
    /// Ignored.
    pub prefix_ge: u8,
    /// Ignored.
    pub protocol: u8,
    /// Ignored.
    pub port: u16,
}

impl LbVipDump {
    /// The all-zero body.
    pub const ALL: Self =
        Self { prefix: WirePrefix::ZERO, prefix_le: 0, prefix_ge: 0, protocol: 0, port: 0 };
}

impl Message for LbVipDump {
    const NAME: &'static str = "lb_vip_dump";
    const CRC: u32 = 0x5611_0cb7;

    fn encode(&self, to: &mut FieldWriter<'_>) {
        self.prefix.address.write(to);
        to.u8(self.prefix.length);
        to.u8(self.prefix_le);
        to.u8(self.prefix_ge);
        to.u8(self.protocol);
        to.u16(self.port);
    }

    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            prefix: WirePrefix { address: WireAddress::read(from)?, length: from.u8()? },
            prefix_le: from.u8()?,
            prefix_ge: from.u8()?,
            protocol: from.u8()?,
            port: from.u16()?,
        })
    }
}

impl Request for LbVipDump {
    type Answer = LbVipDetails;
}

impl Dump for LbVipDump {}

/// A VIP in use.
///
/// `srv_type` and `target_port` stand little-endian on the wire (VPP sends the
/// one in host order and swaps the other twice); here they hold their values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LbVipDetails {
    /// Prefix, protocol and port.
    pub vip: VipKey,
    /// 0 gre4, 1 gre6, 2 l3dsr, 3 nat4, 4 nat6.
    pub encap: u32,
    /// Of a GRE VIP: left over from the slot's last user.
    pub dscp: u8,
    /// Shares a byte with `dscp` in VPP: as meaningless for GRE.
    pub srv_type: u32,
    /// NAT's inner port.
    pub target_port: u16,
    /// Entries of the new-flow table, modulo 65536.
    pub flow_table_length: u16,
}

impl Message for LbVipDetails {
    const NAME: &'static str = "lb_vip_details";
    const CRC: u32 = 0x1329_ec9b;

    fn encode(&self, to: &mut FieldWriter<'_>) {
        self.vip.write(to);
        to.u32(self.encap);
        to.u8(self.dscp);
        to.bytes(&self.srv_type.to_le_bytes());
        to.bytes(&self.target_port.to_le_bytes());
        to.u16(self.flow_table_length);
    }

    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            vip: VipKey::read(from)?,
            encap: from.u32()?,
            dscp: from.u8()?,
            srv_type: from.array().map(u32::from_le_bytes)?,
            target_port: from.array().map(u16::from_le_bytes)?,
            flow_table_length: from.u16()?,
        })
    }
}

impl Reply for LbVipDetails {
    fn retval(&self) -> i32 {
        0
    }
}

/// Lists servers: of every VIP if the address is all zero, else of the one
/// that [`VipKey::filter_for`] names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LbAsV2Dump {
    pub vip: VipKey,
}

impl LbAsV2Dump {
    /// Every server of every VIP.
    pub const ALL: Self = Self { vip: VipKey::ZERO };
}

impl Message for LbAsV2Dump {
    const NAME: &'static str = "lb_as_v2_dump";
    const CRC: u32 = 0x1063_f819;

    fn encode(&self, to: &mut FieldWriter<'_>) {
        self.vip.write(to);
    }

    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        Ok(Self { vip: VipKey::read(from)? })
    }
}

impl Request for LbAsV2Dump {
    type Answer = LbAsV2Details;
}

impl Dump for LbAsV2Dump {}

/// A server, in use or removed and not collected yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LbAsV2Details {
    /// The VIP, which may be deleted itself.
    pub vip: VipKey,
    pub app_srv: WireAddress,
    /// Bit 0: in use.
    pub flags: u8,
    /// VPP's uptime in seconds at its removal; means nothing while in use.
    pub in_use_since: u32,
    /// Share of new flows.
    pub weight: u8,
    /// Entries of the new-flow table that lead to it.
    pub num_buckets: u32,
}

impl LbAsV2Details {
    /// `flags` of a server in use.
    pub const USED: u8 = 1;
}

impl Message for LbAsV2Details {
    const NAME: &'static str = "lb_as_v2_details";
    const CRC: u32 = 0x9006_4aae;

    fn encode(&self, to: &mut FieldWriter<'_>) {
        self.vip.write(to);
        self.app_srv.write(to);
        to.u8(self.flags);
        to.u32(self.in_use_since);
        to.u8(self.weight);
        to.u32(self.num_buckets);
    }

    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            vip: VipKey::read(from)?,
            app_srv: WireAddress::read(from)?,
            flags: from.u8()?,
            in_use_since: from.u32()?,
            weight: from.u8()?,
            num_buckets: from.u32()?,
        })
    }
}

impl Reply for LbAsV2Details {
    fn retval(&self) -> i32 {
        0
    }
}
