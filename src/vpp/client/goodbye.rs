//! The goodbye of a process that is about to abort.

use std::os::unix::net::UnixStream;
use std::sync::{Arc, Weak};

/// Says goodbye without the connection's task, from a panic hook. VPP then
/// removes the client, which it may not do when the socket is just closed.
#[derive(Clone, Debug)]
pub struct GoodbyeHandle {
    stream: Weak<UnixStream>,
    frame: Arc<[u8]>,
}

impl GoodbyeHandle {
    /// `frame` is the `sockclnt_delete` of the connection over `stream`.
    pub(super) fn new(stream: &Arc<UnixStream>, frame: Vec<u8>) -> Self {
        Self { stream: Arc::downgrade(stream), frame: frame.into() }
    }

    /// Writes the goodbye if the connection still stands and takes it at once.
    /// Does not block. The connection is of no use after it.
    pub fn say(&self) -> bool {
        let Some(stream) = self.stream.upgrade() else { return false };
        let flags = rustix::net::SendFlags::DONTWAIT | rustix::net::SendFlags::NOSIGNAL;
        rustix::net::send(&stream, &self.frame, flags) == Ok(self.frame.len())
    }

    /// Whether the connection's task still holds the socket.
    pub(super) fn is_connected(&self) -> bool {
        self.stream.strong_count() > 0
    }
}
