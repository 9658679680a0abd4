//! Why a client got no answer: what it attempted, at which daemon, and what
//! became of it.

use std::error::Error as _;
use std::io::ErrorKind;
use std::time::Duration;

use tonic::{Code, ConnectError, Status, TimeoutExpired};

use super::address::DaemonAddress;
use super::deadlines::{CONNECT_DEADLINE, RESPONSE_DEADLINE, SILENCE_DEADLINE};
use super::tls::ClientTlsError;
use super::token::TokenFileError;

/// How tonic's message begins for a response that is HTTP and not gRPC.
const NO_GRPC: &str = "grpc-status header missing";

/// Why an attempt to use a daemon failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The daemon answered with an error. Sending the request again will not
    /// help, unless something else changes first.
    #[error("maglevd at {server} refused {attempted}: {message} ({code:?})")]
    Refused {
        /// The RPC.
        attempted: &'static str,
        server: DaemonAddress,
        /// The gRPC status code.
        code: Code,
        /// The daemon's message, as it came; it may be empty.
        message: String,
    },
    /// There is no daemon to talk to, or no longer: dial again later.
    #[error("{attempted}: maglevd at {server} {why}")]
    Unreachable {
        /// The RPC, or "connect".
        attempted: &'static str,
        server: DaemonAddress,
        /// What became of the connection.
        why: ConnectionLoss,
    },
    /// TLS cannot be configured; no connection was attempted.
    #[error("connect to maglevd at {server}: {why}")]
    Tls {
        server: DaemonAddress,
        /// What is wrong with the files.
        why: ClientTlsError,
    },
    /// The token cannot be shown; no connection was attempted.
    #[error("connect to maglevd at {server}: {why}")]
    Token {
        server: DaemonAddress,
        /// What is wrong with its file, or with the connection.
        why: TokenFileError,
    },
}

/// Why a connection was not established, or was lost.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConnectionLoss {
    /// No connection was established.
    #[error("cannot be reached: {cause}")]
    NoConnection {
        /// The system's error.
        cause: String,
    },
    /// The TLS handshake failed, or one side does not speak TLS.
    #[error("TLS failed: {cause}")]
    TlsFailed {
        /// The TLS library's error.
        cause: String,
    },
    /// A deadline passed without anything received.
    #[error("does not answer (waited {} s)", .waited.as_secs())]
    Silent {
        /// The deadline.
        waited: Duration,
    },
    /// The peer does not speak gRPC: another program, or maglevd with TLS.
    #[error("something else answers there, not maglevd; or maglevd with TLS")]
    NotGrpc,
    /// The connection was lost before the response was complete.
    #[error("the connection was lost")]
    Broken,
    /// The daemon ended the stream of events, because it stops.
    #[error("is stopping, no more events")]
    Stopping,
}

impl ClientError {
    /// Whether dialling again may help.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    /// The error of a request that returned `status`: a refusal where the
    /// status is the daemon's own, and otherwise the loss of the connection.
    #[must_use]
    pub fn of_status(attempted: &'static str, server: &DaemonAddress, status: &Status) -> Self {
        // Every status that tonic makes up has a source or is Unknown; the
        // daemon's own are neither.
        let own = status.source().is_none() && status.code() != Code::Unknown;
        if own && !status.message().starts_with(NO_GRPC) {
            return Self::Refused {
                attempted,
                server: server.clone(),
                code: status.code(),
                message: status.message().to_owned(),
            };
        }
        Self::Unreachable { attempted, server: server.clone(), why: loss_of_status(status) }
    }

    /// The error of a stream of events that ended with `status`.
    #[must_use]
    pub fn of_stream(attempted: &'static str, server: &DaemonAddress, status: &Status) -> Self {
        match status.code() {
            Code::Unavailable if status.source().is_none() => Self::Unreachable {
                attempted,
                server: server.clone(),
                why: ConnectionLoss::Stopping,
            },
            _ => Self::of_status(attempted, server, status),
        }
    }

