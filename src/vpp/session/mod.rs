//! A conversation with VPP as a state machine: bytes and times in, bytes and
//! finished calls out. It owns no socket and reads no clock.
//!
//! VPP answers in order, except that it does not answer at all what it cannot
//! parse. So every call has a context of its own and a deadline; the replies of
//! calls in flight never exceed what VPP's send buffer holds; and a reply to a
//! call that is not waiting is counted and dropped.

mod call;
#[cfg(test)]
mod tests;
mod window;

use std::collections::VecDeque;
use std::time::Duration;

pub use call::{
    Call, CallAnswer, CallFailure, Done, Encoded, EndReason, Expect, SMALL_REPLY, SessionSettings,
    SessionStats, Traffic,
};

use window::{InFlight, Unexpected, Window};

use super::wire::control::{SOCKCLNT_CREATE_ID, SOCKCLNT_CREATE_REPLY_ID};
use super::wire::frame::MAX_BODY;
use super::wire::{
    FieldReader, FixedText, FrameBuffer, Message, MessageTable, RequestHead, SockclntCreate,
    SockclntCreateReply, SockclntDelete, SockclntDeleteReply, read_bare, write_bare, write_frame,
    write_request,
};

/// How far the conversation has come.
#[derive(Debug)]
enum SessionPhase {
    /// The handshake is sent.
    Handshake { context: u32, deadline: Duration },
    /// Calls go out under this index.
    Up { index: u32 },
    /// The goodbye is sent, with this context.
    Leaving { context: u32, deadline: Duration },
    /// Nothing is sent or received any more.
    Ended(EndReason),
}

/// One connection's conversation. `T` comes back with each finished call.
#[derive(Debug)]
pub struct Session<T> {
    settings: SessionSettings,
    phase: SessionPhase,
    input: FrameBuffer,
    output: Vec<u8>,
    /// Bytes that the socket has taken, ever.
    written: u64,
    next_context: u32,
    /// Contexts given out, ever.
    contexts: u64,
    window: Window<T>,
    done: VecDeque<Done<T>>,
    table: Option<MessageTable>,
    last_received: Duration,
    stats: SessionStats,
}

impl<T> Session<T> {
    /// A session whose first output is the handshake.
    #[must_use]
    pub fn new(settings: SessionSettings, now: Duration) -> Self {
        let mut session = Self {
            phase: SessionPhase::Ended(EndReason::NoHandshake),
            input: FrameBuffer::new(MAX_BODY),
            output: Vec::new(),
            written: 0,
            next_context: settings.first_context,
            contexts: 0,
            window: Window::new(settings.window, settings.budget),
            done: VecDeque::new(),
            table: None,
            last_received: now,
            stats: SessionStats::default(),
            settings,
        };
        let context = session.take_context();
        let name = FixedText::new(&session.settings.name);
        tracing::debug!(api_message = SockclntCreate::NAME, %name, "vpp-api-send");
        write_bare(&mut session.output, SOCKCLNT_CREATE_ID, &SockclntCreate { context, name });
        session.phase =
            SessionPhase::Handshake { context, deadline: now + session.settings.handshake };
        session
    }

    /// VPP's message table; `None` before the handshake is answered.
    #[must_use]
    pub fn table(&self) -> Option<&MessageTable> {
        self.table.as_ref()
    }

    /// Why the session is over; `None` while it goes on.
    #[must_use]
    pub fn ended(&self) -> Option<EndReason> {
        match self.phase {
            SessionPhase::Ended(why) => Some(why),
            _ => None,
        }
    }

    #[must_use]
    pub fn stats(&self) -> &SessionStats {
        &self.stats
    }

    /// The frame of a goodbye, for a process that must end without its session
    /// (a panic); `None` before the handshake is answered.
    #[must_use]
    pub fn goodbye_frame(&self) -> Option<Vec<u8>> {
        let SessionPhase::Up { index } = self.phase else { return None };
        self.goodbye(index, 0)
    }

