//! Where answers and complaints go: standard output and standard error, in the
//! form and colour that the options ask for.

use std::io::{ErrorKind, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::cli::command::options::{self, ColorWhen, Format};
use crate::cli::error::CliError;
use crate::cli::render::context::{RenderContext, Tone};

/// How this run of maglevc writes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Output {
    /// Text or JSON.
    pub format: Format,
    /// When to colour.
    pub color: ColorWhen,
}

impl Output {
    /// The page that standard output is at this moment.
    #[must_use]
    pub fn page(&self) -> RenderContext {
        let out = std::io::stdout();
        RenderContext {
            now_ns: now_ns(),
            width: options::width(&out),
            colour: self.color.colour(&out),
        }
    }

    /// Writes an answer in the form that is wanted.
    ///
    /// # Errors
    /// [`CliError::Local`] where it cannot be written.
    pub fn answer(
        &self,
        text: impl FnOnce(&RenderContext) -> String,
        json: impl FnOnce() -> Value,
    ) -> Result<(), CliError> {
        match self.format {
            Format::Text => write(&text(&self.page())),
            Format::Json => write(&format!("{:#}\n", json())),
        }
    }

    /// Writes one line of complaint to standard error.
    pub fn complain(&self, tone: Tone, line: &str) {
        let colour = self.color.colour(&std::io::stderr());
        let page = RenderContext { now_ns: 0, width: None, colour };
        // Where even this cannot be written, the exit status must do.
        let _ = writeln!(std::io::stderr(), "{}", page.paint(tone, line));
    }
}

/// Writes to standard output; a reader that has seen enough is no error.
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
