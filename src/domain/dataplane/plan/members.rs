//! Plans the servers of a frontend on a VPP without weights: a server is in the table of
//! new flows, or it is removed.
//!
//! Removing one without a flush does what a weight of 0 does: it gets no new flows and
//! keeps its established ones, and adding it again gives them back to it. So every
//! server with a weight above 0 is added, and no other is there.

use std::net::IpAddr;

use super::planned::{Disruption, Flushed, Planned};
use crate::domain::balancing::weights::{
    DesiredFrontend, DesiredServer, TargetWeight, UnmanagedServers,
};
use crate::domain::dataplane::net::Weight;
use crate::domain::dataplane::observed::{ObservedVip, RetiredServer};
use crate::domain::dataplane::step::Step;
use crate::domain::names::FrontendName;

/// Appends the steps of a frontend's servers to `steps`. `seen` is its VIP in VPP, and
/// `live` the same unless it is recreated.
pub(super) fn plan(
    name: &FrontendName,
    frontend: &DesiredFrontend,
    seen: Option<&ObservedVip>,
    live: Option<&ObservedVip>,
    flushed: &Flushed,
    steps: &mut Vec<Planned>,
) {
    let vip = frontend.spec.vip;
    let planned = |step, disruption| Planned { frontend: Some(name.clone()), step, disruption };
    let remove = |server: IpAddr, flush: bool| {
        let disruption = if flush { Disruption::Flush } else { Disruption::NewFlows };
        planned(Step::RemoveServer { vip, server, flush }, disruption)
    };
    let is_in = |vip: Option<&ObservedVip>, server: &IpAddr| {
        vip.is_some_and(|vip| vip.servers.contains_key(server))
    };
    let mut removals = Vec::new();
    for (&server, target) in &frontend.servers {
        let should_be_in = match target.weight {
            TargetWeight::Weight(weight) => weight > Weight::ZERO,
            // If the VIP is recreated, those that were in the table come back.
            TargetWeight::Keep => is_in(seen, &server),
        };
        match (is_in(live, &server), should_be_in) {
            (false, true) => {
                let step = Step::AddServer { vip, server, weight: Weight::MEMBER };
                steps.push(planned(step, Disruption::NewFlows));
            }
            (true, false) => removals.push(remove(server, target.flush.is_some())),
            (false, false) => {
                let before = flushed.get(&(vip, server)).copied().unwrap_or_default();
                let is_asked = asks_for_flush(target) && target.flush > Some(before);
                if is_asked && retired(live, server).is_some_and(may_have_flows) {
                    removals.push(remove(server, true));
                }
            }
            (true, true) => {}
        }
    }
    let is_unmanaged = |server: &IpAddr| !frontend.servers.contains_key(server);
    let members = live.into_iter().flat_map(|live| live.servers.keys().copied());
    let members = members.filter(is_unmanaged);
    match frontend.unmanaged {
        UnmanagedServers::Keep => {}
        UnmanagedServers::Drain => removals.extend(members.map(|server| remove(server, false))),
        UnmanagedServers::Remove => {
            removals.extend(members.map(|server| remove(server, true)));
            // A server that was drained and is left out since keeps no flows either.
            let rows = live.into_iter().flat_map(|live| &live.retired);
            let with_flows = rows.filter(|row| row.flows.is_some_and(|flows| flows > 0));
            let left_out = with_flows.map(|row| row.address).filter(is_unmanaged);
            removals.extend(left_out.map(|server| remove(server, true)));
        }
    }
    steps.append(&mut removals);
}

fn asks_for_flush(target: &DesiredServer) -> bool {
    target.weight == TargetWeight::Weight(Weight::ZERO)
}

/// The row of a server that was removed and is not collected.
fn retired(live: Option<&ObservedVip>, server: IpAddr) -> Option<&RetiredServer> {
    live?.retired.iter().find(|row| row.address == server)
}

fn may_have_flows(row: &RetiredServer) -> bool {
    row.flows != Some(0)
}
