//! What every request has at hand: the daemons, and the actors that answer.

use std::sync::Arc;

use actix::Addr;
use tokio::sync::Semaphore;

use super::comparer::Comparer;
use super::daemon::DaemonMirror;
use super::login_config::LoginConfig;
use super::options::BasePath;
use super::page::PageFiles;
use super::password::PasswordChecker;
use super::read_cache::ReadCache;
use super::reply::WebError;
use super::session_keeper::SessionKeeper;
use super::state::SharedState;
use super::stats::RequestStats;
use super::tabs::TabBroker;
use crate::client::connection::{DaemonAccess, DaemonClient};

/// A daemon as requests reach it.
pub(super) struct ServedDaemon {
    pub(super) name: String,
    pub(super) access: DaemonAccess,
    pub(super) client: DaemonClient,
    pub(super) mirror: Addr<DaemonMirror>,
}

pub(super) struct ServerParts {
    pub(super) daemons: Vec<ServedDaemon>,
    pub(super) tabs: Addr<TabBroker>,
    pub(super) comparer: Addr<Comparer>,
    pub(super) reads: Addr<ReadCache>,
    pub(super) sessions: Addr<SessionKeeper>,
    pub(super) passwords: PasswordChecker,
    /// Each asks a daemon for much.
    pub(super) forecasts: Semaphore,
    pub(super) state: SharedState,
    pub(super) login: LoginConfig,
    pub(super) page: PageFiles,
    pub(super) base_path: BasePath,
    pub(super) requests: RequestStats,
}

/// Clones share it.
#[derive(Clone)]
pub(super) struct WebServer(pub(super) Arc<ServerParts>);

impl std::ops::Deref for WebServer {
    type Target = ServerParts;

    fn deref(&self) -> &ServerParts {
        &self.0
    }
}

impl ServerParts {
    /// # Errors
    /// There is no daemon of that name.
    pub(super) fn daemon(&self, name: &str) -> Result<&ServedDaemon, WebError> {
        let found = self.daemons.iter().find(|daemon| daemon.name == name);
        found.ok_or_else(|| WebError::not_found(format!("there is no daemon \"{name}\"")))
    }
}
