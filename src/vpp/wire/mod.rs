//! VPP's binary API as bytes: frames, message table, and a struct for every
//! message that we use, in both directions.
//!
//! The structs hold what can stand on the wire, nonsense included, because
//! the embedded dataplane must understand what any client may send. Our client
//! makes writes from steps alone, whose types cannot hold what would crash or
//! corrupt VPP (`vpp::client`).
//!
//! Integers are big-endian and packed, with two exceptions in
//! [`LbVipDetails`], and others in `lb_legacy`; addresses are a family and 16 bytes, IPv4 in the first four.

pub mod buffer;
pub mod control;
pub mod fib;
pub mod frame;
pub mod interface;
pub mod lb;
pub mod lb_legacy;
pub mod lb_rows;
pub mod message;
pub mod table;
pub mod types;

pub use buffer::{FieldReader, FieldWriter, FixedText, WireError};
pub use control::{
    CliInband, CliInbandReply, ControlPing, ControlPingReply, ShowVersion, ShowVersionReply,
    SockclntCreate, SockclntCreateReply, SockclntDelete, SockclntDeleteReply,
};
pub use fib::{FibPath, FibSourceDetails, FibSourceDump, IpRouteLookupV2, IpRouteLookupV2Reply};
pub use frame::{FrameBuffer, FrameError, message_id, write_frame};
pub use interface::{SwInterfaceDetails, SwInterfaceDump};
pub use lb::{
    LbAddDelAsV2, LbAddDelAsV2Reply, LbAddDelVipV2, LbAddDelVipV2Reply, LbAsSetWeight,
    LbAsSetWeightReply, LbConfGet, LbConfGetReply, LbConfReply, LbConfSet,
};
pub use lb_legacy::{
    LbAddDelAsReply, LegacyAddDelAs, LegacyAddDelVipV2, LegacyAsDetails, LegacyAsDump,
};
pub use lb_rows::{LbAsV2Details, LbAsV2Dump, LbVipDetails, LbVipDump};
pub use message::{
    Dump, Message, Reply, Request, RequestHead, read_bare, read_reply, read_request, write_bare,
    write_reply, write_request,
};
pub use table::MessageTable;
pub use types::{VipKey, WireAddress, WirePrefix};
