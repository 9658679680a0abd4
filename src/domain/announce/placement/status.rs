//! What became of each prefix: the report of a driver's pass.

use std::collections::{BTreeMap, BTreeSet};

use super::{Exported, PlacedRoutes, RoutePlacement, VipPrefix, WantedRoutes};

/// What is known of a prefix after a driver's pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrefixStatus {
    /// It was read back as it is wanted. `foreign` tells of somebody else's route
    /// to it beside ours.
    Placed { placement: RoutePlacement, exported: Exported, foreign: bool },
    /// It was ours and is not wanted, and was read not to be there any more.
    Withdrawn,
    /// It is not as it is wanted.
    Failed { reason: String },
    /// It is wanted, and the route to it is somebody else's.
    Blocked,
    /// What was written could not be read back.
    Unknown,
}

/// The status of every prefix that is wanted or that a route of ours was read of,
/// `before` the steps or `after` them (`None`: it could not be read). `failures` are
/// the reasons of steps that failed.
#[must_use]
pub fn statuses(
    wanted: &WantedRoutes,
    before: &PlacedRoutes,
    after: Option<&PlacedRoutes>,
    failures: &BTreeMap<VipPrefix, String>,
) -> BTreeMap<VipPrefix, PrefixStatus> {
    let read = before.iter().chain(after.into_iter().flatten());
    let ours = read.filter(|(_, route)| route.is_ours()).map(|(prefix, _)| *prefix);
    let prefixes: BTreeSet<_> = wanted.keys().copied().chain(ours).collect();
    let status = |prefix: VipPrefix| {
        let failure = failures.get(&prefix);
        let Some(after) = after else {
            let failed = |reason: &String| PrefixStatus::Failed { reason: reason.clone() };
            return failure.map_or(PrefixStatus::Unknown, failed);
        };
        let route = after.get(&prefix).copied().unwrap_or_default();
        let failed = |otherwise: &str| PrefixStatus::Failed {
            reason: failure.cloned().unwrap_or_else(|| otherwise.to_owned()),
        };
        match (wanted.get(&prefix), route.placement()) {
            (Some(&placement), Some(placed)) if placement == placed => {
                PrefixStatus::Placed { placement, exported: route.exported, foreign: route.foreign }
            }
            (Some(_), None) if route.foreign => PrefixStatus::Blocked,
            (Some(_), None) => failed("the route was written and is not there"),
            (Some(_), Some(RoutePlacement::Announced)) => failed("it is not drained yet"),
            (Some(_), Some(RoutePlacement::Drained)) => failed("it is still drained"),
            (None, None) => PrefixStatus::Withdrawn,
            (None, Some(_)) => failed("it was withdrawn and is still there"),
        }
    };
    prefixes.into_iter().map(|prefix| (prefix, status(prefix))).collect()
}
