//! What goes through a session: calls, their answers, and how they can fail.

use std::collections::BTreeMap;
use std::time::Duration;

use thiserror::Error;

use crate::vpp::wire::{ControlPing, FieldReader, FieldWriter, FrameError, Message, Request};

/// Bytes of VPP's send buffer that the kernel books for a small message.
pub const SMALL_REPLY: usize = 768;

/// A request whose id is known, without the routing fields that the session
/// adds when it goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The id in this VPP's table.
    pub id: u16,
    pub fields: Vec<u8>,
}

impl Encoded {
    /// Encodes `message` for a VPP that calls it `id`.
    pub fn new<M: Request>(id: u16, message: &M) -> Self {
        let mut fields = Vec::new();
        message.encode(&mut FieldWriter::new(&mut fields));
        Self { id, fields }
    }
}

/// What ends a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// One reply with this id.
    One(u16),
    /// Rows with the id `details`, until the reply to a ping that the session
    /// sends behind the dumps.
    Rows {
        /// The id of a row.
        details: u16,
        /// The id of `control_ping`.
        ping: u16,
        /// The id of `control_ping_reply`.
        ping_reply: u16,
    },
}

/// A request and how its answer is recognised. Several dumps can share one call
/// and one fence.
#[derive(Debug)]
pub struct Call<T> {
    /// The message's name, for logs and counters.
    pub name: &'static str,
    /// What the log shows of its fields; `None` if debug records are off.
    pub fields: Option<String>,
    /// One request, or the dumps that one fence closes.
    pub requests: Vec<Encoded>,
    /// What ends it.
    pub expect: Expect,
    /// Bytes that its replies may take in VPP's send buffer.
    pub cost: usize,
    /// Goes ahead of everything that is not sent yet and not urgent.
    pub urgent: bool,
    /// How long its answer may take once it is sent.
    pub patience: Duration,
    /// Comes back with the outcome.
    pub token: T,
}

impl<T> Call<T> {
    /// Its messages in the order in which they go out: id and fields.
    pub(super) fn frames(&self) -> impl Iterator<Item = (u16, &[u8])> {
        let fence = match self.expect {
            Expect::One(_) => None,
            Expect::Rows { ping, .. } => Some((ping, &[][..])),
        };
        self.requests.iter().map(|request| (request.id, request.fields.as_slice())).chain(fence)
    }

    /// Logs that it goes out.
    pub(super) fn log(&self) {
        let Some(fields) = &self.fields else { return };
        match self.expect {
            Expect::One(_) => tracing::debug!(api_message = self.name, fields, "vpp-api-send"),
            Expect::Rows { .. } => {
                tracing::debug!(api_message = self.name, fields, "vpp-api-send-multi");
                tracing::debug!(api_message = ControlPing::NAME, "vpp-api-send");
            }
        }
    }
}

/// A call that has ended.
#[derive(Debug)]
pub struct Done<T> {
    /// The call's.
    pub token: T,
    /// Its answer, or why it has none.
    pub result: Result<CallAnswer, CallFailure>,
}

/// Bodies, message id and context included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallAnswer {
    /// The one reply.
    One(Vec<u8>),
    /// The rows of all its dumps, in order of arrival.
    Rows(Vec<Vec<u8>>),
}

/// Why a call has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CallFailure {
    /// The connection ended and VPP has seen nothing of it.
    #[error("never sent: {0}")]
    NeverSent(EndReason),
    /// The connection ended after it was sent.
    #[error("sent, and may or may not have been applied: {0}")]
    MaybeApplied(EndReason),
    /// It was sent and not answered in time.
    #[error("sent and not answered in time, and may or may not have been applied")]
    TimedOut,
    /// VPP left everything before it unanswered, so it was not sent.
    #[error("never sent: VPP does not answer")]
    HeldBack,
    /// Its rows took more memory than an answer may.
    #[error("the answer is too long")]
    TooLong,
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EndReason {
    /// We left, and VPP said goodbye.
    #[error("we disconnected")]
    Left,
    /// We left, and VPP did not say goodbye in time.
    #[error("we disconnected, and VPP did not confirm it")]
    LeftUnconfirmed,
    #[error("VPP closed the connection")]
    PeerClosed,
    #[error("the socket failed: {0}")]
    Io(std::io::ErrorKind),
    #[error("VPP did not answer the handshake")]
    NoHandshake,
    #[error("VPP refused the handshake with {0}")]
    Refused(i32),
    #[error("VPP's answer to the handshake cannot be read")]
    BadHandshake,
    #[error("VPP sent what is no frame: {0}")]
    BadFrame(FrameError),
}

/// How many calls of one message there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Sent to VPP.
    pub sent: u64,
    /// Answered with a return value that is not negative.
    pub answered: u64,
    /// Answered with a negative return value.
    pub refused: u64,
    /// Not answered in time, cut off by the end, or held back.
    pub failed: u64,
}

impl Traffic {
    /// Adds the calls of another connection.
    pub fn add(&mut self, more: Self) {
        self.sent += more.sent;
        self.answered += more.answered;
        self.refused += more.refused;
        self.failed += more.failed;
    }
}

/// What one session has counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionStats {
    /// By name of the request.
    pub messages: BTreeMap<&'static str, Traffic>,
    /// Replies to calls that had been given up.
    pub late: u64,
    /// Replies with a context that this session never sent.
    pub foreign: u64,
    /// Messages too short to be a reply, or of a kind that their call does
    /// not expect.
    pub unknown: u64,
}

impl SessionStats {
    /// Counts how a call of `name` ended.
    pub(super) fn ended(&mut self, name: &'static str, result: &Result<CallAnswer, CallFailure>) {
        let traffic = self.messages.entry(name).or_default();
        match result {
            Ok(CallAnswer::One(body)) if refused(body) => traffic.refused += 1,
            Ok(_) => traffic.answered += 1,
            Err(_) => traffic.failed += 1,
        }
    }
}

/// Whether a reply's return value, which stands behind the context, is
/// negative.
fn refused(body: &[u8]) -> bool {
    let mut from = FieldReader::new(body);
    from.take(6).is_ok() && from.i32().is_ok_and(|retval| retval < 0)
}

/// How a session is set up.
#[derive(Clone, Debug)]
pub struct SessionSettings {
    /// The client's name in `show api clients`.
    pub name: String,
    /// The first context. A random one distinguishes our replies from those to
    /// an earlier client with our index.
    pub first_context: u32,
    /// Most calls in flight. Urgent ones may double it.
    pub window: usize,
    /// Bytes of VPP's send buffer that replies in flight may take. One call
    /// alone may take more.
    pub budget: usize,
    pub handshake: Duration,
    /// How long the answer to the goodbye may take.
    pub goodbye: Duration,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            name: "maglevd".into(),
            first_context: 1,
            window: 16,
            // Three quarters of Linux's default for a socket's send buffer.
            budget: 159_744,
            handshake: Duration::from_secs(5),
            goodbye: Duration::from_secs(1),
        }
    }
}
