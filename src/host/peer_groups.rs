//! The groups of the process at the other end of a Unix socket.

use std::os::fd::{AsFd, AsRawFd};

/// More than a process can be in (NGROUPS_MAX, `limits.h`).
const MOST: usize = 65_536;

/// The supplementary groups that the process had when it connected (`SO_PEERGROUPS`,
/// unix(7)), not its own group. Empty where the kernel does not say.
#[must_use]
pub fn peer_groups(socket: &impl AsFd) -> Vec<u32> {
    let mut groups = vec![0; 64];
    loop {
        match fill(socket, &mut groups) {
            Ok(count) => {
                groups.truncate(count);
                return groups;
            }
            Err(needed) if needed > groups.len() && needed <= MOST => groups.resize(needed, 0),
            Err(_) => return Vec::new(),
        }
    }
}

/// How many groups were written, or how many places it takes (0: the call fails).
#[expect(unsafe_code, reason = "neither std nor tokio nor rustix knows this option")]
fn fill(socket: &impl AsFd, groups: &mut [libc::gid_t]) -> Result<usize, usize> {
    let size = size_of::<libc::gid_t>();
    let mut length = libc::socklen_t::try_from(size_of_val(groups)).map_err(|_| 0_usize)?;
    // SAFETY: the descriptor is open as long as `socket` is borrowed, and the call writes
    // at most `length` bytes into `groups`, which has so many, and to `length`.
    let status = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERGROUPS,
            groups.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    let count = usize::try_from(length).unwrap_or_default() / size;
    match status {
        0 => Ok(count),
        _ if std::io::Error::last_os_error().raw_os_error() == Some(libc::ERANGE) => Err(count),
        _ => Err(0),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use rustix::process::getgroups;

    use super::*;

    #[test]
    fn the_groups_of_this_process_are_those_that_the_system_names() {
        let (one, _other) = UnixStream::pair().unwrap();
        let mut found = peer_groups(&one);
        let mut own: Vec<_> = getgroups().unwrap().iter().map(|group| group.as_raw()).collect();
        found.sort_unstable();
        own.sort_unstable();
        assert_eq!(found, own);
    }

    #[test]
    fn as_many_places_as_it_takes_are_asked_for() {
        let (one, _other) = UnixStream::pair().unwrap();
        let groups = peer_groups(&one);
        if let Some(short) = groups.len().checked_sub(1) {
            assert_eq!(fill(&one, &mut vec![0; short]), Err(groups.len()));
        }
        let file = std::fs::File::open("/dev/null").unwrap();
        assert_eq!(peer_groups(&file), Vec::<u32>::new());
    }
}
