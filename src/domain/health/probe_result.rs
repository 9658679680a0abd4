//! What one probe found.

use std::borrow::Cow;
use std::fmt;

/// What one probe found, with the layer that decided it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeResult {
    /// The closed list of things that a probe can find.
    pub code: ResultCode,
    /// What was seen, for people: `503 Service Unavailable`, `connection
    /// refused`. Borrowed where it is always the same, so that a pass costs no
    /// allocation.
    pub detail: Cow<'static, str>,
}

impl ProbeResult {
    /// A finding of `code`, told as `detail`.
    #[must_use]
    pub fn new(code: ResultCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into() }
    }

    /// Whether the backend passed.
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

/// The outcome of a probe, in the style of HAProxy's check codes: the layer,
/// then what happened there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResultCode {
    /// The echo request was answered.
    L3Ok,
    /// No echo reply in time.
    L3Timeout,
    /// The network said that the address cannot be reached.
    L3Unreachable,
    /// The connection was accepted, and nothing more was asked.
    L4Ok,
    /// The connection was refused, reset or not routed.
    L4Connect,
    /// No connection in time.
    L4Timeout,
    /// The TLS handshake was done, and nothing more was asked.
    L6Ok,
    /// The TLS handshake failed, or the certificate was not accepted.
    L6Response,
    /// No TLS handshake in time.
    L6Timeout,
    /// The answer was as expected.
    L7Ok,
    /// An answer of the protocol, with a status that does not pass.
    L7Status,
    /// An answer that is not of the protocol, or that broke off.
    L7Response,
    /// The body, or the records, are not as expected.
    L7Content,
    /// No whole answer in time.
    L7Timeout,
    /// The probe could not be made: this machine's fault, not the backend's.
    SocketError,
}

impl ResultCode {
    /// Whether a backend with this finding passed.
    #[must_use]
    pub fn passed(self) -> bool {
        matches!(self, Self::L3Ok | Self::L4Ok | Self::L6Ok | Self::L7Ok)
    }

    /// The short code of logs, listings and metrics.
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
