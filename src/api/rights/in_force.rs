//! The rights in force, and the file that they were read from.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::config::rights::{self, AccountNames, RightsError};
use crate::domain::rights::Rights;
use crate::host::accounts::{group_number, user_number};

/// Clones share them.
#[derive(Clone, Debug)]
pub struct RightsInForce {
    /// `None`: nobody is named, and each listener's role holds.
    path: Option<Arc<Path>>,
    current: watch::Sender<Arc<Rights>>,
}

/// A rights file cannot be used.
#[derive(Debug, Error)]
#[error("{}", lines(path, fault))]
pub struct RightsFileError {
    pub path: PathBuf,
    pub fault: RightsError,
}

/// Each fault behind the file's name.
fn lines(path: &Path, fault: &RightsError) -> String {
    let faults = fault.to_string();
    let lines = faults.lines().map(|line| format!("{}: {line}", path.display()));
    lines.collect::<Vec<_>>().join("\n")
}

/// The users and groups of this machine.
struct Accounts;

impl AccountNames for Accounts {
    fn user(&self, name: &str) -> Option<u32> {
        user_number(name)
    }

    fn group(&self, name: &str) -> Option<u32> {
        group_number(name)
    }
}

/// Without a file.
impl Default for RightsInForce {
    fn default() -> Self {
        Self { path: None, current: watch::Sender::new(Arc::default()) }
    }
}

impl RightsInForce {
    /// # Errors
    /// The file cannot be used.
    pub fn load(path: Option<&Path>) -> Result<Self, RightsFileError> {
        let rights = path.map(read).transpose()?.unwrap_or_default();
        let current = watch::Sender::new(Arc::new(rights));
        Ok(Self { path: path.map(Arc::from), current })
    }

    /// Those of the last file that could be used.
    #[must_use]
    pub fn current(&self) -> Arc<Rights> {
        Arc::clone(&self.current.borrow())
    }

    #[must_use]
    pub fn has_file(&self) -> bool {
        self.path.is_some()
    }

    /// Changes whenever the file was read again and can be used.
    pub(in crate::api) fn subscribe(&self) -> watch::Receiver<Arc<Rights>> {
        self.current.subscribe()
    }

    /// Reads the file again, for calls from now on.
    ///
    /// # Errors
    /// It cannot be used: the rights in force stay.
    pub async fn renew(&self) -> Result<(), RightsFileError> {
        let Some(path) = &self.path else { return Ok(()) };
        let rights = match self.check().await {
            Ok(Some(rights)) => rights,
            Ok(None) => return Ok(()),
            Err(error) => {
                warn!(%error, "rights-kept: the file cannot be used, and the rights from before stay");
                return Err(error);
            }
        };
        let identities = rights.identities.len();
        self.current.send_replace(Arc::new(rights));
        info!(path = %path.display(), identities, "rights-renewed");
        Ok(())
    }

    /// Reads the file without using it. `None`: there is none, or the daemon is stopping.
    ///
    /// # Errors
    /// It cannot be used.
    pub(in crate::api) async fn check(&self) -> Result<Option<Rights>, RightsFileError> {
        let Some(path) = self.path.clone() else { return Ok(None) };
        // A slow disk delays a thread for blocking work only.
        match tokio::task::spawn_blocking(move || read(&path)).await {
            Ok(read) => read.map(Some),
            Err(_) => Ok(None),
        }
    }
}

fn read(path: &Path) -> Result<Rights, RightsFileError> {
    rights::load(path, &Accounts).map_err(|fault| RightsFileError { path: path.to_owned(), fault })
}
