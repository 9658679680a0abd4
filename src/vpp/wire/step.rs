//! The only way in which a client writes to the load balancer: one message for
//! one [`Step`], whose types cannot hold what would crash or corrupt VPP.
//!
//! The global settings are the one step whose numbers are plain integers: they
//! are checked here. A server of the wrong family for its VIP cannot be told
//! from the step alone, and VPP refuses it.

use thiserror::Error;

use super::lb::{
    ENCAP_GRE4, ENCAP_GRE6, LbAddDelAsV2, LbAddDelVipV2, LbAsSetWeight, LbConfSet as WireConf,
};
use crate::domain::config::LbConf;
use crate::domain::dataplane::net::{Encap, TableLength, Vip};
use crate::domain::dataplane::step::{Step, VipSpec};

/// A step as the message that does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LbWrite {
    /// `lb_conf`
    Conf(WireConf),
    /// `lb_add_del_vip_v2`
    Vip(LbAddDelVipV2),
    /// `lb_add_del_as_v2`
    Server(LbAddDelAsV2),
    /// `lb_as_set_weight`
    Weight(LbAsSetWeight),
}

/// A step that must not leave this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StepError {
    /// VPP stores 0 and refuses the rest; all ones would mean "keep".
    #[error("{0} sticky buckets: not a power of two from 1 to 2^30")]
    StickyBuckets(u32),
    /// VPP takes any number; its configuration documents 1 to 120.
    #[error("a flow timeout of {0} s is not between 1 and 120")]
    FlowTimeout(u32),
}

impl TryFrom<&Step> for LbWrite {
    type Error = StepError;

    fn try_from(step: &Step) -> Result<Self, StepError> {
        Ok(match step {
            Step::SetConf(conf) => Self::Conf(conf_message(conf)?),
            Step::AddVip(spec) => Self::Vip(vip_message(spec, false)),
            // VPP looks only at the key. The other fields are ones it would
            // accept, should a release come to check them.
            Step::RemoveVip(vip) => Self::Vip(vip_message(
                &VipSpec {
                    vip: *vip,
                    encap: Encap::Gre4,
                    src_ip_sticky: false,
                    table_length: TableLength::DEFAULT,
                },
                true,
            )),
            Step::AddServer { vip, server, weight } => Self::Server(LbAddDelAsV2 {
                weight: weight.get(),
                ..server_message(*vip, (*server).into())
            }),
            Step::RemoveServer { vip, server, flush } => Self::Server(LbAddDelAsV2 {
                is_del: true,
                is_flush: *flush,
                ..server_message(*vip, (*server).into())
            }),
            Step::SetWeight { vip, server, weight, flush } => Self::Weight(LbAsSetWeight {
                vip: (*vip).into(),
                as_address: (*server).into(),
                weight: weight.get(),
                is_flush: *flush,
            }),
        })
    }
}

fn conf_message(conf: &LbConf) -> Result<WireConf, StepError> {
    let buckets = conf.sticky_buckets_per_core;
    if !buckets.is_power_of_two() || buckets > 1 << 30 {
        return Err(StepError::StickyBuckets(buckets));
    }
    if !(1..=120).contains(&conf.flow_timeout_s) {
        return Err(StepError::FlowTimeout(conf.flow_timeout_s));
    }
    Ok(WireConf {
        ip4_src_address: conf.ip4_src,
        ip6_src_address: conf.ip6_src,
        sticky_buckets_per_core: buckets,
        flow_timeout: conf.flow_timeout_s,
    })
}

fn vip_message(spec: &VipSpec, is_del: bool) -> LbAddDelVipV2 {
    LbAddDelVipV2 {
        vip: spec.vip.into(),
        encap: match spec.encap {
            Encap::Gre4 => ENCAP_GRE4,
            Encap::Gre6 => ENCAP_GRE6,
        },
        dscp: 0,
        srv_type: 0,
        target_port: 0,
        node_port: 0,
        new_flows_table_length: u32::from(spec.table_length.get()),
        src_ip_sticky: spec.src_ip_sticky,
        is_del,
    }
}

fn server_message(vip: Vip, as_address: super::types::WireAddress) -> LbAddDelAsV2 {
    LbAddDelAsV2 { vip: vip.into(), as_address, weight: 0, is_del: false, is_flush: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_vpp_would_store_and_choke_on_are_refused() {
        let good = LbConf {
            ip4_src: [192, 0, 2, 1].into(),
            ip6_src: std::net::Ipv6Addr::LOCALHOST,
            sticky_buckets_per_core: 1024,
            flow_timeout_s: 40,
        };
        assert!(LbWrite::try_from(&Step::SetConf(good)).is_ok());
        for buckets in [0, 3, u32::MAX, 1 << 31] {
            let step = Step::SetConf(LbConf { sticky_buckets_per_core: buckets, ..good });
            assert_eq!(LbWrite::try_from(&step), Err(StepError::StickyBuckets(buckets)));
        }
        for seconds in [0, 121, u32::MAX] {
            let step = Step::SetConf(LbConf { flow_timeout_s: seconds, ..good });
            assert_eq!(LbWrite::try_from(&step), Err(StepError::FlowTimeout(seconds)));
        }
    }
}
