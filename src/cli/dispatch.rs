//! Executes one command of the command line, the shell or a script.

use std::time::Duration;

use super::command::{help, scripts};
use super::error::CliError;
use super::render::{json, text};
use super::watch_events::{self, CommandEnd};
use super::{drain_wait, execute, live, version};
use crate::cli::command::request::CliCommand;
use crate::cli::render::context::Tone;
use crate::cli::render::output::Output;
use crate::client::connection::DaemonClient;
use crate::host::terminal::{TerminalWatch, is_gone};

/// Executes a command and writes its answer. `connect` is called only for a
/// command that needs the daemon; `wait`: as in [`execute::execute`].
///
/// # Errors
/// Those of `connect` and of the requests; [`CliError::Failed`] for an answer
/// that is a failure, after it was written.
pub async fn execute(
    connect: impl AsyncFnOnce() -> Result<DaemonClient, CliError>,
    command: CliCommand,
    output: Output,
    wait: Duration,
) -> Result<CommandEnd, CliError> {
    match command {
        CliCommand::Quit => {}
        CliCommand::Help => {
            output.answer(|_| help::text(), || Ok(json::usages(&help::usages())))?;
        }
        CliCommand::ShowVersion => {
            let build = version::CURRENT;
            output.answer(|_| format!("{build}\n"), || Ok(json::version(&build)))?;
        }
        CliCommand::Completions(shell) => {
            output.answer(|_| scripts::script(shell).into(), || Ok(json::completions(shell)))?;
        }
        CliCommand::WatchState => live::run(connect, output).await?,
        CliCommand::Compare => {
            let message = "compare needs several daemons: --server a:9090,b:9090 compare".into();
            return Err(CliError::Options { message });
        }
        CliCommand::WatchEvents(options) => {
            let client = connect().await?;
            let mut notice = |line: &str| output.print_diagnostic(Tone::Unsure, line);
            let mut out = std::io::stdout();
            let terminal = TerminalWatch::of(std::io::stdout())
                .map_err(|source| CliError::Local { attempted: "use the terminal", source })?;
            return tokio::select! {
                end = watch_events::run(client, &options, &mut out, &mut notice) => match end {
                    // As when the reader of a pipe closes it.
                    Err(_) if is_gone(std::io::stdout()) => Ok(CommandEnd::Done),
                    end => end,
                },
                () = terminal.gone() => Ok(CommandEnd::Done),
            };
        }
        CliCommand::DrainAndWait(options) => {
            drain_wait::run(connect().await?, options, output, wait).await?;
        }
        CliCommand::Request(request) => {
            let answer = execute::execute(&connect().await?, request, wait).await?;
            output.answer(|context| text::text(&answer, context), || json::answer(&answer))?;
            if let Some(message) = answer.failure() {
                return Err(CliError::Failed { message });
            }
        }
    }
    Ok(CommandEnd::Done)
}
