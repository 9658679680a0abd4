//! VPP's interfaces.

use super::buffer::{FieldReader, FieldWriter, FixedText, WireError};
use super::message::{Dump, Message, Reply, Request};

/// Lists interfaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwInterfaceDump {
    /// The one; 0 and all ones: every interface.
    pub sw_if_index: u32,
    /// List those whose name has `name_filter` in it, whatever `sw_if_index` is.
    pub by_name: bool,
    pub name_filter: Vec<u8>,
}

impl SwInterfaceDump {
    /// One interface. VPP cannot be asked for number 0, `local0`, alone.
    #[must_use]
    pub fn one(sw_if_index: u32) -> Self {
        Self { sw_if_index, by_name: false, name_filter: Vec::new() }
    }
}

impl Message for SwInterfaceDump {
    const NAME: &'static str = "sw_interface_dump";
    const CRC: u32 = 0xaa61_0c27;

    fn encode(&self, to: &mut FieldWriter<'_>) {
        to.u32(self.sw_if_index);
        to.flag(self.by_name);
        to.text(&self.name_filter);
    }

    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        Ok(Self { sw_if_index: from.u32()?, by_name: from.flag()?, name_filter: from.text()? })
    }
}

impl Request for SwInterfaceDump {
    type Answer = SwInterfaceDetails;
}

impl Dump for SwInterfaceDump {}

/// A row of [`SwInterfaceDump`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwInterfaceDetails {
    pub sw_if_index: u32,
    /// Its own, or that of the interface that it is a part of.
    pub sup_sw_if_index: u32,
    pub link_address: [u8; 6],
    /// Bit 0: administratively up; bit 1: its link is.
    pub flags: u32,
    pub kind: u32,
    pub link_duplex: u32,
    /// In kbit/s.
    pub link_speed: u32,
    pub link_mtu: u16,
    /// Bytes of a packet, of layer 3, IPv4, IPv6 and MPLS; 0: not set, and of the last
    /// three that of layer 3 counts.
    pub mtu: [u32; 4],
    /// Tags and rewrites of a VLAN.
    pub vlan: [u8; 49],
    pub name: FixedText<64>,
    pub device: FixedText<64>,
    pub tag: FixedText<64>,
}

impl Message for SwInterfaceDetails {
    const NAME: &'static str = "sw_interface_details";
    const CRC: u32 = 0x6c22_1fc7;

    fn encode(&self, to: &mut FieldWriter<'_>) {
        to.u32(self.sw_if_index);
        to.u32(self.sup_sw_if_index);
        to.bytes(&self.link_address);
        to.u32(self.flags);
        to.u32(self.kind);
        to.u32(self.link_duplex);
        to.u32(self.link_speed);
        to.u16(self.link_mtu);
        for mtu in self.mtu {
            to.u32(mtu);
        }
        to.bytes(&self.vlan);
        to.bytes(&self.name.0);
        to.bytes(&self.device.0);
        to.bytes(&self.tag.0);
    }

    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            sw_if_index: from.u32()?,
            sup_sw_if_index: from.u32()?,
            link_address: from.array()?,
            flags: from.u32()?,
            kind: from.u32()?,
            link_duplex: from.u32()?,
            link_speed: from.u32()?,
            link_mtu: from.u16()?,
            mtu: [from.u32()?, from.u32()?, from.u32()?, from.u32()?],
            vlan: from.array()?,
            name: FixedText::read(from)?,
            device: FixedText::read(from)?,
            tag: FixedText::read(from)?,
        })
    }
}

impl Reply for SwInterfaceDetails {
    /// A row has none.
    fn retval(&self) -> i32 {
        0
    }
}
