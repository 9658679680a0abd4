//! Everything that can be asked of maglevc, as one closed enum: the grammar
//! makes it, `execute` and `watch` carry it out, and nothing else is possible.

/// One command, complete and checked as far as it can be without a daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CliCommand {
    /// List every command.
    Help,
    /// Leave the shell; alone on a command line it does nothing.
    Quit,
    /// The version of this program.
    ShowVersion,
    /// The script that teaches a system shell to complete.
    Completions(Shell),
    /// Show frontends and their servers as they change.
    WatchState,
    /// Print events as they happen.
    WatchEvents(Watch),
    /// Everything that the daemon answers once.
    Request(DaemonRequest),
}

/// The system shells that maglevc writes completions for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// GNU Bash.
    Bash,
    /// Z shell.
    Zsh,
    /// fish.
    Fish,
}

impl Shell {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
        }
    }
}

/// What is asked of the daemon and answered once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DaemonRequest {
    /// All frontends, what is wrong first.
    ShowFrontends,
    /// One frontend as a tree of pools and backends.
    ShowFrontend {
        /// Its name.
        name: String,
    },
    /// What another weight of a backend would move in a frontend's table.
    Predict {
        /// The frontend.
        frontend: String,
        /// The backend.
        backend: String,
        /// 0..=100
        weight: u8,
    },
    /// All backends, what is wrong first.
    ShowBackends,
    /// One backend with its transitions.
    ShowBackend {
        /// Its name.
        name: String,
    },
    /// All health checks.
    ShowHealthChecks,
    /// One health check.
    ShowHealthCheck {
        /// Its name.
        name: String,
    },
    /// What VPP says of itself.
    ShowVppInfo,
    /// The load balancer's state in VPP.
    ShowVppLbState,
    /// The load balancer's packet counters in VPP.
    ShowVppLbCounters,
    /// An operator's hand on one backend.
    SetBackend {
        /// Its name.
        name: String,
        /// What to do with it.
        change: BackendChange,
    },
    /// Override the configured weight of a backend in a pool.
    SetWeight {
        /// The frontend that has the pool.
        frontend: String,
        /// The pool that has the backend.
        pool: String,
        /// The backend.
        backend: String,
        /// 0..=100
        weight: u8,
    },
    /// Write the desired state to VPP.
    Sync {
        /// Only this frontend; `None`: all, and VIPs of no frontend go.
        frontend: Option<String>,
        /// List the steps and take none.
        dry_run: bool,
    },
    /// Validate the daemon's configuration file.
    ConfigCheck,
    /// Validate the daemon's configuration file and use it.
    ConfigReload,
}

/// What an operator can do with a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackendChange {
    /// No new flows, established ones go on, no probes.
    Pause,
    /// Undo `Pause`.
    Resume,
    /// Undo `Disable`.
    Enable,
    /// No new flows, established ones are forgotten, no probes.
    Disable,
}

/// Which events to print, and how many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watch {
    /// Stop after so many lines; `None`: go on until interrupted.
    pub count: Option<u64>,
    /// Named on the command line. None of the four named means all of them.
    pub log: bool,
    /// The least severe level of log events; `None`: info.
    pub level: Option<LogLevelWord>,
    /// Named on the command line.
    pub backend: bool,
    /// Named on the command line.
    pub frontend: bool,
    /// Named on the command line.
    pub dataplane: bool,
}

/// Severities of the daemon's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevelWord {
    /// Every probe and every message to VPP.
    Debug,
    /// What happens.
    Info,
    /// What needs a look.
    Warn,
    /// What failed.
    Error,
}

impl LogLevelWord {
    /// The name that the daemon knows it by.
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
