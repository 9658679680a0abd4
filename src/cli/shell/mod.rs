//! The shell: maglevc without a command. On a terminal it reads lines with
//! editing, history and completion; elsewhere it carries out a script.

mod editor;
mod history;
mod inline;
mod link;
mod runtime_thread;

use std::io::{BufRead, IsTerminal};

use tokio::sync::mpsc;

use super::command::{parse, words};
use super::dispatch;
use super::error::CliError;
use super::watch::{self, CommandEnd};
use crate::cli::command::options::CliOptions;
use crate::cli::command::request::CliCommand;
use crate::cli::render::context::Tone;
use crate::cli::render::output::{self, Output};
use crate::client::server::{DaemonAccess, DaemonClient};
use editor::{Editor, EditorInput};
use link::ConnectionWatch;
use runtime_thread::Engine;

/// Reads commands until there are no more.
///
/// # Errors
/// [`CliError::Options`] for several daemons, [`CliError::InScript`] for the
/// first line of a script that is not done, [`CliError::Local`] when the
/// terminal fails. On a terminal, commands that fail are told and no end.
pub fn run(options: &CliOptions) -> Result<(), CliError> {
    let access = options.access();
    let [access] = access.as_slice() else {
        let message = "without a command there can be one --server only".into();
        return Err(CliError::Options { message });
    };
    if std::io::stdin().is_terminal() {
        converse(access, options.output())
    } else {
        script(access, options.output())
    }
}

/// A line as a command; `None` for a line that says nothing.
fn command(line: &str) -> Result<Option<CliCommand>, CliError> {
    let words = words::split(line)?;
    if words.is_empty() {
        return Ok(None);
    }
    Ok(Some(parse::parse(&words)?))
}

/// Carries out the lines of standard input up to the first that fails.
fn script(access: &DaemonAccess, output: Output) -> Result<(), CliError> {
    let engine = Engine::start()?;
    let (client, mut interrupts) = engine
        .wait(async { Ok::<_, CliError>((DaemonClient::lazy(access)?, watch::interrupts()?)) })?;
    // A thread reads, so that an interrupt ends the wait for a line as well.
    let (tell, mut lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        let mut read = std::io::stdin().lock().lines();
        while read.next().is_some_and(|line| tell.blocking_send(line).is_ok()) {}
    });
    for number in 1_usize.. {
        let failed = |error| CliError::InScript { number, error: Box::new(error) };
        let line = engine.wait(async {
            tokio::select! {
                line = lines.recv() => Ok(line),
                _ = interrupts.recv() => Err(failed(CliError::Interrupted)),
            }
        });
        let Some(line) = line? else { break };
        let line = line.map_err(|source| CliError::Local { attempted: "read", source })?;
        match obey(&engine, &client, &line, output).map_err(failed)? {
            Some(CommandEnd::Done) => {}
            Some(CommandEnd::Interrupted) => return Err(failed(CliError::Interrupted)),
            None => break,
        }
    }
    Ok(())
}

/// Talks with an operator until there is no more to say.
fn converse(access: &DaemonAccess, output: Output) -> Result<(), CliError> {
    let engine = Engine::start()?;
    let client = engine.wait(async { DaemonClient::lazy(access) })?;
    let mut editor = Editor::new(&engine, &client, output)?;
    let mut link = ConnectionWatch::follow(&engine, &client, editor.printer());
    link.settle(&engine);
    let version = env!("CARGO_PKG_VERSION");
    let greeting = "`?` says what can follow, TAB completes, Ctrl-D leaves.";
    output::write(&format!("maglevc {version}: {greeting}\n"))?;
    loop {
        let prompt = prompt(access, link.is_up());
        let input = link.while_editing(|| editor.read(&prompt))?;
        match input {
            EditorInput::Nothing => {}
            EditorInput::End => break,
            EditorInput::Line(line) => match obey(&engine, &client, &line, output) {
                Ok(None) => break,
                Ok(Some(_)) => {}
                Err(error) => output.complain(Tone::Bad, &error.to_string()),
            },
        }
    }
    Ok(())
}

/// The prompt says who is spoken to, and when nobody listens.
fn prompt(access: &DaemonAccess, up: bool) -> String {
    let away = if up { "" } else { " (away)" };
    format!("maglev {}{away}> ", access.server)
}

/// Does what a line says, until it is done or interrupted. `None`: it says to
/// leave.
fn obey(
    engine: &Engine,
    client: &DaemonClient,
    line: &str,
    output: Output,
) -> Result<Option<CommandEnd>, CliError> {
    let Some(command) = command(line)? else { return Ok(Some(CommandEnd::Done)) };
    if command == CliCommand::Quit {
        return Ok(None);
    }
    let end = engine.wait(async {
        let mut interrupts = watch::interrupts()?;
        let connect = async || Ok(client.clone());
        tokio::select! {
            result = dispatch::execute(connect, command, output) => result,
            _ = interrupts.recv() => Ok(CommandEnd::Interrupted),
        }
    });
    end.map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_command_or_nothing_or_a_mistake() {
        assert_eq!(command("  # only a remark").unwrap(), None);
        assert_eq!(command("'quit'").unwrap(), Some(CliCommand::Quit));
        assert!(command("show frontend 'a b").unwrap_err().to_string().contains("not closed"));
        assert_eq!(command("shwo").unwrap_err().status(), 2);
    }

    #[test]
    fn the_prompt_says_who_is_spoken_to() {
        let access = DaemonAccess::from(
            "[::1]:9090".parse::<crate::client::server::DaemonAddress>().unwrap(),
        );
        assert_eq!(prompt(&access, true), "maglev [::1]:9090> ");
        assert_eq!(prompt(&access, false), "maglev [::1]:9090 (away)> ");
    }
}
