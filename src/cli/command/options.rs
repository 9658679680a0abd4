//! maglevc's options, and what they and the terminal make of the output.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::{Parser, ValueEnum, ValueHint};

use crate::cli::error::CliError;
use crate::cli::render::output::Output;
use crate::client::server::{DaemonAccess, DaemonAddress};
use crate::client::tls::{ClientTls, OwnFiles};

/// Looks at and acts on maglevd, the control plane of VPP's load balancer.
#[derive(Debug, Parser)]
#[command(name = "maglevc", version = crate::VERSION, after_help = "`maglevc help` lists every command.")]
pub struct CliOptions {
    /// The daemon: host:port, or unix:/path; several, separated by commas, for
    /// a show command.
    #[arg(
        long,
        value_name = "ADDR",
        env = "MAGLEV_SERVER",
        value_delimiter = ',',
        default_value = "127.0.0.1:9090"
    )]
    pub server: Vec<DaemonAddress>,
    /// Talk TLS, and believe only a daemon whose certificate is of these
    /// authorities (PEM).
    #[arg(long, value_name = "FILE", env = "MAGLEV_TLS_CA", value_hint = ValueHint::FilePath)]
    pub tls_ca: Option<PathBuf>,
    /// The certificate to show the daemon (PEM).
    #[arg(
        long,
        value_name = "FILE",
        env = "MAGLEV_TLS_CERT",
        value_hint = ValueHint::FilePath,
        requires_all = ["tls_ca", "tls_key"]
    )]
    pub tls_cert: Option<PathBuf>,
    /// The private key of that certificate (PEM).
    #[arg(
        long,
        value_name = "FILE",
        env = "MAGLEV_TLS_KEY",
        value_hint = ValueHint::FilePath,
        requires = "tls_cert"
    )]
    pub tls_key: Option<PathBuf>,
    /// The name in the daemon's certificate, where it is not the host of ADDR.
    #[arg(long, value_name = "NAME", env = "MAGLEV_TLS_SERVER_NAME", requires = "tls_ca")]
    pub tls_server_name: Option<String>,
    /// Whether states are coloured. `auto` is on a terminal, unless NO_COLOR is set.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t)]
    pub color: ColorWhen,
    /// `json` has a documented, stable schema.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub output: Format,
    /// What to do; without it: the shell, or the lines of standard input where
    /// that is no terminal.
    #[arg(value_name = "COMMAND", allow_negative_numbers = true)]
    pub words: Vec<String>,
}

impl CliOptions {
    /// How each of the daemons is reached, in the order of the options.
    #[must_use]
    pub fn access(&self) -> Vec<DaemonAccess> {
        let tls = self.tls();
        let one =
            |server: &DaemonAddress| DaemonAccess { server: server.clone(), tls: tls.clone() };
        self.server.iter().map(one).collect()
    }

    fn tls(&self) -> Option<ClientTls> {
        let files =
            |(cert, key): (&PathBuf, &PathBuf)| OwnFiles { cert: cert.clone(), key: key.clone() };
        Some(ClientTls {
            ca: self.tls_ca.clone()?,
            identity: self.tls_cert.as_ref().zip(self.tls_key.as_ref()).map(files),
            server_name: self.tls_server_name.clone(),
        })
    }

    /// How this run writes.
    #[must_use]
    pub fn output(&self) -> Output {
        Output { format: self.output, color: self.color }
    }
}

/// When to write colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal that can, unless `NO_COLOR` is set (<https://no-color.org>).
    #[default]
    Auto,
    /// Wherever the output goes.
    Always,
    /// Not at all.
    Never,
}

/// How answers are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

impl ColorWhen {
    /// Whether to colour what goes to `stream`.
    #[must_use]
    pub fn colour(self, stream: &impl IsTerminal) -> bool {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        self.decide(
            stream.is_terminal(),
            variable("NO_COLOR").is_some(),
            variable("TERM").is_some_and(|term| term == "dumb"),
        )
    }

    fn decide(self, terminal: bool, no_color: bool, dumb: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => terminal && !no_color && !dumb,
        }
    }
}

/// The columns of the terminal that `stream` is, if it is one.
#[must_use]
pub fn width(stream: &(impl IsTerminal + std::os::fd::AsFd)) -> Option<usize> {
    if !stream.is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    // A serial line says 0: not known.
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// The message of a failed parse on one line: clap adds usage and tips below.
#[must_use]
pub fn refused(error: &clap::Error) -> CliError {
    let text = error.to_string();
    let lines = text.lines().take_while(|line| !line.trim().is_empty()).map(str::trim);
    let message = lines.collect::<Vec<_>>().join(" ");
    let message = message.strip_prefix("error: ").unwrap_or(&message).to_owned();
    CliError::Options { message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_needs_a_terminal_and_no_objection_unless_it_is_demanded() {
        assert!(ColorWhen::Auto.decide(true, false, false));
        assert!(!ColorWhen::Auto.decide(false, false, false));
        assert!(!ColorWhen::Auto.decide(true, true, false));
        assert!(!ColorWhen::Auto.decide(true, false, true));
        assert!(ColorWhen::Always.decide(false, true, true));
        assert!(!ColorWhen::Never.decide(true, false, false));
    }

    #[test]
    fn a_wrong_option_is_one_line_that_names_it() {
        let cases = [
            (&["maglevc", "--colour"][..], "--colour"),
            (
                &["maglevc", "--color", "blue"],
                "'blue' for '--color <WHEN>' [possible values: auto, always, never]",
            ),
            (
                &["maglevc", "--server", "nowhere"],
                "neither host:port, [address]:port nor unix:/path",
            ),
        ];
        for (arguments, part) in cases {
            let message = refused(&CliOptions::try_parse_from(arguments).unwrap_err()).to_string();
            assert!(message.contains(part), "{message}");
            assert_eq!(message.lines().count(), 1);
        }
    }

    #[test]
    fn options_may_stand_behind_the_command() {
        let options =
            CliOptions::try_parse_from(["maglevc", "show", "backends", "--output", "json"])
                .unwrap();
        assert_eq!(options.words, ["show", "backends"]);
        assert_eq!(options.output, Format::Json);
    }
}
