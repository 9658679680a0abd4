//! maglevc: looks at the daemon and acts on it over gRPC.
//!
//! ```text
//! arguments ─▶ options ─▶ parse (grammar) ─▶ Command ─▶ execute ─▶ Answer ─▶ text or json
//!                                              └──────▶ watch ───▶ a line of JSON an event
//! ```
//!
//! Nothing here knows the daemon's inside: it sees the generated types only.

pub mod answer;
pub mod command;
pub mod error;
pub mod execute;
pub mod grammar;
pub mod help;
pub mod json;
pub mod options;
pub mod page;
pub mod parse;
pub mod server;
pub mod table;
pub mod text;
pub mod time;
pub mod version;
pub mod watch;

use std::ffi::OsString;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Parser;
use clap::error::ErrorKind as Usage;
use serde_json::Value;

use command::Command;
use error::CliError;
use options::{Format, Options, When};
use page::{Page, Tone};
use server::Client;

/// Runs maglevc with its arguments, the program's name first. The exit status
/// is 0 when it is done, 1 when the daemon refused, 2 for a mistake in the
/// arguments, 3 when the daemon cannot be reached.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let (colour, result) = match Options::try_parse_from(arguments) {
        Ok(options) => (options.color, obey(&options)),
        Err(error) if matches!(error.kind(), Usage::DisplayHelp | Usage::DisplayVersion) => {
            (When::Auto, write(&error.to_string()))
        }
        Err(error) => (When::Auto, Err(options::refused(&error))),
    };
    let Err(error) = result else { return ExitCode::SUCCESS };
    let colour = colour.colour(&std::io::stderr());
    let page = Page { now_ns: 0, width: None, colour };
    let line = page.paint(Tone::Bad, &error.to_string());
    // Where even this cannot be written, the exit status must do.
    let _ = writeln!(std::io::stderr(), "{line}");
    ExitCode::from(error.status())
}

fn obey(options: &Options) -> Result<(), CliError> {
    match parse::parse(&options.words)? {
        Command::Quit => Ok(()),
        Command::Help => print(options, help::text, || json::usages(&help::usages())),
        Command::ShowVersion => {
            print(options, || format!("{}\n", version::THIS), || json::version(&version::THIS))
        }
        Command::WatchEvents(watch) => block_on(async {
            let client = Client::connect(&options.server).await?;
            watch::watch(&client, &watch, &mut std::io::stdout()).await
        }),
        Command::Request(request) => {
            let answer = block_on(async {
                let client = Client::connect(&options.server).await?;
                execute::execute(&client, request).await
            })?;
            let page = Page {
                now_ns: now_ns(),
                width: options::width(&std::io::stdout()),
                colour: options.color.colour(&std::io::stdout()),
            };
            print(options, || text::text(&answer, &page), || json::answer(&answer))?;
            answer.refusal().map_or(Ok(()), |message| Err(CliError::Refused { message }))
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

fn print(
    options: &Options,
    text: impl FnOnce() -> String,
    json: impl FnOnce() -> Value,
) -> Result<(), CliError> {
    match options.output {
        Format::Text => write(&text()),
        Format::Json => write(&format!("{:#}\n", json())),
    }
}

/// Writes to standard output; a reader that has seen enough is no error.
fn write(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(CliError::Local { attempted: "write", source: error })
        }
        _ => Ok(()),
    }
}

/// Unix time in nanoseconds.
fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
