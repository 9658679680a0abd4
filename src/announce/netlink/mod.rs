//! Blackhole routes in a table of the kernel. BIRD learns them from a table of their
//! own (`learn`, `kernel table`), FRR redistributes them from the main table.
//!
//! Ours are the blackhole routes to one address with our `rtm_protocol` and one of
//! two metrics: 1000 announces, 2000 announces as drained. Routes are created
//! exclusively and never replaced, since a replacement would take over a foreign
//! route of the same metric, and are deleted with protocol and metric.

mod options;
mod rtnetlink;
mod socket;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

use crate::domain::announce::placement::{
    Carrier, PlacedRoutes, RouteStep, VipPrefix, WantedRoutes, changes,
};

use super::pass::ApplyReport;
use super::{DriverError, error::within_limit};
pub use options::{MAIN_TABLE, NetlinkOptions};
use socket::{RouteSocket, not_permitted};
pub use watch::NetlinkWatch;

/// As many changes go out together; more would overflow the socket of a routing
/// daemon that listens with the default buffer, which then waits for its next scan.
const BATCH: usize = 50;
/// Between two batches.
const BATCH_PAUSE: Duration = Duration::from_millis(5);

/// Drives a kernel table.
#[derive(Clone, Debug)]
pub struct NetlinkDriver {
    options: NetlinkOptions,
}

impl NetlinkDriver {
    #[must_use]
    pub const fn new(options: NetlinkOptions) -> Self {
        Self { options }
    }

    pub(super) async fn read(&self) -> Result<PlacedRoutes, DriverError> {
        let mut socket = RouteSocket::open(&self.options, 0).await?;
        self.read_by(&mut socket).await
    }

    pub(super) async fn apply(&self, wanted: &WantedRoutes) -> Result<ApplyReport, DriverError> {
        let mut socket = RouteSocket::open(&self.options, 0).await?;
        let before = self.read_by(&mut socket).await?;
        let found = changes(wanted, &before, Carrier::TwoRoutes);
        let (puts, removals): (Vec<_>, Vec<_>) =
            found.steps.into_iter().partition(|step| matches!(step, RouteStep::Put { .. }));
        let mut failures = BTreeMap::new();
        let writes = puts.len() + removals.len();
        self.execute(&mut socket, &puts, &mut failures).await;
        let failed: BTreeSet<_> = failures.keys().copied().collect();
        let removals: Vec<_> =
            removals.into_iter().filter(|step| !failed.contains(&step.prefix())).collect();
        self.execute(&mut socket, &removals, &mut failures).await;
        if writes == 0 {
            return Ok(ApplyReport::of(wanted, &before, Some(before.clone()), &failures, 0));
        }
        // Through a socket of its own: on the other, answers may be left.
        let after = self.read().await.ok();
        Ok(ApplyReport::of(wanted, &before, after, &failures, writes))
    }

    pub(super) fn watch(&self) -> NetlinkWatch {
        NetlinkWatch::new(self.options.clone())
    }

    async fn read_by(&self, socket: &mut RouteSocket) -> Result<PlacedRoutes, DriverError> {
        let attempt = format!("reading table {} of the kernel", self.options.table);
        within_limit(&attempt, async {
            let mut found = PlacedRoutes::new();
            for route in socket.dump(&self.options).await? {
                let Some(placement) = self.options.placement(&route) else { continue };
                let entry = found.entry(route.prefix).or_default();
                match placement {
                    Some(placement) => entry.set(placement),
                    None => entry.foreign = true,
                }
            }
            Ok(found)
        })
        .await
    }

    /// Executes steps in batches. After an answer that did not come the rest is not
    /// attempted: it would be the same.
    async fn execute(
        &self,
        socket: &mut RouteSocket,
        steps: &[RouteStep],
        failures: &mut BTreeMap<VipPrefix, String>,
    ) {
        let mut broken: Option<DriverError> = None;
        for (at, batch) in steps.chunks(BATCH).enumerate() {
            if at > 0 && broken.is_none() {
                tokio::time::sleep(BATCH_PAUSE).await;
            }
            let answers = match &broken {
                Some(error) => Err(error.clone()),
                None => self.write(socket, batch).await,
            };
            match answers {
                Ok(answers) => {
                    for (step, errno) in batch.iter().zip(answers) {
                        if let Some(reason) = self.refusal(*step, errno) {
                            failures.insert(step.prefix(), reason);
                        }
                    }
                }
                Err(error) => {
                    failures.extend(batch.iter().map(|step| (step.prefix(), error.to_string())));
                    broken = Some(error);
                }
            }
        }
    }

    async fn write(
        &self,
        socket: &mut RouteSocket,
        batch: &[RouteStep],
    ) -> Result<Vec<i32>, DriverError> {
        let route = |prefix, placement| self.options.route(prefix, placement);
        let messages = batch.iter().map(|step| match *step {
            RouteStep::Put { prefix, placement } => {
                (rtnetlink::NEW_ROUTE, route(prefix, placement))
            }
            RouteStep::Remove { prefix, placement } => {
                (rtnetlink::DEL_ROUTE, route(prefix, placement))
            }
        });
        let attempt = format!("writing to table {} of the kernel", self.options.table);
        within_limit(&attempt, socket.write(&attempt, messages.collect())).await
    }

    /// Why the kernel did not execute a step; `errno` is 0 if it did.
    fn refusal(&self, step: RouteStep, errno: i32) -> Option<String> {
        let table = self.options.table;
        let what = match step {
            RouteStep::Put { prefix, .. } => format!("adding {prefix} to table {table}"),
            RouteStep::Remove { prefix, .. } => format!("removing {prefix} from table {table}"),
        };
        match (errno, step) {
            (0, _) => None,
            // Somebody was faster, and it was removed: what matters is read afterwards.
            (libc::ESRCH | libc::ENOENT, RouteStep::Remove { .. }) => None,
            (libc::EPERM, _) => Some(not_permitted(what).to_string()),
            (libc::EEXIST, _) => Some(format!(
                "{what}: there is a route of somebody else with the same metric; \
                 `ip route show table {table}` shows it"
            )),
            _ => Some(format!("{what}: {}", io::Error::from_raw_os_error(errno))),
        }
    }
}
