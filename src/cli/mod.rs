//! maglevc: looks at the daemon and acts on it over gRPC.
//!
//! ```text
//! arguments ─▶ options ─▶ parse (grammar) ─▶ Command ─▶ execute ─▶ Answer ─▶ text or json
//! lines of a shell ─▶ words ─▶ ┘                ├──────▶ watch ───▶ a line of JSON an event
//! TAB, ? ─▶ completion ─▶ ┘                     └──────▶ live ────▶ the whole terminal
//! ```
//!
//! Nothing here knows the daemon's inside: it sees the generated types only.

pub mod answer;
pub mod command;
pub mod dispatch;
pub mod error;
pub mod execute;
pub mod live;
pub mod multi_server;
pub mod render;
pub mod shell;
pub mod version;
pub mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind as Usage;

use crate::client::server::DaemonClient;
use command::options::{self, CliOptions};
use command::{completions_query, parse, scripts};
use error::CliError;
use render::context::Tone;
use render::output::{self, Output};

/// Runs maglevc with its arguments, the program's name first. The exit status
/// is 0 when it is done, 1 when the daemon refused, 2 for a mistake in the
/// arguments, 3 when the daemon cannot be reached.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let [_, asked, line] = arguments.as_slice()
        && asked == scripts::ASK
    {
        completions_query::answer(&line.to_string_lossy());
        return ExitCode::SUCCESS;
    }
    let (output, result) = match CliOptions::try_parse_from(arguments) {
        Ok(options) => (options.output(), obey(&options)),
        Err(error) if matches!(error.kind(), Usage::DisplayHelp | Usage::DisplayVersion) => {
            (Output::default(), output::write(&error.to_string()))
        }
        Err(error) => (Output::default(), Err(options::refused(&error))),
    };
    let Err(error) = result else { return ExitCode::SUCCESS };
    output.complain(Tone::Bad, &error.to_string());
    ExitCode::from(error.status())
}

fn obey(options: &CliOptions) -> Result<(), CliError> {
    if options.words.is_empty() {
        return shell::run(options);
    }
    let command = parse::parse(&options.words)?;
    let output = options.output();
    match options.access().as_slice() {
        [access] => block_on(async {
            let connect = async || DaemonClient::connect(access).await;
            dispatch::execute(connect, command, output).await.map(|_| ())
        }),
        several => {
            let Some(request) = multi_server::request(&command) else {
                let message = "several daemons can only be asked by a show command".into();
                return Err(CliError::Options { message });
            };
            block_on(multi_server::ask(several, &request, output))
        }
    }
}

/// Runs a future on this thread.
fn block_on<T>(task: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| CliError::Local { attempted: "start", source })?;
    let result = runtime.block_on(task);
    // A name's resolution cannot be cancelled; nobody waits for it any more.
    runtime.shutdown_background();
    result
}
