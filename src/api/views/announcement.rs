//! What is announced, and what routing daemons have of it.

use serde::Serialize;

use super::overrides::OverrideJson;
use super::text::present;
use super::time::known_moment;
use crate::pb;

/// All announcements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AnnouncementsJson {
    /// By address.
    pub announcements: Vec<AnnouncementJson>,
    /// Those who have routing daemons announce, by name.
    pub drivers: Vec<AnnounceDriverJson>,
    /// The order for all.
    pub order_for_all: Option<OverrideJson>,
    /// What is not everywhere as it is wanted, for people.
    pub unsettled: Vec<String>,
}

/// One address that is announced or is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AnnouncementJson {
    /// With its length.
    pub prefix: String,
    /// Those that share it; none: nobody asks for it any more.
    pub frontends: Vec<String>,
    /// `announced`, `drained`, `withdrawn` or `unknown`.
    pub wanted: String,
    /// Why it is so, or why it is to be otherwise while it is held.
    pub why: String,
    /// Since when it is so.
    pub since: Option<String>,
    /// Why it stays what it is all the same.
    pub held: Option<String>,
    /// Nanoseconds that this lasts at most; `None`: until it ends.
    pub held_left_ns: Option<i64>,
    /// Since the daemon started.
    pub changes: u64,
    /// Those of the changes that withdrew it.
    pub withdraws: u64,
    /// What each driver has of it.
    pub placed: Vec<PlacedAnnouncementJson>,
    /// The order that counts for it.
    pub order: Option<OverrideJson>,
}

/// What one driver has of an announcement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlacedAnnouncementJson {
    /// `netlink`, `gobgp`, `bird` or `command`.
    pub driver: String,
    /// `announced`, `drained`, `withdrawn` or `unknown`.
    pub state: String,
    /// `failed` or `blocked`.
    pub problem: Option<String>,
    /// Why there is a problem, or why nothing is known.
    pub reason: Option<String>,
    /// Whether a neighbor is sent it; `None`: the driver cannot know.
    pub exported: Option<bool>,
    /// Since when.
    pub since: Option<String>,
}

/// How a driver fares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AnnounceDriverJson {
    pub name: String,
    /// Why its routes could not be read the last time.
    pub error: Option<String>,
    /// Since when they could not.
    pub error_since: Option<String>,
    /// Nanoseconds since they were read; `None`: never.
    pub read_ago_ns: Option<i64>,
    /// Runs that ended with something not as it is wanted.
    pub failures: u64,
    /// Why the routing daemon takes no change.
    pub refusal: Option<String>,
}

impl From<&pb::Announcements> for AnnouncementsJson {
    fn from(answer: &pb::Announcements) -> Self {
        Self {
            announcements: answer.announcements.iter().map(AnnouncementJson::from).collect(),
            drivers: answer.drivers.iter().map(AnnounceDriverJson::from).collect(),
            order_for_all: answer.order_for_all.as_ref().map(OverrideJson::from),
            unsettled: answer.unsettled.clone(),
        }
    }
}

impl From<&pb::AnnouncementInfo> for AnnouncementJson {
    fn from(info: &pb::AnnouncementInfo) -> Self {
        Self {
            prefix: info.prefix.clone(),
            frontends: info.frontend_names.clone(),
            wanted: info.wanted.clone(),
            why: info.why.clone(),
            since: known_moment(info.since_unix_ns),
            held: present(&info.held),
            held_left_ns: info.held_left_ns,
            changes: info.changes,
            withdraws: info.withdraws,
            placed: info.placed.iter().map(PlacedAnnouncementJson::from).collect(),
            order: info.order.as_ref().map(OverrideJson::from),
        }
    }
}

impl From<&pb::PlacedAnnouncementInfo> for PlacedAnnouncementJson {
    fn from(info: &pb::PlacedAnnouncementInfo) -> Self {
        Self {
            driver: info.driver.clone(),
            state: info.state.clone(),
            problem: present(&info.problem),
            reason: present(&info.reason),
            exported: info.exported,
            since: known_moment(info.since_unix_ns),
        }
    }
}

impl From<&pb::AnnounceDriverInfo> for AnnounceDriverJson {
    fn from(info: &pb::AnnounceDriverInfo) -> Self {
        Self {
            name: info.name.clone(),
            error: present(&info.error),
            error_since: known_moment(info.error_since_unix_ns),
            read_ago_ns: info.read_ago_ns,
            failures: info.failures,
            refusal: present(&info.refusal),
        }
    }
}

/// What an operator should know of an announcement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnouncementOddity {
    /// `withdrawn: VPP is away`, `announced, held: VPP is away`, `announced, but withdrawn
    /// at bird (failed)`
    pub text: String,
    /// It is withdrawn, or not as it is wanted.
    pub is_bad: bool,
}

/// `None`: it is announced, by the rules, everywhere.
#[must_use]
pub fn announcement_oddity(info: &pb::AnnouncementInfo) -> Option<AnnouncementOddity> {
    let misplaced = misplaced(info);
    let is_plain = info.wanted == "announced" && info.held.is_empty() && info.order.is_none();
    if is_plain && misplaced.is_empty() {
        return None;
    }
    let held = if info.held.is_empty() { "" } else { ", held" };
    let mut text = match is_plain {
        true => info.wanted.clone(),
        false => format!("{}{held}: {}", info.wanted, info.why),
    };
    let is_bad = info.wanted == "withdrawn" || !misplaced.is_empty();
    if !misplaced.is_empty() {
        text.push_str(&format!(", but {}", misplaced.join(", ")));
    }
    Some(AnnouncementOddity { text, is_bad })
}

/// Where an announcement is not as it is wanted: `withdrawn at netlink (failed)`.
#[must_use]
pub fn misplaced(info: &pb::AnnouncementInfo) -> Vec<String> {
    let is_not =
        |at: &&pb::PlacedAnnouncementInfo| info.wanted != "unknown" && at.state != info.wanted;
    let text = |at: &pb::PlacedAnnouncementInfo| match at.problem.as_str() {
        "" => format!("{} at {}", at.state, at.driver),
        problem => format!("{} at {} ({problem})", at.state, at.driver),
    };
    info.placed.iter().filter(is_not).map(text).collect()
}
