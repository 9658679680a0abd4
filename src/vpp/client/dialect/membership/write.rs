//! Writes: one message for one [`Step`], encoded as lb.api 1.1.0 understands it.
//!
//! A server is in the table or not, so a weight can be neither set nor 0.

use super::super::conf;
use super::messages::MembershipDialect;
use crate::domain::dataplane::net::{Encap, TableLength, Vip, Weight};
use crate::domain::dataplane::step::{Step, VipSpec};
use crate::vpp::client::calls::PreparedWrite;
use crate::vpp::client::connection::Connection;
use crate::vpp::client::error::{CallError, StepError};
use crate::vpp::wire::lb::{ENCAP_GRE4, ENCAP_GRE6};
use crate::vpp::wire::{LbAddDelVipV2, LbConfSet, LegacyAddDelAs, LegacyAddDelVipV2, WireAddress};

/// The call that carries out `step`.
pub(super) fn prepare(
    connection: &Connection<MembershipDialect>,
    step: &Step,
    urgent: bool,
) -> Result<PreparedWrite, CallError> {
    match LegacyWrite::try_from(step)? {
        LegacyWrite::Conf(message) => connection.write(&message, urgent),
        LegacyWrite::Vip(message) => connection.write(&message, urgent),
        LegacyWrite::Server(message) => connection.write(&message, urgent),
    }
}

/// A step as the message that carries it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LegacyWrite {
    /// `lb_conf`
    Conf(LbConfSet),
    /// `lb_add_del_vip_v2`
    Vip(LegacyAddDelVipV2),
    /// `lb_add_del_as`
    Server(LegacyAddDelAs),
}

impl TryFrom<&Step> for LegacyWrite {
    type Error = StepError;

    fn try_from(step: &Step) -> Result<Self, StepError> {
        Ok(match step {
            Step::SetConf(conf) => Self::Conf(conf::message(conf)?),
            Step::AddVip(spec) => Self::Vip(vip_message(spec, false)),
            // VPP looks only at the key. The other fields are ones it would accept.
            Step::RemoveVip(vip) => Self::Vip(vip_message(
                &VipSpec {
                    vip: *vip,
                    encap: Encap::Gre4,
                    src_ip_sticky: false,
                    table_length: TableLength::DEFAULT,
                },
                true,
            )),
            Step::AddServer { weight: Weight::ZERO, .. } | Step::SetWeight { .. } => {
                return Err(StepError::NoWeights);
            }
            Step::AddServer { vip, server, .. } => {
                Self::Server(server_message(*vip, (*server).into()))
            }
            Step::RemoveServer { vip, server, flush } => Self::Server(LegacyAddDelAs {
                is_del: true,
                is_flush: *flush,
                ..server_message(*vip, (*server).into())
            }),
        })
    }
}

fn vip_message(spec: &VipSpec, is_del: bool) -> LegacyAddDelVipV2 {
    LegacyAddDelVipV2(LbAddDelVipV2 {
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
    })
}

fn server_message(vip: Vip, as_address: WireAddress) -> LegacyAddDelAs {
    LegacyAddDelAs { vip: vip.into(), as_address, is_del: false, is_flush: false }
}
