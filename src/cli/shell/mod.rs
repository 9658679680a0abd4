//! The shell: maglevc without a command. On a terminal it reads lines with
//! editing, history and completion; elsewhere its input is a script.

mod connection_monitor;
mod editor;
mod history;
mod inline_help;
mod runtime_thread;

use std::io::{BufRead, IsTerminal};
use std::time::Duration;

use tokio::sync::mpsc;

use super::command::{parse, words};
use super::dispatch;
use super::error::CliError;
use super::watch_events::{self, CommandEnd};
use crate::cli::command::options::{ChosenServers, CliOptions};
use crate::cli::command::request::CliCommand;
use crate::cli::render::context::Tone;
use crate::cli::render::output::{self, Output};
use crate::client::connection::{DaemonAccess, DaemonClient};
use crate::host::terminal::TerminalWatch;
use connection_monitor::ConnectionMonitor;
use editor::{Editor, EditorInput};
use runtime_thread::RuntimeThread;

/// Reads and executes commands until there are no more.
///
/// # Errors
/// [`CliError::Options`] for several daemons, [`CliError::InScript`] for the
/// first line of a script that fails, [`CliError::Local`] when the terminal
/// fails. On a terminal, a command that fails is reported and ends nothing.
pub fn run(options: &CliOptions) -> Result<(), CliError> {
    let servers = options.servers()?;
    let [access] = servers.access.as_slice() else {
        let message = "without a command there can be one --server only".into();
        return Err(CliError::Options { message });
    };
    if std::io::stdin().is_terminal() {
        repl(access, &servers, options)
    } else {
        let executed = run_script(access, options.output(), options.wait());
        executed.map_err(|error| servers.explained(error))
    }
}

/// The command of a line; `None` for a blank line or a comment.
fn parse_line(line: &str) -> Result<Option<CliCommand>, CliError> {
    let words = words::split(line)?;
    if words.is_empty() {
        return Ok(None);
    }
    Ok(Some(parse::parse(&words)?))
}

/// Executes the lines of standard input up to the first that fails.
fn run_script(access: &DaemonAccess, output: Output, wait: Duration) -> Result<(), CliError> {
    let runtime = RuntimeThread::start()?;
    let (client, mut interrupts) = runtime.wait(async {
        Ok::<_, CliError>((DaemonClient::lazy(access)?, watch_events::interrupts()?))
    })?;
    // A thread reads, so that an interrupt also ends the wait for a line.
    let (sender, mut lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        let mut read = std::io::stdin().lock().lines();
        while read.next().is_some_and(|line| sender.blocking_send(line).is_ok()) {}
    });
    for number in 1_usize.. {
        let failed = |error| CliError::InScript { number, error: Box::new(error) };
        let line = runtime.wait(async {
            tokio::select! {
                line = lines.recv() => Ok(line),
                _ = interrupts.recv() => Err(failed(CliError::Interrupted)),
            }
        });
        let Some(line) = line? else { break };
        let line = line.map_err(|source| CliError::Local { attempted: "read", source })?;
        match run_line(&runtime, &client, &line, (output, wait)).map_err(failed)? {
            Some(CommandEnd::Done) => {}
            Some(CommandEnd::Interrupted) => return Err(failed(CliError::Interrupted)),
            None => break,
        }
    }
    Ok(())
}

/// Reads, executes and prints until the operator leaves.
fn repl(
    access: &DaemonAccess,
    servers: &ChosenServers,
    options: &CliOptions,
) -> Result<(), CliError> {
    let (output, wait) = (options.output(), options.wait());
    let runtime = RuntimeThread::start()?;
    let client = runtime.wait(async { DaemonClient::lazy(access) })?;
    let mut editor = Editor::new(&runtime, &client, output)?;
    let mut monitor = ConnectionMonitor::start(&runtime, client.clone(), editor.printer());
    monitor.wait_until_known(&runtime);
    let version = env!("CARGO_PKG_VERSION");
    let greeting = "`?` says what can follow, TAB completes, Ctrl-D leaves.";
    output::write(&format!("maglevc {version}: {greeting}\n"))?;
    loop {
        let prompt = prompt(access, monitor.is_up());
        let input = monitor.while_editing(|| editor.read(&prompt))?;
        match input {
            EditorInput::Nothing => {}
            EditorInput::End => break,
            EditorInput::Line(line) => match run_line(&runtime, &client, &line, (output, wait)) {
                Ok(None) => break,
                Ok(Some(_)) => {}
                Err(error) => {
                    let error = servers.explained(error);
                    output.print_diagnostic(Tone::Bad, &error.to_string());
                }
            },
        }
    }
    Ok(())
}

/// The prompt names the daemon, and shows when it is unreachable.
fn prompt(access: &DaemonAccess, up: bool) -> String {
    let away = if up { "" } else { " (away)" };
    format!("maglev {}{away}> ", access.server)
}

/// Executes a line until it is done or interrupted. `None`: the line leaves
/// the shell.
fn run_line(
    runtime: &RuntimeThread,
    client: &DaemonClient,
    line: &str,
    (output, wait): (Output, Duration),
) -> Result<Option<CommandEnd>, CliError> {
    let Some(command) = parse_line(line)? else { return Ok(Some(CommandEnd::Done)) };
    if command == CliCommand::Quit {
        return Ok(None);
    }
    let end = runtime.wait(async {
        let mut interrupts = watch_events::interrupts()?;
        // At its end there is no more input, which the next read finds.
        let terminal = TerminalWatch::of(std::io::stdin())
            .map_err(|source| CliError::Local { attempted: "use the terminal", source })?;
        let connect = async || Ok(client.clone());
        tokio::select! {
            result = dispatch::execute(connect, command, output, wait) => result,
            _ = interrupts.recv() => Ok(CommandEnd::Interrupted),
            () = terminal.gone() => Ok(CommandEnd::Interrupted),
        }
    });
    end.map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_command_or_blank_or_an_error() {
        assert_eq!(parse_line("  # only a remark").unwrap(), None);
        assert_eq!(parse_line("'quit'").unwrap(), Some(CliCommand::Quit));
        assert!(parse_line("show frontend 'a b").unwrap_err().to_string().contains("not closed"));
        assert_eq!(parse_line("shwo").unwrap_err().status(), 2);
    }

    #[test]
    fn the_prompt_names_the_daemon() {
        let access = DaemonAccess::from(
            "[::1]:9090".parse::<crate::client::address::DaemonAddress>().unwrap(),
        );
        assert_eq!(prompt(&access, true), "maglev [::1]:9090> ");
        assert_eq!(prompt(&access, false), "maglev [::1]:9090 (away)> ");
    }
}