    fn goodbye(&self, index: u32, context: u32) -> Option<Vec<u8>> {
        let id = self.table.as_ref()?.id_of::<SockclntDelete>()?;
        let mut frame = Vec::new();
        let head = RequestHead { client_index: index, context };
        write_request(&mut frame, id, head, &SockclntDelete { index });
        Some(frame)
    }

    /// Queues a call. It goes out when the window has room for it.
    pub fn submit(&mut self, call: Call<T>) {
        match self.phase {
            SessionPhase::Ended(why) => self.fail(call, CallFailure::NeverSent(why)),
            SessionPhase::Leaving { .. } => {
                self.fail(call, CallFailure::NeverSent(EndReason::Left));
            }
            SessionPhase::Handshake { .. } | SessionPhase::Up { .. } => self.window.queue(call),
        }
    }

    /// Bytes for the socket: everything that the window allows at `now`.
    pub fn output(&mut self, now: Duration) -> &[u8] {
        self.fill(now);
        &self.output
    }

    /// The socket took the first `count` bytes of the output.
    pub fn written(&mut self, count: usize) {
        self.output.drain(..count.min(self.output.len()));
        self.written += count as u64;
    }

    /// Takes what was read from the socket.
    pub fn received(&mut self, now: Duration, bytes: &[u8]) {
        self.last_received = now;
        let mut input = std::mem::replace(&mut self.input, FrameBuffer::new(MAX_BODY));
        input.push(bytes);
        while self.ended().is_none() {
            match input.next_body() {
                Ok(None) => break,
                Ok(Some(body)) => self.take(body),
                Err(error) => self.end(EndReason::BadFrame(error)),
            }
        }
        self.input = input;
    }

    /// The socket is gone. After a goodbye that is its answer.
    pub fn lost(&mut self, why: EndReason) {
        let leaving = matches!(self.phase, SessionPhase::Leaving { .. });
        self.end(if leaving { EndReason::Left } else { why });
    }

    /// Says goodbye: what is in flight is still answered, what is not sent
    /// fails.
    pub fn leave(&mut self, now: Duration) {
        let SessionPhase::Up { index } = self.phase else {
            if matches!(self.phase, SessionPhase::Handshake { .. }) {
                self.end(EndReason::LeftUnconfirmed);
            }
            return;
        };
        self.fail_queued(CallFailure::NeverSent(EndReason::Left));
        let context = self.take_context();
        let Some(frame) = self.goodbye(index, context) else {
            return self.end(EndReason::LeftUnconfirmed);
        };
        tracing::debug!(api_message = SockclntDelete::NAME, index, "vpp-api-send");
        self.output.extend_from_slice(&frame);
        self.phase = SessionPhase::Leaving { context, deadline: now + self.settings.goodbye };
    }

