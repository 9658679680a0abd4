//! maglevc's options.

use std::path::Path;
use std::time::Duration;

use clap::Parser;

use super::tls_options::TlsOptions;
use crate::cli::error::{CliError, UNREACHABLE};
use crate::cli::render::format::{ColorWhen, OutputFormat};
use crate::cli::render::output::Output;
use crate::cli::runtime::block_on;
use crate::client::address::DaemonAddress;
use crate::client::connection::DaemonAccess;
use crate::client::default_server;

/// VPP confirms a change within milliseconds, or something is wrong with it.
const WAIT: Duration = Duration::from_secs(5);

/// Looks at and acts on maglevd, the control plane of VPP's load balancer.
#[derive(Debug, Parser)]
#[command(name = "maglevc", version = crate::VERSION, after_help = "`maglevc help` lists every command.")]
pub struct CliOptions {
    /// The daemon: host:port, or unix:/path; several, separated by commas, for
    /// every command but watches and the shell. Without it, that of
    /// unix:/run/vpp-maglev/maglevd.sock if it can be reached there, or else of
    /// 127.0.0.1:9090.
    #[arg(long, value_name = "ADDR", env = "MAGLEV_SERVER", value_delimiter = ',')]
    pub server: Vec<DaemonAddress>,
    #[command(flatten)]
    pub tls: TlsOptions,
    /// Whether states are coloured. `auto` is on a terminal, unless NO_COLOR is set.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t)]
    pub color: ColorWhen,
    /// `json` has a documented, stable schema.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub output: OutputFormat,
    /// Answer a change at once, and do not wait for VPP to confirm it.
    #[arg(long)]
    pub no_wait: bool,
    /// With several daemons, `set …` changes all of them or none: each is asked
    /// first, and where one fails after that, the others are changed back.
    #[arg(long)]
    pub all_or_none: bool,
    /// What to do; without it: the shell, or the lines of standard input where
    /// that is no terminal.
    #[arg(value_name = "COMMAND", allow_negative_numbers = true)]
    pub words: Vec<String>,
}

impl CliOptions {
    /// The daemons, in the order of the option, or the one that is there without it.
    /// Must not be called on a runtime.
    ///
    /// # Errors
    /// [`CliError::Local`] where the system has no runtime.
    pub fn servers(&self) -> Result<ChosenServers, CliError> {
        let access = |server: &DaemonAddress| self.tls.access(server.clone());
        if !self.server.is_empty() {
            let access = self.server.iter().map(access).collect();
            return Ok(ChosenServers { access, passed_over: None });
        }
        let socket = Path::new(default_server::SOCKET);
        let found = block_on(async { Ok(default_server::find(socket).await) })?;
        let access = vec![access(&found.server)];
        Ok(ChosenServers { access, passed_over: found.passed_over })
    }

    /// How long a change waits for VPP to confirm it.
    #[must_use]
    pub fn wait(&self) -> Duration {
        if self.no_wait { Duration::ZERO } else { WAIT }
    }

    /// The format and colours of the output.
    #[must_use]
    pub fn output(&self) -> Output {
        Output { format: self.output, color: self.color }
    }
}

/// The daemons that a command is for.
#[derive(Clone, Debug)]
pub struct ChosenServers {
    pub access: Vec<DaemonAccess>,
    /// Where a daemon was looked for before, and why it cannot be used there.
    pub passed_over: Option<String>,
}

impl ChosenServers {
    /// An error that names both places, if there is a daemon at neither.
    #[must_use]
    pub fn explained(&self, error: CliError) -> CliError {
        match &self.passed_over {
            Some(passed_over) if error.status() == UNREACHABLE => {
                CliError::NoDefault { error: Box::new(error), passed_over: passed_over.clone() }
            }
            _ => error,
        }
    }
}

/// The error of a failed parse, without the usage and tips that clap adds.
#[must_use]
pub fn usage_error(error: &clap::Error) -> CliError {
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
    fn the_error_of_a_wrong_option_is_one_line_that_names_it() {
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
            let message =
                usage_error(&CliOptions::try_parse_from(arguments).unwrap_err()).to_string();
            assert!(message.contains(part), "{message}");
            assert_eq!(message.lines().count(), 1);
        }
    }

    #[test]
    fn options_are_accepted_behind_the_command() {
        let options =
            CliOptions::try_parse_from(["maglevc", "show", "backends", "--output", "json"])
                .unwrap();
        assert_eq!(options.words, ["show", "backends"]);
        assert_eq!(options.output, OutputFormat::Json);
    }
}
