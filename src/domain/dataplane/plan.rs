//! Plans the steps from what VPP holds to what it should hold, in the order that
//! disrupts the least traffic.
//!
//! The steps of a frontend first add (the VIP, its servers) and raise weights, then
//! lower weights, then remove. So a VIP that serves before and after the plan also
//! serves after each step. Servers are in numeric order, IPv4 first, so that two
//! daemons with the same configuration write the same steps.
//!
//! On a VPP without weights (`members`) a server with a weight above 0 is in the table, and
//! one of weight 0 is not: it is removed without a flush, which keeps its flows.

mod members;
mod outcome;
mod planned;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::domain::balancing::weights::{DesiredFrontend, TargetWeight, UnmanagedServers};
use crate::domain::config::LbConf;
use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::dataplane::net::{Vip, Weight};
use crate::domain::dataplane::observed::{
    Observed, ObservedConf, ObservedEncap, ObservedServer, ObservedVip,
};
use crate::domain::dataplane::step::{Step, VipSpec};
use crate::domain::names::FrontendName;
pub use outcome::{apply, assign_buckets, confirm};
pub use planned::{Disruption, Flushed, Planned};

/// All that VPP should hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    pub conf: LbConf,
    pub frontends: BTreeMap<FrontendName, Arc<DesiredFrontend>>,
}

/// How much of VPP a plan may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything: VIPs of no frontend are removed.
    All,
    /// One frontend's VIP.
    One(FrontendName),
}

/// Plans the steps from `observed` to `desired`.
#[must_use]
pub fn plan(
    desired: &Desired,
    observed: &Observed,
    flushed: &Flushed,
    scope: &Scope,
) -> Vec<Planned> {
    let Outline { first: mut steps, frontends, last } = outline(desired, observed, flushed, scope);
    for name in &frontends {
        steps.extend(plan_one(desired, observed, flushed, name));
    }
    steps.extend(last);
    steps
}

/// A plan whose frontends are still to be planned one by one, so that planning
/// thousands of them does not block the thread. If the steps of each frontend are
/// applied before the next one is planned, the result equals [`plan`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// The global settings, the removal of VIPs that conflict with new ones, and
    /// the VIPs that have to be recreated.
    pub first: Vec<Planned>,
    /// The frontends to plan with [`plan_one`].
    pub frontends: VecDeque<FrontendName>,
    /// The removal of the other VIPs of no frontend.
    pub last: Vec<Planned>,
}

impl Outline {
    /// Takes the removals of these VIPs, which are of no frontend, out of the plan.
    pub fn take_removals(&mut self, vips: &BTreeSet<Vip>) -> Vec<Planned> {
        let is_taken = |planned: &mut Planned| {
            planned.frontend.is_none() && planned.step.vip().is_some_and(|vip| vips.contains(&vip))
        };
        let mut taken: Vec<_> = self.first.extract_if(.., is_taken).collect();
        taken.extend(self.last.extract_if(.., is_taken));
        taken
    }
}

/// Outlines the plan from `observed` to `desired`. No two frontends have the same
/// VIP; no accepted configuration has such.
#[must_use]
pub fn outline(
    desired: &Desired,
    observed: &Observed,
    flushed: &Flushed,
    scope: &Scope,
) -> Outline {
    let mut first = Vec::new();
    if *scope == Scope::All && observed.conf.known() != Some(desired.conf) {
        first.push(Planned {
            frontend: None,
            step: Step::SetConf(desired.conf),
            disruption: conf_disruption(&desired.conf, &observed.conf),
        });
    }
    // A flip plans one frontend of thousands and must not iterate over the others.
    let within = match scope {
        Scope::All => desired.frontends.range::<FrontendName, _>(..),
        Scope::One(one) => desired.frontends.range::<FrontendName, _>(one..=one),
    };
    let mut frontends = VecDeque::new();
    let mut recreated = Vec::new();
    let mut present = 0;
    for (name, frontend) in within {
        let seen = observed.vips.get(&frontend.spec.vip);
        present += usize::from(seen.is_some());
        match seen.filter(|seen| !matches(&frontend.spec, seen)) {
            Some(seen) => recreated.push((name, frontend, seen)),
            None => frontends.push_back(name.clone()),
        }
    }

    // VPP refuses an all-port VIP beside per-port ones, and two encapsulations on
    // one prefix: VIPs that conflict with a new one are removed before it is added.
    let mut last = Vec::new();
    if *scope == Scope::All && present < observed.vips.len() {
        let is_new =
            |spec: &VipSpec| observed.vips.get(&spec.vip).is_none_or(|seen| !matches(spec, seen));
        let specs = || desired.frontends.values().map(|frontend| frontend.spec);
        let ours: BTreeSet<_> = specs().map(|spec| spec.vip).collect();
        let to_add: BTreeSet<_> = specs().filter(is_new).map(|spec| spec.vip.prefix()).collect();
        for (vip, seen) in observed.vips.iter().filter(|(vip, _)| !ours.contains(vip)) {
            let when = if to_add.contains(&vip.prefix()) { &mut first } else { &mut last };
            remove_vip(None, *vip, seen, when);
        }
    }
    for (name, frontend, seen) in &recreated {
        remove_vip(Some(name), frontend.spec.vip, seen, &mut first);
    }
    for (name, frontend, seen) in recreated {
        plan_frontend(observed.dialect, name, frontend, Some(seen), flushed, &mut first);
    }
    Outline { first, frontends, last }
}

