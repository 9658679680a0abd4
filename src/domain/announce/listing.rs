//! Announcements with what each driver has of them, as they are shown.

use std::collections::BTreeSet;
use std::time::{Instant, SystemTime};

use super::driver_record::{DriverRecord, DriverView, PlacedView};
use super::orders::AnnounceScope;
use super::placement::VipPrefix;
use super::state::{AnnouncementView, VipStanding};
use super::verdict::AnnounceReason;

/// All announcements at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnnouncementListing {
    /// By prefix.
    pub announcements: Vec<AnnouncementReport>,
    /// By name.
    pub drivers: Vec<DriverView>,
}

/// One announcement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnouncementReport {
    pub view: AnnouncementView,
    /// By the name of the driver.
    pub placed: Vec<(&'static str, PlacedView)>,
}

impl AnnouncementReport {
    #[must_use]
    pub fn prefix(&self) -> VipPrefix {
        self.view.prefix
    }

    /// The drivers that do not have it as it is wanted, and why. While nothing was decided
    /// there is nothing that they should have.
    pub fn unsettled(&self) -> impl Iterator<Item = (&'static str, &PlacedView)> {
        let wanted = self.view.standing.wanted();
        let is_not = move |it: &PlacedView| wanted.is_some_and(|wanted| !it.is_as(wanted));
        self.placed.iter().filter(move |(_, it)| is_not(it)).map(|(driver, it)| (*driver, it))
    }
}

impl AnnouncementListing {
    /// Of what was decided and what the drivers have. Routes of ours that nobody asks for
    /// any more are part of it. `is_decided`: they are to be withdrawn.
    #[must_use]
    pub fn new(
        mut views: Vec<AnnouncementView>,
        records: &[(&'static str, &DriverRecord)],
        is_decided: bool,
        now: Instant,
    ) -> Self {
        let ours: BTreeSet<_> = records.iter().flat_map(|(_, record)| record.ours()).collect();
        let asked: BTreeSet<_> = views.iter().map(|view| view.prefix).collect();
        views.extend(ours.difference(&asked).map(|prefix| left_over(*prefix, is_decided)));
        views.sort_by_key(|view| view.prefix);
        let report = |view: AnnouncementView| {
            let placed = records.iter().map(|(name, record)| (*name, record.placed(view.prefix)));
            AnnouncementReport { placed: placed.collect(), view }
        };
        Self {
            announcements: views.into_iter().map(report).collect(),
            drivers: records.iter().map(|(name, record)| record.view(name, now)).collect(),
        }
    }

    /// Leaves those of a scope alone.
    #[must_use]
    pub fn of(mut self, scope: AnnounceScope) -> Self {
        self.announcements.retain(|it| scope.includes(it.prefix()));
        self
    }

    /// Those that are not everywhere as they are wanted, for people.
    #[must_use]
    pub fn unsettled(&self) -> Vec<String> {
        let of = |it: &AnnouncementReport| {
            let prefix = it.prefix();
            let wanted = it.view.standing;
            let text = |(driver, at): (&'static str, &PlacedView)| {
                let is = at.state.as_str();
                let why = match at.reason.as_str() {
                    "" => "it is on its way",
                    reason => reason,
                };
                format!("{prefix} is to be {wanted}, and is {is} at {driver}: {why}")
            };
            it.unsettled().map(text).collect::<Vec<_>>()
        };
        self.announcements.iter().flat_map(of).collect()
    }
}

/// An announcement that no frontend asks for. It is not known since when.
fn left_over(prefix: VipPrefix, is_decided: bool) -> AnnouncementView {
    let (standing, why) = match is_decided {
        true => (VipStanding::Withdrawn, AnnounceReason::Removed),
        false => (VipStanding::Unknown, AnnounceReason::Starting),
    };
    let (frontends, since, held) = (Vec::new(), SystemTime::UNIX_EPOCH, None);
    AnnouncementView { prefix, frontends, standing, since, why, held, changes: 0, withdraws: 0 }
}
