//! Rules between frontends: VPP's, about VIPs that share a prefix.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::frontend::PartialFrontend;
use crate::config::fault::Problem;
use crate::config::report::{ConfigPath, FaultReport};
use crate::domain::dataplane::net::{Encap, Service, Vip};
use crate::domain::names::FrontendName;

struct VipOwner<'a> {
    name: &'a str,
    vip: Vip,
    encap: Option<Encap>,
}

/// Compares each frontend with those before it by name. Of two that do not go
/// together the later one is at fault, once, by the gravest rule.
pub(super) fn relate(
    sketches: &BTreeMap<&str, Option<PartialFrontend>>,
    at: &ConfigPath<'_>,
    report: &mut FaultReport,
) {
    let mut tenants: BTreeMap<IpNet, Vec<VipOwner<'_>>> = BTreeMap::new();
    for (name, sketch) in sketches {
        let Some(PartialFrontend { vip: Some(vip), encap, .. }) = sketch else { continue };
        let tenant = VipOwner { name, vip: *vip, encap: *encap };
        let earlier = tenants.entry(vip.prefix()).or_default();
        if let Some(problem) = clash(&tenant, earlier) {
            report.fault(&at.key(name), problem);
        }
        earlier.push(tenant);
    }
}

fn clash(tenant: &VipOwner<'_>, earlier: &[VipOwner<'_>]) -> Option<Problem> {
    let prefix = tenant.vip.prefix();
    let find = |clashes: &dyn Fn(&VipOwner<'_>) -> bool| {
        earlier.iter().find(|other| clashes(other)).map(|other| FrontendName::from(other.name))
    };
    if let Some(other) = find(&|other| other.vip == tenant.vip) {
        return Some(Problem::SameVip { vip: tenant.vip, other });
    }
    let all_ports = |tenant: &VipOwner<'_>| tenant.vip.service() == Service::All;
    if let Some(other) = find(&|other| all_ports(other) != all_ports(tenant)) {
        return Some(Problem::PortsAndAll { prefix, other });
    }
    let encap = tenant.encap?;
    find(&|other| other.encap.is_some_and(|it| it != encap)).map(|other| Problem::MixedEncaps {
        prefix,
        encap,
        other,
    })
}
