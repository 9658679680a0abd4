//! The messages that the Doctor takes.

use actix::MailboxError;
use actix::prelude::*;

use crate::domain::dataplane::net::Vip;
use crate::domain::doctor::Finding;

/// Collect all facts, and say what is found. An error: the daemon is stopping.
#[derive(Message, Debug)]
#[rtype(result = "Result<Vec<Finding>, MailboxError>")]
pub struct Examine;

/// Why packets to a VIP do not reach `lb`, with what to do; `None`: they do, or that was
/// not looked up. Answered at once, without a call to VPP.
#[derive(Message, Debug)]
#[rtype(result = "Option<String>")]
pub struct GetVipWarning(pub Vip);

/// How many prefixes of VIPs, of those last looked up, do not lead to `lb` although VPP
/// has an entry for them. Answered at once.
#[derive(Message, Debug)]
#[rtype(result = "usize")]
pub struct GetUnreachedVips;
