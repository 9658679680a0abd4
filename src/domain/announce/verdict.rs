//! What the facts of one prefix call for, without regard to how long they have held.

use std::collections::BTreeSet;
use std::fmt;

use super::facts::{AnnounceFacts, AnnouncedFrontend, PrefixFacts};
use super::orders::{AnnounceOrder, AnnounceScope, GivenOrder};
use super::settings::{HealthyShare, SharedBy};
use crate::domain::balancing::fail_open::UpWeight;
use crate::domain::names::FrontendName;

/// Why a prefix is what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnnounceReason {
    /// Enough of the servers' weight is up, and VPP serves them.
    Healthy,
    /// Of this frontend, less than this share is up.
    Unhealthy { frontend: FrontendName, weight: UpWeight, needed: HealthyShare },
    /// An operator has ordered it.
    Ordered(GivenOrder),
    /// VPP is not connected.
    VppAway,
    /// VPP does not hold the frontend as desired, or no server of it has entries in VPP's table.
    NotServed { frontend: FrontendName },
    /// VPP's FIB does not lead the address to `lb`.
    NotRouted,
    /// No frontend of the configuration asks for it any more.
    Removed,
    /// Nothing was decided yet: VPP was not read, or backends have no verdict.
    Starting,
}

impl fmt::Display for AnnounceReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Healthy => f.write_str("enough of its servers are up, and VPP serves them"),
            Self::Unhealthy { frontend, weight, needed } => {
                let UpWeight { up, total, .. } = weight;
                write!(
                    f,
                    "of the weight of {frontend}'s servers {up} of {total} is up: {needed} is needed"
                )
            }
            Self::Ordered(GivenOrder { order, scope: AnnounceScope::All, who }) => {
                write!(f, "{who} ordered for all: {}", order.as_str())
            }
            Self::Ordered(GivenOrder { order, who, .. }) => {
                write!(f, "{who} ordered: {}", order.as_str())
            }
            Self::VppAway => f.write_str("VPP is away"),
            Self::NotServed { frontend } => write!(f, "VPP does not serve {frontend} yet"),
            Self::NotRouted => f.write_str("VPP's FIB does not lead the address to lb"),
            Self::Removed => f.write_str("no frontend asks for it any more"),
            Self::Starting => f.write_str("VPP was not read yet, or backends have no verdict"),
        }
    }
}

/// Why a prefix stays what it is although the facts call for something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldReason {
    /// `hold-down` or `hold-up` is not over.
    Settling,
    /// `hold-vpp` is not over.
    Unserved,
    /// That its servers are down was believed without a witness.
    Unwitnessed,
}

impl fmt::Display for HoldReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Settling => "it may be over soon",
            Self::Unserved => "VPP may be back soon",
            Self::Unwitnessed => {
                "no probe of their way passes, so it may be this machine that does not see them"
            }
        })
    }
}

/// What the facts of a prefix call for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AnnounceCall {
    /// It is to be announced; `now`: by an order, without waiting.
    Announce { why: AnnounceReason, drained: bool, now: bool },
    /// VPP does not serve it.
    Unserved(AnnounceReason),
    /// Too little of its servers is up; `witnessed`: that can be believed.
    Unhealthy { why: AnnounceReason, witnessed: bool },
    /// By an order, without waiting.
    Withdraw(AnnounceReason),
}

