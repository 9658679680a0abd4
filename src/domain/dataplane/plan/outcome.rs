//! Applies steps that VPP has confirmed to what was observed.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::planned::Flushed;
use crate::domain::balancing::maglev;
use crate::domain::balancing::weights::DesiredFrontend;
use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::dataplane::observed::{
    Observed, ObservedEncap, ObservedServer, ObservedVip, RetiredServer,
};
use crate::domain::dataplane::step::Step;

/// Updates `observed` to what VPP holds after `step`.
pub fn apply(observed: &mut Observed, step: &Step) {
    match *step {
        Step::SetConf(conf) => observed.conf = conf.into(),
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
            observed.is_uncollected |= observed.dialect == LbDialect::Membership;
        }
        Step::AddServer { vip, server, weight } => {
            if let Some(vip) = observed.vips.get_mut(&vip) {
                vip.servers.insert(server, ObservedServer { weight: weight.get(), buckets: 0 });
                vip.retired.retain(|row| row.address != server);
                assign_buckets(vip);
            }
        }
        Step::SetWeight { vip, server, weight, .. } => {
            if let Some(vip) = observed.vips.get_mut(&vip)
                && let Some(server) = vip.servers.get_mut(&server)
            {
                server.weight = weight.get();
                assign_buckets(vip);
            }
        }
        Step::RemoveServer { vip, server, flush } => {
            let without_weights = observed.dialect == LbDialect::Membership;
            if let Some(vip) = observed.vips.get_mut(&vip) {
                let before = vip.servers.remove(&server);
                if without_weights {
                    retire(vip, server, before, flush);
                    observed.is_uncollected = true;
                }
                assign_buckets(vip);
            }
        }
    }
}

/// VPP keeps the row of a removed server, and its flows unless they were flushed.
fn retire(vip: &mut ObservedVip, server: IpAddr, before: Option<ObservedServer>, flush: bool) {
    let flushed = flush.then_some(0);
    match vip.retired.iter_mut().find(|row| row.address == server) {
        Some(row) if flush => row.flows = flushed,
        Some(_) => {}
        None => vip.retired.push(RetiredServer {
            address: server,
            removed_at_s: None,
            weight: before.map_or(0, |before| before.weight),
            flows: flushed,
        }),
    }
}

/// Sets the servers' buckets to what the model computes from their weights.
pub fn assign_buckets(vip: &mut ObservedVip) {
    let Some(length) = vip.table_length else { return };
    let held = maglev::buckets(&vip.weights(), length.get().into());
    for (server, buckets) in vip.servers.values_mut().zip(held) {
        server.buckets = buckets;
    }
}

/// Records the flush that a confirmed `step` did for `desired`. A server that was
/// just added serves, so all flushes requested before are done or no longer meant.
pub fn confirm(flushed: &mut Flushed, desired: &DesiredFrontend, step: &Step) {
    let (vip, server) = match *step {
        Step::AddServer { vip, server, .. } | Step::SetWeight { vip, server, flush: true, .. } => {
            (vip, server)
        }
        Step::RemoveServer { vip, server, .. } if !desired.servers.contains_key(&server) => {
            flushed.remove(&(vip, server));
            return;
        }
        Step::RemoveServer { vip, server, flush: true } => (vip, server),
        _ => return,
    };
    if let Some(seq) = desired.servers.get(&server).and_then(|server| server.flush) {
        flushed.insert((vip, server), seq);
    }
}
