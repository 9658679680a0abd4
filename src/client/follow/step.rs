//! What a follower of events does next, as a function of what it received.
//!
//! A stream begins with a snapshot, the present state of every object. Its
//! events have seq 0 except the last, which has the seq of the event that led
//! to it. So a copy of the state is complete once an event with a seq was
//! received, and only from there can a stream be resumed (`ResumePoint` in
//! maglev.proto). From seq 0 the daemon sends a `MissedEvent` and the snapshot.
//!
//! ```text
//! Opening ──Opened──▶ Streaming ──Failed──▶ Waiting ──TimerFired──▶ Opening
//!    └──────Failed──────────────────────────▶┘
//! ```
//!
//! Invariants, held by tests.rs: no event is delivered twice; every event
//! after a complete snapshot is delivered, or a `MissedEvent` in its place; a
//! stream is resumed only from a complete snapshot; no retry is early.

use std::time::Instant;

use crate::client::deadlines::RETRY_INTERVAL;
use crate::client::error::ClientError;
use crate::pb;

/// Which failures end following.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FollowPolicy {
    /// Whether a daemon that is unreachable at the first attempt is retried;
    /// one that is lost later always is.
    pub retry_first: bool,
    /// Whether a stream that the daemon refuses is retried.
    pub retry_refused: bool,
}

/// How far the events of a daemon were received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StreamPosition {
    /// No event was received yet.
    #[default]
    Start,
    /// A part of a snapshot was received; the copy is incomplete.
    Incomplete {
        /// Identifies the daemon's run.
        boot_id: u64,
    },
    /// Everything up to this event was received.
    At {
        /// Identifies the daemon's run.
        boot_id: u64,
        /// The last event, at least 1.
        seq: u64,
    },
}

impl StreamPosition {
    /// The position after an event.
    #[must_use]
    pub fn after(event: &pb::Event) -> Self {
        let boot_id = event.boot_id;
        match (&event.event, event.seq) {
            (Some(pb::event::Event::Missed(_)), _) | (_, 0) => Self::Incomplete { boot_id },
            (_, seq) => Self::At { boot_id, seq },
        }
    }

    /// What the next request asks for. An incomplete copy is resumed from seq
    /// 0, so that the daemon announces the new snapshot with a `MissedEvent`.
    #[must_use]
    pub fn resume(self) -> Option<pb::ResumePoint> {
        match self {
            Self::Start => None,
            Self::Incomplete { boot_id } => Some(pb::ResumePoint { boot_id, seq: 0 }),
            Self::At { boot_id, seq } => Some(pb::ResumePoint { boot_id, seq }),
        }
    }

    /// The daemon's run, once an event identified it.
    #[must_use]
    pub fn boot_id(self) -> Option<u64> {
        match self {
            Self::Start => None,
            Self::Incomplete { boot_id } | Self::At { boot_id, .. } => Some(boot_id),
        }
    }

    /// Whether the event was received before.
    fn covers(self, event: &pb::Event) -> bool {
        match self {
            Self::Start | Self::Incomplete { .. } => false,
            Self::At { boot_id, seq } => {
                let missed = matches!(event.event, Some(pb::event::Event::Missed(_)));
                event.boot_id == boot_id && (1..=seq).contains(&event.seq) && !missed
            }
        }
    }
}

/// What happened.
#[derive(Debug)]
pub enum FollowInput {
    /// Begin.
    Start,
    /// The daemon accepted the stream.
    Opened,
    /// An event was received.
    Received(pb::Event),
    /// The stream could not be opened, or ended.
    Failed(ClientError),
    /// The timer expired.
    TimerFired,
}

/// What to do.
#[derive(Debug)]
pub enum FollowEffect {
    /// Open a stream.
    Open(Option<pb::ResumePoint>),
    /// Close the stream, and feed [`FollowInput::TimerFired`] at this moment.
    SetTimer(Instant),
    /// Hand this to the consumer.
    Deliver(FollowItem),
    /// Close the stream; following ended.
    Stop(ClientError),
}

