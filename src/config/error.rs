//! What comes of loading a configuration.

use std::ops::Deref;
use std::{fmt, io};

use thiserror::Error;

use super::fault::ConfigFault;
use super::warnings::Warning;
use crate::domain::config::Config;

/// An accepted configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    pub config: Config,
    /// In the order of the file's sections. Of very many the last one is a count.
    pub warnings: Vec<Warning>,
}

/// Why there is no configuration. The caller adds the name of the source.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The file cannot be read, or is not UTF-8.
    #[error("cannot be read: {source}")]
    Unreadable { source: ReadError },
    /// The text is not YAML, or not of this schema.
    #[error("line {line}, column {column}: {}", shortened(.message))]
    Syntax {
        /// Counted from 1; the last line where the YAML reader names none.
        line: usize,
        /// Counted from 1, in characters.
        column: usize,
        /// The fault, after the path of the value (`maglev.backends: …`).
        message: String,
    },
    /// The file is well formed and breaks rules.
    #[error("{0}")]
    Faults(FaultList),
    /// The runtime that loads it was shut down.
    #[error("reading the configuration was interrupted: the daemon is stopping")]
    Interrupted,
}

/// Why a file's text is not to be had.
#[derive(Debug, Error)]
#[error("{}", self.advising("--config"))]
pub enum ReadError {
    Io(#[from] io::Error),
    NotUtf8 {
        line: usize,
    },
    TooLarge {
        limit: usize,
    },
    TooSlow {
        seconds: u64,
    },
    /// Another reader is at it, for longer than it should.
    Busy {
        seconds: u64,
    },
}

impl ReadError {
    /// The message; `flag` gives another file.
    pub(super) fn advising(&self, flag: &str) -> String {
        match self {
            Self::Io(error) => format!("{error}; give the right file with {flag}"),
            Self::NotUtf8 { line } => {
                format!("line {line} is not UTF-8: write the file in UTF-8")
            }
            Self::TooLarge { limit } => {
                format!("it is larger than {} MiB; give the right file with {flag}", limit >> 20)
            }
            Self::TooSlow { seconds } => format!(
                "it does not end within {seconds} s; give a file on a local disk with {flag}"
            ),
            Self::Busy { seconds } => format!(
                "an earlier attempt to read it has not ended after {seconds} s; try again later"
            ),
        }
    }
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

impl From<ReadError> for LoadError {
    fn from(source: ReadError) -> Self {
        Self::Unreadable { source }
    }
}

/// The rules that a file breaks, at least one; the first hundred, and a count of the
/// others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FaultList {
    pub first: Vec<ConfigFault>,
    pub more: usize,
}

impl Deref for FaultList {
    type Target = [ConfigFault];

    fn deref(&self) -> &[ConfigFault] {
        &self.first
    }
}

/// One fault a line.
impl fmt::Display for FaultList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.iter().enumerate() {
            let end = if index > 0 { "\n" } else { "" };
            write!(f, "{end}{}", shortened(&fault.to_string()))?;
        }
        if self.more > 0 {
            write!(f, "\nand {} more faults, which are shown when these are mended", self.more)?;
        }
        Ok(())
    }
}

/// Characters of a message that are shown: a name or a value in it may be as long as
/// the file.
const MOST_CHARACTERS: usize = 1000;

/// The message without its middle, if it is long. Its ends hold the place and the remedy.
pub(super) fn shortened(message: &str) -> String {
    let characters = message.chars().count();
    if characters <= MOST_CHARACTERS {
        return message.to_owned();
    }
    let half = MOST_CHARACTERS / 2;
    let head = message.chars().take(half);
    let tail = message.chars().skip(characters - half);
    head.chain(" […] ".chars()).chain(tail).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::fault::Problem;

    #[test]
    fn a_message_is_short_and_keeps_its_place_and_its_remedy() {
        let problem = Problem::UnknownCheck { name: "é".repeat(100_000) };
        let fault = ConfigFault { path: "backends.a.healthcheck".into(), problem };
        let text = FaultList { first: vec![fault], more: 0 }.to_string();
        assert!(text.chars().count() <= MOST_CHARACTERS + 5, "{} characters", text.len());
        assert!(
            text.starts_with("backends.a.healthcheck: there is no health check \"éé"),
            "{text}"
        );
        assert!(text.ends_with("define it under healthchecks, or name another"), "{text}");
        let message = "x".repeat(100_000);
        let text = LoadError::Syntax { line: 1, column: 2, message }.to_string();
        assert!(text.len() <= MOST_CHARACTERS + 50, "{} bytes", text.len());
    }
}
