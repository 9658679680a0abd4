//! Reads the YAML file into the types of [`crate::domain::config`].
//!
//! Two stages. `raw` has the file's shape and nothing else: an unknown key, a
//! wrong type or a key given twice ends there, with line and column. `resolve`
//! applies every rule of the subject and collects all that it finds, so that
//! an operator corrects a file once. What leaves here needs no second look.

mod duration;
mod fault;
mod raw;
mod report;
mod resolve;
mod unique;
mod warnings;

use std::path::Path;
use std::{fmt, fs, io};

use thiserror::Error;

pub use duration::DurationError;
pub use fault::{AddressFamily, AddressFlaw, ConfigFault, Problem};
pub use warnings::{Warning, WarningKind};

use crate::domain::config::Config;

/// An accepted configuration, and what its author might not have meant.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The configuration, every rule kept.
    pub config: Config,
    /// In the order of the file's sections; empty when all is well.
    pub warnings: Vec<Warning>,
}

/// Why there is no configuration. Whoever asked for the file names it.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The file could not be read, or is not UTF-8.
    #[error("cannot be read: {source}; give the right file with --config")]
    Unreadable {
        /// What the system said.
        source: io::Error,
    },
    /// The text is not YAML, or not of this schema.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        /// Counted from 1; the last line where the YAML reader names none.
        line: usize,
        /// Counted from 1, in characters.
        column: usize,
        /// What is wrong there, after the path of the value (`maglev.backends: …`).
        message: String,
    },
    /// The file is well formed and breaks rules: every broken one, at least one.
    #[error("{}", OnePerLine(.0))]
    Faults(Vec<ConfigFault>),
}

impl LoadError {
    /// The exit status of `maglevd --check`: 1 if the file cannot be read or
    /// parsed, 2 if it breaks rules.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Unreadable { .. } | Self::Syntax { .. } => 1,
            Self::Faults(_) => 2,
        }
    }

    fn syntax(error: &serde_yaml::Error, text: &str) -> Self {
        // A few errors have no place, the second document of a file among
        // them. They are found on the way to the end of the text.
        let (line, column) = error.location().map_or_else(
            || (text.lines().count().max(1), 1),
            |place| (place.line(), place.column()),
        );
        let message =
            error.to_string().replacen(&format!(" at line {line} column {column}"), "", 1);
        Self::Syntax { line, column, message }
    }
}

struct OnePerLine<'a>(&'a [ConfigFault]);

impl fmt::Display for OnePerLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

/// Reads and checks the file at `path`. It is read once and whole.
///
/// # Errors
/// As [`parse`], and [`LoadError::Unreadable`].
pub fn load(path: &Path) -> Result<Loaded, LoadError> {
    let text = fs::read_to_string(path).map_err(|source| LoadError::Unreadable { source })?;
    parse(&text)
}

/// Checks the text of a configuration file.
///
/// # Errors
/// [`LoadError::Syntax`] for the first thing that cannot be parsed, otherwise
/// [`LoadError::Faults`] with every rule that is broken.
pub fn parse(text: &str) -> Result<Loaded, LoadError> {
    let syntax = |error| LoadError::syntax(&error, text);
    serde_yaml::from_str::<unique::UniqueKeys>(text).map_err(syntax)?;
    let file: raw::RawFile = serde_yaml::from_str(text).map_err(syntax)?;
    resolve::resolve(&file.maglev)
}
