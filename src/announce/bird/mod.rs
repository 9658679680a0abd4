//! BIRD by include files and its control socket: for those who do not give
//! CAP_NET_ADMIN.
//!
//! One file a family lists the routes; BIRD includes it in a `protocol static`, and
//! `configure` has it read. Everything in these two protocols is ours. What was
//! applied is read back from BIRD, since a `configure` may be refused because of
//! something else in its configuration, and then nothing is withdrawn either.

mod control;
mod file;
mod table;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use crate::domain::announce::DriverSettings;
use crate::domain::announce::placement::{
    Exported, PlacedRoute, PlacedRoutes, RoutePlacement, VipPrefix, WantedRoutes,
};

use super::error::within_limit;
use super::pass::ApplyReport;
use super::{DriverError, STEP_LIMIT};
use control::{BirdControl, BirdReply, code};
use file::IncludeFile;
pub use watch::BirdWatch;

/// Between two questions whether a `configure` is over.
const STATUS_PAUSE: Duration = Duration::from_millis(50);

/// Where BIRD is, and where it looks for our files.
#[derive(Clone, Debug)]
pub struct BirdOptions {
    /// BIRD's control socket.
    pub socket: PathBuf,
    /// The directory of the include files: on tmpfs, or BIRD would announce after a
    /// reboot what VPP does not serve yet.
    pub directory: PathBuf,
    /// The names of the `protocol static` for IPv4 and for IPv6.
    pub protocols: [String; 2],
    /// The community, as a pair, that drained routes have, for the export filter.
    pub drained: (u16, u16),
}

impl Default for BirdOptions {
    fn default() -> Self {
        Self {
            socket: DriverSettings::BIRD_SOCKET.into(),
            directory: DriverSettings::BIRD_DIRECTORY.into(),
            protocols: ["maglev4".into(), "maglev6".into()],
            drained: (64512, 2000),
        }
    }
}

/// Drives BIRD.
#[derive(Clone, Debug)]
pub struct BirdDriver {
    options: BirdOptions,
}

/// What BIRD has in our protocols.
struct Found {
    routes: PlacedRoutes,
    /// Protocols that BIRD does not know.
    missing: BTreeSet<String>,
}

impl Found {
    /// Whether BIRD has what is wanted, but for what a protocol is missing for: no
    /// `configure` would mend that, and each has its dangers.
    fn is_as(&self, wanted: &WantedRoutes, protocols: &[String; 2]) -> bool {
        let is_known =
            |prefix: &VipPrefix| !self.missing.contains(&protocols[usize::from(prefix.is_ipv6())]);
        let placed = self.routes.iter().filter_map(|(prefix, it)| Some((*prefix, it.placement()?)));
        let wanted = wanted.iter().filter(|(prefix, _)| is_known(prefix));
        placed.eq(wanted.map(|(prefix, placement)| (*prefix, *placement)))
    }
}

impl BirdDriver {
    #[must_use]
    pub const fn new(options: BirdOptions) -> Self {
        Self { options }
    }

    pub(super) async fn read(&self) -> Result<PlacedRoutes, DriverError> {
        let mut control = BirdControl::connect(&self.options.socket).await?;
        let mut found = self.routes(&mut control).await?.routes;
        add_exports(&mut control, &self.options.protocols, &mut found).await;
        Ok(found)
    }

    /// The files are written also while BIRD is away: it reads them when it starts.
    pub(super) async fn apply(&self, wanted: &WantedRoutes) -> Result<ApplyReport, DriverError> {
        let mut failures = BTreeMap::new();
        let (mut writes, mut refusal) = (0, None);
        for is_ipv6 in [false, true] {
            match within_limit("writing an include file", self.file(is_ipv6).write(wanted)).await {
                Ok(was_written) => writes += usize::from(was_written),
                Err(error) => fail(&mut failures, wanted, is_ipv6, &error.to_string()),
            }
        }
        let mut control = BirdControl::connect(&self.options.socket).await?;
        let before = self.routes(&mut control).await?;
        for (protocol, is_ipv6) in self.options.protocols.iter().zip([false, true]) {
            if before.missing.contains(protocol) {
                let reason = format!(
                    "BIRD has no protocol {protocol}: its configuration lacks the snippet of \
                     docs/announce.md, or `birdc configure` was not run since"
                );
                fail(&mut failures, wanted, is_ipv6, &reason);
            }
        }
        if writes > 0 || !before.is_as(wanted, &self.options.protocols) {
            writes += 1;
            if let Err(error) = configure(&mut control).await {
                let reason = error.to_string();
                refusal = Some(reason.clone());
                let ours = before.routes.keys().chain(wanted.keys());
                failures.extend(ours.map(|prefix| (*prefix, reason.clone())));
            }
        }
        // Over a connection of its own: on the other, a reply may be left.
        let after = self.read().await.ok();
        let report = ApplyReport::of(wanted, &before.routes, after, &failures, writes);
        Ok(ApplyReport { refusal, ..report })
    }

