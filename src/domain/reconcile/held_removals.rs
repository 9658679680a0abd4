//! Holds removals of VIPs that are too many to be meant: of all VIPs that VPP has, or of
//! more than half of at least four.
//!
//! They are judged once over each connection, when VPP has been read for its first pass:
//! a daemon that starts with a file that was cut off finds VIPs that it does not know.
//! Whose they are cannot be told, so all count. What a reload removed was judged by the
//! reload, and is not held. A VIP that is in the way of a frontend is replaced and not
//! removed, so that nothing else is held up.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use crate::domain::dataplane::net::{Service, Vip};
use crate::domain::dataplane::observed::{Observed, ObservedEncap, ObservedVip};
use crate::domain::dataplane::plan::Desired;
use crate::domain::dataplane::step::VipSpec;
use crate::domain::removals::are_all_or_most;

/// The removals that are held, and what was decided of others.
#[derive(Debug, Default)]
pub(super) struct HeldRemovals {
    pub(super) vips: BTreeSet<Vip>,
    /// The VIPs that VPP had when they were judged.
    pub(super) of: usize,
    /// A writing pass over all of VPP has begun over this connection: what others add
    /// from now on is drift.
    pub(super) is_judged: bool,
    /// VIPs that may be removed: a reload left them out, or an operator forced it. Until
    /// VPP has removed them: what it was read to have may be older than a write.
    pub(super) accepted: BTreeSet<Vip>,
}

/// Why held removals are held no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HoldEnd {
    Forced,
    /// The configuration has the VIPs, or so many of them that the others may go.
    Configured,
    /// VPP does not have the VIPs any more.
    Gone,
}

impl HoldEnd {
    /// For logs and events.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Forced => "an operator forced it",
            Self::Configured => "the configuration has these VIPs, or most of them",
            Self::Gone => "VPP does not have these VIPs any more",
        }
    }
}

/// The VIPs in VPP whose removal is too much to be meant; none if it is not.
pub(super) fn excessive_removals(
    desired: &Desired,
    observed: &Observed,
    accepted: &BTreeSet<Vip>,
) -> BTreeSet<Vip> {
    let specs = specs_by_prefix(desired);
    let removed = observed.vips.iter().filter(|(vip, seen)| {
        !accepted.contains(vip) && !is_desired_or_in_the_way(&specs, **vip, seen)
    });
    let removed: BTreeSet<_> = removed.map(|(vip, _)| *vip).collect();
    let is_excessive = are_all_or_most(removed.len(), observed.vips.len());
    if is_excessive { removed } else { BTreeSet::new() }
}

pub(super) type SpecsByPrefix = BTreeMap<IpNet, Vec<VipSpec>>;

pub(super) fn specs_by_prefix(desired: &Desired) -> SpecsByPrefix {
    let mut specs = SpecsByPrefix::new();
    for frontend in desired.frontends.values() {
        specs.entry(frontend.spec.vip.prefix()).or_default().push(frontend.spec);
    }
    specs
}

/// VPP has no VIP for all ports beside one for a port, and no two encapsulations on one
/// prefix.
pub(super) fn is_desired_or_in_the_way(
    specs: &SpecsByPrefix,
    vip: Vip,
    seen: &ObservedVip,
) -> bool {
    let mut same_prefix = specs.get(&vip.prefix()).into_iter().flatten();
    same_prefix.any(|spec| {
        let is_for_all_ports = spec.vip.service() == Service::All || vip.service() == Service::All;
        spec.vip == vip || is_for_all_ports || seen.encap != ObservedEncap::Gre(spec.encap)
    })
}

impl HeldRemovals {
    pub(super) fn vips(&self) -> &BTreeSet<Vip> {
        &self.vips
    }

    /// The connection has changed: what VPP has is judged anew.
    pub(super) fn forget(&mut self) {
        self.vips.clear();
        self.is_judged = false;
    }

    /// A reload left these VIPs out, and was judged by itself.
    pub(super) fn left_out(&mut self, before: &Desired, after: &Desired) {
        let vips = |desired: &Desired| {
            desired.frontends.values().map(|it| it.spec.vip).collect::<BTreeSet<_>>()
        };
        let after = vips(after);
        self.accepted.extend(vips(before));
        self.accepted.retain(|vip| !after.contains(vip));
    }
}
