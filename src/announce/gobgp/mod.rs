//! Paths in GoBGP's global table, over its gRPC API (3: `apipb.GobgpApi`, 4:
//! `api.GoBgpService`; which one answers is asked each time).
//!
//! Ours are the daemon's own paths to one address with a marker community; other
//! paths of its own, such as an operator's `gobgp global rib add`, are left alone.
//! GoBGP forgets all of them when it restarts; the watch tells that at once.

mod api;
mod path;
pub mod pb;
mod v3;
mod v4;
mod watch;

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::announce::DriverSettings;
use crate::domain::announce::placement::{
    Carrier, Exported, PlacedRoute, PlacedRoutes, RoutePlacement, RouteStep, VipPrefix,
    WantedRoutes, changes,
};

use super::DriverError;
use super::error::within_limit;
use super::pass::ApplyReport;
use api::Api;
use path::{GRACEFUL_SHUTDOWN, Neighbor, RibPath, RibWrite};
pub use watch::GobgpWatch;

/// Where GoBGP is, and how paths are marked.
#[derive(Clone, Debug)]
pub struct GobgpOptions {
    /// `ADDRESS:PORT`, or `unix:PATH`.
    pub address: String,
    /// The community, as a pair, of every path of ours. Neighbors see it.
    pub marker: (u16, u16),
    /// How often the own AS is prepended to drained paths, unless there is a
    /// neighbor of the same AS, which would take them for a loop.
    pub drain_prepend: u8,
}

impl Default for GobgpOptions {
    fn default() -> Self {
        let address = "127.0.0.1:50051".into();
        Self { address, marker: DriverSettings::COMMUNITY, drain_prepend: 2 }
    }
}

impl GobgpOptions {
    fn marker(&self) -> u32 {
        (u32::from(self.marker.0) << 16) | u32::from(self.marker.1)
    }

    /// What a path of the daemon's own is to us.
    fn placement(&self, path: &RibPath) -> Option<RoutePlacement> {
        let has = |community: u32| path.communities.contains(&community);
        let placement = if has(GRACEFUL_SHUTDOWN) {
            RoutePlacement::Drained
        } else {
            RoutePlacement::Announced
        };
        has(self.marker()).then_some(placement)
    }
}

/// Drives GoBGP.
#[derive(Clone, Debug)]
pub struct GobgpDriver {
    options: GobgpOptions,
}

impl GobgpDriver {
    #[must_use]
    pub const fn new(options: GobgpOptions) -> Self {
        Self { options }
    }

    pub(super) async fn read(&self) -> Result<PlacedRoutes, DriverError> {
        let mut api = Api::connect(&self.options.address).await?;
        let read = self.routes(&mut api).await?;
        Ok(with_exports(&mut api, read).await)
    }

    pub(super) async fn apply(&self, wanted: &WantedRoutes) -> Result<ApplyReport, DriverError> {
        let mut api = Api::connect(&self.options.address).await?;
        let before = self.routes(&mut api).await?;
        let steps = changes(wanted, &before, Carrier::OneRoute).steps;
        let mut failures = BTreeMap::new();
        if steps.is_empty() {
            let after = with_exports(&mut api, before.clone()).await;
            return Ok(ApplyReport::of(wanted, &before, Some(after), &failures, 0));
        }
        if let Err(error) = self.write(&mut api, &steps).await {
            failures.extend(steps.iter().map(|step| (step.prefix(), error.to_string())));
        }
        let after = match self.routes(&mut api).await {
            Ok(after) => Some(with_exports(&mut api, after).await),
            Err(_) => None,
        };
        Ok(ApplyReport::of(wanted, &before, after, &failures, steps.len()))
    }

    pub(super) fn watch(&self) -> GobgpWatch {
        GobgpWatch::new(self.options.address.clone())
    }

    /// The daemon's own paths to single addresses.
    async fn routes(&self, api: &mut Api) -> Result<PlacedRoutes, DriverError> {
        let attempt = "reading GoBGP's global table";
        let paths = within_limit(attempt, api.own_paths(attempt)).await?;
        let mut found = PlacedRoutes::new();
        for path in &paths {
            let route: &mut PlacedRoute = found.entry(path.prefix).or_default();
            match self.options.placement(path) {
                Some(placement) => route.set(placement),
                None => route.foreign = true,
            }
        }
        Ok(found)
    }

    async fn write(&self, api: &mut Api, steps: &[RouteStep]) -> Result<(), DriverError> {
        let attempt = "writing to GoBGP";
        let is_drained = |step: &RouteStep| {
            matches!(step, RouteStep::Put { placement: RoutePlacement::Drained, .. })
        };
        let prepend = match steps.iter().any(is_drained) {
            true => within_limit(attempt, self.prepend(api, attempt)).await?,
            false => Vec::new(),
        };
        let writes = steps.iter().map(|step| match *step {
            RouteStep::Put { prefix, placement } => {
                let (mut communities, mut as_path) = (vec![self.options.marker()], Vec::new());
                if placement == RoutePlacement::Drained {
                    communities.push(GRACEFUL_SHUTDOWN);
                    as_path.clone_from(&prepend);
                }
                RibWrite { prefix, is_withdraw: false, communities, as_path }
            }
            RouteStep::Remove { prefix, .. } => RibWrite::withdraw(prefix),
        });
        within_limit(attempt, api.write(attempt, writes.collect())).await
    }

    /// What is prepended to drained paths.
    async fn prepend(&self, api: &mut Api, attempt: &str) -> Result<Vec<u32>, DriverError> {
        let own = api.asn;
        let neighbors = api.neighbors(attempt).await?;
        let is_internal = neighbors.iter().any(|neighbor| neighbor.asn == own);
        let count =
            if is_internal || own == 0 { 0 } else { usize::from(self.options.drain_prepend) };
        Ok(vec![own; count])
    }
}

/// Adds whether a neighbor is sent our path, if that can be asked.
async fn with_exports(api: &mut Api, mut routes: PlacedRoutes) -> PlacedRoutes {
    if !routes.values().any(|route| route.is_ours()) {
        return routes;
    }
    let attempt = "asking GoBGP for what it exports";
    let Ok(exported) = within_limit(attempt, exports(api, attempt)).await else { return routes };
    for (prefix, route) in routes.iter_mut().filter(|(_, route)| route.is_ours()) {
        let is_exported = exported.contains(prefix);
        route.exported = if is_exported { Exported::Yes } else { Exported::No };
    }
    routes
}

/// What is in the outgoing tables of neighbors with an established session. The
/// tables alone also tell of routes for neighbors that are gone.
async fn exports(api: &mut Api, attempt: &str) -> Result<BTreeSet<VipPrefix>, DriverError> {
    let neighbors = api.neighbors(attempt).await?;
    let mut exported = BTreeSet::new();
    for Neighbor { address, .. } in neighbors.iter().filter(|it| it.is_established) {
        exported.extend(api.sent_to(attempt, address).await?);
    }
    Ok(exported)
}
