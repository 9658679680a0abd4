//! Every message of the embedded VPP with its number, and the way from bytes
//! to what serves it.

use super::clients::Clients;
use super::legacy::{
    LbAddDelAs, LbAddDelAsReply, LbAddDelVip, LbAddDelVipReply, LbAsDetails, LbAsDump, LbFlushVip,
    LbFlushVipReply, MemclntKeepalive, MemclntKeepaliveReply,
};
use super::process::{Crash, Process, ReplyDraft};
use crate::vpp::embedded::fault_injection::WriteRequest;
use crate::vpp::wire::control::{SOCKCLNT_CREATE_ID, SOCKCLNT_CREATE_REPLY_ID};
use crate::vpp::wire::{
    CliInband, CliInbandReply, ControlPing, ControlPingReply, LbAddDelAsV2, LbAddDelAsV2Reply,
    LbAddDelVipV2, LbAddDelVipV2Reply, LbAsSetWeight, LbAsSetWeightReply, LbAsV2Details,
    LbAsV2Dump, LbConfGet, LbConfGetReply, LbConfReply, LbConfSet, LbVipDetails, LbVipDump,
    Message, Request, RequestHead, ShowVersion, ShowVersionReply, SockclntCreate,
    SockclntCreateReply, SockclntDelete, SockclntDeleteReply, WireError, read_request,
};

/// A row of the message table.
#[derive(Clone, Copy)]
pub(super) struct RequestEntry {
    pub(super) id: u16,
    pub(super) name: &'static str,
    pub(super) crc: u32,
    /// `None`: a reply, or a message of the connection itself.
    pub(super) serve: Option<Serve>,
}

/// Serves the request in a body. `refuse` stands for doing it.
type Serve =
    fn(&mut Served<'_>, &[u8], Option<i32>) -> Result<Result<ReplyDraft, Crash>, WireError>;

/// What a request can reach.
pub(super) struct Served<'a> {
    pub(super) process: &'a mut Process,
    pub(super) clients: &'a Clients,
    /// The write that the request was.
    pub(super) write: Option<WriteRequest>,
}

/// A request that VPP answers.
pub(super) trait Serves: Request {
    /// Does it.
    fn serve(
        &self,
        with: &mut Served<'_>,
        head: RequestHead,
        answer: &mut ReplyDraft,
    ) -> Result<(), Crash>;

    /// The answer that says no.
    fn refusal(_: i32) -> Option<Self::Answer> {
        None
    }

    /// The change of the load balancer that it asks for.
    fn write(&self) -> Option<WriteRequest> {
        None
    }
}

/// Ids are of no order: a client that guesses them is wrong here as well.
pub(super) fn catalogue() -> Vec<RequestEntry> {
    let mut next = 700;
    let mut entries = vec![
        entry::<SockclntCreate>(SOCKCLNT_CREATE_ID, None),
        entry::<SockclntCreateReply>(SOCKCLNT_CREATE_REPLY_ID, None),
        entry::<SockclntDelete>(17, None),
        entry::<SockclntDeleteReply>(18, None),
    ];
    let mut pair = |entry: RequestEntry, reply: fn(u16) -> RequestEntry| {
        next -= 9;
        entries.push(RequestEntry { id: next, ..entry });
        entries.push(reply(next - 4));
    };
    fn plain<M: Message>(id: u16) -> RequestEntry {
        entry::<M>(id, None)
    }
    fn served<M: Serves>() -> RequestEntry {
        entry::<M>(0, Some(run::<M>))
    }
    pair(served::<ControlPing>(), plain::<ControlPingReply>);
    pair(served::<LbVipDump>(), plain::<LbVipDetails>);
    pair(served::<LbAddDelAsV2>(), plain::<LbAddDelAsV2Reply>);
    pair(served::<ShowVersion>(), plain::<ShowVersionReply>);
    pair(served::<LbConfSet>(), plain::<LbConfReply>);
    pair(served::<CliInband>(), plain::<CliInbandReply>);
    pair(served::<LbAsSetWeight>(), plain::<LbAsSetWeightReply>);
    pair(served::<LbConfGet>(), plain::<LbConfGetReply>);
    pair(served::<LbAsV2Dump>(), plain::<LbAsV2Details>);
    pair(served::<LbAddDelVipV2>(), plain::<LbAddDelVipV2Reply>);
    pair(served::<LbFlushVip>(), plain::<LbFlushVipReply>);
    pair(served::<LbAddDelVip>(), plain::<LbAddDelVipReply>);
    pair(served::<LbAddDelAs>(), plain::<LbAddDelAsReply>);
    pair(served::<LbAsDump>(), plain::<LbAsDetails>);
    pair(served::<MemclntKeepalive>(), plain::<MemclntKeepaliveReply>);
    entries
}

fn entry<M: Message>(id: u16, serve: Option<Serve>) -> RequestEntry {
    RequestEntry { id, name: M::NAME, crc: M::CRC, serve }
}

fn run<M: Serves>(
    with: &mut Served<'_>,
    body: &[u8],
    refuse: Option<i32>,
) -> Result<Result<ReplyDraft, Crash>, WireError> {
    let (head, message) = read_request::<M>(body)?;
    let mut answer = ReplyDraft::to(head.client_index);
    with.write = message.write();
    if let Some(reply) = refuse.and_then(M::refusal) {
        with.process.reply(&mut answer, head, &reply);
        return Ok(Ok(answer));
    }
    let done = message.serve(with, head, &mut answer);
    Ok(done.map(|()| answer))
}