/// What a consumer gets.
#[derive(Debug)]
pub enum FollowItem {
    /// A stream is open.
    Connected {
        /// Whether a loss was delivered before.
        again: bool,
    },
    /// The event that follows is the first of another run of the daemon: what
    /// was received before is void.
    Restarted,
    /// An event. After a `MissedEvent` the snapshot follows: a copy of the
    /// state is to be emptied first.
    Event(pb::Event),
    /// The daemon is unreachable; it is dialled again.
    Lost {
        /// Why.
        error: ClientError,
        /// Whether it was reachable before, or was not tried.
        first: bool,
    },
    /// The daemon answers and refuses the stream; it is requested again.
    Refused(ClientError),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FollowPhase {
    Idle,
    Opening,
    Streaming,
    Waiting { until: Instant },
    Stopped,
}

/// The state of following one daemon.
#[derive(Clone, Debug)]
pub struct Follow {
    policy: FollowPolicy,
    phase: FollowPhase,
    position: StreamPosition,
    /// Whether a stream was ever open.
    connected_once: bool,
    /// Whether the daemon is unreachable.
    lost: bool,
}

impl Follow {
    /// A follower that has not begun.
    #[must_use]
    pub fn new(policy: FollowPolicy) -> Self {
        Self {
            policy,
            phase: FollowPhase::Idle,
            position: StreamPosition::Start,
            connected_once: false,
            lost: false,
        }
    }

    /// Decides what follows from an input. Inputs that the phase does not
    /// expect are of a stream or timer that was given up, and are ignored.
    pub fn step(&mut self, input: FollowInput, now: Instant) -> Vec<FollowEffect> {
        match (self.phase, input) {
            (FollowPhase::Idle, FollowInput::Start) => self.open(),
            (FollowPhase::Opening, FollowInput::Opened) => {
                self.phase = FollowPhase::Streaming;
                self.connected_once = true;
                let again = std::mem::take(&mut self.lost);
                vec![FollowEffect::Deliver(FollowItem::Connected { again })]
            }
            (FollowPhase::Streaming, FollowInput::Received(event)) => self.received(event),
            (FollowPhase::Opening | FollowPhase::Streaming, FollowInput::Failed(error)) => {
                self.failed(error, now)
            }
            (FollowPhase::Waiting { until }, FollowInput::TimerFired) if now >= until => {
                self.open()
            }
            (FollowPhase::Waiting { until }, FollowInput::TimerFired) => {
                vec![FollowEffect::SetTimer(until)]
            }
            _ => Vec::new(),
        }
    }

    fn open(&mut self) -> Vec<FollowEffect> {
        self.phase = FollowPhase::Opening;
        vec![FollowEffect::Open(self.position.resume())]
    }

    fn received(&mut self, event: pb::Event) -> Vec<FollowEffect> {
        if self.position.covers(&event) {
            return Vec::new();
        }
        let restarted = self.position.boot_id().is_some_and(|known| known != event.boot_id);
        self.position = StreamPosition::after(&event);
        let restarted = restarted.then_some(FollowEffect::Deliver(FollowItem::Restarted));
        restarted.into_iter().chain([FollowEffect::Deliver(FollowItem::Event(event))]).collect()
    }

    fn failed(&mut self, error: ClientError, now: Instant) -> Vec<FollowEffect> {
        let retried = if error.is_unreachable() {
            self.policy.retry_first || self.connected_once
        } else {
            self.policy.retry_refused
        };
        if !retried {
            self.phase = FollowPhase::Stopped;
            return vec![FollowEffect::Stop(error)];
        }
        let item = if error.is_unreachable() {
            FollowItem::Lost { error, first: !std::mem::replace(&mut self.lost, true) }
        } else {
            // A refusal is an answer.
            self.lost = false;
            FollowItem::Refused(error)
        };
        let until = now + RETRY_INTERVAL;
        self.phase = FollowPhase::Waiting { until };
        vec![FollowEffect::SetTimer(until), FollowEffect::Deliver(item)]
    }
}
