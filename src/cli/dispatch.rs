//! Carries out one command for whoever asked for it: the command line, the
//! shell or a script.

use super::command::{help, scripts};
use super::error::CliError;
use super::render::{json, text};
use super::watch::{self, CommandEnd};
use super::{execute, live, version};
use crate::cli::command::request::CliCommand;
use crate::cli::render::context::Tone;
use crate::cli::render::output::Output;
use crate::client::server::DaemonClient;

/// Carries a command out and writes its answer. `connect` is called only for
/// a command that needs the daemon.
///
/// # Errors
/// What `connect` says; [`CliError::Refused`] in the daemon's words or for an
/// answer that amounts to a refusal, after it was written.
pub async fn execute(
    connect: impl AsyncFnOnce() -> Result<DaemonClient, CliError>,
    command: CliCommand,
    output: Output,
) -> Result<CommandEnd, CliError> {
    match command {
        CliCommand::Quit => {}
        CliCommand::Help => output.answer(|_| help::text(), || json::usages(&help::usages()))?,
        CliCommand::ShowVersion => {
            let this = version::THIS;
            output.answer(|_| format!("{this}\n"), || json::version(&this))?;
        }
        CliCommand::Completions(shell) => {
            output.answer(|_| scripts::script(shell).into(), || json::completions(shell))?;
        }
        CliCommand::WatchState => live::run(connect, output).await?,
        CliCommand::WatchEvents(wanted) => {
            let client = connect().await?;
            let mut notice = |line: &str| output.complain(Tone::Unsure, line);
            return watch::watch(&client, &wanted, &mut std::io::stdout(), &mut notice).await;
        }
        CliCommand::Request(request) => {
            let answer = execute::execute(&connect().await?, request).await?;
            output.answer(|page| text::text(&answer, page), || json::answer(&answer))?;
            if let Some(message) = answer.refusal() {
                return Err(CliError::Refused { message });
            }
        }
    }
    Ok(CommandEnd::Done)
}
