//! Why a check cannot be prepared.

use thiserror::Error;
use tokio_native_tls::native_tls;

use crate::domain::dns::RCODES;
use crate::pattern::PatternError;

/// A check that cannot be made, whatever the backend does.
#[derive(Debug, Error)]
pub enum PrepareError {
    /// The path would not survive in a request line.
    #[error("path {path:?} must start with / and be printable ASCII without spaces")]
    Path { path: String },
    /// The host would not survive in a header.
    #[error("host {host:?} must be a host name or an address, with or without a port")]
    Host { host: String },
    /// The method would not survive in a request line.
    #[error("method {method:?} must be one such as GET, HEAD or POST")]
    Method { method: String },
    /// The header would not survive in a request, or says something else than it does.
    #[error("header {name:?} cannot be sent as it is")]
    Header { name: String },
    #[error("response-header {0}")]
    ResponseHeader(PatternError),
    /// The server name cannot be asked for in a TLS handshake.
    #[error("server name {name:?} must be a host name or an address")]
    ServerName { name: String },
    #[error("response-regexp {0}")]
    Regexp(PatternError),
    #[error("expect {0}")]
    Step(PatternError),
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] native_tls::Error),
    /// The query is not a domain name.
    #[error("query {query:?} is not a domain name")]
    Query { query: String },
    #[error("record {record:?} is not a record type; write its name (AAAA) or TYPE and a number")]
    Record { record: String },
    #[error("expect-answer {0}")]
    Answer(PatternError),
    /// The response code is not one that a plain query can be answered with.
    #[error("expect-rcode {rcode:?} is not one of {}", RCODES.join(", "))]
    Rcode { rcode: String },
}
