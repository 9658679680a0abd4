//! Why an embedded VPP did not start, or did not answer.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why an embedded VPP did not start, or did not answer.
#[derive(Debug, Error)]
pub enum EmbeddedError {
    #[error("cannot listen on {}: {source}", path.display())]
    Bind { path: PathBuf, source: io::Error },
    #[error("another process listens on {}", .0.display())]
    InUse(PathBuf),
    #[error("{} is there and is not a socket", .0.display())]
    NotASocket(PathBuf),
    #[error(
        "cannot make a directory in {}: {source}; set TMPDIR to a directory that can be written",
        path.display()
    )]
    Directory { path: PathBuf, source: io::Error },
    #[error("cannot make the stats segment: {0}")]
    Stats(io::Error),
    /// No thread, or no event queue for it.
    #[error("cannot start the embedded dataplane's thread: {0}")]
    Thread(io::Error),
    /// It was dropped, or its thread died.
    #[error("the embedded dataplane is gone")]
    Gone,
}