    pub(super) fn watch(&self) -> BirdWatch {
        BirdWatch::new(self.options.socket.clone())
    }

    fn file(&self, is_ipv6: bool) -> IncludeFile {
        let directory = self.options.directory.clone();
        IncludeFile { directory, is_ipv6, drained: self.options.drained }
    }

    async fn routes(&self, control: &mut BirdControl) -> Result<Found, DriverError> {
        let mut found = Found { routes: PlacedRoutes::new(), missing: BTreeSet::new() };
        for protocol in &self.options.protocols {
            let reply = control.ask(&format!("show route protocol {protocol} all")).await?;
            if reply.code() == code::PARSE_ERROR {
                found.missing.insert(protocol.clone());
                continue;
            }
            for (prefix, communities) in table::routes(&reply) {
                let placement = match communities.contains(&self.options.drained) {
                    true => RoutePlacement::Drained,
                    false => RoutePlacement::Announced,
                };
                found.routes.insert(prefix, PlacedRoute::ours(placement));
            }
        }
        Ok(found)
    }
}

fn fail(
    failures: &mut BTreeMap<VipPrefix, String>,
    wanted: &WantedRoutes,
    is_ipv6: bool,
    reason: &str,
) {
    let of_family = wanted.keys().filter(|prefix| prefix.is_ipv6() == is_ipv6);
    failures.extend(of_family.map(|prefix| (*prefix, reason.to_owned())));
}

/// Has BIRD read its configuration, and waits until it is applied, though not longer
/// than [`STEP_LIMIT`]: what is read back tells then.
async fn configure(control: &mut BirdControl) -> Result<(), DriverError> {
    let mut reply = control.ask("configure").await?;
    let waited = async {
        loop {
            match outcome(&reply) {
                code::RECONFIGURED | code::OK => return Ok(()),
                code::IN_PROGRESS | code::QUEUED => {}
                _ => return Err(refused(&reply)),
            }
            tokio::time::sleep(STATUS_PAUSE).await;
            reply = control.ask("configure status").await?;
        }
    };
    tokio::time::timeout(STEP_LIMIT, waited).await.unwrap_or(Ok(()))
}

/// What became of a `configure`. The answer to `configure status` has more lines.
fn outcome(reply: &BirdReply) -> u16 {
    let outcomes = [code::RECONFIGURED, code::IN_PROGRESS, code::QUEUED, code::SHUTTING_DOWN];
    let mut codes = reply.0.iter().map(|(code, _)| *code);
    codes.find(|code| outcomes.contains(code)).unwrap_or(reply.code())
}

fn refused(reply: &BirdReply) -> DriverError {
    let remedy = match outcome(reply) {
        code::CONFIGURATION_ERROR => {
            "BIRD goes on with its old configuration: nothing is announced or withdrawn before \
             this is mended"
        }
        code::SHUTTING_DOWN => "it is tried again once BIRD is back",
        code::RESTRICTED | code::DENIED => "give maglevd BIRD's unrestricted control socket",
        _ => "BIRD 2 and 3 are known to work",
    };
    DriverError::Refused {
        attempt: "having BIRD read its configuration".into(),
        reason: reply.last().to_owned(),
        remedy: remedy.into(),
    }
}

/// Adds which routes BIRD sends to neighbors with an established session, if it can
/// be asked.
async fn add_exports(
    control: &mut BirdControl,
    protocols: &[String; 2],
    routes: &mut PlacedRoutes,
) {
    let Ok(reply) = control.ask("show protocols").await else { return };
    let mut exported = BTreeSet::new();
    for neighbor in table::established(&reply) {
        for protocol in protocols {
            let question = format!("show route protocol {protocol} export {neighbor}");
            let Ok(reply) = control.ask(&question).await else { return };
            exported.extend(table::routes(&reply).into_iter().map(|(prefix, _)| prefix));
        }
    }
    for (prefix, route) in routes {
        let is_exported = exported.contains(prefix);
        route.exported = if is_exported { Exported::Yes } else { Exported::No };
    }
}
