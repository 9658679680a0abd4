//! Everything that can end a command early, its exit status, and its one line
//! for people: no status codes, no names of libraries.

use tonic::Code;

use crate::api::views::text::printable;
use crate::cli::command::parse::ParseError;
use crate::cli::command::words::UnclosedQuote;
use crate::client::error::{ClientError, ConnectionLoss, cause};
use crate::client::tls::{ClientTlsError, ClientTlsFile};

/// The exit status where a daemon is not reached.
pub const UNREACHABLE: u8 = 3;

/// Why a command was not executed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The words are not a command.
    #[error(transparent)]
    Usage(#[from] ParseError),
    /// The options are wrong.
    #[error("{message}")]
    Options {
        /// What is wrong with them.
        message: String,
    },
    /// The daemon could not be used, or refused the request.
    #[error("{}", client_error_text(.0))]
    Daemon(#[from] ClientError),
    /// No daemon was named, and none is at either of the places where one would be.
    #[error("{error}; nor at {passed_over}")]
    NoDefault {
        /// What became of the second.
        error: Box<CliError>,
        /// The first, and why it cannot be used.
        passed_over: String,
    },
    /// The daemon executed the request, and the result is a failure.
    #[error("{message}")]
    Failed {
        /// What failed.
        message: String,
    },
    /// Of several daemons, not all answered.
    #[error("{} of {of} daemons {}: {}", .unreached.len() + .refused.len(), .intent.missed(), groups(.unreached, .refused))]
    Several {
        /// How many were queried.
        of: usize,
        /// Addresses of those that were not reached.
        unreached: Vec<String>,
        /// Addresses of those that refused.
        refused: Vec<String>,
        intent: MultiIntent,
    },
    /// A line of a shell cannot be split into words.
    #[error(transparent)]
    UnclosedQuote(#[from] UnclosedQuote),
    /// The operator interrupted a script.
    #[error("interrupted")]
    Interrupted,
    /// A line of a script failed.
    #[error("line {number}: {error}")]
    InScript {
        /// From 1 on.
        number: usize,
        /// Why.
        error: Box<CliError>,
    },
    /// The output cannot be written, or the system refuses what maglevc needs.
    #[error("cannot {attempted}: {}", cause(.source))]
    Local {
        /// What was attempted.
        attempted: &'static str,
        /// The system's error.
        source: std::io::Error,
    },
}

/// What several daemons were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MultiIntent {
    Read,
    Change,
}

impl MultiIntent {
    /// What those did not do that are named.
    fn missed(self) -> &'static str {
        match self {
            Self::Read => "gave no answer",
            Self::Change => "did not do it",
        }
    }
}

impl CliError {
    /// The exit status of maglevc.
    #[must_use]
    pub fn status(&self) -> u8 {
        match self {
            // What was refused would be refused again; who was not reached may be later.
            Self::Several { refused, intent: MultiIntent::Change, .. } if !refused.is_empty() => 1,
            Self::Several { unreached, .. } if !unreached.is_empty() => UNREACHABLE,
            Self::Failed { .. } | Self::Local { .. } | Self::Several { .. } => 1,
            Self::Usage(_) | Self::Options { .. } | Self::UnclosedQuote(_) => 2,
            Self::InScript { error, .. } | Self::NoDefault { error, .. } => error.status(),
            Self::Daemon(ClientError::Refused { .. }) => 1,
            Self::Daemon(ClientError::Tls { .. } | ClientError::Token { .. }) => 2,
            Self::Daemon(ClientError::Unreachable { .. }) => UNREACHABLE,
            // The convention of shells for a process that SIGINT (2) ended.
            Self::Interrupted => 128 + 2,
        }
    }
}

/// One line about a daemon that could not be used.
#[must_use]
pub fn client_error_text(error: &ClientError) -> String {
    match error {
        ClientError::Refused { code, message, .. } => refusal_text(*code, message),
        ClientError::Unreachable { server, why: ConnectionLoss::NotGrpc, .. } => {
            format!("maglevd at {server}: {} (see --tls-ca)", ConnectionLoss::NotGrpc)
        }
        ClientError::Unreachable { server, why, .. } => format!("maglevd at {server}: {why}"),
        ClientError::Tls { why, .. } => tls_error_text(why),
        ClientError::Token { why, .. } => format!("--token-file: {why}"),
    }
}

