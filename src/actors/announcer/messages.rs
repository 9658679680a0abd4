//! The messages that the Announcer receives.

use std::net::IpAddr;

use actix::prelude::*;

use crate::domain::announce::AnnounceUpdate;

/// What the Controller knows has changed.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct AnnounceFactsChanged(pub AnnounceUpdate);

/// Of these VIPs was read whether VPP's FIB leads them to `lb`.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct VipsRouted(pub Vec<(IpAddr, bool)>);
