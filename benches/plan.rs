//! What it costs to decide what to write: 1000 VIPs with 10 servers each, of
//! which none, one, or all differ. `cargo bench --bench plan`

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::net::IpAddr;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use vpp_maglev::domain::balancing::weights::{
    DesiredFrontend, DesiredServer, FlushSeq, TargetWeight, UnmanagedServers,
};
use vpp_maglev::domain::config::LbConf;
use vpp_maglev::domain::dataplane::dialect::LbDialect;
use vpp_maglev::domain::dataplane::net::{Encap, Service, TableLength, Vip, Weight};
use vpp_maglev::domain::dataplane::observed::Observed;
use vpp_maglev::domain::dataplane::plan::{self, Desired, Flushed, Scope};
use vpp_maglev::domain::dataplane::step::{Step, VipSpec};
use vpp_maglev::domain::names::FrontendName;

const VIPS: u16 = 1000;
const SERVERS: u8 = 10;

fn vip(number: u16) -> Vip {
    let [high, low] = number.to_be_bytes();
    let service = Service::Port { protocol: 6, port: 80.try_into().unwrap() };
    Vip::new(IpAddr::from([198, 18, high, low]).into(), service)
}

fn frontend(number: u16) -> DesiredFrontend {
    let server =
        DesiredServer { weight: TargetWeight::Weight(Weight::FULL), flush: Some(FlushSeq::NONE) };
    let servers = (1..=SERVERS).map(|last| (IpAddr::from([10, 0, 0, last]), server)).collect();
    let spec = VipSpec {
        vip: vip(number),
        encap: Encap::Gre4,
        src_ip_sticky: false,
        table_length: TableLength::DEFAULT,
    };
    DesiredFrontend { spec, servers, unmanaged: UnmanagedServers::Remove }
}

fn name(number: u16) -> FrontendName {
    format!("v{number:04}").as_str().into()
}

fn desired() -> Desired {
    let frontends = (0..VIPS).map(|number| (name(number), Arc::new(frontend(number)))).collect();
    let conf = LbConf {
        ip4_src: [192, 0, 2, 1].into(),
        ip6_src: "2001:db8::1".parse().unwrap(),
        sticky_buckets_per_core: 1024,
        flow_timeout_s: 40,
    };
    Desired { conf, frontends }
}

/// A VPP that holds all of it.
fn observed(desired: &Desired) -> Observed {
    let mut observed = Observed::empty(LbDialect::Weights, desired.conf);
    for planned in plan::plan(desired, &observed.clone(), &Flushed::new(), &Scope::All) {
        plan::apply(&mut observed, &planned.step);
    }
    observed
}

/// Lowers a server of the VIP with this number.
fn spoil(observed: &mut Observed, number: u16, last: u8) {
    let (vip, server) = (vip(number), IpAddr::from([10, 0, 0, last]));
    let weight = Weight::try_from(50).unwrap();
    plan::apply(observed, &Step::SetWeight { vip, server, weight, flush: false });
}

fn plans(criterion: &mut Criterion) {
    let desired = desired();
    let same = observed(&desired);
    let mut one = same.clone();
    spoil(&mut one, VIPS / 2, 1);
    let mut all = same.clone();
    for number in 0..VIPS {
        (1..=SERVERS).for_each(|last| spoil(&mut all, number, last));
    }
    let empty = Observed { vips: BTreeMap::new(), ..same.clone() };
    let flip = Scope::One(name(VIPS / 2));
    let cases = [
        ("no difference", &same, &Scope::All, 0),
        ("one difference", &one, &Scope::All, 1),
        ("every weight differs", &all, &Scope::All, usize::from(VIPS) * usize::from(SERVERS)),
        ("all is missing", &empty, &Scope::All, usize::from(VIPS) * (usize::from(SERVERS) + 1)),
        ("one difference, one frontend", &one, &flip, 1),
    ];
    let mut group = criterion.benchmark_group("plan 1000 x 10");
    for (what, observed, scope, steps) in cases {
        let flushed = Flushed::new();
        assert_eq!(plan::plan(&desired, observed, &flushed, scope).len(), steps);
        group.bench_function(what, |bencher| {
            bencher.iter(|| plan::plan(black_box(&desired), black_box(observed), &flushed, scope));
        });
    }
}

criterion_group!(benches, plans);
criterion_main!(benches);
