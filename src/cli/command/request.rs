//! Every command of maglevc, as one closed enum: the grammar makes it and
//! `dispatch` executes it.

use std::net::IpAddr;
use std::time::Duration;

/// One command, validated as far as possible without a daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CliCommand {
    /// Lists every command.
    Help,
    /// Leaves the shell; on a command line it does nothing.
    Quit,
    /// Prints the version of this program.
    ShowVersion,
    /// Prints the completion script of a system shell.
    Completions(Shell),
    /// Shows frontends and their servers as they change.
    WatchState,
    /// Prints events as they happen.
    WatchEvents(WatchOptions),
    /// Drains a backend and waits until that is over.
    DrainAndWait(DrainOptions),
    /// Sends a request that has one answer.
    Request(DaemonRequest),
    /// Shows how several daemons differ.
    Compare,
}

/// A system shell with a completion script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// GNU Bash.
    Bash,
    /// Z shell.
    Zsh,
    Fish,
}

impl Shell {
    /// The name of its program.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
        }
    }
}

/// A request to the daemon with one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DaemonRequest {
    /// All frontends, what is wrong first.
    ShowFrontends,
    /// One frontend as a tree of pools and backends.
    ShowFrontend {
        /// The name in the configuration file.
        name: String,
    },
    /// What another weight of a backend would move in a frontend's table.
    Predict {
        frontend: String,
        backend: String,
        /// 0..=100
        weight: u8,
    },
    /// All backends, what is wrong first.
    ShowBackends,
    /// One backend with its transitions.
    ShowBackend {
        /// The name in the configuration file.
        name: String,
    },
    ShowHealthChecks,
    ShowHealthCheck {
        /// The name in the configuration file.
        name: String,
    },
    /// VPP's version, age and connection.
    ShowVppInfo,
    /// The load balancer's state in VPP.
    ShowVppLbState,
    /// The load balancer's packet counters in VPP.
    ShowVppLbCounters,
    /// What keeps packets from the servers although nothing has failed.
    ShowVppDoctor,
    /// Whom the daemon takes this client for.
    ShowIdentity,
    /// All overrides by operators.
    ShowOverrides,
    /// What is announced.
    ShowAnnouncements {
        /// Only this; `None`: all.
        subject: Option<AnnounceWhich>,
    },
    /// Have announcements follow an order.
    OrderAnnouncement {
        subject: AnnounceWhich,
        /// `None`: the rules.
        order: Option<AnnounceOrderWord>,
        terms: OverrideTerms,
    },
    /// Why a backend gets the flows that it gets.
    ExplainBackend {
        /// The name in the configuration file.
        name: String,
    },
    /// Why a frontend gets the flows that it gets.
    ExplainFrontend {
        /// The name in the configuration file.
        name: String,
    },
    /// What happened lately.
    ShowTimeline(TimelineQuery),
    /// Change the administrative state of one backend.
    SetBackend {
        /// The name in the configuration file.
        name: String,
        change: BackendChange,
        terms: OverrideTerms,
    },
    /// Take new flows away from a backend and follow those that remain.
    Drain(DrainOptions),
    /// Undo `Drain`.
    Undrain {
        /// The name in the configuration file.
        name: String,
        /// In the operator's words.
        why: Option<String>,
    },
    /// Override the configured weight of a backend in a pool.
    SetWeight {
        /// The frontend that has the pool.
        frontend: String,
        /// The pool that has the backend.
        pool: String,
        backend: String,
        /// 0..=100; `None`: as the file has it.
        weight: Option<u8>,
        terms: OverrideTerms,
    },
    /// Write the desired state to VPP.
    Sync {
        /// Only this frontend; `None`: all, and VIPs of no frontend are removed.
        frontend: Option<String>,
        /// List the steps and take none.
        dry_run: bool,
        /// Also take the removals that are held.
        force: bool,
    },
    /// Validate the daemon's configuration file.
    ConfigCheck,
    /// Validate the daemon's configuration file and use it.
    ConfigReload {
        /// Even if it takes away too much to be meant.
        force: bool,
    },
}

/// Which announcement a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnnounceWhich {
    All,
    /// An address, with its length or without.
    Address(String),
    /// The name in the configuration file.
    Frontend(String),
}

impl AnnounceWhich {
    /// What is an address means that, and not a frontend.
    #[must_use]
    pub fn named(name: String) -> Self {
        let address = name.split_once('/').map_or(name.as_str(), |(address, _)| address);
        match address.parse::<IpAddr>() {
            Ok(_) => Self::Address(name),
            Err(_) => Self::Frontend(name),
        }
    }
}

/// What announcements are ordered to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnnounceOrderWord {
    /// Whatever the servers' health is.
    Announce,
    /// With a low preference.
    Drain,
    Withdraw,
}

impl AnnounceOrderWord {
    /// The word of `SetAnnouncementRequest.order`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Announce => "announce",
            Self::Drain => "drain",
            Self::Withdraw => "withdraw",
        }
    }
}

/// How a backend is drained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrainOptions {
    /// The name in the configuration file.
    pub name: String,
    /// When it has taken too long; `None`: never.
    pub timeout: Option<Duration>,
    /// Whether VPP then forgets what is left.
    pub flush: bool,
    /// In the operator's words.
    pub why: Option<String>,
}

/// A change of the administrative state of a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackendChange {
    /// No probes and no new flows; established flows continue.
    Pause,
    /// Undo `Pause`.
    Resume,
    /// Undo `Pause`, with a slow start where there is one.
    ResumeSlowly,
    /// Undo `Disable`.
    Enable,
    /// No probes and no new flows; established flows are forgotten.
    Disable,
    /// What the file says.
    Unset,
}

/// How long an override lasts, and why it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OverrideTerms {
    /// `None`: until it is ended.
    pub lasts: Option<Duration>,
    /// In the operator's words.
    pub reason: Option<String>,
}

/// What a timeline is about; without names, everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimelineQuery {
    pub backend: Option<String>,
    pub frontend: Option<String>,
    /// How far it reaches back; `None`: as far as the daemon holds it.
    pub since: Option<Duration>,
}

/// Which events to print, and how many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchOptions {
    /// Lines to print; `None`: until interrupted.
    pub count: Option<u64>,
    /// Whether the kind was named; if none was, all of them are printed.
    pub log: bool,
    /// The least severe level of log events; `None`: info.
    pub level: Option<LogLevelWord>,
    /// Whether the kind was named.
    pub backend: bool,
    /// Whether the kind was named.
    pub frontend: bool,
    /// Whether the kind was named.
    pub dataplane: bool,
    /// Whether the kind was named.
    pub hold: bool,
    /// Whether the kind was named.
    pub drain: bool,
    /// Whether the kind was named.
    pub audit: bool,
    /// Whether the kind was named.
    pub announcement: bool,
}

/// Severities of the daemon's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevelWord {
    /// Each probe and each message to VPP.
    Debug,
    /// Changes of state.
    Info,
    /// What an operator should look at.
    Warn,
    /// Failures.
    Error,
}

impl LogLevelWord {
    /// The word of `WatchRequest.log_level`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}
