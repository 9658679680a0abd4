//! From what VPP holds to what it should hold: the writes in between, in the
//! order that disturbs the least traffic.
//!
//! Inside a frontend: make (the VIP, its servers, raised weights), then lower,
//! then remove; so a VIP that serves before and after serves after every single
//! step. Servers go in numeric order, IPv4 first, so that two daemons with one
//! configuration write the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use super::config::LbConf;
use super::maglev;
use super::names::FrontendName;
use super::net::{Vip, Weight};
use super::observed::{Observed, ObservedEncap, ObservedServer, ObservedVip};
use super::step::{Step, VipSpec};
use super::weights::{DesiredFrontend, FlushSeq, Strangers, Want};

/// What VPP should hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// The global settings.
    pub conf: LbConf,
    /// Every frontend of the configuration.
    pub frontends: BTreeMap<FrontendName, Arc<DesiredFrontend>>,
}

/// The flushes that VPP has confirmed.
pub type Flushed = BTreeMap<(Vip, IpAddr), FlushSeq>;

/// How much of VPP a plan may touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything; VIPs of no frontend are removed.
    All,
    /// One frontend's VIP and nothing else.
    One(FrontendName),
}

/// What a step does to traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Disruption {
    /// Nothing.
    None,
    /// Some new flows go to another server than before.
    NewFlows,
    /// Established flows of one server are forgotten and go elsewhere.
    Flush,
    /// A VIP stops serving for a moment or for good, or every flow is dropped.
    Disruptive,
}

impl Disruption {
    /// The word of logs and answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::NewFlows => "new-flows",
            Self::Flush => "flush",
            Self::Disruptive => "disruptive",
        }
    }
}

impl fmt::Display for Disruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The frontend it is for; `None` for the global settings and for VIPs of
    /// no frontend.
    pub frontend: Option<FrontendName>,
    /// What is written.
    pub step: Step,
    /// What that does to traffic.
    pub disruption: Disruption,
}

/// The steps that make `observed` look like `desired`; none if it does already.
#[must_use]
pub fn plan(
    desired: &Desired,
    observed: &Observed,
    flushed: &Flushed,
    scope: &Scope,
) -> Vec<Planned> {
    let mut steps = Vec::new();
    if *scope == Scope::All && desired.conf != observed.conf {
        steps.push(Planned {
            frontend: None,
            step: Step::SetConf(desired.conf),
            disruption: conf_disruption(&desired.conf, &observed.conf),
        });
    }
    // A flip plans one frontend among thousands: the others are not looked at.
    let frontends = || match scope {
        Scope::All => desired.frontends.range::<FrontendName, _>(..),
        Scope::One(one) => desired.frontends.range::<FrontendName, _>(one..=one),
    };
    let foreign = foreign_vips(desired, observed, scope);
    let to_add: BTreeSet<_> = frontends()
        .map(|(_, frontend)| frontend.spec)
        .filter(|spec| observed.vips.get(&spec.vip).is_none_or(|seen| !matches(spec, seen)))
        .map(|spec| spec.vip.prefix())
        .collect();

    // VPP refuses an all-port VIP beside per-port ones, and two encaps on one
    // prefix, so what is in the way of a new VIP goes before it.
    let (first, last): (Vec<_>, Vec<_>) =
        foreign.into_iter().partition(|vip| to_add.contains(&vip.prefix()));
    for vip in first {
        remove_vip(None, vip, &observed.vips[&vip], &mut steps);
    }
    for (name, frontend) in frontends() {
        let vip = frontend.spec.vip;
        if let Some(seen) = observed.vips.get(&vip).filter(|seen| !matches(&frontend.spec, seen)) {
            remove_vip(Some(name), vip, seen, &mut steps);
        }
    }
    for (name, frontend) in frontends() {
        plan_frontend(name, frontend, observed.vips.get(&frontend.spec.vip), flushed, &mut steps);
    }
    for vip in last {
        remove_vip(None, vip, &observed.vips[&vip], &mut steps);
    }
    steps
}

/// VIPs that no frontend has; none within the scope of one frontend.
fn foreign_vips(desired: &Desired, observed: &Observed, scope: &Scope) -> Vec<Vip> {
    if *scope != Scope::All {
        return Vec::new();
    }
    let ours: BTreeSet<_> = desired.frontends.values().map(|frontend| frontend.spec.vip).collect();
    observed.vips.keys().filter(|vip| !ours.contains(vip)).copied().collect()
}

/// A changed number of sticky buckets makes VPP drop every flow.
fn conf_disruption(desired: &LbConf, observed: &LbConf) -> Disruption {
    if desired.sticky_buckets_per_core == observed.sticky_buckets_per_core {
        Disruption::None
    } else {
        Disruption::Disruptive
    }
}

/// Whether a live VIP has the attributes that VPP cannot change on it. What
/// cannot be observed counts as right, or it would be "repaired" for ever.
fn matches(spec: &VipSpec, seen: &ObservedVip) -> bool {
    seen.encap == ObservedEncap::Gre(spec.encap)
        && seen.table_length == Some(spec.table_length)
        && seen.src_ip_sticky.is_none_or(|sticky| sticky == spec.src_ip_sticky)
}

/// Removes a VIP after its servers: VPP would keep their flows and rows.
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

