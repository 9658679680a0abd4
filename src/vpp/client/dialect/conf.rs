//! The global settings as the message that both dialects have.

use crate::domain::config::LbConf;
use crate::vpp::client::error::StepError;
use crate::vpp::wire::LbConfSet;

/// The message that sets all of `conf`.
///
/// # Errors
/// VPP would store one of its numbers and choke on it.
pub(super) fn message(conf: &LbConf) -> Result<LbConfSet, StepError> {
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
