//! A netlink socket that talks with the kernel's routing.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, recv, send, socket_with,
    sockopt,
};
use tokio::io::unix::AsyncFd;

use super::options::{MAIN_TABLE, NetlinkOptions};
use super::rtnetlink::{self, KernelRoute, Received};
use crate::announce::DriverError;

/// Longer than any datagram of the kernel's.
const BUFFER: usize = 64 * 1024;
/// For what comes while nobody reads; the kernel may give less.
const KERNEL_BUFFER: usize = 1024 * 1024;
/// A dump that the table changed under is begun anew.
const DUMP_TRIES: usize = 5;

pub(super) struct RouteSocket {
    socket: AsyncFd<OwnedFd>,
    sequence: u32,
    buffer: Vec<u8>,
}

impl RouteSocket {
    /// Opens a socket in the namespace of `options` that listens to `groups`, a mask.
    pub(super) async fn open(options: &NetlinkOptions, groups: u32) -> Result<Self, DriverError> {
        let attempt = "opening a netlink socket";
        let failed = |error: &io::Error| match error.raw_os_error() {
            Some(libc::EAFNOSUPPORT) => DriverError::Failed {
                attempt: attempt.into(),
                reason: "netlink is not allowed; the drop-in announce-netlink.conf adds \
                         AF_NETLINK to RestrictAddressFamilies= of systemd"
                    .into(),
            },
            _ => DriverError::failed(attempt, error),
        };
        let opened = match &options.namespace {
            None => opened(groups),
            Some(namespace) => namespace.open(move || opened(groups)).await.map_err(|error| {
                DriverError::Failed { attempt: attempt.into(), reason: error.to_string() }
            })?,
        };
        let socket = opened.and_then(watched).map_err(|error| failed(&error))?;
        Ok(Self { socket, sequence: 0, buffer: vec![0; BUFFER] })
    }

    /// The routes to single addresses in the table. Of the main table, which may hold
    /// the whole internet, those with our protocol alone.
    pub(super) async fn dump(
        &mut self,
        options: &NetlinkOptions,
    ) -> Result<Vec<KernelRoute>, DriverError> {
        let mut routes = Vec::new();
        for family in [rtnetlink::INET, rtnetlink::INET6] {
            let mut tries = 0;
            loop {
                tries += 1;
                if let Some(mut found) = self.dump_once(options, family).await? {
                    routes.append(&mut found);
                    break;
                }
                if tries == DUMP_TRIES {
                    let attempt = format!("reading table {} of the kernel", options.table);
                    let reason = "it changes faster than it can be read".into();
                    return Err(DriverError::Failed { attempt, reason });
                }
            }
        }
        Ok(routes)
    }

    /// `None`: the table changed meanwhile.
    async fn dump_once(
        &mut self,
        options: &NetlinkOptions,
        family: u8,
    ) -> Result<Option<Vec<KernelRoute>>, DriverError> {
        let attempt = format!("reading table {} of the kernel", options.table);
        self.sequence += 1;
        let protocol = (options.table == MAIN_TABLE).then_some(options.protocol);
        let request = rtnetlink::dump_request(self.sequence, family, options.table, protocol);
        self.send(&request).await.map_err(|error| DriverError::failed(&attempt, &error))?;
        let (mut routes, mut was_interrupted) = (Vec::new(), false);
        loop {
            for message in self.receive(&attempt).await? {
                let errno = match message {
                    Received::Route(route) => {
                        routes.push(route);
                        continue;
                    }
                    Received::Other { is_interrupted } => {
                        was_interrupted |= is_interrupted;
                        continue;
                    }
                    Received::Answer { errno, .. } => errno,
                    Received::Done { errno, is_interrupted } => {
                        was_interrupted |= is_interrupted;
                        errno
                    }
                };
                return match errno {
                    // The table does not exist before its first route.
                    0 | libc::ENOENT => Ok((!was_interrupted).then_some(routes)),
                    // IPv6 is switched off.
                    libc::EOPNOTSUPP | libc::EAFNOSUPPORT => Ok(Some(Vec::new())),
                    _ => {
                        let error = io::Error::from_raw_os_error(errno);
                        Err(DriverError::failed(&attempt, &error))
                    }
                };
            }
        }
    }

