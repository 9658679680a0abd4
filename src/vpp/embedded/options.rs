//! Where an embedded VPP has its sockets, and what it is like.

use std::path::{Path, PathBuf};

use super::plugin::PluginApi;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    pub api: PathBuf,
    pub stats: PathBuf,
}

impl Paths {
    /// `api.sock` and `stats.sock` in a directory.
    #[must_use]
    pub fn in_dir(dir: &Path) -> Self {
        Self { api: dir.join("api.sock"), stats: dir.join("stats.sock") }
    }
}

/// The clock of VPP's uptime.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// The system's; [`Control::advance`](super::Control::advance) adds to it.
    #[default]
    Running,
    /// Moved by [`Control::advance`](super::Control::advance) alone.
    Manual,
}

/// The properties of an embedded VPP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EmbeddedOptions {
    pub clock: Clock,
    /// The version of `lb.api` that it has.
    pub api: PluginApi,
    /// Names of messages that it lacks besides.
    pub without: Vec<&'static str>,
    /// Worker threads that the stats segment shows.
    pub workers: u32,
}
