//! Why there are no rights. The caller adds the file's path.

use std::fmt;

use thiserror::Error;

use super::fault::RightsFault;
use crate::config::error::{LoadError, shortened};

#[derive(Debug, Error)]
pub enum RightsError {
    /// The file cannot be read, or is not of the schema.
    #[error("{}", unloaded(.0))]
    Unloaded(#[from] LoadError),
    /// The file is well formed and breaks rules.
    #[error("{}", Lines(.0))]
    Faults(Vec<RightsFault>),
}

impl RightsError {
    /// As of the configuration: 1 if the file cannot be read or parsed, 2 if it breaks
    /// rules.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Unloaded(error) => error.exit_code(),
            Self::Faults(_) => 2,
        }
    }
}

fn unloaded(error: &LoadError) -> String {
    match error {
        LoadError::Unreadable { source } => {
            format!("cannot be read: {}", source.advising("--rights"))
        }
        error => error.to_string(),
    }
}

/// So many faults are shown; more of them at once are of one cause.
const SHOWN: usize = 100;

/// One fault a line.
struct Lines<'a>(&'a [RightsFault]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().take(SHOWN).enumerate() {
            let end = if index > 0 { "\n" } else { "" };
            write!(f, "{end}{}", shortened(&fault.to_string()))?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more faults, which are shown when these are mended"),
        }
    }
}
