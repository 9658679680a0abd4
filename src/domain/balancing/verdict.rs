//! What a frontend knows of a backend, and which flows are flushed because of it.

use std::net::IpAddr;

use crate::domain::dataplane::net::Weight;
use crate::domain::health::State;

/// Counts the flushes requested for a backend. Each number is flushed once; 0 means
/// that none was requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FlushSeq(u64);

impl FlushSeq {
    pub const NONE: Self = Self(0);

    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The state of a backend as far as its weight depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub state: State,
    /// `None` until its name is resolved. It is no server until then, and is
    /// waited for like a backend whose state is unknown.
    pub address: Option<IpAddr>,
    /// The last flush that one of its transitions requested.
    pub flush: FlushSeq,
    /// It is paused, and its flows are flushed all the same: an operator's drain took too
    /// long.
    pub drain_flushes: bool,
    /// It went down with its first verdict. Its flows are kept: before the daemon
    /// started, or before a reload, it may have been up.
    pub first_down: bool,
    /// It is unknown because a reload or an operator brought it into use, and has had no
    /// result since.
    pub is_new: bool,
    pub grace: StartupGrace,
    /// The weight that its slow start has come to in the frontend.
    pub ramp: Option<Weight>,
}

/// The time after the start, or after the reload that brought a backend, in which the
/// backend may be unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartupGrace {
    /// The unknown backend keeps the weight that VPP has.
    Waiting,
    /// `startup-max-delay` is over: the unknown backend counts as down. Its flows
    /// are kept, since no probe has failed.
    Over,
}

/// Whether the flows of a server that stops serving in this state are flushed.
pub(super) fn flushes(verdict: &Verdict, flush_on_down: bool) -> bool {
    match verdict.state {
        State::Down => flush_on_down && !verdict.first_down,
        State::Disabled | State::Removed => true,
        State::Paused => verdict.drain_flushes,
        State::Up | State::Unknown => false,
    }
}

/// Whether a transition requests a flush even if the server already has weight 0.
/// A first verdict does not: the server probably had the same one before the
/// daemon restarted, and was flushed then.
#[must_use]
pub fn requests_flush(from: State, to: State, first_verdict: bool) -> bool {
    match to {
        State::Disabled => true,
        State::Down => from != State::Unknown || !first_verdict,
        State::Up | State::Unknown | State::Paused | State::Removed => false,
    }
}
