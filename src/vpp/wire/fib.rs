//! The forwarding table's entries, one at a time, and the names of their sources.

use std::net::IpAddr;

use super::buffer::{FieldReader, FieldWriter, FixedText, WireError};
use super::message::{Dump, Message, Reply, Request, empty_request};
use super::types::{WireAddress, WirePrefix};

/// `type` of a path to this VPP itself, as an address of an interface is.
pub const PATH_LOCAL: u32 = 1;
/// `type` of a path that drops.
pub const PATH_DROP: u32 = 2;
/// `sw_if_index` of a path of no interface.
pub const NO_INTERFACE: u32 = u32::MAX;

/// Bytes of a path on the wire.
const PATH: usize = 167;

/// Looks an entry up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpRouteLookupV2 {
    /// 0: the one that `lb` puts its VIPs into.
    pub table_id: u32,
    /// The entry of this very prefix, and not the longest that covers it.
    pub exact: bool,
    pub prefix: WirePrefix,
}

impl Message for IpRouteLookupV2 {
    const NAME: &'static str = "ip_route_lookup_v2";
    const CRC: u32 = 0x710d_6471;

    fn encode(&self, to: &mut FieldWriter<'_>) {
        to.u32(self.table_id);
        to.flag(self.exact);
        self.prefix.write(to);
    }

    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        Ok(Self { table_id: from.u32()?, exact: from.flag()?, prefix: WirePrefix::read(from)? })
    }
}

impl Request for IpRouteLookupV2 {
    type Answer = IpRouteLookupV2Reply;
}

/// Answers [`IpRouteLookupV2`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IpRouteLookupV2Reply {
    /// -6: there is no such entry, and all other fields are zero.
    pub retval: i32,
    pub table_id: u32,
    /// In the stats segment.
    pub stats_index: u32,
    /// The entry's.
    pub prefix: WirePrefix,
    /// The source that decides where packets go: an id of [`FibSourceDetails`].
    pub source: u8,
    pub paths: Vec<FibPath>,
}

impl Message for IpRouteLookupV2Reply {
    const NAME: &'static str = "ip_route_lookup_v2_reply";
    const CRC: u32 = 0x84cc_9e03;

    fn encode(&self, to: &mut FieldWriter<'_>) {
        to.i32(self.retval);
        to.u32(self.table_id);
        to.u32(self.stats_index);
        self.prefix.write(to);
        let count = u8::try_from(self.paths.len()).unwrap_or(u8::MAX);
        to.u8(count);
        to.u8(self.source);
        for path in self.paths.iter().take(count.into()) {
            path.write(to);
        }
    }

    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        let (retval, table_id, stats_index) = (from.i32()?, from.u32()?, from.u32()?);
        let (prefix, count, source) = (WirePrefix::read(from)?, from.u8()?, from.u8()?);
        // All of them are there before any is made.
        let mut rows = FieldReader::new(from.take(usize::from(count) * PATH)?);
        let mut paths = Vec::with_capacity(count.into());
        for _ in 0..count {
            paths.push(FibPath::read(&mut rows)?);
        }
        Ok(Self { retval, table_id, stats_index, prefix, source, paths })
    }
}

impl Reply for IpRouteLookupV2Reply {
    fn retval(&self) -> i32 {
        self.retval
    }
}

/// `vl_api_fib_path_t`: one of the ways that packets go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FibPath {
    /// Or [`NO_INTERFACE`], as of a next hop that is looked up in its turn.
    pub sw_if_index: u32,
    pub table_id: u32,
    pub rpf_id: u32,
    pub weight: u8,
    pub preference: u8,
    /// [`PATH_LOCAL`], [`PATH_DROP`], …
    pub kind: u32,
    pub flags: u32,
    /// 0 IPv4, 1 IPv6, 2 MPLS, …
    pub protocol: u32,
    /// IPv4 in the first four bytes; all zero: none.
    pub next_hop: [u8; 16],
    pub via_label: u32,
    pub object: u32,
    pub classify_table: u32,
    pub label_count: u8,
    pub labels: [u8; 112],
}

impl FibPath {
    /// A path of nothing but its interface and kind.
    #[must_use]
    pub fn new(sw_if_index: u32, kind: u32, protocol: u32) -> Self {
        Self {
            sw_if_index,
            table_id: 0,
            rpf_id: 0,
            weight: 1,
            preference: 0,
            kind,
            flags: 0,
            protocol,
            next_hop: [0; 16],
            via_label: 0,
            object: 0,
            classify_table: 0,
            label_count: 0,
            labels: [0; 112],
        }
    }

    /// The next hop, if there is one.
    #[must_use]
    pub fn next_hop(&self) -> Option<IpAddr> {
        let af = u8::try_from(self.protocol).ok()?;
        if self.next_hop == [0; 16] {
            return None;
        }
        WireAddress { af, bytes: self.next_hop }.to_ip()
    }

    fn write(&self, to: &mut FieldWriter<'_>) {
        to.u32(self.sw_if_index);
        to.u32(self.table_id);
        to.u32(self.rpf_id);
        to.u8(self.weight);
        to.u8(self.preference);
        to.u32(self.kind);
        to.u32(self.flags);
        to.u32(self.protocol);
        to.bytes(&self.next_hop);
        to.u32(self.via_label);
        to.u32(self.object);
        to.u32(self.classify_table);
        to.u8(self.label_count);
        to.bytes(&self.labels);
    }

    fn read(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            sw_if_index: from.u32()?,
            table_id: from.u32()?,
            rpf_id: from.u32()?,
            weight: from.u8()?,
            preference: from.u8()?,
            kind: from.u32()?,
            flags: from.u32()?,
            protocol: from.u32()?,
            next_hop: from.array()?,
            via_label: from.u32()?,
            object: from.u32()?,
            classify_table: from.u32()?,
            label_count: from.u8()?,
            labels: from.array()?,
        })
    }
}

empty_request! {
    /// Lists the sources that entries may have.
    FibSourceDump, "fib_source_dump", 0x5107_7d14 => FibSourceDetails
}

impl Dump for FibSourceDump {}

/// A row of [`FibSourceDump`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FibSourceDetails {
    /// Of two sources of an entry, that of the lower priority decides. What plugins
    /// add shares a few priorities, and the first to ask goes first.
    pub priority: u8,
    /// As [`IpRouteLookupV2Reply::source`] has it.
    pub id: u8,
    /// `interface`, `lb`, …
    pub name: FixedText<64>,
}

impl Message for FibSourceDetails {
    const NAME: &'static str = "fib_source_details";
    const CRC: u32 = 0x8668_acdb;

    fn encode(&self, to: &mut FieldWriter<'_>) {
        to.u8(self.priority);
        to.u8(self.id);
        to.bytes(&self.name.0);
    }

    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        Ok(Self { priority: from.u8()?, id: from.u8()?, name: FixedText::read(from)? })
    }
}

impl Reply for FibSourceDetails {
    /// A row has none.
    fn retval(&self) -> i32 {
        0
    }
}
