//! Who may open a socket file, and as whom this process runs.

use std::fs::Metadata;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use rustix::fs::{Access, access};
use rustix::process::{getegid, geteuid, getgroups};

use super::accounts::{group_name, user_name};
use crate::domain::doctor::{ProcessIdentity, SocketAccess};

/// What there is at `path`, and whether this process may connect to it.
#[must_use]
pub fn socket_access(path: &Path) -> SocketAccess {
    let metadata = match path.metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return SocketAccess::Absent,
        Err(error) => return SocketAccess::Hidden(error.to_string()),
    };
    if !metadata.file_type().is_socket() {
        return SocketAccess::NotASocket;
    }
    SocketAccess::Present {
        mode: listed(&metadata),
        group: group_name(metadata.gid()),
        // To connect takes the right to write (unix(7)).
        allowed: access(path, Access::WRITE_OK).is_ok(),
    }
}

/// The user and the groups of this process.
#[must_use]
pub fn process_identity() -> ProcessIdentity {
    let own = getegid();
    let others = getgroups().unwrap_or_default().into_iter().filter(|group| *group != own);
    let groups = [own].into_iter().chain(others);
    ProcessIdentity {
        user: user_name(geteuid().as_raw()),
        groups: groups.map(|group| group_name(group.as_raw())).collect(),
    }
}

/// Bytes of the send buffer that a socket of this system starts with.
///
/// # Errors
/// The system does not say.
pub fn default_send_buffer() -> io::Result<usize> {
    let text = std::fs::read_to_string("/proc/sys/net/core/wmem_default")?;
    text.trim().parse().map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}

/// `srwxrwx--- root vpp`
fn listed(metadata: &Metadata) -> String {
    let bit = |(place, letter): (usize, char)| {
        if metadata.mode() & (0o400 >> place) != 0 { letter } else { '-' }
    };
    let bits: String = "rwxrwxrwx".chars().enumerate().map(bit).collect();
    format!("s{bits} {} {}", user_name(metadata.uid()), group_name(metadata.gid()))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_socket_is_told_from_what_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("api.sock");
        assert_eq!(socket_access(&path), SocketAccess::Absent);
        let _listener = UnixListener::bind(&path).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o750)).unwrap();
        let SocketAccess::Present { mode, allowed, .. } = socket_access(&path) else { panic!() };
        assert!(mode.starts_with("srwxr-x--- ") && allowed, "{mode}");
        assert_eq!(socket_access(dir.path()), SocketAccess::NotASocket);
        let SocketAccess::Hidden(why) = socket_access(&path.join("below")) else { panic!() };
        assert!(why.contains("Not a directory"), "{why}");
    }

    #[test]
    fn this_process_has_a_user_and_a_group() {
        let identity = process_identity();
        assert!(!identity.user.is_empty() && !identity.groups.is_empty(), "{identity:?}");
    }
}
