//! The warnings about an accepted configuration.

use std::time::Duration;

use ipnet::IpNet;
use thiserror::Error;

use crate::domain::balancing::maglev::Lint;

/// A place in an accepted configuration that may not be what was meant.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("{path}: {kind}")]
pub struct Warning {
    /// Below `maglev`: `healthchecks.web.timeout`.
    pub path: String,
    pub kind: WarningKind,
}

/// The message says what to do.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum WarningKind {
    #[error(
        "{timeout:?} is longer than the interval, {interval:?}, so a silent backend is probed \
         less often: give a shorter timeout"
    )]
    TimeoutAboveInterval { timeout: Duration, interval: Duration },
    /// `server-name` or `insecure-skip-verify` without TLS.
    #[error("does nothing without TLS: {remedy}, or remove it")]
    NeedsTls {
        /// How to turn TLS on for this type of check.
        remedy: &'static str,
    },
    #[error(
        "is shown to whoever may see health checks: put its value into a file, \
         and give {{ file: PATH }}"
    )]
    SecretShown,
    /// A VIP that is longer than its prefix.
    #[error(
        "{prefix} takes all of {}, {} to {}, and not {} alone: give {}/{} for that one address, \
         or {} to say that all are meant",
        .prefix.trunc(), .prefix.network(), .prefix.broadcast(), .prefix.addr(),
        .prefix.addr(), .prefix.max_prefix_len(), .prefix.trunc()
    )]
    HostBits { prefix: IpNet },
    #[error("does nothing without a health check: name one under healthcheck, or remove it")]
    PortWithoutCheck,
    #[error("no backend uses this health check: remove it, or name it in a backend")]
    UnusedCheck,
    #[error("no frontend uses this backend, which is still probed: remove it, or add it to a pool")]
    UnusedBackend,
    /// VPP's table cannot express the weights.
    #[error(transparent)]
    Table(Lint),
    /// The last of a long list.
    #[error("has {more} more warnings, which are shown when these are mended")]
    More { more: usize },
}
