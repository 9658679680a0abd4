//! The messages that the Announcer receives.

use std::net::IpAddr;

use actix::prelude::*;

use crate::domain::announce::{AnnounceUpdate, AnnouncementView, DriverReport, DriverSettings};
use crate::domain::moment::Moment;

/// What the Controller knows has changed.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct AnnounceFactsChanged(pub AnnounceUpdate);

/// Of these VIPs was read whether VPP's FIB leads them to `lb`.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct VipsRouted(pub Vec<(IpAddr, bool)>);

/// Everything that may be announced, and how the drivers are.
#[derive(Message, Debug)]
#[rtype(result = "Announcements")]
pub struct GetAnnouncements;

#[derive(Clone, Debug, MessageResponse)]
pub struct Announcements {
    pub views: Vec<AnnouncementView>,
    /// `None`: it has not reported yet.
    pub drivers: Vec<(DriverSettings, Option<DriverReport>)>,
    /// When it was so.
    pub now: Moment,
}

/// Withdraws everything, before the daemon ends. Answered when every driver has tried.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct WithdrawAll;
