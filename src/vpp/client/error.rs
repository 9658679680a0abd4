//! How a call to VPP can fail.

use std::fmt;

use thiserror::Error;

use crate::vpp::session::{CallFailure, EndReason};
use crate::vpp::wire::WireError;

/// One of VPP's negative return values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Retval(pub i32);

impl Retval {
    /// The VIP or server does not exist.
    pub const NO_SUCH_ENTRY: Self = Self(-6);
    /// The VIP or server exists already, or the prefix has VIPs of the other
    /// kind (all-port, per-port).
    pub const VALUE_EXIST: Self = Self(-81);

    /// VPP's name for the number; `None` for one that the load balancer was
    /// never seen to return.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            -1 => "UNSPECIFIED",
            -6 => "NO_SUCH_ENTRY",
            -70 => "INVALID_MEMORY_SIZE",
            -73 => "INVALID_ARGUMENT",
            -81 => "VALUE_EXIST",
            -97 => "INVALID_ADDRESS_FAMILY",
            _ => return None,
        })
    }

    /// What the number means in the load balancer; empty if not known.
    fn meaning(self) -> &'static str {
        match self.0 {
            -6 => ": no such VIP or server",
            -70 => ": not a power of two",
            -73 => ": another port of this prefix has another encap",
            -81 => ": exists already, or the prefix mixes all-port and per-port VIPs",
            -97 => ": the address family does not fit the encap",
            _ => "",
        }
    }
}

impl fmt::Display for Retval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({}){}", self.0, self.meaning()),
            None => write!(f, "error {}", self.0),
        }
    }
}

/// Whether VPP may have acted on a call that has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It may have, or not.
    MayBe,
    /// It has not.
    No,
}

/// A step that must not leave this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StepError {
    /// VPP stores 0 and refuses the rest; all ones would mean "keep".
    #[error("{0} sticky buckets: not a power of two from 1 to 2^30")]
    StickyBuckets(u32),
    /// VPP takes any number; its configuration documents 1 to 120.
    #[error("a flow timeout of {0} s is not between 1 and 120")]
    FlowTimeout(u32),
    /// A server of such a VPP is in the table, or it is removed.
    #[error("this VPP has no weights")]
    NoWeights,
}

/// A call that did not do what it was for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CallError {
    /// This VPP lacks the message, or has another layout of it.
    #[error(
        "this VPP has no {message}: its lb plugin is not loaded, or of no version that is known"
    )]
    Missing { message: String },
    /// The step's numbers would harm VPP. Nothing was sent.
    #[error("not sent: {0}")]
    Unsafe(#[from] StepError),
    #[error("{call} was refused by VPP: {retval}")]
    Refused { call: &'static str, retval: Retval },
    #[error("{call} was lost ({}): {why}", match applied {
        Applied::MayBe => "it may or may not have been applied",
        Applied::No => "it was never sent",
    })]
    Lost {
        call: &'static str,
        /// Whether VPP may have acted on it.
        applied: Applied,
        why: EndReason,
    },
    #[error("VPP did not answer {call} in time ({})", match applied {
        Applied::MayBe => "it may or may not have been applied",
        Applied::No => "it was never sent",
    })]
    Timeout {
        call: &'static str,
        /// `No` if it waited behind calls that VPP left unanswered.
        applied: Applied,
    },
    #[error("VPP's answer to {call} cannot be read: {error}")]
    Malformed { call: &'static str, error: WireError },
    #[error("VPP's answer to {call} is too long")]
    TooLong { call: &'static str },
}

impl CallError {
    pub(super) fn from_failure(call: &'static str, failure: CallFailure) -> Self {
        match failure {
            CallFailure::NeverSent(why) => Self::Lost { call, applied: Applied::No, why },
            CallFailure::MaybeApplied(why) => Self::Lost { call, applied: Applied::MayBe, why },
            CallFailure::TimedOut => Self::Timeout { call, applied: Applied::MayBe },
            CallFailure::HeldBack => Self::Timeout { call, applied: Applied::No },
            CallFailure::TooLong => Self::TooLong { call },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_call_the_fault_and_whether_it_was_applied() {
        let refused = CallError::Refused { call: "lb_as_set_weight", retval: Retval(-6) };
        assert_eq!(
            refused.to_string(),
            "lb_as_set_weight was refused by VPP: NO_SUCH_ENTRY (-6): no such VIP or server"
        );
        let unknown = CallError::Refused { call: "lb_conf", retval: Retval(-12345) };
        assert_eq!(unknown.to_string(), "lb_conf was refused by VPP: error -12345");
        let lost = |failure| CallError::from_failure("lb_conf", failure).to_string();
        assert_eq!(
            lost(CallFailure::NeverSent(EndReason::PeerClosed)),
            "lb_conf was lost (it was never sent): VPP closed the connection"
        );
        assert_eq!(
            lost(CallFailure::TimedOut),
            "VPP did not answer lb_conf in time (it may or may not have been applied)"
        );
    }
}
