//! The daemon's names for completion: queried with a short deadline, so that
//! TAB never hangs, and cached for some seconds.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use crate::cli::command::completion::NameList;
use crate::client::connection::DaemonClient;
use crate::client::error::ClientError;
use crate::client::requests;
use crate::pb;

/// How long a TAB waits for the daemon.
pub const QUERY_DEADLINE: Duration = Duration::from_millis(700);

/// How long names are cached.
const LIFETIME: Duration = Duration::from_secs(5);

/// Lists of names, with the moments at which they were queried.
#[derive(Debug, Default)]
pub struct NameCache {
    lists: HashMap<NameList, (Instant, Vec<String>)>,
}

impl NameCache {
    /// The names, unless they are too old at `now`.
    #[must_use]
    pub fn get(&self, list: &NameList, now: Instant) -> Option<Vec<String>> {
        let (at, names) = self.lists.get(list)?;
        (now.saturating_duration_since(*at) < LIFETIME).then(|| names.clone())
    }

    /// Adds names that were queried at `now`, and removes those too old.
    pub fn insert(&mut self, list: NameList, names: Vec<String>, now: Instant) {
        self.lists.retain(|_, (at, _)| now.saturating_duration_since(*at) < LIFETIME);
        self.lists.insert(list, (now, names));
    }
}

/// Queries the daemon. `None` where it does not answer in time, or refuses.
pub async fn fetch(client: &DaemonClient, list: &NameList) -> Option<Vec<String>> {
    tokio::time::timeout(QUERY_DEADLINE, query(client, list)).await.ok()?.ok()
}

async fn query(client: &DaemonClient, list: &NameList) -> Result<Vec<String>, ClientError> {
    let mut grpc = client.grpc.clone();
    Ok(match list {
        NameList::Frontends => {
            let response = grpc.list_frontends(pb::ListFrontendsRequest {}).await;
            client.message("ListFrontends", response)?.frontend_names
        }
        NameList::Backends => {
            let response = grpc.list_backends(pb::ListBackendsRequest {}).await;
            client.message("ListBackends", response)?.backend_names
        }
        NameList::HealthChecks => {
            let response = grpc.list_health_checks(pb::ListHealthChecksRequest {}).await;
            client.message("ListHealthChecks", response)?.names
        }
        NameList::Announcements => {
            let response = grpc.get_announcements(pb::GetAnnouncementsRequest::default()).await;
            let announced = client.message("GetAnnouncements", response)?.announcements;
            let address = |info: &pb::AnnouncementInfo| {
                info.prefix.split_once('/').map(|(address, _)| address.to_owned())
            };
            let addresses: Vec<_> = announced.iter().filter_map(address).collect();
            let frontends: BTreeSet<String> =
                announced.into_iter().flat_map(|info| info.frontend_names).collect();
            addresses.into_iter().chain(frontends).collect()
        }
        NameList::Pools { frontend } => {
            let frontend = requests::frontend(client.clone(), frontend.clone()).await?;
            frontend.pools.into_iter().map(|pool| pool.name).collect()
        }
        NameList::Members { frontend, pool } => {
            let frontend = requests::frontend(client.clone(), frontend.clone()).await?;
            let chosen =
                |found: &pb::PoolInfo| pool.as_ref().is_none_or(|pool| *pool == found.name);
            let pools = frontend.pools.into_iter().filter(chosen);
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
    fn names_are_cached_for_their_lifetime() {
        let mut cache = NameCache::default();
        let start = Instant::now();
        cache.insert(NameList::Backends, vec!["a".into()], start);
        let later = start + LIFETIME - Duration::from_millis(1);
        assert_eq!(cache.get(&NameList::Backends, later), Some(vec!["a".into()]));
        assert_eq!(cache.get(&NameList::Frontends, later), None);
        assert_eq!(cache.get(&NameList::Backends, start + LIFETIME), None);
    }
}
