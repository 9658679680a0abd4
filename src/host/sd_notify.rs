//! The service manager's end of sd_notify(3): a datagram to `$NOTIFY_SOCKET`.

use std::cell::Cell;
use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use crate::actors::watchdog::Tell;
use crate::host::notification::datagram;
use rustix::time::{ClockId, clock_gettime};
use tracing::warn;

/// What tells the service manager, if one is there to be told.
pub fn to_service_manager() -> Tell {
    let opened = std::env::var_os("NOTIFY_SOCKET").map(|name| open(&name));
    match opened {
        None => Box::new(|_| {}),
        Some(Err(error)) => {
            warn!(%error, "notify-failed: $NOTIFY_SOCKET cannot be used");
            Box::new(|_| {})
        }
        Some(Ok((socket, address))) => {
            let failing = Cell::new(false);
            Box::new(move |notices| {
                // Not connected: a service manager that restarts opens it anew.
                let sent = socket.send_to_addr(datagram(notices).as_bytes(), &address);
                if let Err(error) = &sent
                    && !failing.get()
                {
                    warn!(%error, "notify-failed");
                }
                failing.set(sent.is_err());
            })
        }
    }
}

/// `@name` is a name in the abstract namespace, anything else is a path.
fn open(name: &OsStr) -> io::Result<(UnixDatagram, SocketAddr)> {
    let address = match name.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(name)?,
    };
    let socket = UnixDatagram::unbound()?;
    // A service manager that does not read must not hold up the watch over actors.
    socket.set_nonblocking(true)?;
    Ok((socket, address))
}

/// Within what time the service manager wants to hear that the daemon lives;
/// `None` if it does not watch this process.
pub fn watchdog() -> Option<Duration> {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let is_ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
    let within = number("WATCHDOG_USEC").filter(|within| *within > 0 && is_ours)?;
    Some(Duration::from_micros(within))
}

/// `CLOCK_MONOTONIC` in microseconds: tells the service manager's clock which
/// reload is meant.
pub fn monotonic_us() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    // The clock counts from the machine's start and has no negative numbers.
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    let nanoseconds = u64::try_from(now.tv_nsec).unwrap_or_default();
    seconds * 1_000_000 + nanoseconds / 1000
}
