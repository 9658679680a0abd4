//! What both dialects say with the same messages: the global settings, and VIPs, whose
//! bytes differ.

use crate::domain::config::LbConf;
use crate::domain::dataplane::net::{Encap, TableLength, Vip};
use crate::domain::dataplane::step::VipSpec;
use crate::vpp::client::error::StepError;
use crate::vpp::wire::lb::{ENCAP_GRE4, ENCAP_GRE6};
use crate::vpp::wire::{LbAddDelVipV2, LbConfSet};

/// The message that sets all of `conf`.
///
/// # Errors
/// VPP would store one of its numbers and choke on it.
pub(super) fn set_conf(conf: &LbConf) -> Result<LbConfSet, StepError> {
    let buckets = conf.sticky_buckets_per_core;
    if !buckets.is_power_of_two() || buckets > 1 << 30 {
        return Err(StepError::StickyBuckets(buckets));
    }
    if !(1..=120).contains(&conf.flow_timeout_s) {
        return Err(StepError::FlowTimeout(conf.flow_timeout_s));
    }
    Ok(LbConfSet {
        ip4_src_address: conf.ip4_src,
        ip6_src_address: conf.ip6_src,
        sticky_buckets_per_core: buckets,
        flow_timeout: conf.flow_timeout_s,
    })
}

pub(super) fn add_vip(spec: &VipSpec) -> LbAddDelVipV2 {
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
        is_del: false,
    }
}

pub(super) fn remove_vip(vip: Vip) -> LbAddDelVipV2 {
    // VPP looks only at the key. The other fields are ones it would accept, should a
    // release come to check them.
    let (encap, table_length) = (Encap::Gre4, TableLength::DEFAULT);
    let spec = VipSpec { vip, encap, src_ip_sticky: false, table_length };
    LbAddDelVipV2 { is_del: true, ..add_vip(&spec) }
}
