//! Notifies the service manager by datagrams to `$NOTIFY_SOCKET`, see sd_notify(3).

mod notification;

use std::cell::Cell;
use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tracing::warn;

pub use notification::{Notification, datagram};

/// Sends notifications to the service manager, without blocking.
pub type Notifier = Box<dyn Fn(&[Notification]) + Send>;

/// The notifier for `$NOTIFY_SOCKET`. Without a service manager it does nothing.
pub fn service_manager() -> Notifier {
    let opened = std::env::var_os("NOTIFY_SOCKET").map(|name| open(&name));
    match opened {
        None => Box::new(|_| {}),
        Some(Err(error)) => {
            warn!(%error, "notify-failed: $NOTIFY_SOCKET cannot be used");
            Box::new(|_| {})
        }
        Some(Ok((socket, address))) => {
            let is_failing = Cell::new(false);
            Box::new(move |notifications| {
                // Not connected: a service manager that restarts binds a new socket.
                let sent = socket.send_to_addr(datagram(notifications).as_bytes(), &address);
                if let Err(error) = &sent
                    && !is_failing.get()
                {
                    warn!(%error, "notify-failed");
                }
                is_failing.set(sent.is_err());
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
    // A service manager that does not read must not block the Watchdog.
    socket.set_nonblocking(true)?;
    Ok((socket, address))
}

/// The service manager's watchdog timeout (`$WATCHDOG_USEC`); `None` if it does not
/// watch this process.
pub fn watchdog_timeout() -> Option<Duration> {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let is_ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
    let timeout = number("WATCHDOG_USEC").filter(|timeout| *timeout > 0 && is_ours)?;
    Some(Duration::from_micros(timeout))
}

/// `CLOCK_MONOTONIC` in microseconds. The service manager compares it to its own
/// clock to know which reload is meant.
pub fn monotonic_us() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    // The clock counts from the boot of the machine and is never negative.
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    let nanoseconds = u64::try_from(now.tv_nsec).unwrap_or_default();
    seconds * 1_000_000 + nanoseconds / 1000
}
