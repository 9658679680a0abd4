//! Desired and observed states, at random.

use super::*;

pub(super) fn conf(buckets: u32) -> LbConf {
    LbConf {
        ip4_src: [192, 0, 2, 1].into(),
        ip6_src: "2001:db8::1".parse().unwrap(),
        sticky_buckets_per_core: buckets,
        flow_timeout_s: 40,
    }
}

pub(super) fn weight(weight: u8) -> Weight {
    Weight::try_from(i64::from(weight)).unwrap()
}

pub(super) fn server(encap: Encap, number: u8) -> IpAddr {
    match encap {
        Encap::Gre4 => IpAddr::from([10, 0, 0, number]),
        Encap::Gre6 => IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(number)]),
    }
}

/// Service 0 is all-port.
pub(super) fn vip(prefix: u8, service: u16) -> Vip {
    let prefix = format!("192.0.2.{prefix}/32").parse().unwrap();
    let service = match std::num::NonZeroU16::new(service) {
        None => Service::All,
        Some(port) => Service::Port { protocol: 6, port },
    };
    Vip::new(prefix, service)
}

prop_compose! {
    fn any_desired_server()(keep in prop::bool::weighted(0.2), w in 0u8..=100, zero in any::<bool>(), flush in prop::option::of(0u64..2)) -> DesiredServer {
        let weight = match (keep, zero) {
            (true, _) => TargetWeight::Keep,
            (_, true) => TargetWeight::Weight(Weight::ZERO),
            _ => TargetWeight::Weight(weight(w)),
        };
        let flush = flush.map(|n| (0..n).fold(FlushSeq::NONE, |seq, _| seq.next()));
        DesiredServer { weight, flush }
    }
}

prop_compose! {
    /// Any state that a configuration can request: a prefix has one encapsulation,
    /// and is all-port or per-port.
    pub(super) fn any_desired()(
        prefixes in prop::collection::btree_map(
            0u8..4,
            (any::<bool>(), any::<bool>(), prop::collection::btree_map(1u16..4, (
                prop::collection::btree_map(1u8..6, any_desired_server(), 1..5),
                any::<bool>(), 0u32..3,
            ), 1..3)),
            0..4,
        ),
        buckets in 1u32..3,
    ) -> Desired {
        let mut frontends = BTreeMap::new();
        for (prefix, (all, six, services)) in prefixes {
            let encap = if six { Encap::Gre6 } else { Encap::Gre4 };
            for (port, (servers, src_ip_sticky, length)) in services {
                let vip = vip(prefix, if all { 0 } else { port });
                let table_length = TableLength::try_from(1u64 << length).unwrap();
                let spec = VipSpec { vip, encap, src_ip_sticky, table_length };
                let servers = servers.into_iter().map(|(n, s)| (server(encap, n), s)).collect();
                let name = format!("f{prefix}-{}", spec.vip.service().port());
                frontends.insert(name.as_str().into(), Arc::new(DesiredFrontend { spec, servers, unmanaged: UnmanagedServers::Remove }));
            }
        }
        Desired { conf: conf(buckets), frontends }
    }
}

prop_compose! {
    /// Any state that VPP can hold, made by the daemon or not.
    pub(super) fn any_observed()(
        prefixes in prop::collection::btree_map(
            0u8..5,
            (any::<bool>(), 0u32..4, prop::collection::btree_map(1u16..4, (
                prop::collection::btree_map(1u8..6, prop_oneof![Just(0u8), 0u8..=255], 0..5),
                prop::option::of(any::<bool>()), 0u32..4,
            ), 1..3)),
            0..5,
        ),
        buckets in 1u32..3,
        without_weights in any::<bool>(),
        is_told in any::<bool>(),
        flows in prop::option::of(0u64..2),
    ) -> Observed {
        let dialect = if without_weights { LbDialect::Membership } else { LbDialect::Weights };
        let mut vips = BTreeMap::new();
        for (prefix, (all, encap, services)) in prefixes {
            let encap = match encap {
                0 | 1 => ObservedEncap::Gre(Encap::Gre4),
                2 => ObservedEncap::Gre(Encap::Gre6),
                _ => ObservedEncap::Other(2),
            };
            for (port, (servers, src_ip_sticky, length)) in services {
                let family = if encap == ObservedEncap::Gre(Encap::Gre6) { Encap::Gre6 } else { Encap::Gre4 };
                let seen = |weight| ObservedServer { weight, buckets: 0 };
                // Without weights, a server is there or it was removed.
                let (mut here, mut retired) = (BTreeMap::new(), vec![]);
                for (n, weight) in servers {
                    let address = server(family, n);
                    match dialect {
                        LbDialect::Weights => drop(here.insert(address, seen(weight))),
                        LbDialect::Membership if weight > 0 => drop(here.insert(address, seen(1))),
                        LbDialect::Membership => {
                            retired.push(RetiredServer { address, removed_at_s: None, weight: 1, flows });
                        }
                    }
                }
                let table_length = TableLength::try_from(1u64 << length).ok().filter(|_| length < 3);
                vips.insert(
                    vip(prefix, if all { 0 } else { port }),
                    ObservedVip { encap, table_length, src_ip_sticky, servers: here, retired },
                );
            }
        }
        let conf = conf(buckets);
        let partial = PartialConf {
            sources: Some((conf.ip4_src, conf.ip6_src)),
            sticky_buckets: flows.iter().map(|_| 2).collect(),
        };
        let is_told = is_told || dialect == LbDialect::Weights;
        let conf = if is_told { conf.into() } else { ObservedConf::Partial(partial) };
        Observed { vips, ..Observed::empty(dialect, conf) }
    }
}
