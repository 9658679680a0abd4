//! Notifications to a service manager, as the lines of sd_notify(3).

use std::fmt;
use std::time::Duration;

use crate::domain::printable::printable;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notification {
    /// The start, or a reload, has ended.
    Ready,
    /// A reload has begun.
    Reloading {
        /// `CLOCK_MONOTONIC` when it began, in microseconds.
        monotonic_us: u64,
    },
    /// For `systemctl status`.
    Status(String),
    /// Feeds the watchdog.
    Alive,
    /// The daemon is still starting; the next notification comes within this time.
    StillStarting(Duration),
    Stopping,
}

impl fmt::Display for Notification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("READY=1"),
            Self::Reloading { monotonic_us } => {
                write!(f, "RELOADING=1\nMONOTONIC_USEC={monotonic_us}")
            }
            // A line break would begin another variable.
            Self::Status(text) => {
                write!(f, "STATUS={}", printable(&text.replace(['\n', '\r'], " ")))
            }
            Self::Alive => f.write_str("WATCHDOG=1"),
            Self::StillStarting(within) => {
                write!(f, "EXTEND_TIMEOUT_USEC={}", within.as_micros())
            }
            Self::Stopping => f.write_str("STOPPING=1"),
        }
    }
}

/// Several notifications as one datagram.
#[must_use]
pub fn datagram(notifications: &[Notification]) -> String {
    notifications.iter().map(|notification| format!("{notification}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notifications_are_lines() {
        for (notification, text) in [
            (Notification::Ready, "READY=1\n"),
            (Notification::Reloading { monotonic_us: 7 }, "RELOADING=1\nMONOTONIC_USEC=7\n"),
            (Notification::Status("a\nREADY=1".into()), "STATUS=a READY=1\n"),
            (Notification::Alive, "WATCHDOG=1\n"),
            (Notification::StillStarting(Duration::from_secs(2)), "EXTEND_TIMEOUT_USEC=2000000\n"),
            (Notification::Stopping, "STOPPING=1\n"),
        ] {
            assert_eq!(datagram(&[notification]), text);
        }
        assert_eq!(datagram(&[Notification::Ready, Notification::Alive]), "READY=1\nWATCHDOG=1\n");
    }
}