/// The steps of one frontend, appended to `steps`.
fn plan_frontend(
    name: &FrontendName,
    frontend: &DesiredFrontend,
    seen: Option<&ObservedVip>,
    flushed: &Flushed,
    steps: &mut Vec<Planned>,
) {
    let spec = frontend.spec;
    let vip = spec.vip;
    let live = seen.filter(|seen| matches(&spec, seen));
    let planned = |step, disruption| Planned { frontend: Some(name.clone()), step, disruption };
    let mut lower = Vec::new();
    if live.is_none() {
        steps.push(planned(Step::AddVip(spec), Disruption::None));
    }
    for (&server, wanted) in &frontend.servers {
        let had = live.and_then(|live| live.servers.get(&server));
        let Some(had) = had else {
            // Of a VIP that is added again, "as is" means the weight it had.
            let before = seen.and_then(|seen| seen.servers.get(&server));
            let weight = match wanted.weight {
                Want::Weight(weight) => weight,
                Want::AsIs => before.map_or(Weight::ZERO, sane_weight),
            };
            let disruption =
                if weight > Weight::ZERO { Disruption::NewFlows } else { Disruption::None };
            steps.push(planned(Step::AddServer { vip, server, weight }, disruption));
            continue;
        };
        let Want::Weight(weight) = wanted.weight else { continue };
        let due = weight == Weight::ZERO
            && wanted.flush.is_some_and(|seq| {
                had.weight > 0 || seq > flushed.get(&(vip, server)).copied().unwrap_or_default()
            });
        if had.has(weight) && !due {
            continue;
        }
        let disruption = if due { Disruption::Flush } else { Disruption::NewFlows };
        let step = planned(Step::SetWeight { vip, server, weight, flush: due }, disruption);
        if weight.get() > had.weight { steps.push(step) } else { lower.push(step) }
    }
    let strangers = live.into_iter().flat_map(|live| &live.servers);
    let mut remove = Vec::new();
    for (&server, had) in strangers.filter(|(server, _)| !frontend.servers.contains_key(server)) {
        match frontend.strangers {
            Strangers::Remove => {
                let step = Step::RemoveServer { vip, server, flush: true };
                remove.push(planned(step, Disruption::Flush));
            }
            Strangers::Drain if had.weight > 0 => {
                let weight = Weight::ZERO;
                let step = Step::SetWeight { vip, server, weight, flush: false };
                lower.push(planned(step, Disruption::NewFlows));
            }
            Strangers::Drain | Strangers::AsIs => {}
        }
    }
    steps.append(&mut lower);
    steps.append(&mut remove);
}

/// A weight that VPP reports, kept within what we send.
fn sane_weight(server: &ObservedServer) -> Weight {
    Weight::try_from(i64::from(server.weight)).unwrap_or(Weight::FULL)
}

/// What VPP holds after `step`, as far as it can be told without asking.
pub fn apply(observed: &mut Observed, step: &Step) {
    match *step {
        Step::SetConf(conf) => observed.conf = conf,
        Step::AddVip(spec) => {
            let vip = ObservedVip {
                encap: ObservedEncap::Gre(spec.encap),
                table_length: Some(spec.table_length),
                src_ip_sticky: Some(spec.src_ip_sticky),
                servers: BTreeMap::new(),
                retired: Vec::new(),
            };
            observed.vips.insert(spec.vip, vip);
        }
        Step::RemoveVip(vip) => {
            observed.vips.remove(&vip);
        }
        Step::AddServer { vip, server, weight } => {
            if let Some(vip) = observed.vips.get_mut(&vip) {
                vip.servers.insert(server, ObservedServer { weight: weight.get(), buckets: 0 });
                share_out(vip);
            }
        }
        Step::SetWeight { vip, server, weight, .. } => {
            if let Some(vip) = observed.vips.get_mut(&vip)
                && let Some(server) = vip.servers.get_mut(&server)
            {
                server.weight = weight.get();
                share_out(vip);
            }
        }
        Step::RemoveServer { vip, server, .. } => {
            if let Some(vip) = observed.vips.get_mut(&vip) {
                vip.servers.remove(&server);
                share_out(vip);
            }
        }
    }
}

/// Gives the servers the buckets that follow from their weights.
fn share_out(vip: &mut ObservedVip) {
    let Some(length) = vip.table_length else { return };
    let held = maglev::buckets(&vip.weights(), length.get().into());
    for (server, buckets) in vip.servers.values_mut().zip(held) {
        server.buckets = buckets;
    }
}

/// Notes the flush that a confirmed `step` did for `desired`. A server that
/// was just added has no flows, so it needs none of those asked for before.
pub fn confirm(flushed: &mut Flushed, desired: &DesiredFrontend, step: &Step) {
    let (vip, server) = match *step {
        Step::AddServer { vip, server, .. } | Step::SetWeight { vip, server, flush: true, .. } => {
            (vip, server)
        }
        Step::RemoveServer { vip, server, .. } => {
            flushed.remove(&(vip, server));
            return;
        }
        _ => return,
    };
    if let Some(seq) = desired.servers.get(&server).and_then(|server| server.flush) {
        flushed.insert((vip, server), seq);
    }
}

#[cfg(test)]
mod tests;
