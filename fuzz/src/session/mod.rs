//! Sessions: any sequence of calls, replies, garbage, time and losses. A model
//! that reads the bytes on the wire determines how each call must end: exactly
//! once, at that moment, with that very answer; and what may be in flight.

mod model;

use std::time::Duration;

use vpp_maglev::vpp::session::{
    Call, Encoded, EndReason, Expect, SMALL_REPLY, Session, SessionSettings,
};
use vpp_maglev::vpp::wire::{
    ControlPing, Message, MessageTable, SockclntCreateReply, SockclntDelete, write_bare,
    write_frame,
};

use super::input::Input;
use model::Model;

const PING: u16 = 23;
const PING_REPLY: u16 = 24;
const WRITE: u16 = 101;
const WRITE_REPLY: u16 = 102;
const DUMP: u16 = 109;
const DETAILS: u16 = 110;
const HANDSHAKE_REPLY: u16 = 16;
/// Most steps of one input: more find nothing more.
const STEPS: usize = 300;

/// The input: settings, how it ends, and steps.
///
/// # Panics
/// If a call ends otherwise than the model says, or too much is in flight.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let settings = SessionSettings {
        name: "fuzz".into(),
        first_context: [1, u32::MAX - 5, 0, 0x8000_0000][input.below(4)],
        window: 1 + input.below(5),
        budget: SMALL_REPLY * (1 + input.below(20)),
        handshake: Duration::from_millis(500),
        goodbye: Duration::from_millis(100),
    };
    let silent_end = input.byte() & 1 == 1;
    let mut run = Run::new(settings);
    for _ in 0..STEPS {
        if input.is_empty() {
            break;
        }
        run.step(&mut input);
        run.compare();
    }
    if silent_end { run.be_silent() } else { run.lose() }
}

struct Run {
    session: Session<u32>,
    model: Model,
    now: Duration,
    /// Calls submitted, which is the next one's token.
    calls: u32,
}

impl Run {
    fn new(settings: SessionSettings) -> Self {
        let now = Duration::from_secs(100);
        let mut run = Self {
            session: Session::new(settings.clone(), now),
            model: Model::new(settings, now),
            now,
            calls: 0,
        };
        run.model.sees_handshake(run.session.output(now));
        run
    }

    fn step(&mut self, input: &mut Input<'_>) {
        match input.below(13) {
            0 | 1 => self.submit(input, false),
            2 => self.submit(input, true),
            3 => self.write(usize::MAX),
            4 => self.write(input.byte().into()),
            5 | 6 => self.reply(input),
            7 => self.handshake(input),
            8 => {
                let count = input.below(40);
                self.deliver(input.bytes(count), usize::MAX);
            }
            9 => self.now += Duration::from_millis(u64::from(input.byte())),
            10 => {
                self.now += Duration::from_millis(10 * u64::from(input.byte()));
                self.session.expire(self.now);
                self.model.expire(self.now);
            }
            11 if input.below(4) == 0 => {
                self.session.leave(self.now);
                self.model.leave(self.now, self.session.output(self.now));
            }
            12 if input.below(8) == 0 => {
                self.session.lost(EndReason::PeerClosed);
                self.model.lost(EndReason::PeerClosed);
            }
            _ => {}
        }
    }

    /// Submits a write or dumps.
    fn submit(&mut self, input: &mut Input<'_>, urgent: bool) {
        let token = self.calls;
        self.calls += 1;
        let kind = input.below(8);
        let (name, id, count, expect) = if kind < 4 {
            ("write", WRITE, 1, Expect::One(WRITE_REPLY))
        } else {
            let expect = Expect::Rows { details: DETAILS, ping: PING, ping_reply: PING_REPLY };
            ("dump", DUMP, kind - 4, expect)
        };
        // By its fields the model finds the call of a message.
        let fields = token.to_be_bytes().to_vec();
        let call = || Call {
            name,
            fields: None,
            requests: vec![Encoded { id, fields: fields.clone() }; count],
            expect,
            cost: 0,
            urgent,
            patience: Duration::ZERO,
            token,
        };
        let (cost, patience) = (input.below(6) * SMALL_REPLY, 10 * u64::from(input.byte()));
        let patience = Duration::from_millis(patience);
        self.session.submit(Call { cost, patience, ..call() });
        self.model.submit(Call { cost, patience, ..call() });
    }

    /// Lets the socket take at most `count` bytes.
    fn write(&mut self, count: usize) {
        let output = self.session.output(self.now);
        let count = count.min(output.len());
        self.model.sees_output(output, self.now);
        self.session.written(count);
        self.model.written(count);
    }

    /// VPP, or something like it, answers one of the contexts that it has seen
    /// or one near them, early, late, again, or with a message of another kind.
    fn reply(&mut self, input: &mut Input<'_>) {
        let (context, usual) = self.model.context(input.byte(), input.byte());
        let id = [usual, usual, usual, usual, WRITE_REPLY, PING_REPLY, DETAILS, HANDSHAKE_REPLY]
            [input.below(8)];
        let (retval, cut) = (-i32::from(input.byte() & 1), input.byte());
        // Some are too short for what they are.
        let short = input.below(4);
        let length = if cut & 7 == 7 { [16, 6, 2, 5][short] } else { 16 };
        let mut body =
            [&id.to_be_bytes()[..], &context.to_be_bytes(), &retval.to_be_bytes()].concat();
        // No two replies are the same, so one cannot pass for another.
        body.extend_from_slice(&self.model.replies().to_be_bytes());
        body.truncate(length);
        let mut frame = Vec::new();
        write_frame(&mut frame, |to| to.bytes(&body));
        self.deliver(&frame, cut.into());
    }

    fn handshake(&mut self, input: &mut Input<'_>) {
        let variant = input.below(16);
        let mut entries = vec![(PING, ControlPing::key())];
        if variant != 1 {
            entries.push((17, SockclntDelete::key()));
        }
        let reply = SockclntCreateReply {
            client_index: 0,
            context: self.model.handshake_context().wrapping_add(u32::from(variant == 2)),
            response: -i32::from(variant == 3),
            index: 0x8000_0007,
            table: MessageTable::new(entries),
        };
        let mut frame = Vec::new();
        write_bare(&mut frame, HANDSHAKE_REPLY, &reply);
        if variant == 4 {
            // One entry more than there is.
            frame[16 + 19] += 1;
        }
        self.deliver(&frame, input.byte().into());
    }

    /// Hands bytes over in two pieces.
    fn deliver(&mut self, bytes: &[u8], cut: usize) {
        let (first, second) = bytes.split_at(cut.min(bytes.len()));
        for piece in [first, second] {
            self.session.received(self.now, piece);
            self.model.received(self.now, piece);
        }
    }

    fn compare(&mut self) {
        while let Some(done) = self.session.next_done() {
            self.model.is_done(done.token, &done.result);
        }
        self.model.compare(&self.session);
    }

    /// The connection ends: so does every call.
    fn lose(mut self) {
        self.session.lost(EndReason::PeerClosed);
        self.model.lost(EndReason::PeerClosed);
        self.compare();
        self.model.nothing_waits();
        assert!(self.session.ended().is_some());
    }

    /// VPP takes everything and answers nothing more: every call ends by itself,
    /// in no more rounds than there are calls.
    fn be_silent(mut self) {
        for _ in 0..self.calls + 3 {
            self.write(usize::MAX);
            self.compare();
            let Some(deadline) = self.session.deadline() else { break };
            self.now = self.now.max(deadline);
            self.session.expire(self.now);
            self.model.expire(self.now);
            self.compare();
        }
        self.model.nothing_waits();
    }
}
