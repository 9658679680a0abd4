//! maglevc: shows the state of a daemon and changes it over gRPC.
//!
//! ```text
//! arguments ─▶ options ─▶ parse ─┐            ┌─▶ execute ─▶ CliAnswer ─▶ text or JSON
//! shell: line ─▶ words ─▶ parse ─┼─▶ dispatch ┼─▶ watch_events ─▶ a line of JSON an event
//! script: line ──────────────────┘            └─▶ live ─▶ the whole terminal
//!                          grammar
//! TAB, ? ─▶ words ─▶ completion ─┘
//! ```
//!
//! Below it are `client` (connections, requests, following events, the mirror
//! of a daemon), `api::views` (the JSON) and `host` (the terminal); it sees nothing
//! of the daemon but the generated types.

mod announcing;
pub mod answer;
pub mod command;
pub mod dispatch;
pub mod drain_wait;
pub mod error;
pub mod execute;
pub mod live;
pub mod multi_server;
pub mod render;
pub mod runtime;
pub mod set;
pub mod shell;
pub mod version;
pub mod watch_events;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind as Usage;

use crate::client::connection::DaemonClient;
use command::options::{self, CliOptions};
use command::{completions_query, parse, scripts};
use error::CliError;
use multi_server::MultiOptions;
use render::context::Tone;
use render::output::{self, Output};
use runtime::block_on;

/// Runs maglevc with its arguments, the program's name first. The exit status
/// is 0 for success, 1 for a refusal or failure, 2 for wrong arguments, 3 for a
/// daemon that cannot be reached.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let [_, first, line] = arguments.as_slice()
        && first == scripts::COMPLETE
    {
        completions_query::print(&line.to_string_lossy());
        return ExitCode::SUCCESS;
    }
    let (output, result) = match CliOptions::try_parse_from(arguments) {
        Ok(options) => (options.output(), run_options(&options)),
        Err(error) if matches!(error.kind(), Usage::DisplayHelp | Usage::DisplayVersion) => {
            (Output::default(), output::write(&error.to_string()))
        }
        Err(error) => (Output::default(), Err(options::usage_error(&error))),
    };
    let Err(error) = result else { return ExitCode::SUCCESS };
    output.print_diagnostic(Tone::Bad, &error.to_string());
    ExitCode::from(error.status())
}

fn run_options(options: &CliOptions) -> Result<(), CliError> {
    if options.words.is_empty() {
        if options.all_or_none {
            let message = "--all-or-none is for one command: `set …` follows it".into();
            return Err(CliError::Options { message });
        }
        return shell::run(options);
    }
    let command = parse::parse(&options.words)?;
    let output = options.output();
    let servers = options.servers()?;
    let executed = match servers.access.as_slice() {
        [access] if !options.all_or_none => block_on(async {
            let connect = async || Ok(DaemonClient::connect(access).await?);
            dispatch::execute(connect, command, output, options.wait()).await.map(|_| ())
        }),
        several => {
            let options = MultiOptions { wait: options.wait(), all_or_none: options.all_or_none };
            block_on(multi_server::execute(several, command, output, options))
        }
    };
    executed.map_err(|error| servers.explained(error))
}
