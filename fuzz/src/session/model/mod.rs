//! What a session must do, determined from the bytes on the wire as simply as
//! possible: lists that are searched, no window, no buffers.

mod outgoing;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use vpp_maglev::vpp::session::{
    Call, CallAnswer, CallFailure, EndReason, Expect, Session, SessionSettings, SessionStats,
};
use vpp_maglev::vpp::wire::frame::{HEADER, MAX_BODY};
use vpp_maglev::vpp::wire::{FrameError, Message, SockclntDelete};

use super::super::messages::entries;
use super::{HANDSHAKE_REPLY, WRITE_REPLY};

type Outcome = Result<CallAnswer, CallFailure>;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Handshake { deadline: Duration },
    Up { index: u32 },
    Leaving { context: u32, deadline: Duration },
    Ended(EndReason),
}

/// A call whose messages were seen in the output.
struct Flight {
    call: Call<u32>,
    /// Of its messages, in order.
    contexts: Vec<u32>,
    rows: Vec<Vec<u8>>,
    sent_at: Duration,
    /// Where its last byte stands in all the output.
    end: usize,
}

impl Flight {
    fn deadline(&self) -> Duration {
        self.sent_at + self.call.patience
    }
}

pub(super) struct Model {
    settings: SessionSettings,
    phase: Phase,
    /// Input that is no whole frame yet.
    input: Vec<u8>,
    /// Output that the socket has not taken.
    output: Vec<u8>,
    written: usize,
    /// The id of `sockclnt_delete`.
    delete: Option<u16>,
    urgent: VecDeque<Call<u32>>,
    bulk: VecDeque<Call<u32>>,
    flights: Vec<Flight>,
    /// Until when urgent calls are expected, and few others are out.
    urgent_until: Duration,
    /// Calls that have ended and that the session has not reported yet.
    done: BTreeMap<u32, Outcome>,
    /// Every context that was seen, with the id that usually answers it.
    given: Vec<(u32, u16)>,
    known: BTreeSet<u32>,
    replies: u32,
    last_received: Duration,
    stats: SessionStats,
}

impl Model {
    pub(super) fn new(settings: SessionSettings, now: Duration) -> Self {
        Self {
            phase: Phase::Handshake { deadline: now + settings.handshake },
            settings,
            input: Vec::new(),
            output: Vec::new(),
            written: 0,
            delete: None,
            urgent: VecDeque::new(),
            urgent_until: Duration::ZERO,
            bulk: VecDeque::new(),
            flights: Vec::new(),
            done: BTreeMap::new(),
            given: Vec::new(),
            known: BTreeSet::new(),
            replies: 0,
            last_received: now,
            stats: SessionStats::default(),
        }
    }

    /// The first context, which is the handshake's.
    pub(super) fn handshake_context(&self) -> u32 {
        self.settings.first_context
    }

    /// One of the contexts that were seen, or one `off` from it if that is
    /// small, and the id of its reply.
    pub(super) fn context(&self, which: u8, off: u8) -> (u32, u16) {
        let newest_first = usize::from(which) % self.given.len();
        let (context, id) = self.given[self.given.len() - 1 - newest_first];
        let off = if off < 8 { u32::from(off) } else { 0 };
        (context.wrapping_add(off), id)
    }

    pub(super) fn replies(&mut self) -> u32 {
        self.replies += 1;
        self.replies
    }

    fn gives(&mut self, context: u32, reply: u16) {
        assert!(self.known.insert(context), "context {context} is used again");
        self.given.push((context, reply));
    }

    pub(super) fn sees_handshake(&mut self, output: &[u8]) {
        let frames = self.new_frames(output);
        assert_eq!(frames.len(), 1);
        assert_eq!(frames[0].len(), 70);
        assert_eq!(frames[0][..2], [0, 15]);
        assert_eq!(word(&frames[0], 2), self.handshake_context());
        self.gives(self.handshake_context(), HANDSHAKE_REPLY);
    }

