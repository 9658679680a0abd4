//! Errors of the system and of TLS as failures of a flow.

use std::error::Error as _;
use std::io::{self, ErrorKind};

use rustix::io::Errno;
use tokio_native_tls::{TlsConnector, native_tls};

use crate::client::error::cause;
use crate::domain::tester::fact::{FailureKind, FlowFailure};

/// What the system says when it is this machine that lacks something.
const LOCAL: [Errno; 8] = [
    Errno::MFILE,
    Errno::NFILE,
    Errno::NOBUFS,
    Errno::NOMEM,
    Errno::ADDRNOTAVAIL,
    Errno::ADDRINUSE,
    Errno::PERM,
    Errno::AFNOSUPPORT,
];

/// The failure of an attempt to connect, or of an established connection.
pub(super) fn of_io(error: &io::Error, is_connected: bool) -> FlowFailure {
    let errno = error.raw_os_error().map(Errno::from_raw_os_error);
    let kind = match error.kind() {
        _ if errno.is_some_and(|errno| LOCAL.contains(&errno)) => FailureKind::Local,
        ErrorKind::ConnectionRefused => FailureKind::Refused,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => FailureKind::Unreachable,
        ErrorKind::TimedOut if is_connected => FailureKind::Timeout,
        ErrorKind::TimedOut => FailureKind::ConnectTimeout,
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted => {
            FailureKind::Reset
        }
        ErrorKind::UnexpectedEof => FailureKind::Closed,
        _ if is_connected => FailureKind::Reset,
        _ => FailureKind::Unreachable,
    };
    FlowFailure::new(kind, cause(error))
}

/// The failure of a TLS handshake: what the connection broke with, or TLS's own.
pub(super) fn of_tls(error: &native_tls::Error) -> FlowFailure {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return of_io(io, true);
        }
        cause = error.source();
    }
    FlowFailure::new(FailureKind::Tls, format!("TLS failed: {error}"))
}

/// A TLS client that believes every certificate, or those of the system's roots.
///
/// # Errors
/// TLS cannot be used on this machine.
pub fn tls_connector(insecure: bool) -> Result<TlsConnector, native_tls::Error> {
    let mut builder = native_tls::TlsConnector::builder();
    builder.danger_accept_invalid_certs(insecure).danger_accept_invalid_hostnames(insecure);
    Ok(builder.build()?.into())
}
