//! Why an embedded VPP did not start, or did not answer.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Bytes of a path, without the 0 at its end: `sun_path` has 108 (unix(7)).
pub(super) const LONGEST_SOCKET_PATH: usize = 107;

/// Why an embedded VPP did not start, or did not answer.
#[derive(Debug, Error)]
pub enum EmbeddedError {
    #[error("cannot listen on {}: {source}", path.display())]
    Bind { path: PathBuf, source: io::Error },
    #[error(
        "cannot listen on {}: the path has {} bytes, and a socket's has {LONGEST_SOCKET_PATH} at \
         most; set TMPDIR, or name for --dataplane-only, a directory with a shorter path",
        .0.display(),
        .0.as_os_str().len()
    )]
    LongPath(PathBuf),
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
