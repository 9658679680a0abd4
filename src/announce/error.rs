//! Why a driver could not do something.

use std::fmt::Display;
use std::io;
use std::time::Duration;

use thiserror::Error;

/// How long one step of a driver may take: an answer of the kernel, a call, a
/// reply line, a run of the program.
pub const STEP_LIMIT: Duration = Duration::from_secs(2);

/// What was attempted, why it failed, and what to do. `remedy` begins in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DriverError {
    #[error("{attempt}: not permitted; {remedy}")]
    NotPermitted { attempt: String, remedy: String },
    /// There is nobody to talk to.
    #[error("{attempt}: {reason}; {remedy}")]
    Unreachable { attempt: String, reason: String, remedy: String },
    /// The other side accepts and says nothing.
    #[error("{attempt}: no answer within {} s; the daemon hangs or is overloaded", .limit.as_secs_f64())]
    TimedOut { attempt: String, limit: Duration },
    /// It was understood and refused.
    #[error("{attempt}: {reason}; {remedy}")]
    Refused { attempt: String, reason: String, remedy: String },
    /// The answer makes no sense.
    #[error("{attempt}: not understood: {reason}")]
    NotUnderstood { attempt: String, reason: String },
    #[error("{attempt}: {reason}")]
    Failed { attempt: String, reason: String },
}

impl DriverError {
    pub(super) fn timed_out(attempt: &str) -> Self {
        Self::TimedOut { attempt: attempt.into(), limit: STEP_LIMIT }
    }

    pub(super) fn not_understood(attempt: &str, reason: &(impl Display + ?Sized)) -> Self {
        Self::NotUnderstood { attempt: attempt.into(), reason: reason.to_string() }
    }

    pub(super) fn failed(attempt: &str, error: &io::Error) -> Self {
        Self::Failed { attempt: attempt.into(), reason: error.to_string() }
    }
}

/// Waits for `answer`, though no longer than [`STEP_LIMIT`].
pub(super) async fn within_limit<T>(
    attempt: &str,
    answer: impl Future<Output = Result<T, DriverError>>,
) -> Result<T, DriverError> {
    let answered = tokio::time::timeout(STEP_LIMIT, answer).await;
    answered.unwrap_or_else(|_| Err(DriverError::timed_out(attempt)))
}
