//! Everything that can end a command early, its exit status, and its one line
//! for people: no status codes, no names of libraries.

use std::error::Error as _;
use std::io::ErrorKind;
use std::time::Duration;

use tonic::{Code, ConnectError, Status};

use crate::cli::command::parse::ParseError;
use crate::cli::command::words::Unclosed;
use crate::cli::render::context::printable;
use crate::client::server::{ANSWER_DEADLINE, CONNECT_DEADLINE, DaemonAddress, SILENCE};

/// How the client library begins what it says of an answer that is HTTP and no
/// gRPC.
const NO_GRPC: &str = "grpc-status header missing";

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The words are no command.
    #[error(transparent)]
    Usage(#[from] ParseError),
    /// The options are wrong.
    #[error("{message}")]
    Options {
        /// What the parser of options says.
        message: String,
    },
    /// The daemon answered, and said no.
    #[error("{message}")]
    Refused {
        /// The daemon's own words.
        message: String,
    },
    /// There is no daemon to talk to, or no longer.
    #[error("maglevd at {server}: {why}")]
    Unreachable {
        /// Where it was looked for.
        server: DaemonAddress,
        /// What happened.
        why: ConnectionLoss,
    },
    /// Of several daemons, not all gave an answer.
    #[error("{} of {of} daemons gave no answer: {}", .unreached.len() + .refused.len(), groups(.unreached, .refused))]
    Several {
        /// How many were asked.
        of: usize,
        /// Those not reached.
        unreached: Vec<String>,
        /// Those that said no.
        refused: Vec<String>,
    },
    /// A line of a shell cannot be taken apart.
    #[error(transparent)]
    Unclosed(#[from] Unclosed),
    /// The operator ended a script.
    #[error("interrupted")]
    Interrupted,
    /// A line of a script was not done.
    #[error("line {number}: {error}")]
    InScript {
        /// From 1 on.
        number: usize,
        /// Why.
        error: Box<CliError>,
    },
    /// The answer cannot be written, or the process lacks what it needs.
    #[error("cannot {attempted}: {}", cause(.source))]
    Local {
        /// What was attempted.
        attempted: &'static str,
        /// What the system says.
        source: std::io::Error,
    },
}

/// How the daemon was not reached, or was lost.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConnectionLoss {
    /// No connection was made.
    #[error("cannot be reached: {cause}")]
    NoConnection {
        /// What the system says.
        cause: String,
    },
    /// The two do not believe each other, or one does not speak TLS.
    #[error("TLS failed: {cause}")]
    Mistrust {
        /// What TLS says.
        cause: String,
    },
    /// Nothing came within the deadline.
    #[error("does not answer (waited {} s)", .waited.as_secs())]
    Silent {
        /// How long it was waited for.
        waited: Duration,
    },
    /// What listens there is something else.
    #[error("something else answers there, not maglevd; or maglevd with TLS (see --tls-ca)")]
    Foreign,
    /// The connection ended before the answer did.
    #[error("the connection was lost")]
    Broken,
    /// It ended the stream of events.
    #[error("is stopping, no more events")]
    Stopping,
}

impl CliError {
    /// The exit status of maglevc.
    #[must_use]
    pub fn status(&self) -> u8 {
        match self {
            Self::Several { unreached, .. } if !unreached.is_empty() => 3,
            Self::Refused { .. } | Self::Local { .. } | Self::Several { .. } => 1,
            Self::Usage(_) | Self::Options { .. } | Self::Unclosed(_) => 2,
            Self::InScript { error, .. } => error.status(),
            // As shells tell of a process that SIGINT (2) ended.
            Self::Interrupted => 128 + 2,
            Self::Unreachable { .. } => 3,
        }
    }

    /// The error of a request that failed: the daemon's own words where they
    /// are its own, and otherwise what became of the connection.
    #[must_use]
    pub fn of_status(server: &DaemonAddress, status: &Status) -> Self {
        if status.message().starts_with(NO_GRPC) {
            return Self::Unreachable { server: server.clone(), why: ConnectionLoss::Foreign };
        }
        // Any other status that the client library made up has a source or is
        // Unknown; the daemon's own has neither.
        if status.source().is_none() && status.code() != Code::Unknown {
            return Self::Refused { message: said(status) };
        }
        let connecting = chain(status).any(|error| error.is::<ConnectError>());
        let why = match (root_io(status), status.code()) {
            (Some(error), _) if connecting || error.kind() == ErrorKind::ConnectionRefused => {
                ConnectionLoss::NoConnection { cause: cause(error) }
            }
            (None, _) if connecting => ConnectionLoss::Silent { waited: CONNECT_DEADLINE },
            (Some(error), _) if error.kind() == ErrorKind::InvalidData => {
                ConnectionLoss::Mistrust { cause: cause(error) }
            }
            (Some(_), _) => ConnectionLoss::Broken,
            _ if overran(status) => ConnectionLoss::Silent { waited: ANSWER_DEADLINE },
            // Without a system error behind it, this is a ping without reply,
            // and the other a breach of HTTP/2.
            (None, Code::Unavailable) => ConnectionLoss::Silent { waited: SILENCE },
            (None, Code::Internal) => ConnectionLoss::Foreign,
            (None, _) => ConnectionLoss::Broken,
        };
        Self::Unreachable { server: server.clone(), why }
    }

