//! The rules that the parameters of a health check can break.

use thiserror::Error;

#[derive(Clone, Debug, PartialEq, Error)]
pub enum CheckProblem {
    // HTTP
    #[error("{given:?} is no method that a check can use: give one such as GET, HEAD or POST")]
    BadMethod { given: String },
    #[error("is no name of a header: give letters, digits and - only, without a colon")]
    BadHeaderName,
    #[error("is a header that a request has by itself: {remedy}")]
    ReservedHeader { remedy: &'static str },
    #[error(
        "is no value of a header: give one line without control characters, \
         and without spaces at its begin and end"
    )]
    BadHeaderValue,
    #[error("is for the body of answers, and those to HEAD have none: remove it, or use GET")]
    BodyOfHead,
    #[error("says whom a connection is for, and {kind} checks send nothing over theirs: {remedy}")]
    ProxyOfNothing { kind: &'static str, remedy: &'static str },
    #[error("{file} cannot be read: {why}; have the daemon's user read it, or name another file")]
    UnreadableFile { file: String, why: String },
    #[error("{file} {why}")]
    UnusableFile { file: String, why: &'static str },
}
