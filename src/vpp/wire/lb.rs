//! The load balancer's settings and writes, as they stand on the wire.
//!
//! Our client fills them in from the safe types of a step.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::buffer::{FieldReader, FieldWriter, WireError};
use super::message::{Message, Reply, Request, empty_request, plain_reply};
use super::types::{VipKey, WireAddress};

/// `encap` of GRE over IPv4.
pub const ENCAP_GRE4: u32 = 0;
/// `encap` of GRE over IPv6.
pub const ENCAP_GRE6: u32 = 1;

/// Sets all four global values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LbConfSet {
    /// Always stored, zero too.
    pub ip4_src_address: Ipv4Addr,
    /// Always stored, zero too.
    pub ip6_src_address: Ipv6Addr,
    /// A power of two; all ones: keep.
    pub sticky_buckets_per_core: u32,
    /// Seconds; all ones: keep.
    pub flow_timeout: u32,
}

impl LbConfSet {
    fn fields(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            ip4_src_address: from.array::<4>()?.into(),
            ip6_src_address: from.array::<16>()?.into(),
            sticky_buckets_per_core: from.u32()?,
            flow_timeout: from.u32()?,
        })
    }
}

impl Message for LbConfSet {
    const NAME: &'static str = "lb_conf";
    const CRC: u32 = 0x56cd_3261;

    fn encode(&self, to: &mut FieldWriter<'_>) {
        to.bytes(&self.ip4_src_address.octets());
        to.bytes(&self.ip6_src_address.octets());
        to.u32(self.sticky_buckets_per_core);
        to.u32(self.flow_timeout);
    }

    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        Self::fields(from)
    }
}

impl Request for LbConfSet {
    type Answer = LbConfReply;
}

plain_reply! {
    /// Answers [`LbConfSet`].
    LbConfReply, "lb_conf_reply"
}

empty_request! {
    /// Reads the global values.
    LbConfGet, "lb_conf_get", 0x5107_7d14 => LbConfGetReply
}

/// Answers [`LbConfGet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LbConfGetReply {
    /// 0.
    pub retval: i32,
    /// What is set.
    pub conf: LbConfSet,
}

impl Message for LbConfGetReply {
    const NAME: &'static str = "lb_conf_get_reply";
    const CRC: u32 = 0x9234_27ac;

    fn encode(&self, to: &mut FieldWriter<'_>) {
        to.i32(self.retval);
        self.conf.encode(to);
    }

    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        Ok(Self { retval: from.i32()?, conf: LbConfSet::fields(from)? })
    }
}

impl Reply for LbConfGetReply {
    fn retval(&self) -> i32 {
        self.retval
    }
}

/// Adds or removes a VIP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LbAddDelVipV2 {
    /// Prefix, protocol and port.
    pub vip: VipKey,
    /// 0 gre4, 1 gre6, 2 l3dsr, 3 nat4, 4 nat6.
    pub encap: u32,
    /// L3DSR's mark.
    pub dscp: u8,
    /// 0 clusterip, 1 nodeport (NAT).
    pub srv_type: u32,
    /// NAT's inner port.
    pub target_port: u16,
    /// NAT's outer port.
    pub node_port: u16,
    /// A power of two. VPP aborts on 0 and on huge ones.
    pub new_flows_table_length: u32,
    /// Choose servers by the client's address alone.
    pub src_ip_sticky: bool,
    /// Remove it.
    pub is_del: bool,
}

impl LbAddDelVipV2 {
    /// What follows the encapsulation, which every version of `lb.api` writes alike.
    pub(super) fn write_rest(&self, to: &mut FieldWriter<'_>) {
        to.u8(self.dscp);
        to.u32(self.srv_type);
        to.u16(self.target_port);
        to.u16(self.node_port);
        to.u32(self.new_flows_table_length);
        to.flag(self.src_ip_sticky);
        to.flag(self.is_del);
    }

    pub(super) fn read_rest(
        vip: VipKey,
        encap: u32,
        from: &mut FieldReader<'_>,
    ) -> Result<Self, WireError> {
        Ok(Self {
            vip,
            encap,
            dscp: from.u8()?,
            srv_type: from.u32()?,
            target_port: from.u16()?,
            node_port: from.u16()?,
            new_flows_table_length: from.u32()?,
            src_ip_sticky: from.flag()?,
            is_del: from.flag()?,
        })
    }
}

impl Message for LbAddDelVipV2 {
    const NAME: &'static str = "lb_add_del_vip_v2";
    const CRC: u32 = 0x7c52_0e0f;

    fn encode(&self, to: &mut FieldWriter<'_>) {
        self.vip.write(to);
        to.u32(self.encap);
        self.write_rest(to);
    }

    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        let (vip, encap) = (VipKey::read(from)?, from.u32()?);
        Self::read_rest(vip, encap, from)
    }
}

impl Request for LbAddDelVipV2 {
    type Answer = LbAddDelVipV2Reply;
}

plain_reply! {
    /// Answers [`LbAddDelVipV2`].
    LbAddDelVipV2Reply, "lb_add_del_vip_v2_reply"
}

/// Adds or removes a server of a VIP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LbAddDelAsV2 {
    pub vip: VipKey,
    pub as_address: WireAddress,
    /// Share of new flows; VPP takes more than 100 as given.
    pub weight: u8,
    /// Remove it.
    pub is_del: bool,
    /// With `is_del`: also forget its flows.
    pub is_flush: bool,
}

impl Message for LbAddDelAsV2 {
    const NAME: &'static str = "lb_add_del_as_v2";
    const CRC: u32 = 0x2f1d_3b0e;

    fn encode(&self, to: &mut FieldWriter<'_>) {
        self.vip.write(to);
        self.as_address.write(to);
        to.u8(self.weight);
        to.flag(self.is_del);
        to.flag(self.is_flush);
    }

    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            vip: VipKey::read(from)?,
            as_address: WireAddress::read(from)?,
            weight: from.u8()?,
            is_del: from.flag()?,
            is_flush: from.flag()?,
        })
    }
}

impl Request for LbAddDelAsV2 {
    type Answer = LbAddDelAsV2Reply;
}

plain_reply! {
    /// Answers [`LbAddDelAsV2`].
    LbAddDelAsV2Reply, "lb_add_del_as_v2_reply"
}

/// Changes the weight of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LbAsSetWeight {
    pub vip: VipKey,
    pub as_address: WireAddress,
    /// Share of new flows; VPP takes more than 100 as given.
    pub weight: u8,
    /// Also forget its flows.
    pub is_flush: bool,
}

impl Message for LbAsSetWeight {
    const NAME: &'static str = "lb_as_set_weight";
    const CRC: u32 = 0x2d89_bdbd;

    fn encode(&self, to: &mut FieldWriter<'_>) {
        self.vip.write(to);
        self.as_address.write(to);
        to.u8(self.weight);
        to.flag(self.is_flush);
    }

    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            vip: VipKey::read(from)?,
            as_address: WireAddress::read(from)?,
            weight: from.u8()?,
            is_flush: from.flag()?,
        })
    }
}

impl Request for LbAsSetWeight {
    type Answer = LbAsSetWeightReply;
}

plain_reply! {
    /// Answers [`LbAsSetWeight`].
    LbAsSetWeightReply, "lb_as_set_weight_reply"
}
