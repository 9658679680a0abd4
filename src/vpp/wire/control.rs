//! The messages that are not the load balancer's: handshake, goodbye, ping,
//! version and CLI.

use super::buffer::{FieldReader, FieldWriter, FixedText, WireError};
use super::message::{Message, Reply, Request, empty_request};
use super::table::MessageTable;

/// The fixed id of [`SockclntCreate`], the one message whose id is known
/// before the table is.
pub const SOCKCLNT_CREATE_ID: u16 = 15;
/// The fixed id of [`SockclntCreateReply`].
pub const SOCKCLNT_CREATE_REPLY_ID: u16 = 16;

/// Registers a client; routes itself (no client index yet).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SockclntCreate {
    /// Comes back in the reply.
    pub context: u32,
    /// What `show api clients` lists.
    pub name: FixedText<64>,
}

impl Message for SockclntCreate {
    const NAME: &'static str = "sockclnt_create";
    const CRC: u32 = 0x455f_b9c4;

    fn encode(&self, to: &mut FieldWriter<'_>) {
        to.u32(self.context);
        to.bytes(&self.name.0);
    }

    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        Ok(Self { context: from.u32()?, name: FixedText::read(from)? })
    }
}

/// Answers [`SockclntCreate`]; routes itself (client index before context).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SockclntCreateReply {
    /// 0.
    pub client_index: u32,
    /// The request's.
    pub context: u32,
    /// 0.
    pub response: i32,
    /// What goes into `client_index` of every later request.
    pub index: u32,
    /// Every message that this VPP knows.
    pub table: MessageTable,
}

impl Message for SockclntCreateReply {
    const NAME: &'static str = "sockclnt_create_reply";
    const CRC: u32 = 0x3516_6268;

    fn encode(&self, to: &mut FieldWriter<'_>) {
        to.u32(self.client_index);
        to.u32(self.context);
        to.i32(self.response);
        to.u32(self.index);
        self.table.write(to);
    }

    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            client_index: from.u32()?,
            context: from.u32()?,
            response: from.i32()?,
            index: from.u32()?,
            table: MessageTable::read(from)?,
        })
    }
}

/// Removes a client: the only way to disconnect that a VPP in any state handles
/// well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SockclntDelete {
    /// The index that [`SockclntCreateReply`] gave.
    pub index: u32,
}

impl Message for SockclntDelete {
    const NAME: &'static str = "sockclnt_delete";
    const CRC: u32 = 0x8ac7_6db6;

    fn encode(&self, to: &mut FieldWriter<'_>) {
        to.u32(self.index);
    }

    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        Ok(Self { index: from.u32()? })
    }
}

impl Request for SockclntDelete {
    type Answer = SockclntDeleteReply;
}

/// Answers [`SockclntDelete`]; VPP closes the socket after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SockclntDeleteReply {
    /// 1 when the client was removed.
    pub response: i32,
}

impl Message for SockclntDeleteReply {
    const NAME: &'static str = "sockclnt_delete_reply";
    const CRC: u32 = 0x8f38_b1ee;

    fn encode(&self, to: &mut FieldWriter<'_>) {
        to.i32(self.response);
    }

    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        Ok(Self { response: from.i32()? })
    }
}

impl Reply for SockclntDeleteReply {
    /// Always 0: a response of 1 is the success.
    fn retval(&self) -> i32 {
        0
    }
}

empty_request! {
    /// A ping; its reply closes a dump.
    ControlPing, "control_ping", 0x5107_7d14 => ControlPingReply
}

/// Answers [`ControlPing`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlPingReply {
    /// 0.
    pub retval: i32,
    /// The asking client's; from a VPP before 26.10 anything.
    pub client_index: u32,
    pub vpe_pid: u32,
}

impl Message for ControlPingReply {
    const NAME: &'static str = "control_ping_reply";
    const CRC: u32 = 0xf6b0_b8ca;

    fn encode(&self, to: &mut FieldWriter<'_>) {
        to.i32(self.retval);
        to.u32(self.client_index);
        to.u32(self.vpe_pid);
    }

    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        Ok(Self { retval: from.i32()?, client_index: from.u32()?, vpe_pid: from.u32()? })
    }
}

impl Reply for ControlPingReply {
    fn retval(&self) -> i32 {
        self.retval
    }
}

empty_request! {
    /// Asks for the version.
    ShowVersion, "show_version", 0x5107_7d14 => ShowVersionReply
}

/// Answers [`ShowVersion`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShowVersionReply {
    /// 0.
    pub retval: i32,
    /// `vpe`.
    pub program: FixedText<32>,
    /// `26.10-rc0~374-gb575ec2c56d`.
    pub version: FixedText<32>,
    /// `2026-11-22T11:53:09`.
    pub build_date: FixedText<32>,
    /// Often empty.
    pub build_directory: FixedText<256>,
}

impl Message for ShowVersionReply {
    const NAME: &'static str = "show_version_reply";
    const CRC: u32 = 0xc919_bde1;

    fn encode(&self, to: &mut FieldWriter<'_>) {
        to.i32(self.retval);
        to.bytes(&self.program.0);
        to.bytes(&self.version.0);
        to.bytes(&self.build_date.0);
        to.bytes(&self.build_directory.0);
    }

    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            retval: from.i32()?,
            program: FixedText::read(from)?,
            version: FixedText::read(from)?,
            build_date: FixedText::read(from)?,
            build_directory: FixedText::read(from)?,
        })
    }
}

impl Reply for ShowVersionReply {
    fn retval(&self) -> i32 {
        self.retval
    }
}

/// Runs a line of VPP's CLI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CliInband {
    /// The line.
    pub cmd: Vec<u8>,
}

impl Message for CliInband {
    const NAME: &'static str = "cli_inband";
    const CRC: u32 = 0xf837_7302;

    fn encode(&self, to: &mut FieldWriter<'_>) {
        to.text(&self.cmd);
    }

    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        Ok(Self { cmd: from.text()? })
    }
}

impl Request for CliInband {
    type Answer = CliInbandReply;
}

/// Answers [`CliInband`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CliInbandReply {
    /// -1 for an unknown command.
    pub retval: i32,
    /// What the command printed.
    pub reply: Vec<u8>,
}

impl Message for CliInbandReply {
    const NAME: &'static str = "cli_inband_reply";
    const CRC: u32 = 0x0587_9051;

    fn encode(&self, to: &mut FieldWriter<'_>) {
        to.i32(self.retval);
        to.text(&self.reply);
    }

    fn decode(from: &mut FieldReader<'_>) -> Result<Self, WireError> {
        Ok(Self { retval: from.i32()?, reply: from.text()? })
    }
}

impl Reply for CliInbandReply {
    fn retval(&self) -> i32 {
        self.retval
    }
}
