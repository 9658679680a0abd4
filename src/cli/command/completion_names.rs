//! Live names for completion: asked of the daemon with a short deadline, so
//! that TAB never hangs, and believed for some seconds.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use tonic::Status;

use crate::cli::command::completion::Names;
use crate::client::server::DaemonClient;
use crate::pb;

/// How long a TAB may wait for the daemon.
pub const PATIENCE: Duration = Duration::from_millis(700);

/// How long names are believed.
const FRESH: Duration = Duration::from_secs(5);

/// Lists of names with the moments at which they were asked for.
#[derive(Debug, Default)]
pub struct Cache {
    lists: HashMap<Names, (Instant, Vec<String>)>,
}

impl Cache {
    /// The names, if they are fresh at `now`.
    #[must_use]
    pub fn get(&self, wanted: &Names, now: Instant) -> Option<Vec<String>> {
        let (at, names) = self.lists.get(wanted)?;
        (now.saturating_duration_since(*at) < FRESH).then(|| names.clone())
    }

    /// Keeps names that were asked for at `now`, and forgets those too old.
    pub fn keep(&mut self, wanted: Names, names: Vec<String>, now: Instant) {
        self.lists.retain(|_, (at, _)| now.saturating_duration_since(*at) < FRESH);
        self.lists.insert(wanted, (now, names));
    }

    /// Forgets everything: another daemon answers now, or something was changed.
    pub fn clear(&mut self) {
        self.lists.clear();
    }
}

/// Asks the daemon. `None` where it does not answer in time or says no.
pub async fn fetch(client: &DaemonClient, wanted: &Names) -> Option<Vec<String>> {
    tokio::time::timeout(PATIENCE, ask(client, wanted)).await.ok()?.ok()
}

async fn ask(client: &DaemonClient, wanted: &Names) -> Result<Vec<String>, Status> {
    let mut grpc = client.grpc.clone();
    Ok(match wanted {
        Names::Frontends => {
            grpc.list_frontends(pb::ListFrontendsRequest {}).await?.into_inner().frontend_names
        }
        Names::Backends => {
            grpc.list_backends(pb::ListBackendsRequest {}).await?.into_inner().backend_names
        }
        Names::HealthChecks => {
            grpc.list_health_checks(pb::ListHealthChecksRequest {}).await?.into_inner().names
        }
        Names::Pools { frontend } => {
            let request = pb::GetFrontendRequest { name: frontend.clone() };
            let frontend = grpc.get_frontend(request).await?.into_inner();
            frontend.pools.into_iter().map(|pool| pool.name).collect()
        }
        Names::Members { frontend, pool } => {
            let request = pb::GetFrontendRequest { name: frontend.clone() };
            let frontend = grpc.get_frontend(request).await?.into_inner();
            let wanted =
                |found: &pb::PoolInfo| pool.as_ref().is_none_or(|pool| *pool == found.name);
            let pools = frontend.pools.into_iter().filter(wanted);
            let names: BTreeSet<String> =
                pools.flat_map(|pool| pool.backends).map(|backend| backend.name).collect();
            names.into_iter().collect()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_believed_for_some_seconds() {
        let mut cache = Cache::default();
        let start = Instant::now();
        cache.keep(Names::Backends, vec!["a".into()], start);
        let later = start + FRESH - Duration::from_millis(1);
        assert_eq!(cache.get(&Names::Backends, later), Some(vec!["a".into()]));
        assert_eq!(cache.get(&Names::Frontends, later), None);
        assert_eq!(cache.get(&Names::Backends, start + FRESH), None);
        cache.clear();
        assert_eq!(cache.get(&Names::Backends, start), None);
    }
}
