//! Writes answers to standard output and diagnostics to standard error, in the
//! format and colours of the options.

use std::io::{ErrorKind, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::api::views::text::printable_lines;
use crate::cli::error::CliError;
use crate::cli::render::context::{RenderContext, Tone};

use crate::cli::render::format::{ColorWhen, OutputFormat, width};
use crate::cli::render::json;

/// The format and colours of the output.
#[derive(Clone, Copy, Debug, Default)]
pub struct Output {
    /// Text or JSON.
    pub format: OutputFormat,
    /// When to colour.
    pub color: ColorWhen,
}

impl Output {
    /// What a text for standard output is rendered for, at this moment.
    #[must_use]
    pub fn render_context(&self) -> RenderContext {
        let out = std::io::stdout();
        RenderContext { now_ns: now_ns(), width: width(&out), colour: self.color.colour(&out) }
    }

    /// Writes an answer as text or JSON.
    ///
    /// # Errors
    /// [`CliError::Local`] where it cannot be written.
    pub fn answer(
        &self,
        text: impl FnOnce(&RenderContext) -> String,
        json: impl FnOnce() -> serde_json::Result<Value>,
    ) -> Result<(), CliError> {
        match self.format {
            OutputFormat::Text => write(&text(&self.render_context())),
            OutputFormat::Json => {
                let value = json().map_err(|error| CliError::Local {
                    attempted: "write",
                    source: error.into(),
                })?;
                write(&json::pretty(&value))
            }
        }
    }

    /// Writes one line to standard error.
    pub fn print_diagnostic(&self, tone: Tone, line: &str) {
        let colour = self.color.colour(&std::io::stderr());
        let context = RenderContext { now_ns: 0, width: None, colour };
        // Where this cannot be written either, the exit status remains.
        let line = context.paint(tone, &printable_lines(line));
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}

/// Writes to standard output. A reader that closed the pipe is no error.
///
/// # Errors
/// [`CliError::Local`] where it cannot be written.
pub fn write(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(CliError::Local { attempted: "write", source: error })
        }
        _ => Ok(()),
    }
}

/// Unix time in nanoseconds.
#[must_use]
pub fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
