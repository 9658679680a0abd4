//! The rules between frontends: those of VPP for VIPs with the same prefix.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::frontend::PartialFrontend;
use crate::config::fault::Problem;
use crate::config::report::{ConfigPath, FaultReport};
use crate::domain::announce::SharedBy;
use crate::domain::dataplane::net::{Encap, Service, Vip};
use crate::domain::names::FrontendName;

struct VipOwner<'a> {
    name: &'a str,
    vip: Vip,
    encap: Option<Encap>,
    shared: Option<SharedBy>,
}

/// Compares each frontend with those before it by name. Of two that break a rule
/// the later one gets the fault, and one only, by the gravest rule.
pub(super) fn check(
    frontends: &BTreeMap<&str, Option<PartialFrontend>>,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) {
    let mut owners: BTreeMap<IpNet, Vec<VipOwner<'_>>> = BTreeMap::new();
    for (name, frontend) in frontends {
        let Some(PartialFrontend { vip: Some(vip), encap, announce, .. }) = frontend else {
            continue;
        };
        let shared = announce.map(|announce| announce.shared);
        let owner = VipOwner { name, vip: *vip, encap: *encap, shared };
        let earlier = owners.entry(vip.prefix()).or_default();
        if let Some(problem) = conflict(&owner, earlier) {
            report.fault(&at.key(name), problem);
        }
        earlier.push(owner);
    }
}

fn conflict(owner: &VipOwner<'_>, earlier: &[VipOwner<'_>]) -> Option<Problem> {
    let prefix = owner.vip.prefix();
    let find = |conflicts: &dyn Fn(&VipOwner<'_>) -> bool| {
        earlier.iter().find(|other| conflicts(other)).map(|other| FrontendName::from(other.name))
    };
    if let Some(other) = find(&|other| other.vip == owner.vip) {
        return Some(Problem::SameVip { vip: owner.vip, other });
    }
    let all_ports = |owner: &VipOwner<'_>| owner.vip.service() == Service::All;
    if let Some(other) = find(&|other| all_ports(other) != all_ports(owner)) {
        return Some(Problem::PortsAndAll { prefix, other });
    }
    let differs = |other: &VipOwner<'_>| {
        owner.shared.zip(other.shared).is_some_and(|(own, others)| own != others)
    };
    if let Some(other) = find(&differs) {
        return Some(Problem::SharedDiffers { prefix, other });
    }
    let encap = owner.encap?;
    find(&|other| other.encap.is_some_and(|it| it != encap)).map(|other| Problem::MixedEncaps {
        prefix,
        encap,
        other,
    })
}
