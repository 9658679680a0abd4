//! Binds a Unix socket that no client can reach before it has its mode and group.
//!
//! The socket is created under a temporary name in the same directory, with
//! access for its owner alone, and is renamed once mode and group are set. The
//! rename also replaces a socket that a dead process left, without a moment at
//! which there is none.

use std::fs::Permissions;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, lchown};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rustix::fs::{Mode, OFlags, fchmod};
use socket2::{Domain, SockAddr, Type};
use thiserror::Error;
use tokio::net::{UnixListener, UnixStream};

/// Bytes of a path, without the 0 at its end: `sun_path` has 108 (unix(7)).
const LONGEST_PATH: usize = 107;
/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// Who may connect to the Unix sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnixAccess {
    /// Users with write permission may connect.
    pub mode: UnixMode,
    /// `None`: the daemon's.
    pub group: Option<UnixGroup>,
}

/// Permission bits, up to 0777.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnixMode(u32);

/// A gid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnixGroup(u32);

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

    /// A gid, or a name in `/etc/group`.
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

/// The gid of `name` in the text of `/etc/group` (group(5)).
fn group_number(groups: &str, name: &str) -> Option<u32> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok()).flatten()
    })
}

/// The file of a bound socket. Device and inode distinguish it from a successor's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnixSocketFile {
    path: PathBuf,
    inode: (u64, u64),
}

impl UnixSocketFile {
    fn of(path: &Path) -> io::Result<Self> {
        let found = std::fs::symlink_metadata(path)?;
        Ok(Self { path: path.to_owned(), inode: (found.dev(), found.ino()) })
    }

    /// Removes the file, unless another daemon has replaced it.
    pub(crate) fn remove(&self) {
        if Self::of(&self.path).is_ok_and(|now| now == *self) {
            // It is fine if it was removed between the two calls.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// # Errors
/// Another process listens on `path`, a file that is no socket is there, or the
/// system refuses the path, the mode or the group.
pub(super) async fn bind(
    path: &Path,
    access: UnixAccess,
) -> io::Result<(UnixListener, UnixSocketFile)> {
    let length = path.as_os_str().len();
    if length > LONGEST_PATH {
        let why = format!("the path has {length} bytes, and a socket's has {LONGEST_PATH} at most");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    check_free(path).await?;
    let temporary = temporary_name(path)?;
    // A killed process with the same pid may have left it.
    let _ = std::fs::remove_file(&temporary);
    let bound = bind_as(&temporary, access).and_then(|listener| {
        std::fs::rename(&temporary, path)?;
        Ok((listener, UnixSocketFile::of(path)?))
    });
    if bound.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    bound
}

fn bind_as(path: &Path, access: UnixAccess) -> io::Result<UnixListener> {
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // On Linux the file gets the mode that the socket has when it is bound.
    fchmod(&socket, Mode::RUSR | Mode::WUSR)?;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let dir = rustix::fs::open(dir, flags, Mode::empty())?;
    let through = Path::new("/proc/self/fd").join(dir.as_raw_fd().to_string()).join(name);
    socket.bind(&SockAddr::unix(through)?)?;
    if let Some(UnixGroup(group)) = access.group {
        lchown(path, None, Some(group))?;
    }
    std::fs::set_permissions(path, Permissions::from_mode(access.mode.0))?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    UnixListener::from_std(socket.into())
}

fn temporary_name(path: &Path) -> io::Result<PathBuf> {
    let no_name = || io::Error::new(io::ErrorKind::InvalidInput, "the path names no file");
    path.file_name().ok_or_else(no_name)?;
    Ok(path.with_file_name(format!(".maglev-{}", std::process::id())))
}

/// Fails unless nothing is at `path`, or a socket that a dead process left.
async fn check_free(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            Err(io::Error::new(io::ErrorKind::AlreadyExists, "a file that is no socket is there"))
        }
        Ok(_) => match UnixStream::connect(path).await {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
            // A full backlog and a socket of another user are in use as well.
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
    async fn a_path_may_be_as_long_as_clients_can_connect_to() {
        let dir = tempfile::tempdir().unwrap();
        let length = dir.path().as_os_str().len() + 1;
        for total in [96, 106, LONGEST_PATH] {
            let folder = dir.path().join("d".repeat(total - length - 2));
            std::fs::create_dir(&folder).unwrap();
            let path = folder.join("s");
            assert_eq!(path.as_os_str().len(), total);
            let (_listener, file) = bind(&path, ACCESS).await.unwrap();
            UnixStream::connect(&path).await.unwrap();
            file.remove();
        }
        let path = dir.path().join("s".repeat(LONGEST_PATH + 1 - length));
        let refused = bind(&path, ACCESS).await.unwrap_err().to_string();
        assert_eq!(refused, "the path has 108 bytes, and a socket's has 107 at most");
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
        // Only the owner has access until mode and group are set.
        let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        let path = dir.path().join("first");
        fchmod(&socket, Mode::RUSR | Mode::WUSR).unwrap();
        socket.bind(&SockAddr::unix(&path).unwrap()).unwrap();
        let found = std::fs::symlink_metadata(&path).unwrap().permissions().mode();
        assert_eq!(found & 0o777, 0o600);
    }
}
