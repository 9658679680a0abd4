//! Writes: one message for one [`Step`], whose types cannot hold what would
//! crash or corrupt VPP.
//!
//! The global settings are the one step whose numbers are plain integers: they
//! are checked when they become a message. A server of the wrong family for its VIP cannot be seen
//! in the step alone, and VPP refuses it.

use super::super::conf;
use super::messages::WeightsDialect;
use crate::domain::dataplane::net::{Encap, TableLength, Vip};
use crate::domain::dataplane::step::{Step, VipSpec};
use crate::vpp::client::calls::PreparedWrite;
use crate::vpp::client::connection::Connection;
use crate::vpp::client::error::{CallError, StepError};
use crate::vpp::wire::lb::{ENCAP_GRE4, ENCAP_GRE6};
use crate::vpp::wire::{LbAddDelAsV2, LbAddDelVipV2, LbAsSetWeight, LbConfSet, WireAddress};

/// The call that carries out `step`.
pub(super) fn prepare(
    connection: &Connection<WeightsDialect>,
    step: &Step,
    urgent: bool,
) -> Result<PreparedWrite, CallError> {
    match LbWrite::try_from(step)? {
        LbWrite::Conf(message) => connection.write(&message, urgent),
        LbWrite::Vip(message) => connection.write(&message, urgent),
        LbWrite::Server(message) => connection.write(&message, urgent),
        LbWrite::Weight(message) => connection.write(&message, urgent),
    }
}

/// A step as the message that carries it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LbWrite {
    /// `lb_conf`
    Conf(LbConfSet),
    /// `lb_add_del_vip_v2`
    Vip(LbAddDelVipV2),
    /// `lb_add_del_as_v2`
    Server(LbAddDelAsV2),
    /// `lb_as_set_weight`
    Weight(LbAsSetWeight),
}

impl TryFrom<&Step> for LbWrite {
    type Error = StepError;

    fn try_from(step: &Step) -> Result<Self, StepError> {
        Ok(match step {
            Step::SetConf(conf) => Self::Conf(conf::message(conf)?),
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

fn server_message(vip: Vip, as_address: WireAddress) -> LbAddDelAsV2 {
    LbAddDelAsV2 { vip: vip.into(), as_address, weight: 0, is_del: false, is_flush: false }
}
