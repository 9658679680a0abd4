//! The stats socket: SOCK_SEQPACKET, one message without data, and with the
//! segment's descriptor beside it.

use std::fs::File;
use std::io::{self, ErrorKind, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketAddrUnix,
    SocketFlags, SocketType, connect, recvmsg, socket_with,
};
use tokio::io::Interest;
use tokio::net::UnixStream;

use super::error::StatsError;

/// VPP sends at once, unless its main thread is busy.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Connects, checks the peer's process, and receives the segment.
pub(super) async fn receive(path: &Path, process: Option<i32>) -> Result<File, StatsError> {
    let stream = dial(path).map_err(|error| dial_error(path, &error))?;
    let peer = stream.peer_cred().ok().and_then(|peer| peer.pid());
    if let (Some(api), Some(stats)) = (process, peer)
        // 0: a process that is not visible in our namespace.
        && api != stats
        && stats != 0
    {
        return Err(StatsError::OtherProcess { path: path.into(), api, stats });
    }
    let descriptor = stream.async_io(Interest::READABLE, || take_descriptor(&stream));
    match tokio::time::timeout(TIMEOUT, descriptor).await {
        Ok(Ok(Some(descriptor))) => Ok(descriptor.into()),
        Ok(Ok(None)) => Err(StatsError::NotStats { path: path.into() }),
        Ok(Err(error)) => Err(StatsError::Socket { path: path.into(), error: errno(&error) }),
        Err(_) => Err(StatsError::Silent { path: path.into() }),
    }
}

fn dial(path: &Path) -> io::Result<UnixStream> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    UnixStream::from_std(socket.into())
}

/// The descriptor of the next message. No data is not the end here: it is the
/// control message that counts.
fn take_descriptor(stream: &UnixStream) -> io::Result<Option<OwnedFd>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut data = [0];
    let mut data = [IoSliceMut::new(&mut data)];
    recvmsg(stream, &mut data, &mut control, RecvFlags::CMSG_CLOEXEC)?;
    Ok(control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    }))
}

fn dial_error(path: &Path, error: &io::Error) -> StatsError {
    let path = path.to_path_buf();
    let errno = errno(error);
    match error.kind() {
        ErrorKind::NotFound => StatsError::NotThere { path },
        ErrorKind::PermissionDenied => StatsError::PermissionDenied { path },
        ErrorKind::ConnectionRefused => StatsError::Refused { path },
        // The queue of connections is full.
        ErrorKind::WouldBlock => StatsError::Silent { path },
        _ if errno == Errno::PROTOTYPE => StatsError::NotStats { path },
        _ => StatsError::Socket { path, error: errno },
    }
}

fn errno(error: &io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}
