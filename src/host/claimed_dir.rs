//! A directory of one process, among the files of all: its name collides with no
//! other's, and what a killed process of the same user left is removed.
//!
//! The process holds a lock on the directory (flock(2)) for as long as it lives.
//! Process ids would not do: in containers every process may have the number 1.

use std::fs::{DirBuilder, File};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::process::geteuid;

/// Attempts to make a directory, each with another name.
const ATTEMPTS: usize = 16;

/// A directory that only this user can enter. It is removed when this is dropped.
#[derive(Debug)]
pub struct ClaimedDir {
    path: PathBuf,
    /// Holds the lock.
    _claim: File,
}

impl ClaimedDir {
    /// Makes `PREFIX-` with a random number in `parent`, and removes what killed
    /// processes left under such names.
    ///
    /// # Errors
    /// The system refuses the directory.
    pub fn make(parent: &Path, prefix: &str) -> io::Result<Self> {
        remove_abandoned(parent, prefix);
        for _ in 0..ATTEMPTS {
            // Short, since the paths of sockets have little room (unix(7)).
            let number = RandomState::new().hash_one(prefix) >> 32;
            if let Some(made) = Self::try_make(&parent.join(format!("{prefix}-{number:08x}")))? {
                return Ok(made);
            }
        }
        Err(ErrorKind::AlreadyExists.into())
    }

    /// Makes `name` in `parent`, or as [`ClaimedDir::make`] where that is taken.
    ///
    /// # Errors
    /// The system refuses the directory.
    pub fn make_named(parent: &Path, name: &str) -> io::Result<Self> {
        let path = parent.join(name);
        remove_if_abandoned(&path);
        match Self::try_make(&path)? {
            Some(made) => Ok(made),
            None => Self::make(parent, name),
        }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `None`: there is such a file, or another process was faster.
    fn try_make(path: &Path) -> io::Result<Option<Self>> {
        match DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(None),
            Err(error) => return Err(error),
        }
        Ok(claim(path).map(|claim| Self { path: path.to_owned(), _claim: claim }))
    }
}

impl Drop for ClaimedDir {
    fn drop(&mut self) {
        // What cannot be removed is among temporary files, and the next process tries
        // it again.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// Locks a directory of this user; `None`: it is another's, locked, or gone.
fn claim(path: &Path) -> Option<File> {
    let found = path.symlink_metadata().ok()?;
    if !found.is_dir() || found.uid() != geteuid().as_raw() {
        return None;
    }
    let directory = File::open(path).ok()?;
    flock(&directory, FlockOperation::NonBlockingLockExclusive).ok()?;
    // Between the two it may have been removed, and made again by another process.
    let identity = |file: &std::fs::Metadata| (file.dev(), file.ino());
    let (locked, present) = (directory.metadata().ok()?, path.symlink_metadata().ok()?);
    (identity(&locked) == identity(&present)).then_some(directory)
}

/// Removes the directories of killed processes.
fn remove_abandoned(parent: &Path, prefix: &str) {
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    let is_ours = |name: &std::ffi::OsStr| {
        let rest = name.to_str().and_then(|name| name.strip_prefix(prefix));
        rest.is_some_and(|rest| rest.starts_with('-'))
    };
    for entry in entries.filter(|entry| is_ours(&entry.file_name())) {
        remove_if_abandoned(&entry.path());
    }
}

fn remove_if_abandoned(path: &Path) {
    if let Some(_claim) = claim(path)
        && !has_listener(path)
    {
        // Without it the directory stays, and another name is used.
        let _ = std::fs::remove_dir_all(path);
    }
}

/// Whether a process serves a socket in the directory: versions that lock nothing do.
fn has_listener(directory: &Path) -> bool {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let sockets = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_socket()));
    sockets.map(|socket| UnixStream::connect(socket.path())).any(|connected| match connected {
        Ok(_) => true,
        Err(error) => error.kind() != ErrorKind::ConnectionRefused,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixListener;

    use super::*;

    fn entries(parent: &Path) -> usize {
        std::fs::read_dir(parent).unwrap().count()
    }

    #[test]
    fn a_directory_is_private_differs_from_all_others_and_goes() {
        let parent = tempfile::tempdir().unwrap();
        let one = ClaimedDir::make(parent.path(), "p").unwrap();
        let two = ClaimedDir::make(parent.path(), "p").unwrap();
        assert_ne!(one.path(), two.path());
        assert_eq!(one.path().metadata().unwrap().permissions().mode() & 0o777, 0o700);
        std::fs::write(one.path().join("file"), "").unwrap();
        drop((one, two));
        assert_eq!(entries(parent.path()), 0);
    }

    #[test]
    fn what_a_killed_process_left_is_taken_over_and_what_is_in_use_is_not() {
        let parent = tempfile::tempdir().unwrap();
        // A killed process, in whichever container, leaves a directory without a lock.
        let left = parent.path().join("p-1-0");
        std::fs::create_dir(&left).unwrap();
        drop(UnixListener::bind(left.join("api.sock")).unwrap());
        // One of a version that does not lock has a listener.
        let served = parent.path().join("p-7-0");
        std::fs::create_dir(&served).unwrap();
        let _listener = UnixListener::bind(served.join("api.sock")).unwrap();
        std::fs::create_dir(parent.path().join("pq-1")).unwrap();
        let locked = ClaimedDir::make(parent.path(), "p").unwrap();
        let made = ClaimedDir::make(parent.path(), "p").unwrap();
        assert!(!left.exists());
        assert!(served.exists() && locked.path().exists() && made.path().exists());
        assert_eq!(entries(parent.path()), 4);
    }

    #[test]
    fn a_name_is_used_again_once_its_process_is_gone() {
        let parent = tempfile::tempdir().unwrap();
        let plain = parent.path().join("demo");
        std::fs::create_dir(&plain).unwrap();
        std::fs::write(plain.join("a"), "ok").unwrap();
        let one = ClaimedDir::make_named(parent.path(), "demo").unwrap();
        assert_eq!((one.path(), entries(&plain)), (plain.as_path(), 0));
        let two = ClaimedDir::make_named(parent.path(), "demo").unwrap();
        assert!(two.path().to_str().unwrap().contains("demo-"));
        drop(one);
        assert!(!plain.exists() && two.path().exists());
        std::fs::write(&plain, "not a directory").unwrap();
        assert!(ClaimedDir::make_named(parent.path(), "demo").is_ok());
        assert!(plain.exists());
    }
}
