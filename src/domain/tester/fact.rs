//! What a test observes of a VIP.

use std::fmt;
use std::time::Duration;

use super::full_size::FullSizeFinding;
use super::shares::ExpectedShares;

/// Why a flow failed, by what an operator does about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureKind {
    /// The connection was refused.
    Refused,
    /// ICMP said so, or there is no route.
    Unreachable,
    /// No answer to the attempt to connect.
    ConnectTimeout,
    /// A reset of an established connection.
    Reset,
    /// It was closed before the answer was whole.
    Closed,
    /// No answer, or not all of it.
    Timeout,
    /// The handshake failed, or the certificate is not believed.
    Tls,
    /// An HTTP status outside 200 to 399.
    Status,
    /// Not an answer of the protocol that was expected.
    Protocol,
    /// This machine lacks ports, descriptors or memory: it says nothing of the VIP.
    Local,
}

impl FailureKind {
    /// The key in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::ConnectTimeout => "connect_timeout",
            Self::Reset => "reset",
            Self::Closed => "closed",
            Self::Timeout => "timeout",
            Self::Tls => "tls",
            Self::Status => "status",
            Self::Protocol => "protocol",
            Self::Local => "local",
        }
    }

    /// Whether whoever has the address took the connection: something else is wrong.
    #[must_use]
    pub fn reached(self) -> bool {
        !matches!(
            self,
            Self::Refused | Self::Unreachable | Self::ConnectTimeout | Self::Timeout | Self::Local
        )
    }
}

/// A flow that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowFailure {
    pub kind: FailureKind,
    /// In words, with what came.
    pub why: String,
}

impl FlowFailure {
    #[must_use]
    pub fn new(kind: FailureKind, why: impl Into<String>) -> Self {
        Self { kind, why: why.into() }
    }
}

impl fmt::Display for FlowFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

/// A new flow that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedFlow {
    pub began: Duration,
    /// From its beginning to its first answer, or to the accepted connection where
    /// nothing is asked; `None`: it had none.
    pub latency: Option<Duration>,
    /// Who gave its first answer, if that names anybody.
    pub server: Option<String>,
    /// Servers of later answers, where they differ from the one before.
    pub moves: Vec<String>,
    pub failure: Option<FlowFailure>,
}

/// What happened at one moment. `slot` numbers the held connections from 0 on.
#[derive(Clone, Debug, PartialEq)]
pub enum TestFact {
    /// A new flow ended, well or not.
    Ended(EndedFlow),
    /// New flows were due while too many were under way, or while this machine was
    /// too busy to begin them.
    Skipped { count: u64 },
    /// A connection to hold was opened.
    Opened { slot: usize },
    /// A connection to hold could not be opened.
    NotOpened { failure: FlowFailure },
    /// A held connection was answered after `took`.
    Answered { slot: usize, took: Duration, server: Option<String> },
    /// A held connection waits for an answer for longer than it should.
    Stalled { slot: usize },
    /// The server ended a held connection by agreement.
    Renewed { slot: usize },
    /// A held connection ended otherwise.
    Broke { slot: usize, failure: FlowFailure },
    /// The shares that are expected from now on.
    Expects(ExpectedShares),
    /// Full packets were tried.
    FullSize(FullSizeFinding),
}

/// What an observer of the test wants to know as it happens.
#[derive(Clone, Debug, PartialEq)]
pub enum TestEvent {
    /// A held connection broke; `server` answered it last.
    Broken { slot: usize, server: Option<String>, failure: FlowFailure },
    /// A connection was answered by another server; `slot`: it is a held one.
    Moved { slot: Option<usize>, from: String, to: String },
    /// A long gap ended.
    Gap { lasted: Duration },
    /// Full packets pass, or do not.
    FullSize { says: String },
}
