//! Why a test did not begin, or could not go on, and its exit status.

use std::path::PathBuf;

use crate::cli::error::CliError;
use crate::client::error::{ClientError, cause};
use crate::config::LoadError;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum TesterError {
    #[error("{message}")]
    Flags { message: String },
    #[error("{text:?} is no VIP: {why}")]
    Vip { text: String, why: String },
    #[error("--config {}: {error}", path.display())]
    Config { path: PathBuf, error: Box<LoadError> },
    #[error("nothing to test: {why}")]
    NothingToTest { why: String },
    /// In the words of maglevc.
    #[error(transparent)]
    Daemon(CliError),
    #[error("no VIP can be reached: {reasons}")]
    Unreachable { reasons: String },
    #[error("cannot {attempted}: {}", cause(.source))]
    System { attempted: &'static str, source: std::io::Error },
    #[error("TLS cannot be used: {reason}")]
    NoTls { reason: String },
}

impl From<ClientError> for TesterError {
    fn from(error: ClientError) -> Self {
        Self::Daemon(error.into())
    }
}

impl TesterError {
    /// The exit status of maglevt.
    #[must_use]
    pub fn status(&self) -> u8 {
        match self {
            Self::Flags { .. }
            | Self::Vip { .. }
            | Self::Config { .. }
            | Self::NothingToTest { .. } => 2,
            Self::Daemon(error) => error.status(),
            Self::Unreachable { .. } => 3,
            Self::System { .. } | Self::NoTls { .. } => 1,
        }
    }
}
