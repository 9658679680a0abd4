//! Whether the daemon has started, and whether it does all that it should.

use std::fmt;

/// Backends and frontends, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HealthCounts {
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

/// What is asked for readiness.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadinessInput {
    /// Backends and frontends.
    pub census: HealthCounts,
    /// VPP.
    pub vpp: VppState,
}

/// The line that `systemctl status` shows.
impl fmt::Display for ReadinessInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let HealthCounts { backends, backends_up, frontends, frontends_up, .. } = self.census;
        let vpp = self.vpp.as_str();
        write!(
            f,
            "frontends {frontends_up} of {frontends} up, backends {backends_up} of {backends} up, VPP {vpp}"
        )
    }
}

/// How far the daemon is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// This many backends have no verdict yet, or VPP is yet to be seen.
    Starting(ReadinessInput),
    /// It has started, and VPP cannot be programmed.
    WithoutVpp(VppState),
    /// It does all that it should.
    Ready,
}

impl Readiness {
    /// Whether the service manager may go on: every backend was probed once, or
    /// ran into its first timeout, and VPP was read once, or found absent.
    #[must_use]
    pub fn has_started(self) -> bool {
        !matches!(self, Self::Starting(_))
    }
}

/// Why the daemon is not ready.
impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting(ReadinessInput {
                census: HealthCounts { backends_unknown: count @ 1.., .. },
                ..
            }) => {
                write!(f, "{count} backends have no verdict yet")
            }
            Self::Starting(ReadinessInput { vpp, .. }) | Self::WithoutVpp(vpp) => {
                write!(f, "VPP is {}", vpp.as_str())
            }
            Self::Ready => f.write_str("ready"),
        }
    }
}

/// Remembers that the daemon has started: what a reload brings is probed while
/// the rest serves, and a VPP that restarts does not make the daemon start anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Start {
    over: bool,
}

impl Start {
    /// What follows from what was just asked.
    pub fn judge(&mut self, facts: ReadinessInput) -> Readiness {
        let waits = matches!(facts.vpp, VppState::Dialing | VppState::Unread);
        self.over |= facts.census.backends_unknown == 0 && !waits;
        match facts.vpp {
            _ if !self.over => Readiness::Starting(facts),
            VppState::Off | VppState::Read => Readiness::Ready,
            away => Readiness::WithoutVpp(away),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(backends_unknown: usize, vpp: VppState) -> ReadinessInput {
        let census = HealthCounts {
            backends: 5,
            backends_up: 3,
            backends_unknown,
            frontends: 2,
            frontends_up: 1,
        };
        ReadinessInput { census, vpp }
    }

    #[test]
    fn it_starts_once_backends_are_known_and_vpp_is_read_or_not_there() {
        for (unknown, vpp, started, why) in [
            (2, VppState::Read, false, "2 backends have no verdict yet"),
            (1, VppState::Off, false, "1 backends have no verdict yet"),
            (0, VppState::Dialing, false, "VPP is being connected"),
            (0, VppState::Unread, false, "VPP is being read"),
            (0, VppState::Away, true, "VPP is not connected"),
            (0, VppState::Unusable, true, "VPP is too old"),
            (0, VppState::Off, true, "ready"),
            (0, VppState::Read, true, "ready"),
        ] {
            let judged = Start::default().judge(facts(unknown, vpp));
            assert_eq!((judged.has_started(), judged.to_string().as_str()), (started, why));
        }
    }

    #[test]
    fn what_has_started_does_not_start_again() {
        let mut start = Start::default();
        assert_eq!(start.judge(facts(0, VppState::Read)), Readiness::Ready);
        assert_eq!(start.judge(facts(3, VppState::Read)), Readiness::Ready, "a reload");
        let away = start.judge(facts(0, VppState::Away));
        assert_eq!(away, Readiness::WithoutVpp(VppState::Away));
        let again = start.judge(facts(0, VppState::Unread));
        assert_eq!(again, Readiness::WithoutVpp(VppState::Unread));
        assert_eq!(start.judge(facts(0, VppState::Read)), Readiness::Ready);
    }

    #[test]
    fn the_status_is_one_line() {
        let line = facts(1, VppState::Away).to_string();
        assert_eq!(line, "frontends 1 of 2 up, backends 3 of 5 up, VPP not connected");
    }
}
