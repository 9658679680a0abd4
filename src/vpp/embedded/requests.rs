//! Every message of the embedded VPP with its id, and from bytes to its handler.

use std::collections::HashMap;

use super::clients::Clients;
use super::legacy::{
    LbAddDelAs, LbAddDelVip, LbAddDelVipReply, LbAsDetails, LbAsDump, LbFlushVip, LbFlushVipReply,
    MemclntKeepalive, MemclntKeepaliveReply,
};
use super::options::EmbeddedOptions;
use super::process::{Crash, Process, ReplyDraft};
use crate::vpp::embedded::fault_injection::WriteRequest;
use crate::vpp::wire::control::{SOCKCLNT_CREATE_ID, SOCKCLNT_CREATE_REPLY_ID};
use crate::vpp::wire::message::key;
use crate::vpp::wire::{
    CliInband, CliInbandReply, ControlPing, ControlPingReply, FibSourceDetails, FibSourceDump,
    IpRouteLookupV2, IpRouteLookupV2Reply, LbAddDelAsReply, LbAddDelAsV2, LbAddDelAsV2Reply,
    LbAddDelVipV2, LbAddDelVipV2Reply, LbAsSetWeight, LbAsSetWeightReply, LbAsV2Details,
    LbAsV2Dump, LbConfGet, LbConfGetReply, LbConfReply, LbConfSet, LbVipDetails, LbVipDump,
    Message, MessageTable, Request, RequestHead, ShowVersion, ShowVersionReply, SockclntCreate,
    SockclntCreateReply, SockclntDelete, SockclntDeleteReply, SwInterfaceDetails, SwInterfaceDump,
    WireError, read_request,
};

/// A row of the message table.
#[derive(Clone, Copy)]
pub(super) struct RequestEntry {
    pub(super) id: u16,
    pub(super) name: &'static str,
    pub(super) crc: u32,
    /// `None`: a reply, or a message of the connection itself.
    pub(super) handle: Option<HandleBody>,
}

/// Handles the request in a body. With a code to refuse it with, the request is
/// answered and not carried out.
type HandleBody =
    fn(&mut RequestContext<'_>, &[u8], Option<i32>) -> Result<Result<ReplyDraft, Crash>, WireError>;

/// What a handler works on.
pub(super) struct RequestContext<'a> {
    pub(super) process: &'a mut Process,
    pub(super) clients: &'a Clients,
    /// The change that the request asks for, for the record of writes.
    pub(super) write: Option<WriteRequest>,
}

/// Handles one kind of request.
pub(super) trait RequestHandler: Request {
    fn handle(
        &self,
        context: &mut RequestContext<'_>,
        head: RequestHead,
        reply: &mut ReplyDraft,
    ) -> Result<(), Crash>;

    /// The reply with this error; `None` if the reply has more than a code.
    fn refusal(_: i32) -> Option<Self::Answer> {
        None
    }

    /// The change of the load balancer that it asks for.
    fn write(&self) -> Option<WriteRequest> {
        None
    }
}

/// The message table, with the handlers.
pub(super) struct RequestTable(HashMap<u16, RequestEntry>);

impl RequestTable {
    /// Every message of the API but those of the names in `without`.
    pub(super) fn new(options: &EmbeddedOptions) -> Self {
        let lacks =
            |name: &str| options.without.contains(&name) || options.api.lacks().contains(&name);
        let entries = catalogue().into_iter().filter(|entry| !lacks(entry.name));
        Self(entries.map(|entry| (entry.id, entry)).collect())
    }

    pub(super) fn entry(&self, id: u16) -> Option<RequestEntry> {
        self.0.get(&id).copied()
    }

    pub(super) fn ids(&self) -> HashMap<&'static str, u16> {
        self.0.values().map(|entry| (entry.name, entry.id)).collect()
    }

    /// The reply to `sockclnt_create`.
    pub(super) fn message_table(&self) -> MessageTable {
        let entries = self.0.values();
        MessageTable::new(entries.map(|entry| (entry.id, key(entry.name, entry.crc))))
    }
}

/// Ids are of no order: a client that guesses them is wrong here as well.
fn catalogue() -> Vec<RequestEntry> {
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
    fn handled<M: RequestHandler>() -> RequestEntry {
        entry::<M>(0, Some(handle_body::<M>))
    }
    pair(handled::<ControlPing>(), plain::<ControlPingReply>);
    pair(handled::<LbVipDump>(), plain::<LbVipDetails>);
    pair(handled::<LbAddDelAsV2>(), plain::<LbAddDelAsV2Reply>);
    pair(handled::<ShowVersion>(), plain::<ShowVersionReply>);
    pair(handled::<LbConfSet>(), plain::<LbConfReply>);
    pair(handled::<CliInband>(), plain::<CliInbandReply>);
    pair(handled::<LbAsSetWeight>(), plain::<LbAsSetWeightReply>);
    pair(handled::<LbConfGet>(), plain::<LbConfGetReply>);
    pair(handled::<LbAsV2Dump>(), plain::<LbAsV2Details>);
    pair(handled::<LbAddDelVipV2>(), plain::<LbAddDelVipV2Reply>);
    pair(handled::<LbFlushVip>(), plain::<LbFlushVipReply>);
    pair(handled::<LbAddDelVip>(), plain::<LbAddDelVipReply>);
    pair(handled::<LbAddDelAs>(), plain::<LbAddDelAsReply>);
    pair(handled::<LbAsDump>(), plain::<LbAsDetails>);
    pair(handled::<IpRouteLookupV2>(), plain::<IpRouteLookupV2Reply>);
    pair(handled::<FibSourceDump>(), plain::<FibSourceDetails>);
    pair(handled::<SwInterfaceDump>(), plain::<SwInterfaceDetails>);
    pair(handled::<MemclntKeepalive>(), plain::<MemclntKeepaliveReply>);
    entries
}

fn entry<M: Message>(id: u16, handle: Option<HandleBody>) -> RequestEntry {
    RequestEntry { id, name: M::NAME, crc: M::CRC, handle }
}

fn handle_body<M: RequestHandler>(
    context: &mut RequestContext<'_>,
    body: &[u8],
    refuse: Option<i32>,
) -> Result<Result<ReplyDraft, Crash>, WireError> {
    let (head, message) = read_request::<M>(body)?;
    let mut answer = ReplyDraft::to(head.client_index);
    context.write = message.write();
    if let Some(reply) = refuse.and_then(M::refusal) {
        context.process.reply(&mut answer, head, &reply);
        return Ok(Ok(answer));
    }
    let done = message.handle(context, head, &mut answer);
    Ok(done.map(|()| answer))
}
