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
    #[error("needs TLS, in which HTTP/2 is agreed on: set type: https, or remove it")]
    Http2WithoutTls,
    #[error("is h2 for http2: true: remove one of them")]
    AlpnOfHttp2,
    #[error("is about a connection, and HTTP/2 has no such header: remove it, or http2")]
    ConnectionHeaderOfHttp2,

    // TLS
    #[error("is for a certificate and its key together: add {missing}, or remove it")]
    CredentialsInPart { missing: &'static str },
    #[error("says whom to trust, and insecure-skip-verify trusts everybody: remove one of them")]
    TrustOfNothing,
    #[error("{given:?} is no protocol of ALPN: give a name such as h2 or http/1.1")]
    BadProtocol { given: String },
    #[error("{given:?} is no time before an end: give days such as 14d, or a duration such as 36h")]
    BadWarning { given: String },

    // Steps
    #[error("is for 1 to {most} steps: give some, such as {{ expect: ^220 }}")]
    StepCount { most: usize },
    #[error("is one step: give one of send, send-hex, expect and expect-hex")]
    OneStep,
    #[error("has {length} bytes: give 1 to {most}")]
    StepLength { length: usize, most: usize },
    #[error("{given:?} is not hexadecimal: give pairs of digits, such as 0d 0a")]
    BadHex { given: String },
    #[error("is expected without being asked for: send something first")]
    UnaskedDatagram,
}