/// Plans the steps of one frontend whose VIP need not be recreated.
#[must_use]
pub fn plan_one(
    desired: &Desired,
    observed: &Observed,
    flushed: &Flushed,
    name: &FrontendName,
) -> Vec<Planned> {
    let mut steps = Vec::new();
    if let Some(frontend) = desired.frontends.get(name) {
        let seen = observed.vips.get(&frontend.spec.vip);
        plan_frontend(observed.dialect, name, frontend, seen, flushed, &mut steps);
    }
    steps
}

/// When the number of sticky buckets changes, VPP drops all flows.
fn conf_disruption(desired: &LbConf, observed: &ObservedConf) -> Disruption {
    match observed.sticky_buckets_before(desired.sticky_buckets_per_core) {
        None => Disruption::None,
        Some(_) => Disruption::Disruptive,
    }
}

/// Whether a VIP in use has the desired attributes that VPP cannot change on it.
/// An attribute that cannot be observed counts as equal, or the VIP would be
/// recreated by every pass.
fn matches(spec: &VipSpec, seen: &ObservedVip) -> bool {
    seen.encap == ObservedEncap::Gre(spec.encap)
        && seen.table_length == Some(spec.table_length)
        && seen.src_ip_sticky.is_none_or(|sticky| sticky == spec.src_ip_sticky)
}

/// Removes the servers of a VIP, then the VIP. Otherwise VPP would keep the
/// servers' flows and rows.
fn remove_vip(
    frontend: Option<&FrontendName>,
    vip: Vip,
    seen: &ObservedVip,
    steps: &mut Vec<Planned>,
) {
    let disruption = Disruption::Disruptive;
    let mut push = |step| steps.push(Planned { frontend: frontend.cloned(), step, disruption });
    for &server in seen.servers.keys() {
        push(Step::RemoveServer { vip, server, flush: true });
    }
    push(Step::RemoveVip(vip));
}

/// Appends the steps of one frontend to `steps`.
fn plan_frontend(
    dialect: LbDialect,
    name: &FrontendName,
    frontend: &DesiredFrontend,
    seen: Option<&ObservedVip>,
    flushed: &Flushed,
    steps: &mut Vec<Planned>,
) {
    let spec = frontend.spec;
    let live = seen.filter(|seen| matches(&spec, seen));
    if live.is_none() {
        let step = Step::AddVip(spec);
        steps.push(Planned { frontend: Some(name.clone()), step, disruption: Disruption::None });
    }
    match dialect {
        LbDialect::Weights => plan_weights(name, frontend, seen, live, flushed, steps),
        LbDialect::Membership => members::plan(name, frontend, seen, live, flushed, steps),
    }
}

/// Appends the steps of a frontend's servers to `steps`. `seen` is its VIP in VPP, and
/// `live` the same unless it is recreated.
fn plan_weights(
    name: &FrontendName,
    frontend: &DesiredFrontend,
    seen: Option<&ObservedVip>,
    live: Option<&ObservedVip>,
    flushed: &Flushed,
    steps: &mut Vec<Planned>,
) {
    let vip = frontend.spec.vip;
    let planned = |step, disruption| Planned { frontend: Some(name.clone()), step, disruption };
    let mut lower = Vec::new();
    for (&server, target) in &frontend.servers {
        let had = live.and_then(|live| live.servers.get(&server));
        let Some(had) = had else {
            // If the VIP is recreated, its servers keep the weights that they had.
            let before = seen.and_then(|seen| seen.servers.get(&server));
            let weight = match target.weight {
                TargetWeight::Weight(weight) => weight,
                TargetWeight::Keep => before.map_or(Weight::ZERO, limited_weight),
            };
            let disruption =
                if weight > Weight::ZERO { Disruption::NewFlows } else { Disruption::None };
            steps.push(planned(Step::AddServer { vip, server, weight }, disruption));
            continue;
        };
        let TargetWeight::Weight(weight) = target.weight else { continue };
        let due = weight == Weight::ZERO
            && target.flush.is_some_and(|seq| {
                had.weight > 0 || seq > flushed.get(&(vip, server)).copied().unwrap_or_default()
            });
        if had.has(weight) && !due {
            continue;
        }
        let disruption = if due { Disruption::Flush } else { Disruption::NewFlows };
        let step = planned(Step::SetWeight { vip, server, weight, flush: due }, disruption);
        if weight.get() > had.weight { steps.push(step) } else { lower.push(step) }
    }
    let unmanaged = live.into_iter().flat_map(|live| &live.servers);
    let mut remove = Vec::new();
    for (&server, had) in unmanaged.filter(|(server, _)| !frontend.servers.contains_key(server)) {
        match frontend.unmanaged {
            UnmanagedServers::Remove => {
                let step = Step::RemoveServer { vip, server, flush: true };
                remove.push(planned(step, Disruption::Flush));
            }
            UnmanagedServers::Drain if had.weight > 0 => {
                let weight = Weight::ZERO;
                let step = Step::SetWeight { vip, server, weight, flush: false };
                lower.push(planned(step, Disruption::NewFlows));
            }
            UnmanagedServers::Drain | UnmanagedServers::Keep => {}
        }
    }
    steps.append(&mut lower);
    steps.append(&mut remove);
}

/// Limits a weight that VPP reports to what the daemon sends.
fn limited_weight(server: &ObservedServer) -> Weight {
    Weight::try_from(i64::from(server.weight)).unwrap_or(Weight::FULL)
}

#[cfg(test)]
mod tests;
