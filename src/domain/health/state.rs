//! The states of a backend: what its probes say, and what the file or an operator wants.

use std::fmt;

/// The state of a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Not probed yet, or not yet since it was resumed.
    Unknown,
    Up,
    /// It failed its health check.
    Down,
    /// Not probed; established flows stay.
    Paused,
    /// Not probed; established flows are flushed.
    Disabled,
    /// No longer configured.
    Removed,
}

impl State {
    /// All states, in the order of listings.
    pub const ALL: [Self; 6] =
        [Self::Unknown, Self::Up, Self::Down, Self::Paused, Self::Disabled, Self::Removed];

    /// The name in the API, the logs and the metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Down => "down",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
            Self::Removed => "removed",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The administrative state of a backend, set by the file or by an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admin {
    /// Probed and used.
    Enabled,
    /// No probes, no new flows.
    Paused,
    /// No probes, no flows.
    Disabled,
}

impl Admin {
    /// The name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
        }
    }
}
