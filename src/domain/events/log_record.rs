//! A record of the log, as an event.

use std::time::SystemTime;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    pub at: SystemTime,
    pub level: LogLevel,
    /// The record's name, such as `backend-transition`.
    pub message: String,
    pub fields: Vec<(&'static str, String)>,
}

/// A lower level is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// Something is broken.
    Error,
    /// Something may need an operator.
    Warn,
    /// Changes that operators follow.
    Info,
    /// Every probe and every message.
    Debug,
}

impl LogLevel {
    /// The word in flags, requests and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }

    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Error, Self::Warn, Self::Info, Self::Debug]
            .into_iter()
            .find(|level| level.as_str() == word)
    }
}
