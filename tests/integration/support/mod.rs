//! What the tests of the built maglevd share: backends to be probed, the
//! configuration that names them, a dataplane to look into, and the daemon
//! itself as a child process.
//!
//! Nothing waits for time to pass: every wait is for an event, and has a
//! deadline that only a broken daemon reaches.

mod backend;
pub(crate) mod certificates;
mod config;
mod daemon;
mod dataplane;
pub(crate) mod fake_daemon;
mod page;
pub(crate) mod probe;
mod ready_daemon;
pub(crate) mod terminal;
mod watch;

use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;

pub(crate) use backend::Backend;
pub(crate) use config::Config;
pub(crate) use daemon::{Daemon, maglevd, ran};
pub(crate) use dataplane::Dataplane;
pub(crate) use page::{figure, get, metrics_address};
pub(crate) use ready_daemon::ReadyDaemon;
pub(crate) use watch::Watch;

/// How long anything here may take.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// The VIP of the frontend `v4`.
pub(crate) const VIP4: &str = "192.0.2.80";
/// The VIP of the frontend `v6`.
pub(crate) const VIP6: &str = "2001:db8::80";

/// What `what` brings, if it does so in time.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(DEADLINE, what).await.ok()
}

/// Addresses by the short names that tests use, so that what is expected can
/// be written down although addresses differ from run to run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names(Vec<(String, String)>);

impl Names {
    pub(crate) fn of(backends: &[&Backend]) -> Self {
        let vips = [
            (format!("{VIP4}/32 tcp/80"), "v4".into()),
            (format!("{VIP6}/128 tcp/80"), "v6".into()),
        ];
        let servers = backends.iter();
        let servers = servers.map(|backend| (backend.ip().to_string(), backend.name.to_owned()));
        Self(vips.into_iter().chain(servers).collect())
    }

    /// `text` with every known address replaced by its name.
    pub(crate) fn say(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (address, name)| text.replace(address, name))
    }

    pub(crate) fn ip(&self, address: IpAddr) -> String {
        self.say(&address.to_string())
    }
}
