//! The end of the terminal that a process was started in: its window was closed, or
//! its connection broke. SIGHUP says so only to some of its processes, and only to
//! those that do not ignore it.

use std::fs::{File, read_to_string};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::isatty;
use tokio::time::interval;

/// How often a terminal is looked at. A poll that waits for nothing but its end is
/// not woken by every kind of end, and one that waits for input as well is woken by
/// what somebody else reads.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);

/// SIGHUP by its number, which is the same everywhere.
const HANGUP: u32 = 1;

/// Watches a terminal, or none.
#[derive(Debug)]
pub struct TerminalWatch(Option<OwnedFd>);

impl TerminalWatch {
    /// Watches `stream` if it is a terminal.
    ///
    /// # Errors
    /// The system refuses a descriptor.
    pub fn of(stream: impl AsFd) -> io::Result<Self> {
        let terminal = isatty(&stream).then(|| stream.as_fd().try_clone_to_owned());
        Ok(Self(terminal.transpose()?))
    }

    /// Watches the terminal that controls this process, unless there is none.
    ///
    /// # Errors
    /// The system refuses a descriptor.
    pub fn of_process() -> io::Result<Self> {
        match File::open("/dev/tty") {
            Ok(terminal) => Self::of(terminal),
            Err(_) => Self::of(io::stdin()),
        }
    }

    /// Watches nothing.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// Waits until the terminal is gone. Never ends without one.
    pub async fn gone(&self) {
        let Some(terminal) = &self.0 else { return std::future::pending().await };
        let mut looks = interval(LOOK_INTERVAL);
        while !is_gone(terminal) {
            looks.tick().await;
        }
    }
}

/// Whether `stream` is a terminal that is gone.
pub fn is_gone(stream: impl AsFd) -> bool {
    let mut polled = [PollFd::new(&stream, PollFlags::empty())];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut polled, Some(&at_once)).is_ok() && polled[0].revents().contains(PollFlags::HUP)
}

/// Whether the process was started with SIGHUP ignored, as nohup(1) does: then it is
/// to outlive its terminal. Asked before a handler is set.
pub fn is_to_outlive() -> bool {
    read_to_string("/proc/self/status").is_ok_and(|status| ignores(&status, HANGUP))
}

/// Whether the `SigIgn` of `/proc/PID/status` (proc(5)) has the signal.
fn ignores(status: &str, signal: u32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_terminal_is_gone_when_its_other_end_is_closed_and_not_when_keys_are_typed() {
        let (mut pty, terminal) = pty_process::blocking::open().unwrap();
        let watch = TerminalWatch::of(&terminal).unwrap();
        let mut gone = std::pin::pin!(watch.gone());
        pty.write_all(b"typed\n").unwrap();
        // It is readable, so this is not the moment before.
        poll(&mut [PollFd::new(&terminal, PollFlags::IN)], None).unwrap();
        assert!(timeout(2 * LOOK_INTERVAL, &mut gone).await.is_err());
        assert!(!is_gone(&terminal));
        drop(pty);
        timeout(100 * LOOK_INTERVAL, gone).await.expect("the end of the terminal is noticed");
        assert!(is_gone(&terminal));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_no_terminal_is_never_gone() {
        let watch = TerminalWatch::of(File::open("/dev/null").unwrap()).unwrap();
        assert!(watch.0.is_none());
        assert!(timeout(2 * LOOK_INTERVAL, watch.gone()).await.is_err());
    }

    #[test]
    fn an_ignored_signal_is_seen_in_the_mask() {
        let status = "Name:\tmaglevd\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000002\n";
        assert!(ignores(status, 1) && ignores(status, 13));
        assert!(!ignores(status, 2) && !ignores("", 1));
    }
}
