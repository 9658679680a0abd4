//! The result of one probe: a code in the style of HAProxy, and a detail.

use std::borrow::Cow;
use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeResult {
    pub code: ResultCode,
    /// A text for operators: `503 Service Unavailable`, `connection refused`.
    /// Constant texts are borrowed, so that a passed probe allocates nothing.
    pub detail: Cow<'static, str>,
}

impl ProbeResult {
    #[must_use]
    pub fn new(code: ResultCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into() }
    }

    #[must_use]
    pub fn passed(&self) -> bool {
        self.code.passed()
    }
}

/// `L7STS 503 Service Unavailable`
impl fmt::Display for ProbeResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.detail.is_empty() {
            self.code.fmt(f)
        } else {
            write!(f, "{} {}", self.code, self.detail)
        }
    }
}

/// The outcome of a probe, named like HAProxy's check codes: the layer that decided
/// it, then what happened there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResultCode {
    /// The echo request was answered.
    L3Ok,
    /// No echo reply in time.
    L3Timeout,
    /// ICMP reported that the address cannot be reached.
    L3Unreachable,
    /// The connection was accepted, and nothing else is checked.
    L4Ok,
    /// The connection was refused, reset or not routed.
    L4Connect,
    /// No connection in time.
    L4Timeout,
    /// The TLS handshake succeeded, and nothing else is checked.
    L6Ok,
    /// The TLS handshake failed, or the certificate was not accepted.
    L6Response,
    /// The TLS handshake did not end in time.
    L6Timeout,
    /// The answer is as expected.
    L7Ok,
    /// The answer has a status that does not pass.
    L7Status,
    /// The answer violates the protocol, or is incomplete.
    L7Response,
    /// The body or the records are not as expected.
    L7Content,
    /// No complete answer in time.
    L7Timeout,
    /// The probe could not be sent because of this machine, not the backend.
    SocketError,
}

impl ResultCode {
    #[must_use]
    pub fn passed(self) -> bool {
        matches!(self, Self::L3Ok | Self::L4Ok | Self::L6Ok | Self::L7Ok)
    }

    /// Whether the server answered, and with an error: the way to it works.
    #[must_use]
    pub fn is_answer(self) -> bool {
        matches!(self, Self::L6Response | Self::L7Status | Self::L7Response | Self::L7Content)
    }

    /// The name in logs, listings and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::L3Ok => "L3OK",
            Self::L3Timeout => "L3TOUT",
            Self::L3Unreachable => "L3UNR",
            Self::L4Ok => "L4OK",
            Self::L4Connect => "L4CON",
            Self::L4Timeout => "L4TOUT",
            Self::L6Ok => "L6OK",
            Self::L6Response => "L6RSP",
            Self::L6Timeout => "L6TOUT",
            Self::L7Ok => "L7OK",
            Self::L7Status => "L7STS",
            Self::L7Response => "L7RSP",
            Self::L7Content => "L7CNT",
            Self::L7Timeout => "L7TOUT",
            Self::SocketError => "SOCKERR",
        }
    }
}

impl fmt::Display for ResultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