/// Decides by the rules of the parent module. `healthy`: the frontends of the prefix that
/// were healthy when it was decided last, and are now.
pub(super) fn call(
    all: &AnnounceFacts,
    facts: &PrefixFacts,
    healthy: &mut BTreeSet<FrontendName>,
) -> AnnounceCall {
    remember_health(facts, healthy);
    let ordered = facts.order.as_ref();
    let ordered = ordered.map(|given| (given.order, AnnounceReason::Ordered(given.clone())));
    let unhealthy = unhealthy(facts, healthy);
    match (ordered, unhealthy) {
        (Some((AnnounceOrder::Withdraw, why)), _) => AnnounceCall::Withdraw(why),
        (Some((AnnounceOrder::Announce, why)), _) => match unserved(all, facts, None) {
            Some(why) => AnnounceCall::Unserved(why),
            None => AnnounceCall::Announce { why, drained: false, now: true },
        },
        (_, Some(AnnounceCall::Unhealthy { why, witnessed })) if all.is_vpp_present => {
            AnnounceCall::Unhealthy { why, witnessed }
        }
        (ordered, _) => match (unserved(all, facts, Some(healthy)), ordered) {
            (Some(why), _) => AnnounceCall::Unserved(why),
            (None, Some((_, why))) => AnnounceCall::Announce { why, drained: true, now: true },
            (None, None) => {
                AnnounceCall::Announce { why: AnnounceReason::Healthy, drained: false, now: false }
            }
        },
    }
}

/// A frontend that was healthy is so until less than `min-healthy` is up, or may be: what
/// has no verdict yet, as after a reload, may be up. Another one is when `recover` is up.
fn remember_health(facts: &PrefixFacts, healthy: &mut BTreeSet<FrontendName>) {
    healthy.retain(|name| facts.frontends.contains_key(name));
    for (name, AnnouncedFrontend { settings, weight, .. }) in &facts.frontends {
        let was_healthy = healthy.contains(name);
        let is_healthy = match was_healthy {
            true => settings.min_healthy.is_reached(weight.up + weight.awaited, weight.total),
            false => settings.recover.is_reached(weight.up, weight.total),
        };
        match is_healthy {
            true => healthy.insert(name.clone()),
            false => healthy.remove(name),
        };
    }
}

/// The call for a prefix of which too few frontends are healthy.
fn unhealthy(facts: &PrefixFacts, healthy: &BTreeSet<FrontendName>) -> Option<AnnounceCall> {
    let mut ill = facts.frontends.iter().filter(|(name, _)| !healthy.contains(*name));
    let is_ill = match facts.shared() {
        SharedBy::Any => healthy.is_empty(),
        SharedBy::All => healthy.len() < facts.frontends.len(),
    };
    // What is believed without a witness is told of first: it decides.
    let all = ill.clone();
    let (frontend, it) = ill.find(|(_, it)| it.is_unwitnessed).or_else(|| all.clone().next())?;
    let witnessed = match facts.shared() {
        SharedBy::Any => !all.clone().any(|(_, it)| it.is_unwitnessed),
        // One that is ill beyond doubt is enough.
        SharedBy::All => all.clone().any(|(_, it)| !it.is_unwitnessed),
    };
    let needed = it.settings.recover;
    let why = AnnounceReason::Unhealthy { frontend: frontend.clone(), weight: it.weight, needed };
    is_ill.then_some(AnnounceCall::Unhealthy { why, witnessed })
}

/// Why VPP does not serve a prefix, if it does not: as many of its `healthy` frontends as
/// have to be served; `None`: of all.
fn unserved(
    all: &AnnounceFacts,
    facts: &PrefixFacts,
    healthy: Option<&BTreeSet<FrontendName>>,
) -> Option<AnnounceReason> {
    if !all.is_vpp_present {
        return Some(AnnounceReason::VppAway);
    }
    if facts.is_routed == Some(false) {
        return Some(AnnounceReason::NotRouted);
    }
    let mut considered =
        facts.frontends.iter().filter(|(name, _)| healthy.is_none_or(|set| set.contains(*name)));
    let unserved = considered.clone().find(|(_, it)| !it.serves);
    let is_served = match facts.shared() {
        SharedBy::Any => considered.any(|(_, it)| it.serves),
        SharedBy::All => unserved.is_none(),
    };
    let why = |(name, _): (&FrontendName, _)| AnnounceReason::NotServed { frontend: name.clone() };
    (!is_served).then(|| unserved.map(why)).flatten()
}
