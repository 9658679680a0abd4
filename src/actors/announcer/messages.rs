//! The messages that the Announcer receives.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use actix::prelude::*;

use crate::domain::announce::orders::AnnounceScope;
use crate::domain::announce::placement::VipPrefix;
use crate::domain::announce::{AnnounceUpdate, AnnouncementListing, AnnouncementReport};

/// What the Controller knows has changed.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct AnnounceFactsChanged(pub AnnounceUpdate);

/// Of these VIPs was read whether VPP's FIB leads them to `lb`.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct VipsRouted(pub Vec<(IpAddr, bool)>);

/// All announcements, with what each driver has of them.
#[derive(Message, Debug)]
#[rtype(result = "ListedAnnouncements")]
pub struct GetAnnouncements;

#[derive(Clone, Debug, MessageResponse)]
pub struct ListedAnnouncements(pub AnnouncementListing);

/// One of them; `None`: there is none of this prefix.
#[derive(Message, Debug)]
#[rtype(result = "Option<Box<AnnouncementReport>>")]
pub struct GetAnnouncement(pub VipPrefix);

/// Answered once every driver has what is wanted of these announcements, or after `within`.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct AwaitSettled {
    pub scope: AnnounceScope,
    pub within: Duration,
}
/// Withdraws all that is announced, for good: the daemon stops. Answered when no driver
/// has a route of ours, and after `within` at the latest.
#[derive(Message, Debug)]
#[rtype(result = "WithdrawOutcome")]
pub struct WithdrawAll {
    pub within: Duration,
}

/// What became of [`WithdrawAll`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WithdrawOutcome {
    /// How many addresses were placed.
    pub of: usize,
    /// What each driver that is not done has left, or may have; `None`: it could not be
    /// read.
    pub left: BTreeMap<&'static str, Option<BTreeSet<IpAddr>>>,
}
