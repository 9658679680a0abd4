//! Announcements in the interface's terms.

use super::nanos::{ns, unix_ns};
use super::override_info;
use crate::actors::controller::OverrideListing;
use crate::domain::announce::orders::AnnounceScope;
use crate::domain::announce::placement::{Exported, VipPrefix};
use crate::domain::announce::{
    AnnouncementListing, AnnouncementReport, AnnouncementView, DriverView, PlacedView,
};
use crate::domain::events::{AnnouncementNews, AnnouncementTurn};
use crate::domain::names::FrontendName;
use crate::domain::overrides::{Overridden, OverrideEntry};
use crate::pb;

pub(super) fn listing(
    listing: &AnnouncementListing,
    overrides: &OverrideListing,
) -> pb::Announcements {
    let info = |report: &AnnouncementReport| info(report, overrides);
    let for_all = entry(overrides, AnnounceScope::All);
    pb::Announcements {
        announcements: listing.announcements.iter().map(info).collect(),
        drivers: listing.drivers.iter().map(driver).collect(),
        order_for_all: for_all.map(|it| override_info::info(it, overrides.now.monotonic)),
        unsettled: listing.unsettled(),
        now_unix_ns: unix_ns(overrides.now.wall),
    }
}

pub(super) fn info(
    AnnouncementReport { view, placed }: &AnnouncementReport,
    overrides: &OverrideListing,
) -> pb::AnnouncementInfo {
    let AnnouncementView { prefix, frontends, standing, since, why, held, changes, withdraws } =
        view;
    let order = order_of(overrides, *prefix);
    pb::AnnouncementInfo {
        prefix: prefix.to_string(),
        frontend_names: names(frontends),
        wanted: standing.as_str().into(),
        why: why.to_string(),
        since_unix_ns: unix_ns(*since),
        held: held.as_ref().map(|(reason, _)| reason.to_string()).unwrap_or_default(),
        held_left_ns: held.as_ref().and_then(|(_, left)| left.map(ns)),
        changes: *changes,
        withdraws: *withdraws,
        placed: placed.iter().map(|(driver, view)| placed_info(driver, view)).collect(),
        order: order.map(|it| override_info::info(it, overrides.now.monotonic)),
    }
}

fn placed_info(driver: &str, view: &PlacedView) -> pb::PlacedAnnouncementInfo {
    let PlacedView { state, problem, reason, exported, since } = view;
    pb::PlacedAnnouncementInfo {
        driver: driver.into(),
        state: state.as_str().into(),
        problem: problem.map(|problem| problem.as_str().to_owned()).unwrap_or_default(),
        reason: reason.clone(),
        exported: match exported {
            Exported::Yes => Some(true),
            Exported::No => Some(false),
            Exported::Unknown => None,
        },
        since_unix_ns: since.map_or(0, unix_ns),
    }
}

fn driver(view: &DriverView) -> pb::AnnounceDriverInfo {
    let DriverView { name, error, read_ago, failures, refusal } = view;
    pb::AnnounceDriverInfo {
        name: (*name).into(),
        error: error.as_ref().map(|(error, _)| error.clone()).unwrap_or_default(),
        error_since_unix_ns: error.as_ref().map_or(0, |(_, since)| unix_ns(*since)),
        read_ago_ns: read_ago.map(ns),
        failures: *failures,
        refusal: refusal.clone().unwrap_or_default(),
    }
}

/// The override of this scope.
fn entry(overrides: &OverrideListing, wanted: AnnounceScope) -> Option<&OverrideEntry> {
    overrides.overrides.iter().find(
        |entry| matches!(&entry.what, Overridden::Announcement { scope, .. } if *scope == wanted),
    )
}

/// The override that counts for a prefix: of its own and that for all, the one that
/// announces less.
fn order_of(overrides: &OverrideListing, prefix: VipPrefix) -> Option<&OverrideEntry> {
    let counting = overrides.orders.of(prefix)?;
    entry(overrides, counting.scope)
}

fn names(frontends: &[FrontendName]) -> Vec<String> {
    frontends.iter().map(ToString::to_string).collect()
}

pub(super) fn event(
    AnnouncementNews { what, why, at }: &AnnouncementNews,
) -> pb::AnnouncementEvent {
    let common = pb::AnnouncementEvent {
        why: why.clone(),
        at_unix_ns: unix_ns(*at),
        ..pb::AnnouncementEvent::default()
    };
    match what {
        AnnouncementTurn::Wanted { prefix, frontends, from, to } => pb::AnnouncementEvent {
            kind: "wanted".into(),
            prefix: prefix.to_string(),
            frontend_names: names(frontends),
            from: from.as_str().into(),
            to: to.as_str().into(),
            ..common
        },
        AnnouncementTurn::Placed { prefix, frontends, driver, from, to } => pb::AnnouncementEvent {
            kind: "placed".into(),
            prefix: prefix.to_string(),
            frontend_names: names(frontends),
            driver: (*driver).into(),
            from: (*from).into(),
            to: (*to).into(),
            ..common
        },
        AnnouncementTurn::Driver { driver, works } => pb::AnnouncementEvent {
            kind: "driver".into(),
            driver: (*driver).into(),
            from: AnnouncementTurn::driver_word(!works).into(),
            to: AnnouncementTurn::driver_word(*works).into(),
            ..common
        },
    }
}
