//! Why overrides cannot be kept.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

/// Why the daemon cannot use a state directory at all.
#[derive(Debug, Error)]
pub enum StateDirError {
    #[error(
        "state directory {}: {source}: mend it, give another with --state-dir, \
         or none with an empty one",
        path.display()
    )]
    Unusable { path: PathBuf, source: io::Error },
    #[error(
        "state directory {} is in use by another maglevd: end that, or give another with \
         --state-dir",
        path.display()
    )]
    InUse { path: PathBuf },
}

/// Why a change was not written. Clones share the cause.
#[derive(Clone, Debug, Error)]
#[error("cannot keep it in {}: {attempted}: {source}; {}", path.display(), outcome(*is_in_doubt))]
pub struct KeepError {
    pub path: PathBuf,
    pub attempted: &'static str,
    pub source: Arc<io::Error>,
    /// The new text may be in its place all the same.
    pub is_in_doubt: bool,
}

fn outcome(is_in_doubt: bool) -> &'static str {
    if is_in_doubt {
        "it has no effect, and is taken out of the file as soon as that works"
    } else {
        "nothing has changed"
    }
}
