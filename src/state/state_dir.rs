//! The directory, claimed for one process, and its file.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FlockOperation, RenameFlags, flock, renameat_with};
use rustix::io::Errno;

use super::document::{decode, encode};
use super::error::{KeepError, StateDirError};
use crate::domain::moment::Moment;
use crate::domain::overrides::OverrideSet;

/// The file, in the directory.
pub const FILE_NAME: &str = "overrides.json";
/// What is written first and then renamed to it.
const NEW_NAME: &str = "overrides.json.new";
/// A longer file is not ours: that of ten thousand overrides has 5 MB.
const LONGEST: u64 = 64 << 20;
/// Names that are tried for a file that is set aside.
const ASIDE: u32 = 10_000;

/// A directory that no other process uses as long as this lives.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    /// Holds the lock.
    dir: File,
    /// Why the file must not be replaced: it is another's, and stays in its place.
    blocked: Option<Arc<io::Error>>,
}

/// What was found in the directory.
#[derive(Debug)]
pub struct StoredOverrides {
    pub overrides: OverrideSet,
    /// The file that could not be used.
    pub set_aside: Option<SetAside>,
}

/// A file that could not be used.
#[derive(Debug)]
pub struct SetAside {
    /// Why, for people.
    pub why: String,
    /// Its name from now on; or why it has the old one, so that nothing can be kept.
    pub to: Result<PathBuf, Arc<io::Error>>,
}

impl StateDir {
    /// Claims the directory, which is made if it is missing.
    ///
    /// # Errors
    /// It cannot be made or read, or another process has it.
    pub fn claim(path: &Path) -> Result<Self, StateDirError> {
        let unusable = |source| StateDirError::Unusable { path: path.to_owned(), source };
        let path = std::path::absolute(path).map_err(unusable)?;
        DirBuilder::new().recursive(true).mode(0o750).create(&path).map_err(unusable)?;
        let flags = rustix::fs::OFlags::DIRECTORY.bits();
        let dir = OpenOptions::new()
            .read(true)
            .custom_flags(flags.cast_signed())
            .open(&path)
            .map_err(unusable)?;
        match flock(&dir, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { path, dir, blocked: None }),
            Err(Errno::WOULDBLOCK) => Err(StateDirError::InUse { path }),
            Err(error) => Err(unusable(error.into())),
        }
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.path.join(FILE_NAME)
    }

    /// Reads what an earlier daemon has stored. A file that cannot be used is set aside.
    pub fn load(&mut self, now: Moment) -> StoredOverrides {
        let none = OverrideSet::default();
        let why = match self.read() {
            Ok(None) => return StoredOverrides { overrides: none, set_aside: None },
            Ok(Some(text)) => match decode(&text, now) {
                Ok(overrides) => return StoredOverrides { overrides, set_aside: None },
                Err(error) => error.to_string(),
            },
            Err(error) => error.to_string(),
        };
        let to = self.set_aside().map_err(Arc::new);
        self.blocked = to.as_ref().err().cloned();
        StoredOverrides { overrides: none, set_aside: Some(SetAside { why, to }) }
    }

    /// Replaces the file. When this returns without an error, it lasts.
    ///
    /// # Errors
    /// It could not be written; what was there stays, unless the error is in doubt.
    pub fn store(&self, overrides: &OverrideSet) -> Result<(), KeepError> {
        let failed = |attempted, is_in_doubt| {
            move |error: io::Error| KeepError {
                path: self.file(),
                attempted,
                source: Arc::new(error),
                is_in_doubt,
            }
        };
        if let Some(source) = &self.blocked {
            let attempted = "a file that is not maglevd's is there, and cannot be set aside";
            let (path, source) = (self.file(), Arc::clone(source));
            return Err(KeepError { path, attempted, source, is_in_doubt: false });
        }
        let text = encode(overrides).map_err(io::Error::from).map_err(failed("encode", false))?;
        let new = self.path.join(NEW_NAME);
        self.write_new(&new, &text).map_err(|error| {
            // What is left of it takes room that is scarce now.
            let _ = std::fs::remove_file(&new);
            failed("write a new file", false)(error)
        })?;
        std::fs::rename(&new, self.file()).map_err(failed("rename it", false))?;
        self.dir.sync_all().map_err(failed("fsync the directory", true))
    }

    fn write_new(&self, new: &Path, text: &[u8]) -> io::Result<()> {
        // What a killed daemon has left; or a link, which would lead elsewhere.
        match std::fs::remove_file(new) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o640).open(new)?;
        file.write_all(text)?;
        file.sync_all()
    }

    /// `None`: there is no file.
    fn read(&self) -> io::Result<Option<Vec<u8>>> {
        // Without waiting for the writer of a FIFO.
        let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
        let file = match OpenOptions::new().read(true).custom_flags(flags).open(self.file()) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // A link that leads nowhere is not ours to replace.
                return match self.file().symlink_metadata() {
                    Ok(_) => Err(error),
                    Err(_) => Ok(None),
                };
            }
            Err(error) => return Err(error),
        };
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file"));
        }
        let mut text = Vec::new();
        file.take(LONGEST + 1).read_to_end(&mut text)?;
        if text.len() as u64 > LONGEST {
            return Err(io::Error::new(
                ErrorKind::FileTooLarge,
                "it is too long for a file of maglevd",
            ));
        }
        Ok(Some(text))
    }

    /// Renames the file to `overrides.json.aside-1`, or with the next number that is free.
    fn set_aside(&self) -> io::Result<PathBuf> {
        for number in 1..=ASIDE {
            let name = format!("{FILE_NAME}.aside-{number}");
            match self.rename_to_new(&name) {
                Ok(()) => return self.dir.sync_all().map(|()| self.path.join(name)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(ErrorKind::AlreadyExists, "too many files were set aside before"))
    }

    fn rename_to_new(&self, name: &str) -> io::Result<()> {
        match renameat_with(&self.dir, FILE_NAME, &self.dir, name, RenameFlags::NOREPLACE) {
            // Some file systems, such as NFS, do not know the flag.
            Err(Errno::INVAL) => {
                std::fs::hard_link(self.file(), self.path.join(name))?;
                std::fs::remove_file(self.file())
            }
            renamed => Ok(renamed?),
        }
    }
}

#[cfg(test)]
mod tests;
