//! How the daemon does, in one line, and whether it does all that it should.

use std::fmt;

/// Backends and frontends, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Backends that are configured.
    pub backends: usize,
    /// Of them, those that are up.
    pub backends_up: usize,
    /// Of them, those of which nothing is known yet.
    pub backends_unknown: usize,
    /// Frontends that are configured.
    pub frontends: usize,
    /// Of them, those that serve.
    pub frontends_up: usize,
}

/// How it stands with VPP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VppState {
    /// None is wanted.
    Off,
    /// The first attempt to connect is under way.
    #[default]
    Dialing,
    /// It was tried, and is not there or does not answer.
    Away,
    /// It is connected and lacks messages: nothing can be programmed.
    Unusable,
    /// It is connected and was not read yet.
    Unread,
    /// It is connected and was read.
    Read,
}

impl VppState {
    /// For the service manager's status line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Dialing => "being connected",
            Self::Away => "not connected",
            Self::Unusable => "too old",
            Self::Unread => "being read",
            Self::Read => "connected",
        }
    }
}

/// What is asked of the actors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Backends and frontends.
    pub census: Census,
    /// VPP.
    pub vpp: VppState,
}

/// The line that `systemctl status` shows.
impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Census { backends, backends_up, frontends, frontends_up, .. } = self.census;
        let vpp = self.vpp.as_str();
        write!(
            f,
            "frontends {frontends_up} of {frontends} up, backends {backends_up} of {backends} up, VPP {vpp}"
        )
    }
}

/// How far the daemon is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// This many backends have no verdict yet, or VPP is yet to be seen.
    Starting(Facts),
    /// It has started, and VPP cannot be programmed.
    WithoutVpp(VppState),
    /// It does all that it should.
    Ready,
}

impl Progress {
    /// What follows from `facts`; `ready`: the daemon has come to know its world
    /// ([`Readiness`](super::readiness::Readiness)).
    #[must_use]
    pub fn of(ready: bool, facts: Facts) -> Self {
        match facts.vpp {
            _ if !ready => Self::Starting(facts),
            VppState::Off | VppState::Read => Self::Ready,
            away => Self::WithoutVpp(away),
        }
    }

    /// Whether the service manager may go on.
    #[must_use]
    pub fn has_started(self) -> bool {
        !matches!(self, Self::Starting(_))
    }
}

/// Why the daemon is not ready.
impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting(Facts {
                census: Census { backends_unknown: count @ 1.., .. }, ..
            }) => {
                write!(f, "{count} backends have no verdict yet")
            }
            Self::Starting(Facts { vpp, .. }) | Self::WithoutVpp(vpp) => {
                write!(f, "VPP is {}", vpp.as_str())
            }
            Self::Ready => f.write_str("ready"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(backends_unknown: usize, vpp: VppState) -> Facts {
        let census =
            Census { backends: 5, backends_up: 3, backends_unknown, frontends: 2, frontends_up: 1 };
        Facts { census, vpp }
    }

    #[test]
    fn what_is_in_the_way_is_told() {
        for (ready, unknown, vpp, why) in [
            (false, 2, VppState::Read, "2 backends have no verdict yet"),
            (false, 0, VppState::Dialing, "VPP is being connected"),
            (false, 0, VppState::Unread, "VPP is being read"),
            (true, 0, VppState::Away, "VPP is not connected"),
            (true, 0, VppState::Unusable, "VPP is too old"),
            (true, 0, VppState::Off, "ready"),
            (true, 3, VppState::Read, "ready"),
        ] {
            let progress = Progress::of(ready, facts(unknown, vpp));
            assert_eq!((progress.has_started(), progress.to_string().as_str()), (ready, why));
        }
    }

    #[test]
    fn the_status_is_one_line() {
        let line = facts(1, VppState::Away).to_string();
        assert_eq!(line, "frontends 1 of 2 up, backends 3 of 5 up, VPP not connected");
    }
}