    /// When [`Self::expire`] is to be called; `None` if nothing waits.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        let own = match self.phase {
            SessionPhase::Handshake { deadline, .. } | SessionPhase::Leaving { deadline, .. } => {
                Some(deadline)
            }
            SessionPhase::Up { .. } | SessionPhase::Ended(_) => None,
        };
        self.window.deadline().into_iter().chain(own).min()
    }

    /// Gives up what has waited too long.
    pub fn expire(&mut self, now: Duration) {
        match self.phase {
            SessionPhase::Handshake { deadline, .. } if now >= deadline => {
                return self.end(EndReason::NoHandshake);
            }
            SessionPhase::Leaving { deadline, .. } if now >= deadline => {
                return self.end(EndReason::LeftUnconfirmed);
            }
            _ => {}
        }
        let overdue = self.window.overdue(now);
        let silent = overdue.iter().any(|waiting| self.last_received <= waiting.sent_at);
        for waiting in overdue {
            self.finish(waiting.name, waiting.token, Err(CallFailure::TimedOut));
        }
        // Sending more to a VPP that has sent nothing since would only make more
        // calls of unknown outcome.
        if silent {
            self.fail_queued(CallFailure::HeldBack);
        }
    }

    pub fn next_done(&mut self) -> Option<Done<T>> {
        self.done.pop_front()
    }

    fn take_context(&mut self) -> u32 {
        let context = self.next_context;
        self.next_context = context.wrapping_add(1);
        self.contexts += 1;
        context
    }

    /// Moves calls from the lanes to the output while there is room.
    fn fill(&mut self, now: Duration) {
        let SessionPhase::Up { index } = self.phase else { return };
        while let Some(call) = self.window.next(now) {
            self.send(index, call, now);
        }
    }

    fn send(&mut self, client_index: u32, call: Call<T>, now: Duration) {
        call.log();
        let first = self.next_context;
        for (id, fields) in call.frames() {
            let context = self.take_context();
            write_frame(&mut self.output, |to| {
                to.u16(id);
                to.u32(client_index);
                to.u32(context);
                to.bytes(fields);
            });
        }
        let requests = call.requests.len() as u64;
        self.stats.messages.entry(call.name).or_default().sent += requests;
        let ends_at = self.written + self.output.len() as u64;
        self.window.sent(InFlight::new(call, first, now, ends_at));
    }

    fn take(&mut self, body: &[u8]) {
        let mut from = FieldReader::new(body);
        let (Ok(id), Ok(context)) = (from.u16(), from.u32()) else {
            self.stats.unknown += 1;
            return;
        };
        match self.phase {
            SessionPhase::Handshake { context: ours, .. } if id == SOCKCLNT_CREATE_REPLY_ID => {
                self.take_handshake(body, ours);
            }
            SessionPhase::Leaving { context: ours, .. } if context == ours => {
                tracing::debug!(api_message = SockclntDeleteReply::NAME, "vpp-api-recv");
                self.end(EndReason::Left);
            }
            _ => self.answer(id, context, body),
        }
    }

    fn take_handshake(&mut self, body: &[u8], ours: u32) {
        let Ok(reply) = read_bare::<SockclntCreateReply>(body) else {
            return self.end(EndReason::BadHandshake);
        };
        let (api_message, index) = (SockclntCreateReply::NAME, reply.index);
        tracing::debug!(api_message, response = reply.response, index, "vpp-api-recv");
        if reply.context != ours {
            self.stats.foreign += 1;
        } else if reply.response != 0 {
            self.end(EndReason::Refused(reply.response));
        } else {
            self.table = Some(reply.table);
            self.phase = SessionPhase::Up { index: reply.index };
        }
    }

    fn answer(&mut self, id: u16, context: u32, body: &[u8]) {
        let Some((index, waiting)) = self.window.find(context) else {
            // Contexts are given out one after the other, so one that is
            // closer behind than we have given out was ours.
            let behind = u64::from(self.next_context.wrapping_sub(context).wrapping_sub(1));
            if behind < self.contexts {
                self.stats.late += 1;
            } else {
                self.stats.foreign += 1;
            }
            return;
        };
        match waiting.take(index, id, body) {
            Ok(None) => {}
            Err(Unexpected) => self.stats.unknown += 1,
            Ok(Some(result)) => {
                if let Some(waiting) = self.window.remove(context) {
                    self.finish(waiting.name, waiting.token, result);
                }
            }
        }
    }

    fn finish(&mut self, name: &'static str, token: T, result: Result<CallAnswer, CallFailure>) {
        self.stats.ended(name, &result);
        self.done.push_back(Done { token, result });
    }

    fn fail(&mut self, call: Call<T>, failure: CallFailure) {
        self.finish(call.name, call.token, Err(failure));
    }

    fn fail_queued(&mut self, failure: CallFailure) {
        for call in self.window.drain_queued() {
            self.fail(call, failure);
        }
    }

    fn end(&mut self, why: EndReason) {
        if self.ended().is_some() {
            return;
        }
        self.phase = SessionPhase::Ended(why);
        for waiting in self.window.drain_sent() {
            // VPP acts on whole frames only.
            let failure = if waiting.ends_at <= self.written {
                CallFailure::MaybeApplied(why)
            } else {
                CallFailure::NeverSent(why)
            };
            self.finish(waiting.name, waiting.token, Err(failure));
        }
        self.fail_queued(CallFailure::NeverSent(why));
    }
}
