//! What is kept over restarts: operators' overrides, in one file of the state directory.
//!
//! The file is replaced whole (a temporary file, fsync, rename, fsync of the directory), so
//! that a crash at any moment leaves what was written last. What cannot be used is set aside
//! under another name and never overwritten.

mod document;
mod error;
mod state_dir;

pub use document::{DocumentError, decode, encode};
pub use error::{KeepError, StateDirError};
pub use state_dir::{FILE_NAME, SetAside, StateDir, StoredOverrides};
