//! A call that changes something, or was to, as an event: who, from where, what, and
//! what came of it.

use std::time::SystemTime;

use crate::domain::names::{BackendName, FrontendName, IdentityName};
use crate::domain::rights::Role;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// As in the events of what changed: "alice 192.0.2.1:4711".
    pub who: String,
    /// `None`: nothing in the rights file names the caller.
    pub identity: Option<IdentityName>,
    /// The listener; `None`: it came by a signal.
    pub listener: Option<String>,
    /// The other end of the connection; of a signal empty.
    pub peer: String,
    pub role: Role,
    /// The method of the interface, or [`AuditRecord::HANGUP`].
    pub method: &'static str,
    /// What was asked for, in words.
    pub what: String,
    /// In the caller's words; empty: not said.
    pub why: String,
    pub outcome: AuditOutcome,
    /// What became of it, for people; empty: it was done.
    pub detail: String,
    pub backend: Option<BackendName>,
    pub frontend: Option<FrontendName>,
    /// When the call came.
    pub began: SystemTime,
    /// When its outcome was known.
    pub at: SystemTime,
    /// Calls that were denied before this one and have no record of their own.
    pub withheld: u64,
}

impl AuditRecord {
    /// Who and by what, of a signal that makes the daemon read its files again.
    pub const HANGUP: &str = "SIGHUP";
}

/// What came of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuditOutcome {
    Done,
    /// The caller lacks the role.
    Denied,
    /// It cannot be done as it was asked for.
    Refused,
    /// It was tried, or could not be.
    Failed,
    /// The caller did not wait for the answer: it may have been done.
    Abandoned,
}

impl AuditOutcome {
    /// The word in the API and the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Denied => "denied",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
        }
    }
}