    pub(super) fn submit(&mut self, call: Call<u32>) {
        match self.phase {
            Phase::Ended(why) => self.ends(&call, Err(CallFailure::NeverSent(why))),
            Phase::Leaving { .. } => self.ends(&call, Err(CallFailure::NeverSent(EndReason::Left))),
            _ if call.urgent => self.urgent.push_back(call),
            _ => self.bulk.push_back(call),
        }
    }

    pub(super) fn written(&mut self, count: usize) {
        self.output.drain(..count);
        self.written += count;
    }

    pub(super) fn received(&mut self, now: Duration, bytes: &[u8]) {
        self.last_received = now;
        self.input.extend_from_slice(bytes);
        while !matches!(self.phase, Phase::Ended(_)) && self.input.len() >= HEADER {
            let length = word(&self.input, 8) as usize;
            if length > MAX_BODY {
                let error = FrameError::TooLong { length, limit: MAX_BODY };
                return self.end(EndReason::BadFrame(error));
            }
            if self.input.len() < HEADER + length {
                return;
            }
            let frame: Vec<u8> = self.input.drain(..HEADER + length).collect();
            self.takes(&frame[HEADER..]);
        }
    }

    fn takes(&mut self, body: &[u8]) {
        if body.len() < 6 {
            self.stats.unknown += 1;
            return;
        }
        let (id, context) = (u16::from_be_bytes([body[0], body[1]]), word(body, 2));
        match self.phase {
            Phase::Handshake { .. } if id == HANDSHAKE_REPLY => self.takes_handshake(body),
            Phase::Leaving { context: ours, .. } if context == ours => self.end(EndReason::Left),
            _ => self.answered(id, context, body),
        }
    }

    fn takes_handshake(&mut self, body: &[u8]) {
        let count = body.get(18..20).map(|count| u16::from_be_bytes([count[0], count[1]]));
        if count.is_none_or(|count| body.len() < 20 + 66 * usize::from(count)) {
            self.end(EndReason::BadHandshake);
        } else if word(body, 6) != self.handshake_context() {
            self.stats.foreign += 1;
        } else if word(body, 10) != 0 {
            self.end(EndReason::Refused(word(body, 10).cast_signed()));
        } else {
            self.delete = entries(body).get(SockclntDelete::key().as_bytes()).copied();
            self.phase = Phase::Up { index: word(body, 14) };
        }
    }

    fn answered(&mut self, id: u16, context: u32, body: &[u8]) {
        let asked = |flight: &Flight| flight.contexts.contains(&context);
        let Some(at) = self.flights.iter().position(asked) else {
            if self.known.contains(&context) {
                self.stats.late += 1;
            } else {
                self.stats.foreign += 1;
            }
            return;
        };
        let flight = &mut self.flights[at];
        let fence = flight.contexts.last() == Some(&context);
        match flight.call.expect {
            Expect::One(reply) if id == reply => {
                let flight = self.flights.remove(at);
                self.ends(&flight.call, Ok(CallAnswer::One(body.to_vec())));
            }
            Expect::Rows { ping_reply, .. } if fence && id == ping_reply => {
                let flight = self.flights.remove(at);
                self.ends(&flight.call, Ok(CallAnswer::Rows(flight.rows)));
            }
            Expect::Rows { details, .. } if !fence && id == details => {
                flight.rows.push(body.to_vec());
            }
            _ => self.stats.unknown += 1,
        }
    }

    pub(super) fn expire(&mut self, now: Duration) {
        match self.phase {
            Phase::Handshake { deadline } if now >= deadline => {
                return self.end(EndReason::NoHandshake);
            }
            Phase::Leaving { deadline, .. } if now >= deadline => {
                return self.end(EndReason::LeftUnconfirmed);
            }
            _ => {}
        }
        let (overdue, flights): (Vec<_>, Vec<_>) =
            self.flights.drain(..).partition(|flight| flight.deadline() <= now);
        self.flights = flights;
        let silent = overdue.iter().any(|flight| self.last_received <= flight.sent_at);
        for flight in overdue {
            self.ends(&flight.call, Err(CallFailure::TimedOut));
        }
        if silent {
            self.end_queued(CallFailure::HeldBack);
        }
    }

