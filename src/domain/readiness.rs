//! Decides whether the daemon has started, and whether it is ready.

use std::fmt;

/// The numbers of configured backends and frontends, by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HealthCounts {
    pub backends: usize,
    pub backends_up: usize,
    /// Those without a verdict that are waited for: `startup-max-delay` is not over, and
    /// they are not doubted.
    pub backends_unknown: usize,
    pub frontends: usize,
    pub frontends_up: usize,
    /// Frontends that fail open.
    pub frontends_open: usize,
    /// The last reload was refused: the daemon has an older configuration.
    pub config_refused: Option<ReloadRefusal>,
}

/// Why a reload was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReloadRefusal {
    /// The file has a fault, or could not be put to use.
    Fault,
    /// It takes away too much to be meant.
    Excessive,
}

impl HealthCounts {
    /// What an operator should know while frontends fail open. It takes no readiness away.
    #[must_use]
    pub fn fail_open_note(&self) -> Option<String> {
        let which = match self.frontends_open {
            0 => return None,
            1 => "1 frontend fails open".to_owned(),
            many => format!("{many} frontends fail open"),
        };
        Some(which + ": too little is up for health checks to be believed")
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VppState {
    /// No VPP is configured.
    Off,
    /// The first attempt to connect is in progress.
    #[default]
    Dialing,
    /// A connection failed or was lost, or VPP does not answer.
    Away,
    /// Connected, but VPP lacks required messages and cannot be programmed.
    Unusable,
    /// Connected and not read yet.
    Unread,
    /// Connected and read.
    Read,
}

impl VppState {
    /// The name in the service manager's status line.
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

/// What readiness depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadinessInput {
    pub counts: HealthCounts,
    pub vpp: VppState,
    /// The number of VIPs of no frontend whose removal from VPP is held.
    pub removals_held: usize,
}

/// The line that `systemctl status` shows.
impl fmt::Display for ReadinessInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let HealthCounts { backends, backends_up, frontends, frontends_up, .. } = self.counts;
        let vpp = self.vpp.as_str();
        write!(
            f,
            "frontends {frontends_up} of {frontends} up, backends {backends_up} of {backends} up, VPP {vpp}"
        )?;
        if let Some(note) = self.counts.fail_open_note() {
            write!(f, "; {note}")?;
        }
        if self.removals_held > 0 {
            write!(f, "; {}", HeldText(self.removals_held))?;
        }
        match self.counts.config_refused {
            None => Ok(()),
            Some(ReloadRefusal::Fault) => {
                f.write_str("; the last reload was refused: maglevd --check says why")
            }
            Some(ReloadRefusal::Excessive) => f.write_str(
                "; the last reload was refused, it would remove too much: the log says what",
            ),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Some backends have no verdict yet, or VPP was not read yet.
    Starting(ReadinessInput),
    /// The daemon has started, and VPP cannot be programmed.
    WithoutVpp(VppState),
    Ready(ReadyNotes),
}

/// What an operator should know of a daemon that is ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadyNotes {
    /// As in [`ReadinessInput`].
    pub removals_held: usize,
}

struct HeldText(usize);

impl fmt::Display for HeldText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} VIPs of no frontend are held in VPP", self.0)
    }
}

impl Readiness {
    /// Whether the service manager may start dependent units: each backend has had a
    /// result, and VPP was read or could not be reached.
    #[must_use]
    pub fn has_started(self) -> bool {
        !matches!(self, Self::Starting(_))
    }
}

/// The reason why the daemon is not ready, or what there is to know of it.
impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting(ReadinessInput {
                counts: HealthCounts { backends_unknown: count @ 1.., .. },
                ..
            }) => {
                write!(f, "{count} backends have no verdict yet")
            }
            Self::Starting(ReadinessInput { vpp, .. }) | Self::WithoutVpp(vpp) => {
                write!(f, "VPP is {}", vpp.as_str())
            }
            Self::Ready(ReadyNotes { removals_held: 0 }) => f.write_str("ready"),
            Self::Ready(ReadyNotes { removals_held }) => {
                write!(f, "ready; {}", HeldText(*removals_held))
            }
        }
    }
}

/// Latches that the daemon has started: neither new backends of a reload nor a
/// restart of VPP make it `Starting` again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StartupLatch {
    has_started: bool,
}

impl StartupLatch {
    /// The readiness that follows from `input`.
    pub fn update(&mut self, input: ReadinessInput) -> Readiness {
        let waits = matches!(input.vpp, VppState::Dialing | VppState::Unread);
        self.has_started |= input.counts.backends_unknown == 0 && !waits;
        match input.vpp {
            _ if !self.has_started => Readiness::Starting(input),
            VppState::Off | VppState::Read => {
                Readiness::Ready(ReadyNotes { removals_held: input.removals_held })
            }
            other => Readiness::WithoutVpp(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(backends_unknown: usize, vpp: VppState) -> ReadinessInput {
        let counts = HealthCounts {
            backends: 5,
            backends_up: 3,
            backends_unknown,
            frontends: 2,
            frontends_up: 1,
            frontends_open: 0,
            config_refused: None,
        };
        ReadinessInput { counts, vpp, removals_held: 0 }
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
            let readiness = StartupLatch::default().update(input(unknown, vpp));
            assert_eq!((readiness.has_started(), readiness.to_string().as_str()), (started, why));
        }
    }

    #[test]
    fn what_has_started_does_not_start_again() {
        let mut latch = StartupLatch::default();
        let ready = Readiness::Ready(ReadyNotes::default());
        assert_eq!(latch.update(input(0, VppState::Read)), ready);
        assert_eq!(latch.update(input(3, VppState::Read)), ready, "a reload");
        let away = latch.update(input(0, VppState::Away));
        assert_eq!(away, Readiness::WithoutVpp(VppState::Away));
        let unread = latch.update(input(0, VppState::Unread));
        assert_eq!(unread, Readiness::WithoutVpp(VppState::Unread));
        assert_eq!(latch.update(input(0, VppState::Read)), ready);
    }

    #[test]
    fn held_removals_are_told_and_change_no_readiness() {
        let held = ReadinessInput { removals_held: 3, ..input(0, VppState::Read) };
        let readiness = StartupLatch::default().update(held);
        assert!(readiness.has_started());
        assert_eq!(readiness.to_string(), "ready; 3 VIPs of no frontend are held in VPP");
        assert!(held.to_string().ends_with("VPP connected; 3 VIPs of no frontend are held in VPP"));
    }

    #[test]
    fn the_status_is_one_line() {
        let line = input(1, VppState::Away).to_string();
        assert_eq!(line, "frontends 1 of 2 up, backends 3 of 5 up, VPP not connected");
        let mut open = input(1, VppState::Away);
        open.counts.frontends_open = 1;
        let note = "; 1 frontend fails open: too little is up for health checks to be believed";
        assert_eq!(open.to_string(), line.clone() + note);
        open.counts.frontends_open = 2;
        assert!(open.to_string().contains("; 2 frontends fail open: "));
        let mut refused = input(1, VppState::Away);
        for (refusal, why) in [
            (ReloadRefusal::Fault, "; the last reload was refused: maglevd --check says why"),
            (
                ReloadRefusal::Excessive,
                "; the last reload was refused, it would remove too much: the log says what",
            ),
        ] {
            refused.counts.config_refused = Some(refusal);
            assert_eq!(refused.to_string(), line.clone() + why);
        }
    }
}
