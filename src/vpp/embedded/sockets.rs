//! Socket files: bound where a VPP would have them, and gone when it is.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix,
    SocketFlags, SocketType, bind, connect, listen, sendmsg, socket_with,
};
use tokio::net::{UnixListener, UnixStream};

use super::error::{EmbeddedError, LONGEST_SOCKET_PATH};
use super::options::Paths;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 64;

pub(super) struct Listeners {
    pub(super) api: SocketListener,
    pub(super) stats: SocketListener,
}

/// A listening socket and its file, which goes with it.
pub(super) struct SocketListener {
    pub(super) socket: UnixListener,
    file: SocketFile,
}

struct SocketFile {
    path: PathBuf,
    /// Device and inode: another process's file at the same place stays.
    identity: Option<(u64, u64)>,
}

impl Listeners {
    /// Binds both sockets. Runs inside a tokio runtime.
    pub(super) fn bind(paths: &Paths) -> Result<Self, EmbeddedError> {
        Ok(Self {
            api: SocketListener::bind(&paths.api, SocketType::STREAM)?,
            stats: SocketListener::bind(&paths.stats, SocketType::SEQPACKET)?,
        })
    }

    /// Stops listening and leaves the files, as a VPP that was killed.
    pub(super) fn leave_files(mut self) {
        self.api.file.identity = None;
        self.stats.file.identity = None;
    }
}

impl SocketListener {
    fn bind(path: &Path, kind: SocketType) -> Result<Self, EmbeddedError> {
        let failed = |source: io::Error| EmbeddedError::Bind { path: path.to_owned(), source };
        if path.as_os_str().len() > LONGEST_SOCKET_PATH {
            return Err(EmbeddedError::LongPath(path.to_owned()));
        }
        remove_stale(path, kind)?;
        let address = SocketAddrUnix::new(path).map_err(|e| failed(e.into()))?;
        let socket = new_socket(kind).map_err(failed)?;
        bind(&socket, &address).map_err(|e| failed(e.into()))?;
        listen(&socket, BACKLOG).map_err(|e| failed(e.into()))?;
        let identity = path.symlink_metadata().map(|file| (file.dev(), file.ino())).ok();
        let socket = UnixListener::from_std(socket.into()).map_err(failed)?;
        Ok(Self { socket, file: SocketFile { path: path.to_owned(), identity } })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let present = self.path.symlink_metadata().map(|file| (file.dev(), file.ino())).ok();
        if self.identity.is_some() && self.identity == present {
            // Nothing can be done about a file that cannot be removed.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn new_socket(kind: SocketType) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(socket_with(AddressFamily::UNIX, kind, flags, None)?)
}

/// Removes the socket file that a process left behind, and no other file.
fn remove_stale(path: &Path, kind: SocketType) -> Result<(), EmbeddedError> {
    let failed = |source: io::Error| EmbeddedError::Bind { path: path.to_owned(), source };
    let file = match path.symlink_metadata() {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    if !file.file_type().is_socket() {
        return Err(EmbeddedError::NotASocket(path.to_owned()));
    }
    let address = SocketAddrUnix::new(path).map_err(|e| failed(e.into()))?;
    match connect(&new_socket(kind).map_err(failed)?, &address) {
        Err(Errno::CONNREFUSED) => std::fs::remove_file(path).map_err(failed),
        // A full backlog, and a socket of another kind, have an owner too.
        Ok(()) | Err(Errno::AGAIN | Errno::PROTOTYPE) => Err(EmbeddedError::InUse(path.to_owned())),
        Err(error) => Err(failed(error.into())),
    }
}

/// Sends a descriptor with no data, as VPP's stats socket does.
pub(super) fn send_descriptor(stream: &UnixStream, descriptor: impl AsFd) -> io::Result<()> {
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = [descriptor.as_fd()];
    control.push(SendAncillaryMessage::ScmRights(&descriptors));
    sendmsg(stream, &[], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}
