//! From a request to its reply, injected faults included.

use tracing::{error, warn};

use super::EmbeddedServer;
use crate::vpp::embedded::clients::{Clients, Sent};
use crate::vpp::embedded::fault_injection::{InjectedFault, WriteRecord};
use crate::vpp::embedded::process::{Crash, ReplyDraft};
use crate::vpp::embedded::reader;
use crate::vpp::embedded::requests::RequestContext;
use crate::vpp::wire::control::SOCKCLNT_CREATE_REPLY_ID;
use crate::vpp::wire::{
    Message, SockclntCreate, SockclntCreateReply, SockclntDelete, SockclntDeleteReply, message_id,
    read_bare, read_request, write_bare,
};

/// Writes that are kept; older ones are dropped.
const WRITES: usize = 100_000;

impl EmbeddedServer {
    /// Serves a request, or applies the fault that was injected for it.
    pub(super) fn request(&mut self, slot: u32, body: &[u8]) {
        self.process.catch_up();
        let entry = message_id(body).ok().and_then(|id| self.requests.entry(id));
        let Some(entry) = entry else {
            warn!(length = body.len(), "vpp-embedded-no-handler");
            return;
        };
        *self.received.entry(entry.name).or_default() += 1;
        let fault = self.faults.strike(entry.name);
        let refusal = match fault {
            Some(InjectedFault::DropBefore) => return self.clients.remove(slot),
            Some(InjectedFault::Crash) => return self.crash("an injected fault"),
            Some(InjectedFault::Refuse(retval)) => Some(retval),
            _ => None,
        };
        let answer = match entry.name {
            SockclntCreate::NAME => self.create(slot, body),
            SockclntDelete::NAME => return self.delete(body),
            _ => {
                let Some(handle) = entry.handle else { return };
                let (process, clients) = (&mut self.process, &self.clients);
                let mut context = RequestContext { process, clients, write: None };
                match handle(&mut context, body, refusal) {
                    Ok(Ok(answer)) => {
                        let write = context.write;
                        if let (Some(write), Some(retval)) = (write, answer.retval) {
                            self.record_write(WriteRecord { write, retval });
                        }
                        Some(answer)
                    }
                    Ok(Err(Crash(why))) => return self.crash(why),
                    Err(error) => {
                        warn!(message = entry.name, %error, "vpp-embedded-truncated");
                        None
                    }
                }
            }
        };
        let Some(answer) = answer else { return };
        // A client that has the answer to a new VIP finds its counters.
        self.publish_counters();
        if answer.hangs {
            self.frozen = true;
        }
        if answer.errno_was_set {
            self.clients.errno_was_set();
        }
        match fault {
            Some(InjectedFault::LoseReply) => {}
            Some(InjectedFault::HoldReply) => self.held.push(answer),
            Some(InjectedFault::DropAfter) => self.clients.remove(slot),
            _ => self.send(&answer),
        }
    }

    fn create(&mut self, slot: u32, body: &[u8]) -> Option<ReplyDraft> {
        let request: SockclntCreate = read_bare(body).ok()?;
        self.clients.name(slot, request.name.to_string());
        let index = Clients::index_of_slot(slot);
        let reply = SockclntCreateReply {
            client_index: 0,
            context: request.context,
            response: 0,
            index,
            table: self.requests.message_table(),
        };
        let mut answer = ReplyDraft::to(index);
        write_bare(&mut answer.bytes, SOCKCLNT_CREATE_REPLY_ID, &reply);
        answer.ends.push(answer.bytes.len());
        Some(answer)
    }

    /// The one message after which VPP itself closes.
    fn delete(&mut self, body: &[u8]) {
        let Ok((head, request)) = read_request::<SockclntDelete>(body) else { return };
        let named = self.clients.slot_of_index(request.index);
        let response = if named.is_some() { 1 } else { -1 };
        let mut answer = ReplyDraft::to(head.client_index);
        self.process.reply(&mut answer, head, &SockclntDeleteReply { response });
        self.send(&answer);
        if let Some(slot) = named.filter(|_| self.clients.slot_of_index(answer.to).is_some()) {
            self.clients.remove(slot);
        }
    }

    /// Sends to the client that the request named, if there is one.
    pub(super) fn send(&mut self, answer: &ReplyDraft) {
        let Some(slot) = self.clients.slot_of_index(answer.to) else { return };
        for frame in answer.frames() {
            let sent = self.clients.send(slot, frame);
            self.after_send(slot, sent);
            if sent == Sent::Gone {
                return;
            }
        }
    }

    pub(super) fn after_send(&mut self, slot: u32, sent: Sent) {
        match sent {
            Sent::All | Sent::Queued => {}
            Sent::Gone => self.clients.remove(slot),
            Sent::Waiting => {
                if let Some((serial, stream)) = self.clients.stream(slot) {
                    reader::wait_for_room(serial, stream, self.events.clone());
                }
            }
        }
    }

    fn record_write(&mut self, record: WriteRecord) {
        if self.writes.len() == WRITES {
            self.writes.pop_front();
        }
        self.writes.push_back(record);
    }

    fn crash(&mut self, why: &str) {
        error!(why, "vpp-embedded-crash");
        if let Err(error) = self.restart() {
            error!(%error, "vpp-embedded-restart-failed");
        }
    }
}
