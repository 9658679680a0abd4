//! Frontends, servers and VIPs of tests.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use crate::domain::balancing::weights::{
    DesiredFrontend, DesiredServer, FlushSeq, TargetWeight, UnmanagedServers,
};
use crate::domain::config::LbConf;
use crate::domain::dataplane::net::{Encap, Service, TableLength, Vip, Weight};
use crate::domain::dataplane::observed::Observed;
use crate::domain::dataplane::plan::{self, Desired, Flushed, Scope};
use crate::domain::dataplane::step::VipSpec;
use crate::domain::names::FrontendName;

/// The weights of a frontend's servers; `None`: it does not have the server.
pub(super) type Weights = [Option<u8>; 3];

pub(super) const CONF: LbConf = LbConf {
    ip4_src: Ipv4Addr::new(192, 0, 2, 1),
    ip6_src: Ipv6Addr::LOCALHOST,
    sticky_buckets_per_core: 1024,
    flow_timeout_s: 40,
};

pub(super) fn name(frontend: u8) -> FrontendName {
    format!("f{frontend:03}").as_str().into()
}

pub(super) fn vip(frontend: u8) -> Vip {
    let service = Service::Port { protocol: 6, port: 80.try_into().expect("not 0") };
    Vip::new(IpAddr::from(Ipv4Addr::new(192, 0, 2, frontend)).into(), service)
}

pub(super) fn server(number: u8) -> IpAddr {
    Ipv4Addr::new(10, 0, 0, number).into()
}

pub(super) fn frontend(frontend: u8, weights: Weights, flush: FlushSeq) -> Arc<DesiredFrontend> {
    let servers = (1..).zip(weights).filter_map(|(number, weight)| {
        let weight = TargetWeight::Weight(Weight::try_from(i64::from(weight?)).expect("<= 100"));
        Some((server(number), DesiredServer { weight, flush: Some(flush) }))
    });
    let spec = VipSpec {
        vip: vip(frontend),
        encap: Encap::Gre4,
        src_ip_sticky: false,
        table_length: TableLength::DEFAULT,
    };
    let servers = servers.collect();
    Arc::new(DesiredFrontend { spec, servers, unmanaged: UnmanagedServers::Remove })
}

/// The steps from one state to the other, apart from flushes.
pub(super) fn due(desired: &Desired, vpp: &Observed) -> Vec<String> {
    let mut desired = desired.clone();
    for frontend in desired.frontends.values_mut() {
        let servers = &mut Arc::make_mut(frontend).servers;
        servers.values_mut().for_each(|server| server.flush = None);
    }
    let due = plan::plan(&desired, vpp, &Flushed::new(), &Scope::All);
    due.iter().map(|planned| format!("{} {}", planned.step.action(), planned.step)).collect()
}