    /// `output` is what the session shows after `leave`.
    pub(super) fn leave(&mut self, now: Duration, output: &[u8]) {
        let frames = self.new_frames(output);
        match self.phase {
            Phase::Handshake { .. } => self.end(EndReason::LeftUnconfirmed),
            Phase::Up { index } => {
                self.end_queued(CallFailure::NeverSent(EndReason::Left));
                let Some(delete) = self.delete else {
                    return self.end(EndReason::LeftUnconfirmed);
                };
                assert_eq!(frames.len(), 1);
                let frame = &frames[0];
                assert_eq!(frame.len(), 14);
                assert_eq!(frame[..2], delete.to_be_bytes());
                assert_eq!((word(frame, 2), word(frame, 10)), (index, index));
                let context = word(frame, 6);
                self.gives(context, WRITE_REPLY);
                self.phase = Phase::Leaving { context, deadline: now + self.settings.goodbye };
            }
            Phase::Leaving { .. } | Phase::Ended(_) => assert!(frames.is_empty()),
        }
    }

    pub(super) fn lost(&mut self, why: EndReason) {
        match self.phase {
            Phase::Ended(_) => {}
            Phase::Leaving { .. } => self.end(EndReason::Left),
            _ => self.end(why),
        }
    }

    fn end(&mut self, why: EndReason) {
        self.phase = Phase::Ended(why);
        for flight in std::mem::take(&mut self.flights) {
            // VPP acts on whole messages only.
            let all = flight.end <= self.written;
            let failure =
                if all { CallFailure::MaybeApplied(why) } else { CallFailure::NeverSent(why) };
            self.ends(&flight.call, Err(failure));
        }
        self.end_queued(CallFailure::NeverSent(why));
    }

    fn end_queued(&mut self, failure: CallFailure) {
        let queued: Vec<_> = self.urgent.drain(..).chain(self.bulk.drain(..)).collect();
        for call in queued {
            self.ends(&call, Err(failure));
        }
    }

    fn ends(&mut self, call: &Call<u32>, outcome: Outcome) {
        let traffic = self.stats.messages.entry(call.name).or_default();
        match &outcome {
            Ok(CallAnswer::One(body)) if body.len() >= 10 && body[6] & 0x80 != 0 => {
                traffic.refused += 1;
            }
            Ok(_) => traffic.answered += 1,
            Err(_) => traffic.failed += 1,
        }
        assert!(self.done.insert(call.token, outcome).is_none());
    }

    /// The session reports that a call has ended.
    pub(super) fn is_done(&mut self, token: u32, outcome: &Outcome) {
        let expected = self.done.remove(&token);
        assert_eq!(expected.as_ref(), Some(outcome), "call {token}");
    }

    pub(super) fn compare(&self, session: &Session<u32>) {
        assert!(self.done.is_empty(), "ended, and not reported: {:?}", self.done);
        let ended = match self.phase {
            Phase::Ended(why) => Some(why),
            _ => None,
        };
        assert_eq!(session.ended(), ended);
        assert_eq!(session.stats(), &self.stats);
        let own = match self.phase {
            Phase::Handshake { deadline } | Phase::Leaving { deadline, .. } => Some(deadline),
            Phase::Up { .. } | Phase::Ended(_) => None,
        };
        let deadline = self.flights.iter().map(Flight::deadline).chain(own).min();
        assert_eq!(session.deadline(), deadline);
        let can_leave = matches!(self.phase, Phase::Up { .. }) && self.delete.is_some();
        assert_eq!(session.goodbye_frame().is_some(), can_leave);
    }

    pub(super) fn nothing_waits(&self) {
        let waiting = self.flights.len() + self.urgent.len() + self.bulk.len();
        assert_eq!(waiting, 0, "calls that wait for ever");
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
