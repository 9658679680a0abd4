//! A Unix socket that nobody can use before it has its mode and its group.
//!
//! It is made under another name in the same directory, for its owner alone,
//! and is renamed once it is as it should be: that also replaces a socket that
//! a dead process left, without a moment at which there is none.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, lchown};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rustix::fs::{Mode, fchmod};
use socket2::{Domain, SockAddr, Type};
use thiserror::Error;
use tokio::net::{UnixListener, UnixStream};

/// Clients that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// Who may connect to the Unix sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnixAccess {
    /// The mode; who may write may connect.
    pub mode: UnixMode,
    /// The group; `None`: the daemon's.
    pub group: Option<UnixGroup>,
}

/// The mode of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnixMode(u32);

/// The number of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnixGroup(u32);

/// A word that says nothing of who may connect.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UnixAccessError {
    #[error("\"{0}\" is no mode: write an octal number up to 0777, such as 0660")]
    Mode(String),
    #[error("there is no group \"{0}\" in /etc/group: add it, or write a group's number")]
    Group(String),
    #[error("cannot look for group \"{group}\": /etc/group: {why}")]
    NoGroups { group: String, why: String },
}

impl FromStr for UnixMode {
    type Err = UnixAccessError;

    fn from_str(text: &str) -> Result<Self, UnixAccessError> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let mode = u32::from_str_radix(text, 8).ok().filter(|mode| digits && *mode <= 0o777);
        mode.map(Self).ok_or_else(|| UnixAccessError::Mode(text.into()))
    }
}

impl FromStr for UnixGroup {
    type Err = UnixAccessError;

    /// A number, or a name of `/etc/group`.
    fn from_str(text: &str) -> Result<Self, UnixAccessError> {
        if let Ok(number) = text.parse() {
            return Ok(Self(number));
        }
        let groups = std::fs::read("/etc/group").map_err(|error| UnixAccessError::NoGroups {
            group: text.into(),
            why: error.to_string(),
        })?;
        let number = group_number(&String::from_utf8_lossy(&groups), text);
        number.map(Self).ok_or_else(|| UnixAccessError::Group(text.into()))
    }
}

/// The number of a group in the text of `/etc/group` (group(5)).
fn group_number(groups: &str, name: &str) -> Option<u32> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok()).flatten()
    })
}

/// A bound socket's file, by which it is known again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UnixSocketFile {
    path: PathBuf,
    place: (u64, u64),
}

impl UnixSocketFile {
    fn of(path: &Path) -> io::Result<Self> {
        let found = std::fs::symlink_metadata(path)?;
        Ok(Self { path: path.to_owned(), place: (found.dev(), found.ino()) })
    }

    /// Removes it, unless another daemon's has taken its place.
    pub(super) fn remove(&self) {
        if Self::of(&self.path).is_ok_and(|now| now == *self) {
            // Whoever removes it between the two calls does our work.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Listens on `path`.
///
/// # Errors
/// Another process listens there, something else is there, or the system
/// refuses the place, the mode or the group.
pub(super) async fn bind(
    path: &Path,
    access: UnixAccess,
) -> io::Result<(UnixListener, UnixSocketFile)> {
    make_way(path).await?;
    let making = making_name(path)?;
    // Left by a process of our number that was killed in between.
    let _ = std::fs::remove_file(&making);
    let made = bind_as(&making, access).and_then(|listener| {
        std::fs::rename(&making, path)?;
        Ok((listener, UnixSocketFile::of(path)?))
    });
    if made.is_err() {
        let _ = std::fs::remove_file(&making);
    }
    made
}

fn bind_as(path: &Path, access: UnixAccess) -> io::Result<UnixListener> {
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // Linux gives the file the mode that the socket has when it is bound.
    fchmod(&socket, Mode::RUSR | Mode::WUSR)?;
    socket.bind(&SockAddr::unix(path)?)?;
    if let Some(UnixGroup(group)) = access.group {
        lchown(path, None, Some(group))?;
    }
    std::fs::set_permissions(path, Permissions::from_mode(access.mode.0))?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    UnixListener::from_std(socket.into())
}

/// The name that a socket has while it is made.
fn making_name(path: &Path) -> io::Result<PathBuf> {
    let no_name = || io::Error::new(io::ErrorKind::InvalidInput, "the path names no file");
    path.file_name().ok_or_else(no_name)?;
    Ok(path.with_file_name(format!(".maglev-{}", std::process::id())))
}

/// Finds out whether `path` may be taken: nothing is there, or a socket that a
/// dead process left. One that answers is in use, and anything but a socket is
/// left alone.
async fn make_way(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            Err(io::Error::new(io::ErrorKind::AlreadyExists, "a file that is no socket is there"))
        }
        Ok(_) => match UnixStream::connect(path).await {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
            // A full backlog and a socket of another's are alive, too.
            _ => Err(io::Error::from(io::ErrorKind::AddrInUse)),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCESS: UnixAccess = UnixAccess { mode: UnixMode(0o660), group: None };

    #[test]
    fn modes_and_groups() {
        for (text, mode) in [("0660", 0o660), ("600", 0o600), ("0777", 0o777), ("0", 0)] {
            assert_eq!(text.parse(), Ok(UnixMode(mode)));
        }
        for wrong in ["", "rw", "0888", "1777", "+660", "-1"] {
            assert_eq!(wrong.parse::<UnixMode>(), Err(UnixAccessError::Mode(wrong.into())));
        }
        let groups = "root:x:0:\nmaglev:x:998:ann,bob\nbroken\n:x:5:\n";
        assert_eq!(group_number(groups, "maglev"), Some(998));
        assert_eq!(group_number(groups, "mag"), None);
        assert_eq!(group_number(groups, "broken"), None);
        assert_eq!("4294967295".parse(), Ok(UnixGroup(u32::MAX)));
        let wrong = "no such group";
        assert_eq!(wrong.parse::<UnixGroup>(), Err(UnixAccessError::Group(wrong.into())));
    }

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let (listener, file) = bind(&path, ACCESS).await.unwrap();
        UnixStream::connect(&path).await.unwrap();
        let in_use = bind(&path, ACCESS).await.unwrap_err();
        assert_eq!(in_use.kind(), io::ErrorKind::AddrInUse);
        drop(listener);
        let (_successor, successors) = bind(&path, ACCESS).await.unwrap();
        file.remove();
        assert!(path.exists(), "the socket of a successor was removed");
        successors.remove();
        assert!(!path.exists());

        let file = dir.path().join("f");
        std::fs::write(&file, "precious").unwrap();
        bind(&file, ACCESS).await.unwrap_err();
        assert_eq!(std::fs::read(&file).unwrap(), b"precious");
        let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[tokio::test]
    async fn the_mode_does_not_hang_on_the_umask_and_comes_before_the_name() {
        let dir = tempfile::tempdir().unwrap();
        for mode in [0o600, 0o660, 0o666] {
            let path = dir.path().join(format!("{mode:o}"));
            let access = UnixAccess { mode: UnixMode(mode), group: None };
            let (_listener, _) = bind(&path, access).await.unwrap();
            let found = std::fs::symlink_metadata(&path).unwrap().permissions().mode();
            assert_eq!(found & 0o777, mode);
        }
        // What is made is for its owner alone until all is in order.
        let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        let path = dir.path().join("first");
        fchmod(&socket, Mode::RUSR | Mode::WUSR).unwrap();
        socket.bind(&SockAddr::unix(&path).unwrap()).unwrap();
        let found = std::fs::symlink_metadata(&path).unwrap().permissions().mode();
        assert_eq!(found & 0o777, 0o600);
    }
}
