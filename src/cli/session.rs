//! Carries out one command for whoever asked for it: the command line, the
//! shell or a script.

use super::command::Command;
use super::error::CliError;
use super::output::Output;
use super::page::Tone;
use super::server::Client;
use super::watch::{self, End};
use super::{execute, help, json, live, scripts, text, version};

/// Carries a command out and writes its answer. `connect` is called only for
/// a command that needs the daemon.
///
/// # Errors
/// What `connect` says; [`CliError::Refused`] in the daemon's words or for an
/// answer that amounts to a refusal, after it was written.
pub async fn carry_out(
    connect: impl AsyncFnOnce() -> Result<Client, CliError>,
    command: Command,
    output: Output,
) -> Result<End, CliError> {
    match command {
        Command::Quit => {}
        Command::Help => output.answer(|_| help::text(), || json::usages(&help::usages()))?,
        Command::ShowVersion => {
            let this = version::THIS;
            output.answer(|_| format!("{this}\n"), || json::version(&this))?;
        }
        Command::Completions(shell) => {
            output.answer(|_| scripts::script(shell).into(), || json::completions(shell))?;
        }
        Command::WatchState => live::run(connect, output).await?,
        Command::WatchEvents(wanted) => {
            let client = connect().await?;
            let mut notice = |line: &str| output.complain(Tone::Unsure, line);
            return watch::watch(&client, &wanted, &mut std::io::stdout(), &mut notice).await;
        }
        Command::Request(request) => {
            let answer = execute::execute(&connect().await?, request).await?;
            output.answer(|page| text::text(&answer, page), || json::answer(&answer))?;
            if let Some(message) = answer.refusal() {
                return Err(CliError::Refused { message });
            }
        }
    }
    Ok(End::Done)
}