    /// The error of a request that came to no end at all.
    #[must_use]
    pub fn cut(server: &DaemonAddress) -> Self {
        Self::Unreachable { server: server.clone(), why: ConnectionLoss::Broken }
    }

    /// The error of a connection that did not come about.
    #[must_use]
    pub fn of_connecting(
        server: &DaemonAddress,
        error: &(dyn std::error::Error + 'static),
    ) -> Self {
        let why = match root_io(error) {
            None => ConnectionLoss::Foreign,
            Some(error) if error.kind() == ErrorKind::InvalidData => {
                ConnectionLoss::Mistrust { cause: cause(error) }
            }
            Some(error) => ConnectionLoss::NoConnection { cause: cause(error) },
        };
        Self::Unreachable { server: server.clone(), why }
    }

    /// The error of files that TLS cannot be made of.
    #[must_use]
    pub fn of_tls(error: &(dyn std::error::Error + 'static)) -> Self {
        let reasons: Vec<String> = chain(error).skip(1).map(ToString::to_string).collect();
        let reason = if reasons.is_empty() { error.to_string() } else { reasons.join(": ") };
        Self::Options { message: format!("the files of --tls-… cannot be used: {reason}") }
    }
}

/// Who was not reached, and who refused.
fn groups(unreached: &[String], refused: &[String]) -> String {
    let group = |title: &str, servers: &[String]| {
        (!servers.is_empty()).then(|| format!("{title}: {}", servers.join(", ")))
    };
    let groups = [group("not reached", unreached), group("refused by", refused)];
    groups.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// What the daemon said, on one line.
fn said(status: &Status) -> String {
    match (status.message(), status.code()) {
        ("", Code::Unimplemented) => "the daemon does not know this command; is it older?".into(),
        ("", _) => "the daemon refused, and gave no reason".into(),
        (message, _) => {
            let lines: Vec<&str> = message.lines().filter(|line| !line.trim().is_empty()).collect();
            printable(&lines.join("; "))
        }
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

fn overran(error: &(dyn std::error::Error + 'static)) -> bool {
    chain(error).any(|error| error.is::<tonic::TimeoutExpired>())
}

/// A system error without its number: `Connection refused (os error 111)` is
/// `connection refused`.
pub(crate) fn cause(error: &std::io::Error) -> String {
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

    fn of(status: &Status) -> CliError {
        CliError::of_status(&server(), status)
    }

    #[test]
    fn the_daemons_words_are_shown_alone() {
        let cases = [
            (Status::failed_precondition("backend `a` is disabled"), "backend `a` is disabled"),
            (Status::unavailable("VPP is not connected"), "VPP is not connected"),
            (Status::not_found("one\n\ntwo\x1b[2J"), "one; two\\u{1b}[2J"),
            (Status::unimplemented(""), "the daemon does not know this command; is it older?"),
        ];
        for (status, expected) in cases {
            let error = of(&status);
            assert_eq!((error.to_string().as_str(), error.status()), (expected, 1));
        }
    }

    #[test]
    fn a_lost_connection_is_no_refusal() {
        let mut status = Status::unavailable("transport error");
        let reset = std::io::Error::from_raw_os_error(104);
        status.set_source(std::sync::Arc::new(reset));
        for status in [status, Status::unknown("Service was not ready")] {
            let error = of(&status);
            let expected = "maglevd at 127.0.0.1:1: the connection was lost";
            assert_eq!((error.to_string().as_str(), error.status()), (expected, 3));
        }
    }

    #[test]
    fn silence_and_strangers_are_told_apart() {
        let cases = [
            (Status::unavailable("http2 error"), "does not answer (waited 10 s)"),
            (
                Status::internal("http2 error"),
                "something else answers there, not maglevd; or maglevd with TLS (see --tls-ca)",
            ),
            (Status::cancelled("http2 error"), "the connection was lost"),
        ];
        for (mut status, expected) in cases {
            status.set_source(std::sync::Arc::new(std::fmt::Error));
            assert_eq!(of(&status).to_string(), format!("maglevd at 127.0.0.1:1: {expected}"));
        }
    }

    #[test]
    fn a_refused_connection_says_so_without_numbers() {
        let refused = std::io::Error::from_raw_os_error(111);
        let error = CliError::of_connecting(&server(), &refused);
        let expected = "maglevd at 127.0.0.1:1: cannot be reached: connection refused";
        assert_eq!((error.to_string().as_str(), error.status()), (expected, 3));
    }
}