    /// The error of a connection that was not established.
    #[must_use]
    pub fn of_connecting(
        server: &DaemonAddress,
        error: &(dyn std::error::Error + 'static),
    ) -> Self {
        let why = match root_io(error) {
            None => ConnectionLoss::NotGrpc,
            Some(error) if error.kind() == ErrorKind::InvalidData => {
                ConnectionLoss::TlsFailed { cause: cause(error) }
            }
            Some(error) => ConnectionLoss::NoConnection { cause: cause(error) },
        };
        Self::Unreachable { attempted: "connect", server: server.clone(), why }
    }

    /// The error of TLS files that the library rejects.
    #[must_use]
    pub fn of_tls(server: &DaemonAddress, error: &(dyn std::error::Error + 'static)) -> Self {
        // The outermost error only says that TLS could not be configured.
        let reasons: Vec<String> = chain(error).skip(1).map(ToString::to_string).collect();
        let reason = if reasons.is_empty() { error.to_string() } else { reasons.join(": ") };
        Self::Tls { server: server.clone(), why: ClientTlsError::Rejected { reason } }
    }
}

fn loss_of_status(status: &Status) -> ConnectionLoss {
    if status.message().starts_with(NO_GRPC) {
        return ConnectionLoss::NotGrpc;
    }
    let connecting = chain(status).any(|error| error.is::<ConnectError>());
    match (root_io(status), status.code()) {
        (Some(error), _) if connecting || error.kind() == ErrorKind::ConnectionRefused => {
            ConnectionLoss::NoConnection { cause: cause(error) }
        }
        (None, _) if connecting => ConnectionLoss::Silent { waited: CONNECT_DEADLINE },
        (Some(error), _) if error.kind() == ErrorKind::InvalidData => {
            ConnectionLoss::TlsFailed { cause: cause(error) }
        }
        (Some(_), _) => ConnectionLoss::Broken,
        _ if chain(status).any(|error| error.is::<TimeoutExpired>()) => {
            ConnectionLoss::Silent { waited: RESPONSE_DEADLINE }
        }
        // Without a system error as the root, Unavailable is a ping without a
        // reply, and Internal a violation of HTTP/2.
        (None, Code::Unavailable) => ConnectionLoss::Silent { waited: SILENCE_DEADLINE },
        (None, Code::Internal) => ConnectionLoss::NotGrpc,
        (None, _) => ConnectionLoss::Broken,
    }
}

fn chain<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

fn root_io<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a std::io::Error> {
    chain(error).filter_map(|error| error.downcast_ref()).last()
}

/// A system error without its number: `Connection refused (os error 111)` is
/// `connection refused`.
#[must_use]
pub fn cause(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> DaemonAddress {
        "127.0.0.1:1".parse().unwrap()
    }

    fn loss(error: ClientError) -> ConnectionLoss {
        match error {
            ClientError::Unreachable { why, .. } => why,
            other => panic!("not a loss: {other}"),
        }
    }

    fn of(status: &Status) -> ClientError {
        ClientError::of_status("GetBackend", &server(), status)
    }

    #[test]
    fn a_status_of_the_daemon_is_a_refusal() {
        let error = of(&Status::unavailable("VPP is not connected"));
        let expected = "maglevd at 127.0.0.1:1 refused GetBackend: VPP is not connected \
                        (Unavailable)";
        assert!(!error.is_unreachable() && error.to_string() == expected, "{error}");
    }

    #[test]
    fn a_lost_connection_is_no_refusal() {
        let mut status = Status::unavailable("transport error");
        let reset = std::io::Error::from_raw_os_error(104);
        status.set_source(std::sync::Arc::new(reset));
        for status in [status, Status::unknown("Service was not ready")] {
            assert_eq!(loss(of(&status)), ConnectionLoss::Broken);
        }
    }

    #[test]
    fn silence_and_other_protocols_differ() {
        let cases = [
            (
                Status::unavailable("http2 error"),
                ConnectionLoss::Silent { waited: SILENCE_DEADLINE },
            ),
            (Status::internal("http2 error"), ConnectionLoss::NotGrpc),
            (Status::cancelled("http2 error"), ConnectionLoss::Broken),
        ];
        for (mut status, expected) in cases {
            status.set_source(std::sync::Arc::new(std::fmt::Error));
            assert_eq!(loss(of(&status)), expected);
        }
        assert_eq!(loss(of(&Status::unknown(NO_GRPC))), ConnectionLoss::NotGrpc);
    }

    #[test]
    fn a_stream_that_the_daemon_ends_is_a_loss() {
        let of = |status| ClientError::of_stream("WatchEvents", &server(), &status);
        assert_eq!(loss(of(Status::unavailable("stopping"))), ConnectionLoss::Stopping);
        assert!(!of(Status::resource_exhausted("all streams are taken")).is_unreachable());
    }

    #[test]
    fn a_refused_connection_has_no_number() {
        let refused = std::io::Error::from_raw_os_error(111);
        let cause = "connection refused".to_owned();
        assert_eq!(
            loss(ClientError::of_connecting(&server(), &refused)),
            ConnectionLoss::NoConnection { cause }
        );
    }
}