    /// Sends requests of a kind each, and waits for all answers: an errno each, 0 if
    /// it was executed.
    pub(super) async fn write(
        &mut self,
        attempt: &str,
        requests: Vec<(u16, KernelRoute)>,
    ) -> Result<Vec<i32>, DriverError> {
        let first = self.sequence + 1;
        let mut bytes = Vec::new();
        for (kind, route) in &requests {
            self.sequence += 1;
            rtnetlink::put_request(&mut bytes, *kind, self.sequence, route);
        }
        self.send(&bytes).await.map_err(|error| match error.raw_os_error() {
            Some(libc::EPERM) => not_permitted(attempt.into()),
            _ => DriverError::failed(attempt, &error),
        })?;
        let mut answers: Vec<Option<i32>> = vec![None; requests.len()];
        while answers.contains(&None) {
            for message in self.receive(attempt).await? {
                let Received::Answer { sequence, errno } = message else { continue };
                let place = sequence.checked_sub(first).and_then(|it| usize::try_from(it).ok());
                if let Some(answer) = place.and_then(|place| answers.get_mut(place)) {
                    *answer = Some(errno);
                }
            }
        }
        Ok(answers.into_iter().flatten().collect())
    }

    async fn receive(&mut self, attempt: &str) -> Result<Vec<Received>, DriverError> {
        let received = self.received().await;
        received.map_err(|error| DriverError::failed(attempt, &error))
    }

    /// The messages of the next datagram. `ENOBUFS`: some were lost.
    pub(super) async fn received(&mut self) -> io::Result<Vec<Received>> {
        let Self { socket, buffer, .. } = self;
        let length = loop {
            let mut guard = socket.readable().await?;
            let read = |socket: &AsyncFd<OwnedFd>| -> io::Result<usize> {
                let (length, _) = recv(socket.get_ref(), &mut buffer[..], RecvFlags::DONTWAIT)?;
                Ok(length)
            };
            if let Ok(read) = guard.try_io(read) {
                break read?;
            }
        };
        let cut_off = |_| io::Error::new(io::ErrorKind::InvalidData, "a message is cut off");
        rtnetlink::received(&self.buffer[..length]).map_err(cut_off)
    }

    async fn send(&self, bytes: &[u8]) -> io::Result<()> {
        loop {
            let mut guard = self.socket.writable().await?;
            let sent = guard
                .try_io(|socket| Ok(send(socket.get_ref(), bytes, SendFlags::DONTWAIT).map(drop)?));
            if let Ok(sent) = sent {
                return sent;
            }
        }
    }
}

#[expect(unsafe_code, reason = "tokio asks for a promise about the descriptor")]
fn watched(socket: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: the descriptor is the socket's own, and open for as long as what it is
    // moved into.
    let watched = unsafe { AsyncFd::register(socket) };
    watched.map_err(io::Error::from)
}

/// On the thread in the namespace.
fn opened(groups: u32) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
    if groups != 0 {
        // Without CAP_NET_ADMIN it may be less.
        if sockopt::set_socket_recv_buffer_size_force(&socket, KERNEL_BUFFER).is_err() {
            sockopt::set_socket_recv_buffer_size(&socket, KERNEL_BUFFER)?;
        }
    }
    bind(socket.as_fd(), &SocketAddrNetlink::new(0, groups))?;
    filter_dumps(&socket);
    Ok(socket)
}

/// Has the kernel heed what a dump asks for. One that does not know this, before
/// 4.20, sends every table, from which the driver takes its own.
#[expect(unsafe_code, reason = "neither std nor socket2 nor rustix knows this option")]
fn filter_dumps(socket: &OwnedFd) {
    const SOL_NETLINK: libc::c_int = 270;
    const NETLINK_GET_STRICT_CHK: libc::c_int = 12;
    let on: libc::c_int = 1;
    let length = libc::socklen_t::try_from(size_of_val(&on)).unwrap_or_default();
    // SAFETY: the descriptor is open, and the kernel reads `length` bytes of `on`,
    // which live until the call returns.
    unsafe {
        let value = (&raw const on).cast();
        libc::setsockopt(socket.as_raw_fd(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, value, length);
    }
}

pub(super) fn not_permitted(attempt: String) -> DriverError {
    let remedy = "give maglevd CAP_NET_ADMIN: the drop-in announce-netlink.conf does for systemd";
    DriverError::NotPermitted { attempt, remedy: remedy.into() }
}
