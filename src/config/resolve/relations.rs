//! Rules between frontends: VPP's, about VIPs that share a prefix.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::frontend::Sketch;
use crate::config::fault::Problem;
use crate::config::report::{Place, Report};
use crate::domain::names::FrontendName;
use crate::domain::net::{Encap, Service, Vip};

struct Tenant<'a> {
    name: &'a str,
    vip: Vip,
    encap: Option<Encap>,
}

/// Compares each frontend with those before it by name. Of two that do not go
/// together the later one is at fault, once, by the gravest rule.
pub(super) fn relate(
    sketches: &BTreeMap<&str, Option<Sketch>>,
    at: &Place<'_>,
    report: &mut Report,
) {
    let mut tenants: BTreeMap<IpNet, Vec<Tenant<'_>>> = BTreeMap::new();
    for (name, sketch) in sketches {
        let Some(Sketch { vip: Some(vip), encap, .. }) = sketch else { continue };
        let tenant = Tenant { name, vip: *vip, encap: *encap };
        let earlier = tenants.entry(vip.prefix()).or_default();
        if let Some(problem) = clash(&tenant, earlier) {
            report.fault(&at.key(name), problem);
        }
        earlier.push(tenant);
    }
}

fn clash(tenant: &Tenant<'_>, earlier: &[Tenant<'_>]) -> Option<Problem> {
    let prefix = tenant.vip.prefix();
    let find = |clashes: &dyn Fn(&Tenant<'_>) -> bool| {
        earlier.iter().find(|other| clashes(other)).map(|other| FrontendName::from(other.name))
    };
    if let Some(other) = find(&|other| other.vip == tenant.vip) {
        return Some(Problem::SameVip { vip: tenant.vip, other });
    }
    let all_ports = |tenant: &Tenant<'_>| tenant.vip.service() == Service::All;
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