fn refusal_text(code: Code, message: &str) -> String {
    match (message, code) {
        ("", Code::Unimplemented) => "the daemon does not know this command; is it older?".into(),
        ("", _) => "the daemon refused, and gave no reason".into(),
        (message, _) => {
            let lines: Vec<&str> = message.lines().filter(|line| !line.trim().is_empty()).collect();
            printable(&lines.join("; "))
        }
    }
}

fn tls_error_text(error: &ClientTlsError) -> String {
    let option = |file: &ClientTlsFile| match file {
        ClientTlsFile::Ca => "--tls-ca",
        ClientTlsFile::Certificate => "--tls-cert",
        ClientTlsFile::Key => "--tls-key",
    };
    match error {
        ClientTlsError::Unreadable { file, path, source } => {
            format!("{} {}: {}", option(file), path.display(), cause(source))
        }
        ClientTlsError::NoPem { file, path } => {
            let content = file.content();
            format!("{} {}: there is no {content} in PEM in it", option(file), path.display())
        }
        ClientTlsError::Rejected { reason } => {
            format!("the files of --tls-… cannot be used: {reason}")
        }
    }
}

/// The daemons that were not reached, and those that refused.
fn groups(unreached: &[String], refused: &[String]) -> String {
    let group = |title: &str, servers: &[String]| {
        (!servers.is_empty()).then(|| format!("{title}: {}", servers.join(", ")))
    };
    let groups = [group("not reached", unreached), group("refused by", refused)];
    groups.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic::Status;

    fn refused(status: &Status) -> CliError {
        let server = "127.0.0.1:1".parse().unwrap();
        ClientError::of_status("GetBackend", &server, status).into()
    }

    #[test]
    fn a_refusal_is_shown_in_the_daemons_words_alone() {
        let cases = [
            (Status::failed_precondition("backend `a` is disabled"), "backend `a` is disabled"),
            (Status::unavailable("VPP is not connected"), "VPP is not connected"),
            (Status::not_found("one\n\ntwo\x1b[2J"), "one; two\\u{1b}[2J"),
            (Status::unimplemented(""), "the daemon does not know this command; is it older?"),
            (Status::internal(""), "the daemon refused, and gave no reason"),
        ];
        for (status, expected) in cases {
            let error = refused(&status);
            assert_eq!((error.to_string().as_str(), error.status()), (expected, 1));
        }
    }

    #[test]
    fn a_loss_names_the_daemon() {
        let cases = [
            (ConnectionLoss::Broken, "the connection was lost"),
            (
                ConnectionLoss::Silent { waited: std::time::Duration::from_secs(10) },
                "does not answer (waited 10 s)",
            ),
            (
                ConnectionLoss::NoConnection { cause: "connection refused".into() },
                "cannot be reached: connection refused",
            ),
            (
                ConnectionLoss::NotGrpc,
                "something else answers there, not maglevd; or maglevd with TLS (see --tls-ca)",
            ),
        ];
        for (why, expected) in cases {
            let server = "127.0.0.1:1".parse().unwrap();
            let error = CliError::from(ClientError::Unreachable { attempted: "", server, why });
            let expected = format!("maglevd at 127.0.0.1:1: {expected}");
            assert_eq!((error.to_string(), error.status()), (expected, 3));
        }
    }

    #[test]
    fn an_unusable_tls_file_is_a_wrong_option() {
        let why = ClientTlsError::NoPem { file: ClientTlsFile::Key, path: "/k".into() };
        let server = "127.0.0.1:1".parse().unwrap();
        let error = CliError::from(ClientError::Tls { server, why });
        let expected = "--tls-key /k: there is no private key in PEM in it";
        assert_eq!((error.to_string().as_str(), error.status()), (expected, 2));
    }
}
