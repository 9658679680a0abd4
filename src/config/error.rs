//! What comes of loading a configuration.

use std::{fmt, io};

use thiserror::Error;

use super::fault::ConfigFault;
use super::warnings::Warning;
use crate::domain::config::Config;

/// An accepted configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    pub config: Config,
    /// In the order of the file's sections.
    pub warnings: Vec<Warning>,
}

/// Why there is no configuration. The caller adds the name of the source.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The file cannot be read, or is not UTF-8.
    #[error("cannot be read: {source}; give the right file with --config")]
    Unreadable { source: io::Error },
    /// The text is not YAML, or not of this schema.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        /// Counted from 1; the last line where the YAML reader names none.
        line: usize,
        /// Counted from 1, in characters.
        column: usize,
        /// The fault, after the path of the value (`maglev.backends: …`).
        message: String,
    },
    /// The file is well formed and breaks rules: every broken one, at least one.
    #[error("{}", OnePerLine(.0))]
    Faults(Vec<ConfigFault>),
    /// The runtime that loads it was shut down.
    #[error("reading the configuration was interrupted: the daemon is stopping")]
    Interrupted,
}

impl LoadError {
    /// The exit status of `maglevd --check`: 1 if the file cannot be read or
    /// parsed, 2 if it breaks rules.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Unreadable { .. } | Self::Syntax { .. } | Self::Interrupted => 1,
            Self::Faults(_) => 2,
        }
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
